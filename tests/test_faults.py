"""Whatever goes wrong, at HostUp or here: every line of faults.md, made to happen for real."""

import html
import logging
import re
import shutil
import sqlite3
import threading
import time
import uuid
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from django.contrib.sessions.models import Session
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError, close_old_connections, connection, connections

from hostup_dashboard import environment
from sandbox import keys
from sandbox.cursors import encode_cursor
from sandbox.faults import gzip_bomb
from sandbox.named_faults import NAMED
from sandbox.special_tickets import ENCRYPTED_ID, SAMPLE_ID
from tests import fault_servers
from tests.accounts.people import PASSWORD, make_agent
from tests.agents import Agent
from tests.fault_table import TABLE
from tests.full_disk import no_file_gets_longer_than
from tickets.models import Activity
from tickets.shown import stamp
from tickets.upstream import CALLS_AT_ONCE, pool

CALL_SECONDS = 0.8  # the deadline of calls, in faults that only it can end
LOCK_SECONDS = 0.1  # how long we wait for another connection's lock on the database
SLACK = 1.5  # seconds that everything but HostUp may take on a busy machine
TEXT, SUBJECT = "Did you get <this>?", "Invoice twice"
LARGE_FILE = b"x" * 3_000_000  # too large to wait in memory


# Our own faults; HostUp's are in sandbox/named_faults.py

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%s\r\n{}"  # %s: the size of the first chunk
# What is found where HostUp should be.
WAYS = {
    "no_such_host": fault_servers.without_an_address,
    "connection_refused": fault_servers.refusing,
    "hangs_up_at_once": fault_servers.hanging_up,
    "hangs_up_in_the_handshake": partial(fault_servers.hanging_up, scheme="https"),
    "speaks_no_http": partial(fault_servers.hanging_up, b"SSH-2.0-OpenSSH_9.2\r\n"),
    "chunk_below_zero": partial(fault_servers.hanging_up, CHUNKED % b"-5"),
    "chunk_far_below_zero": partial(fault_servers.hanging_up, CHUNKED % b"-8000000000000001"),
    "connection_hangs": fault_servers.with_a_full_backlog,
    "handshake_hangs": partial(fault_servers.silent, "https"),
    "answer_hangs": fault_servers.silent,
    "certificate_not_trusted": partial(fault_servers.encrypted, is_trusted=False),
    "certificate_of_another": partial(fault_servers.encrypted, "hostup.example"),
    "certificate_expired": partial(fault_servers.encrypted, expired=True),
    "not_encrypted": fault_servers.not_encrypted,
}


def disk_full(scene):
    """Leave no room for the last hundred bytes of a large file; nothing else here is as long."""
    scene.during(no_file_gets_longer_than(len(LARGE_FILE) - 100))


def already_open(scene, answer="unchanged"):
    scene.sandbox.already = answer
    ticket = scene.sandbox.tickets.find(SAMPLE_ID)
    ticket.status, ticket.updated_at = "open", datetime.now(UTC) - timedelta(seconds=10)


def with_the_clock_off(scene, clock, fault, method=None):
    """Let something else go wrong at HostUp while its clock is off."""
    headers = NAMED[clock]["headers"]
    scene.sandbox.fault(fault, method=method, headers=NAMED[fault].get("headers", {}) | headers)
    scene.sandbox.fault(headers=headers, times=None)


def a_ticket_like_it_is_an_hour_old(scene):
    ticket = scene.sandbox.tickets.create(
        keys.ACCOUNT_A, department_slug="billing", subject=SUBJECT, body="Another one.", requester_name="Anna"
    )
    ticket.created_at -= timedelta(hours=1)
    with_the_clock_off(scene, "clock_behind", "reset", "POST")


def all_calls_busy(scene):
    """Take every slot for calls to HostUp, for as long as the scene lasts."""
    for _ in range(CALLS_AT_ONCE):
        scene.during(pool().slot())


def cache_at(scene, server):
    url, _ = scene.during(server())
    scene.settings.CACHES = {"default": environment.cache(url.replace("http:", "redis:"))}


def database_locked(scene):
    """Hold the database's write lock for longer than the dashboard waits."""
    other = scene.during(closing(sqlite3.connect(scene.database, isolation_level=None, check_same_thread=False)))
    other.execute("BEGIN IMMEDIATE")


def database_read_only(scene):
    scene.during(database_at(f"file:{scene.database}?mode=ro"))


def database_full(scene):
    """Fill the database with log entries until SQLite reports a full disk."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA page_count")
        cursor.execute(f"PRAGMA max_page_count = {cursor.fetchone()[0]}")
    for code in ("x" * 100, ""):  # in the end there is no room for the smallest entry either
        with pytest.raises(OperationalError, match="database or disk is full"):
            log_a_thousand(scene.agent.user, code)


def log_a_thousand(user, code):
    for _ in range(1000):
        Activity.objects.create(user=user, action="reopen", code=code)


def database_gone(scene):
    scene.during(database_at(scene.database.with_name("nowhere") / "db.sqlite3"))


def meanwhile(scene, happens):
    """Let it happen while HostUp answers a POST: after the intent is logged, and before its outcome is."""

    def answer(value):
        happens(scene)
        return value

    scene.sandbox.fault(method="POST", transform=answer)


def connection_lost(scene):
    scene.connection.connection.close()


OURS = {
    "already_open": already_open,
    "already_open_and_refused": partial(already_open, answer="conflict"),
    "clock_ahead_and_limited": partial(with_the_clock_off, clock="clock_ahead", fault="rate_limited_http_date"),
    "clock_behind_and_limited": partial(with_the_clock_off, clock="clock_behind", fault="rate_limited_http_date"),
    "clock_ahead_and_lost_answer": partial(
        with_the_clock_off, clock="clock_ahead", fault="lost_answer", method="POST"
    ),
    "clock_behind_and_reset": a_ticket_like_it_is_an_hour_old,
    "all_calls_busy": all_calls_busy,
    "disk_full": disk_full,
    "cache_refused": partial(cache_at, server=fault_servers.refusing),
    "cache_hangs": partial(cache_at, server=fault_servers.silent),
    "database_locked": database_locked,
    "database_read_only": database_read_only,
    "database_full": database_full,
    "database_gone": database_gone,
    "database_locked_meanwhile": partial(meanwhile, happens=database_locked),
    "database_lost_meanwhile": partial(meanwhile, happens=connection_lost),
}
OF_TWO_AGENTS = {"two_reopen_at_once", "one_reopens_one_closes"}
IN_A_BROWSER = {"process_killed"}  # browser/test_faults.py
LINES = [line for line in TABLE if line.fault not in OF_TWO_AGENTS | IN_A_BROWSER]


# The stage


class Scene:
    """A dashboard with an agent in it, over a database file that may be broken."""

    def __init__(self, line, sandbox, settings, database, during):
        self.line, self.sandbox, self.settings = line, sandbox, settings
        self.database, self.during = database, during
        self.agent = Agent() if line.action == "sign in" else Agent("agent", keys.FULL)
        self.agent.raise_request_exception = False  # answer with a 500 instead, as a server does
        self.connection = connections["default"]
        self.form = FORMS[line.action](sandbox.tickets) if line.action in FORMS else None

    def breaks(self):
        fault = self.line.fault
        gzip_bomb(100)  # made beforehand: compressing it takes longer than a call may
        if fault in WAYS:
            self.settings.HOSTUP_API_URL, self.settings.HOSTUP_CA_BUNDLE = self.during(WAYS[fault]())
        elif fault in OURS:
            OURS[fault](self)
        elif self.form:
            self.sandbox.fault(fault, times=None, method="POST", path="")
        else:
            self.sandbox.fault(fault, times=None)

    def act(self):
        response = ACTIONS[self.line.action](self.agent, self.form)
        if self.database:  # else the test is one transaction, which would end here
            close_old_connections()  # as Django does at the end of a request, but not in tests
        return response


@pytest.fixture(scope="module")
def empty_database(django_db_setup, django_db_blocker, tmp_path_factory):
    path = tmp_path_factory.mktemp("faults") / "db.sqlite3"
    if connection.vendor != "sqlite":
        return None
    with django_db_blocker.unblock(), closing(sqlite3.connect(path)) as copy:
        connection.ensure_connection()
        connection.connection.backup(copy)
    return path


@pytest.fixture
def database(db, empty_database, tmp_path):
    """Use a database in a file, as in production: the tests' usual one is in memory, where nothing breaks.

    Where the tests do not run on SQLite, keep their own, for the faults of HostUp and the cache, and yield None.
    """
    if not empty_database:
        yield None
        return
    path = tmp_path / "db.sqlite3"
    shutil.copy(empty_database, path)
    with database_at(path):
        yield path


@contextmanager
def database_at(name):
    """Let the dashboard use the SQLite database `name`."""
    settings, before = connections.settings["default"], connections["default"]
    options = settings["OPTIONS"] | {"timeout": LOCK_SECONDS}
    connections.settings["default"] = settings | {"NAME": name, "OPTIONS": options}
    del connections["default"]
    yield
    connections["default"].close()
    connections.settings["default"], connections["default"] = settings, before


@contextmanager
def in_the_background(work):
    thread = threading.Thread(target=work)
    thread.start()
    yield
    thread.join()


@pytest.fixture
def scene(line, sandbox, settings, database, monkeypatch):
    if line.fault.startswith("database_") and not database:
        pytest.skip("breaks a SQLite file; tests/scale breaks PostgreSQL")
    monkeypatch.setattr("tickets.creating.PATIENCE", 0.1)  # seconds; the other press never ends in these tests
    if line.fault in TAKES_ITS_TIME:
        settings.HOSTUP_DEADLINE = CALL_SECONDS
    with ExitStack() as stack:
        yield Scene(line, sandbox, settings, database, stack.enter_context)


TAKES_ITS_TIME = {
    "connection_hangs", "handshake_hangs", "answer_hangs", "slow", "dripping_headers", "dripping_body",
}  # fmt: skip


# What agents do


def form_of_reopen(store):
    return {"status": "closed", "updated_at": stamp(store.find(SAMPLE_ID).updated_at)}


def form_of_reply(store):
    ticket = store.find(ENCRYPTED_ID)
    seen = {"seen_message": ticket.messages[-1].id, "seen_status": ticket.status}
    return {"token": str(uuid.uuid4()), "message": TEXT} | seen


def form_of_attach(store):
    return form_of_reply(store) | {"files": SimpleUploadedFile("large.zip", LARGE_FILE)}


def form_of_upload(store):
    return {"file": SimpleUploadedFile("large.zip", LARGE_FILE)}


def form_of_create(store):
    about = {"department": "billing", "priority": "high", "subject": SUBJECT}
    return {"token": str(uuid.uuid4()), "message": TEXT} | about


def form_of_sign_in(store):
    make_agent()
    return {"login": "anna", "password": PASSWORD}


FORMS = {
    "reopen": form_of_reopen,
    "reply": form_of_reply,
    "attach": form_of_attach,
    "upload": form_of_upload,
    "create": form_of_create,
    "sign in": form_of_sign_in,
}  # as they stand on the page when the agent presses the button
ACTIONS = {
    "list": lambda agent, form: agent.get("/tickets/"),
    "ticket": lambda agent, form: agent.get(f"/tickets/{SAMPLE_ID}/"),
    "more": lambda agent, form: agent.htmx_get(f"/tickets/?cursor={encode_cursor(0)}"),
    "reopen": lambda agent, form: agent.htmx_post(f"/tickets/{SAMPLE_ID}/reopen/", form),
    "reply": lambda agent, form: agent.post(f"/tickets/{ENCRYPTED_ID}/reply/", form),
    "attach": lambda agent, form: agent.post(f"/tickets/{ENCRYPTED_ID}/reply/", form),
    "upload": lambda agent, form: agent.htmx_post(f"/tickets/{ENCRYPTED_ID}/upload/", form),
    "create": lambda agent, form: agent.post("/tickets/new/", form),
    "sign in": lambda agent, form: agent.post("/accounts/login/", form),
}


# The promises


def test_the_table_has_every_fault():
    assert {line.fault for line in TABLE} == {*NAMED, *WAYS, *OURS, *OF_TWO_AGENTS, *IN_A_BROWSER}
    assert len({(line.fault, line.action) for line in TABLE}) == len(TABLE)


@pytest.mark.parametrize("line", LINES, ids=str)
def test_the_agent_sees_what_the_table_says(line, scene, caplog):
    scene.breaks()
    began = time.monotonic()
    response = scene.act()
    took = time.monotonic() - began

    posts = [call.method for call in scene.sandbox.calls].count("POST")
    assert took < 2 * scene.settings.HOSTUP_DEADLINE + SLACK
    assert response.status_code == line.status
    if line.calls is not None:
        assert [call.method for call in scene.sandbox.calls] == line.calls
    assert posts <= 1
    if response.status_code == 302:
        response = scene.agent.get(response.headers["Location"])
    text = words_of(response)
    for words in line.words:
        assert words in text
    if line.status >= 400:
        is_worded(scene, response)
    tells_the_truth(scene, text)
    if line.fault.endswith("_meanwhile"):
        assert Activity.objects.get().outcome == "unknown"
        assert [record for record in caplog.records if record.levelno == logging.ERROR]
        if line.action != "reopen":
            scene.act()  # the same form once more
            tells_the_truth(scene, text)


def words_of(response):
    """Return the text of a page, without its markup and in one line."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", response.content.decode())).split())


def is_worded(scene, response):
    page = response.content.decode()
    alert = page[page.index('role="alert"') :]
    heading, rest = re.search(r"<h[12][^>]*>(.*?)</h[12]>(.*?)class=\"dismiss\"", alert, re.DOTALL).groups()
    assert heading.strip()
    assert re.search(r"<p>\s*\w", rest)  # what it means, and what to do
    problem = scene.line.fault.startswith(("problem_", "rate_limited_", "expired_", "clock_"))
    if problem and scene.line.action != "create":
        assert "req_" in page
    if scene.line.status == 429:
        assert 1 <= int(response.headers["Retry-After"]) <= 300
    if scene.line.action in ("reply", "attach", "create"):
        boxes = re.findall(r"<textarea[^>]*>\n(.*?)</textarea>", page, re.DOTALL)
        # An error page has one box for all that was written; the form has one for each.
        as_written = {TEXT, f"{SUBJECT}\n\n{TEXT}"} if scene.line.action == "create" else {TEXT}
        assert as_written & {html.unescape(box) for box in boxes}


def tells_the_truth(scene, text):
    """Check that what is said to be done was done, once, and that what is said not to be done was not."""
    store = scene.sandbox.tickets
    match scene.line.action:
        case "reopen":
            is_open = store.find(SAMPLE_ID).status == "open"
            assert is_open == ("Reopened." in text or "Already open." in text)
        case "reply" | "attach":
            written = [message for message in store.find(ENCRYPTED_ID).messages if message.body == TEXT]
            assert len(written) == (scene.line.status == 302)
        case "create":
            made = [ticket for ticket in store.all_tickets() if ticket.body == TEXT]
            assert len(made) == (scene.line.status == 302) or "We do not know" in text and len(made) <= 1


def both_under_way(sandbox, presses):
    """Make two presses, the second while HostUp's answer to the first is on its way. Return the answers by action
    and agent."""
    form = form_of_reopen(sandbox.tickets)
    answers = {}

    def press(person, action):
        answers[action, person.user.username] = person.htmx_post(f"/tickets/{SAMPLE_ID}/{action}/", form)
        connections.close_all()

    sandbox.fault(method="POST", delay=0.5)
    with ExitStack() as stack:
        for person, action in presses:
            stack.enter_context(in_the_background(partial(press, person, action)))
            while not [call for call in sandbox.calls if call.method == "POST"]:
                time.sleep(0.01)
    return answers


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("already", ["unchanged", "conflict"])
@pytest.mark.parametrize("line", [line for line in TABLE if line.fault in OF_TWO_AGENTS], ids=str)
def test_two_agents_at_once_are_both_told_what_is_true(line, sandbox, database, already):
    sandbox.already = already
    second = "close" if line.fault == "one_reopens_one_closes" else "reopen"
    answers = both_under_way(
        sandbox, [(Agent("agent", keys.FULL), "reopen"), (Agent("colleague", keys.COLLEAGUE), second)]
    )
    assert {answer.status_code for answer in answers.values()} == {line.status}
    assert [call.method for call in sandbox.calls if call.method == "POST"] == line.calls
    assert Activity.objects.exclude(outcome="unknown").count() == 2
    for (action, _), answer in answers.items():
        done, already = ("Reopened.", "Already open.") if action == "reopen" else ("Closed.", "Already closed.")
        assert done in words_of(answer) or already in words_of(answer)
    if line.fault == "two_reopen_at_once":
        assert sandbox.tickets.find(SAMPLE_ID).status == "open"


@pytest.mark.django_db(transaction=True)
def test_closing_what_is_closed_and_reopened_meanwhile_is_refused(sandbox, database):
    """HostUp refuses, and the ticket then turns out to be open: it was neither closed now nor closed before."""
    sandbox.already = "conflict"
    answers = both_under_way(
        sandbox, [(Agent("agent", keys.FULL), "close"), (Agent("colleague", keys.COLLEAGUE), "reopen")]
    )
    assert answers["reopen", "colleague"].status_code == 200
    assert "Reopened." in words_of(answers["reopen", "colleague"])
    assert answers["close", "agent"].status_code == 409
    assert "The ticket was not changed." in words_of(answers["close", "agent"])
    assert Activity.objects.get(action="close").outcome == "refused"
    assert sandbox.tickets.find(SAMPLE_ID).status == "open"


def test_the_database_s_trouble_is_over_when_it_is_over(sandbox, database):
    """Nothing is left behind that would keep the same form from being sent."""
    if not database:
        pytest.skip("locks a SQLite file; tests/scale locks PostgreSQL")
    agent, form = Agent("agent", keys.FULL), form_of_reply(sandbox.tickets)
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert agent.post(f"/tickets/{ENCRYPTED_ID}/reply/", form).status_code == 503
    assert agent.post(f"/tickets/{ENCRYPTED_ID}/reply/", form).status_code == 302
    assert [message.body for message in sandbox.tickets.find(ENCRYPTED_ID).messages].count(TEXT) == 1


@pytest.mark.django_db(transaction=True)
def test_signing_out_in_another_tab_does_not_hide_what_was_done(sandbox, database):
    """The session is gone by the time the message for the next page is to be kept in it."""
    agent = Agent("agent", keys.FULL)

    def sign_out(ticket):
        Session.objects.all().delete()
        connections.close_all()
        return ticket

    sandbox.fault(method="POST", transform=sign_out)
    assert agent.post(f"/tickets/{SAMPLE_ID}/reopen/", form_of_reopen(sandbox.tickets)).status_code == 302
    assert agent.get("/activity/").status_code == 302  # to sign in


def test_a_server_that_is_right_is_believed(sandbox, settings, database):
    """Otherwise the faults of certificates might have another cause than the certificates."""
    with fault_servers.encrypted() as (settings.HOSTUP_API_URL, settings.HOSTUP_CA_BUNDLE):
        assert "No tickets yet." in words_of(Agent("agent", keys.FULL).get("/tickets/"))


@pytest.mark.parametrize("server", [fault_servers.refusing, fault_servers.silent])
def test_not_ready_when_the_cache_does_not_answer(agent, settings, server):
    with server() as (url, _):
        settings.CACHES = {"default": environment.cache(url.replace("http:", "redis:"))}
        response = agent.get("/readyz")
    assert response.status_code == 503
    assert response.json() == {"database": True, "cache": False, "keys": True}
