"""A replica, PostgreSQL or the way to it breaks while agents work."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import NamedTuple

import psycopg
import requests

from sandbox import keys
from sandbox.special_tickets import ENCRYPTED_ID, SAMPLE_ID
from tests.scale.browsers import Browser, signed_in, words_of

AGENTS = 8
KILLED_AT, BACK_AT, ENDS_AT = 3.0, 6.0, 16.0  # seconds; nginx tries a dead replica again after five
SLACK = 2.0  # seconds that a busy machine may take to see that a connection is dead


BROKEN_OFF = 0  # in place of a status: the replica was killed in the middle of its answer


class Answer(NamedTuple):
    method: str
    status: int
    began: float
    ended: float
    where_to: str


class AgentAtWork:
    """An agent who reads the list and a ticket, replies to it, and presses once more unless that succeeded."""

    def __init__(self, url: str, ticket_id: str):
        self.url, self.ticket_id = url, ticket_id
        self.answers: list[Answer] = []
        self.texts: list[str] = []  # of all the replies that were written
        self.sent: list[str] = []  # those that the dashboard said were sent
        self._browser = signed_in(url)

    def work_until(self, ends_at: float) -> None:
        while time.monotonic() < ends_at:
            self._ask("GET", "/tickets/")
            began = time.monotonic()
            try:
                page = self._browser.form_of(self.url, self.ticket_id)
            except requests.exceptions.ChunkedEncodingError:
                self.answers.append(Answer("GET", BROKEN_OFF, began, time.monotonic(), ""))
                continue
            text = f"Reply {len(self.texts)} to {self.ticket_id}."
            self.texts.append(text)
            reply = f"/tickets/{self.ticket_id}/reply/"
            status = self._ask("POST", reply, page | {"message": text})
            if status != 302:
                status = self._ask("POST", reply, page | {"message": text})
            if status == 302:
                self.sent.append(text)

    def _ask(self, method: str, path: str, form: dict | None = None) -> int:
        began = time.monotonic()
        try:
            answer = self._browser.request(method, self.url + path, data=form, timeout=30, allow_redirects=False)
        except requests.exceptions.ChunkedEncodingError:
            self.answers.append(Answer(method, BROKEN_OFF, began, time.monotonic(), ""))
            return BROKEN_OFF
        where_to = answer.headers.get("Location", "")
        self.answers.append(Answer(method, answer.status_code, began, time.monotonic(), where_to))
        return answer.status_code


def test_a_killed_replica_loses_no_session_and_sends_nothing_twice(scene, sandbox, capsys):
    open_tickets = [ticket.id for ticket in sandbox.tickets.tickets_of(keys.ACCOUNT_A, status="open")]
    agents = [AgentAtWork(scene.url, ticket_id) for ticket_id in open_tickets[:AGENTS]]
    sandbox.clear_calls()
    began = time.monotonic()
    with ThreadPoolExecutor(AGENTS) as pool:
        work = [pool.submit(agent.work_until, began + ENDS_AT) for agent in agents]
        time.sleep(KILLED_AT)
        killed_at = time.monotonic()
        scene.one.kill()
        time.sleep(BACK_AT - KILLED_AT)
        with closing(psycopg.connect(scene.database_url)) as database:
            connections = database.execute("SELECT count(*) FROM pg_stat_activity").fetchone()[0]
        log_length = scene.one.log.stat().st_size
        scene.one.start()
        for done in work:
            done.result()

    answers = [answer for agent in agents for answer in agent.answers]
    failed = [answer for answer in answers if answer.status not in (200, 302)]
    assert all(answer.began <= killed_at + SLACK and answer.ended >= killed_at for answer in failed)
    # The proxy repeats a request at the other replica if that is safe and no part of the answer has gone out.
    assert {answer.method for answer in failed if answer.status != BROKEN_OFF} <= {"POST"}
    assert len(failed) <= 2 * AGENTS
    assert not [answer for answer in answers if "login" in answer.where_to]
    said_after = scene.one.log.read_text()[log_length:]
    assert said_after.count("/reply/") + said_after.count('"reply"') > 0  # it works again

    written = Counter(
        message.body for ticket in sandbox.tickets.all_tickets() for message in ticket.messages if message.body
    )
    texts = [text for agent in agents for text in agent.texts]
    assert max(written[text] for text in texts) == 1
    assert [text for agent in agents for text in agent.sent if written[text] != 1] == []
    # What the killed replica had only begun to send is a call, too, but HostUp finds no message in it (400).
    calls = [call for call in sandbox.calls if call.method == "POST"]
    posts = [call for call in calls if call.status != 400]
    assert len(calls) - len(posts) <= AGENTS
    assert len(posts) == sum(written[text] for text in texts)
    assert connections <= 100
    with capsys.disabled():
        print(f"\n{len(answers)} answers, {len(failed)} not, {len(texts)} replies, {len(posts)} at HostUp")


def test_the_proxy_does_not_send_a_post_twice(scene, sandbox):
    """Both replicas are killed in turn while HostUp answers the one that was given the reply."""
    browser = signed_in(scene.url)
    form = browser.form_of(scene.url, ENCRYPTED_ID) | {"message": "Only once."}
    sandbox.clear_calls()
    sandbox.fault("slow", method="POST")
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(browser.send_form, scene.url, f"/tickets/{ENCRYPTED_ID}/reply/", form)
        while "POST" not in [call.method for call in sandbox.calls]:
            time.sleep(0.01)
        for replica in (scene.one, scene.two):  # one of the two has the reply, and the other gets nothing of it
            replica.kill()
            replica.start()
        assert answer.result().status_code == 502
    assert [call.method for call in sandbox.calls].count("POST") == 1
    assert browser.is_in(scene.url)


def test_a_postgresql_that_hangs_is_said_within_seconds(scene):
    browser = signed_in(scene.url)
    scene.one.stop()
    scene.one.start()  # without connections to the database
    at = f"http://{scene.one.address}"
    scene.database.pause()
    try:
        began = time.monotonic()
        answer = browser.see(at, "/tickets/")
        assert time.monotonic() - began < 3 + 3  # three to connect, and three for a busy machine
        assert answer.status_code == 503
        assert "storage is not responding" in words_of(answer)
        assert Browser().see(at, "/healthz").status_code == 200
    finally:
        scene.database.resume()
    assert browser.see(at, "/tickets/").status_code == 200


def test_a_lock_that_is_never_given_back_holds_nobody_for_ever(scene):
    browser = signed_in(scene.url)
    with closing(psycopg.connect(scene.database_url)) as other:
        other.execute("LOCK TABLE django_session IN ACCESS EXCLUSIVE MODE")
        began = time.monotonic()
        answer = browser.see(scene.url, "/tickets/")
        assert time.monotonic() - began < 5 + 3
        assert answer.status_code == 503
    assert browser.see(scene.url, "/tickets/").status_code == 200


def test_connections_that_postgresql_ended_cost_nobody_a_page(scene):
    """As after a restart of PostgreSQL: each connection is checked before a request uses it."""
    browser = signed_in(scene.url)
    for _ in range(4):
        browser.see(scene.url, "/tickets/")
    with closing(psycopg.connect(scene.database_url, autocommit=True)) as other:
        others = "pid <> pg_backend_pid() AND backend_type = 'client backend'"
        ended = other.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}").fetchall()  # noqa: S608  (a condition of ours)
    assert ended
    statuses = [browser.see(scene.url, f"/tickets/{SAMPLE_ID}/").status_code for _ in range(8)]
    assert set(statuses) == {200}
