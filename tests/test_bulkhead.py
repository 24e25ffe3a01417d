"""When HostUp hangs, fails or asks us to wait, nothing but the calls to HostUp suffers."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from sandbox import keys
from sandbox.server import Sandbox
from sandbox.special_tickets import ATTACHMENTS_ID, SAMPLE_ID
from tests.dashboard import Dashboard, signed_in
from tickets import upstream
from tickets.hostup import errors
from tickets.hostup.circuit import FAILURES, PROBE_AFTER, State
from tickets.models import Activity, ApiKey

CRITICAL = {"departmentSlug": "billing", "subject": "Down", "message": "All of it.", "priority": "critical",
            "criticalReason": "Nobody can order."}  # fmt: skip


def state():
    return upstream.pool().circuit.state


@pytest.fixture
def client(sandbox):
    return upstream.client_for(keys.FULL)


@pytest.fixture
def down(agent, sandbox):
    """Return a failing sandbox, after enough failures to open the circuit. Its journal is empty."""
    sandbox.fault("problem_500", times=None)
    for _ in range(5):
        assert agent.get("/tickets/").status_code == 503
    assert len(sandbox.calls) == 5
    sandbox.clear_calls()
    return sandbox


# Slots


def test_a_hung_hostup_leaves_sign_in_and_health_alone(tmp_path):
    with Sandbox() as hung, Dashboard(hung.url, tmp_path) as dashboard, ThreadPoolExecutor(50) as agents:
        session = signed_in(dashboard.url)
        hung.fault(delay=60, times=None)
        hung.clear_calls()
        waiting = [agents.submit(session.get, f"{dashboard.url}/tickets/", timeout=30) for _ in range(50)]
        while (
            len(hung.calls) < upstream.CALLS_AT_ONCE
            or sum(call.done() for call in waiting) < 50 - 2 * upstream.CALLS_AT_ONCE
        ):
            time.sleep(0.02)
        began = time.monotonic()
        for _ in range(10):  # enough to reach both processes
            for path in ("/healthz", "/accounts/login/"):
                answer = requests.get(dashboard.url + path, headers={"Connection": "close"}, timeout=30)
                assert answer.status_code == 200
        assert session.get(f"{dashboard.url}/settings/key/", timeout=30).status_code == 200
        assert signed_in(dashboard.url).get(f"{dashboard.url}/activity/", timeout=30).status_code == 200
        assert time.monotonic() - began < 5  # seconds; HostUp's calls hang for ten
        assert not all(call.done() for call in waiting)
        hung.stop()
        refused = [call.result() for call in waiting]
    assert {answer.status_code for answer in refused} == {503}
    assert all(answer.headers["Retry-After"] for answer in refused)


def test_threads_that_come_first_together_share_one_pool(sandbox, monkeypatch):
    class SlowlyMade(upstream.Pool):
        def __init__(self, *arguments, **named):
            time.sleep(0.05)
            super().__init__(*arguments, **named)

    monkeypatch.setattr(upstream, "Pool", SlowlyMade)
    with ThreadPoolExecutor(16) as threads:
        pools = list(threads.map(lambda _: upstream.pool(), range(16)))
    assert len(set(pools)) == 1


def test_a_call_too_many_is_refused_without_waiting(client, monkeypatch):
    monkeypatch.setattr("tickets.hostup.client.BACKOFF_SECONDS", 0.3)
    monkeypatch.setattr("tickets.hostup.client.random.uniform", lambda least, most: most)
    slots = [upstream.pool().slot() for _ in range(upstream.CALLS_AT_ONCE)]
    for slot in slots:
        slot.__enter__()
    began = time.monotonic()
    with pytest.raises(errors.Busy):
        client.tickets()
    assert time.monotonic() - began < 0.5  # seconds; the first pause would be 0.6
    slots[0].__exit__(None, None, None)
    assert client.tickets().tickets


def test_slow_files_leave_room_for_everything_else(client):
    file_id = client.ticket(ATTACHMENTS_ID).attachments[0].id
    slow = [client.download(ATTACHMENTS_ID, file_id) for _ in range(upstream.CALLS_AT_ONCE // 2)]
    with pytest.raises(errors.Busy):
        client.download(ATTACHMENTS_ID, file_id)
    assert client.tickets().tickets
    for file in slow:
        file.close()
    assert b"".join(client.download(ATTACHMENTS_ID, file_id))


# The circuit


def test_after_five_failures_hostup_is_left_alone_for_a_while(agent, down):
    response = agent.get("/tickets/")
    assert response.status_code == 503
    assert 1 <= int(response.headers["Retry-After"]) <= PROBE_AFTER
    html = response.content.decode()
    assert "HostUp is not responding right now" in html
    assert "This request was not sent." in html
    assert "Retry</a>" in html
    assert down.calls == []


def test_a_change_that_was_not_sent_is_said_to_be_none(agent, down):
    response = agent.htmx_post(f"/tickets/{SAMPLE_ID}/reopen/", {"status": "closed"})
    assert response.status_code == 503
    html = response.content.decode()
    assert "The ticket was not changed." in html
    assert "Retry</button>" in html
    assert Activity.objects.get().outcome == "not_done"
    assert down.calls == []


def test_one_probe_finds_out(agent, down, monkeypatch):
    circuit = upstream.pool().circuit

    def wait():
        now = circuit._clock() + PROBE_AFTER
        monkeypatch.setattr(circuit, "_clock", lambda: now)  # and the clock stands still

    for _ in range(2):  # two probes, which fail
        wait()
        down.clear_calls()
        assert [agent.get("/tickets/").status_code for _ in range(3)] == [503] * 3
        assert len(down.calls) == 1
    down.clear_faults()
    wait()
    assert [agent.get("/tickets/").status_code for _ in range(3)] == [200] * 3


FAILURES_OF_HOSTUP = ["problem_500", "html_502", "empty_503", "problem_504"]
FAILURES_OF_THE_WAY = ["reset", "lost_answer", "truncated", "slow", "dripping_body"]


@pytest.mark.parametrize("call", ["tickets", "close"])
@pytest.mark.parametrize("fault", FAILURES_OF_HOSTUP + FAILURES_OF_THE_WAY)
def test_what_keeps_failing_opens_the_circuit(sandbox, settings, fault, call):
    settings.HOSTUP_DEADLINE = 0.2
    client = upstream.client_for(keys.FULL)
    sandbox.fault(fault, times=None)
    for _ in range(FAILURES):
        assert state() == State.CLOSED
        with pytest.raises((errors.Unavailable, errors.OutcomeUnknown)):
            client.tickets() if call == "tickets" else client.close(SAMPLE_ID)
    assert state() == State.OPEN
    sandbox.clear_calls()
    with pytest.raises(errors.CircuitOpen):
        client.tickets() if call == "tickets" else client.close(SAMPLE_ID)
    assert sandbox.calls == []


def test_a_hostup_that_cannot_be_reached_opens_the_circuit(settings, nowhere):
    settings.HOSTUP_API_URL = nowhere
    for _ in range(FAILURES):
        with pytest.raises(errors.Unavailable):
            upstream.client_for(keys.FULL).ticket(SAMPLE_ID, tries=1)
    assert state() == State.OPEN


REFUSALS = [f"problem_{status}" for status in (400, 401, 403, 404, 409, 429)]
CANNOT_BE_READ = ["html_200", "empty_200", "wrong_shape", "broken_json", "redirect_same_host", "oversize"]


@pytest.mark.parametrize("fault", REFUSALS + CANNOT_BE_READ)
def test_a_refused_call_never_opens_the_circuit(client, sandbox, fault):
    sandbox.fault("problem_500", times=FAILURES - 1)
    for _ in range(FAILURES - 1):
        pytest.raises(errors.Unavailable, client.tickets)
    sandbox.fault(fault, times=None)
    for call in [client.tickets, lambda: client.close(SAMPLE_ID)] * FAILURES:
        pytest.raises(errors.HostUpError, call)
    sandbox.clear_faults()
    sandbox.fault("problem_500", times=FAILURES - 1)  # the count has started again from zero
    for _ in range(FAILURES - 1):
        pytest.raises(errors.HostUpError, client.tickets)
    assert state() == State.CLOSED


def test_files_that_do_not_come_close_no_way_to_the_tickets(client, sandbox):
    """A page's pictures make browsers request many files at once, and HostUp may keep files elsewhere."""
    sandbox.fault("problem_503", path="/attachments/", times=None)
    for _ in range(2 * FAILURES):
        with pytest.raises(errors.Unavailable):
            client.download(ATTACHMENTS_ID, "tatt_1")
    assert state() == State.CLOSED
    assert client.tickets().tickets


def test_tries_of_one_call_count_once(agent, sandbox):
    sandbox.fault("reset", times=None)
    for _ in range(FAILURES - 1):
        agent.get("/tickets/")
    assert len(sandbox.calls) == 3 * (FAILURES - 1)
    assert state() == State.CLOSED


def test_who_takes_a_file_slowly_is_no_failure_of_hostup_s(sandbox, settings, monkeypatch):
    client = upstream.client_for(keys.FULL)
    file_id = client.ticket(ATTACHMENTS_ID).attachments[0].id
    sandbox.fault(status=200, body=b"x" * 1024 * 1024, times=None)
    for _ in range(FAILURES):
        file = iter(client.download(ATTACHMENTS_ID, file_id))
        first = next(file)
        later = time.monotonic() + settings.HOSTUP_FILE_DEADLINE
        with monkeypatch.context() as passed:
            passed.setattr("tickets.hostup.deadline.time.monotonic", lambda now=later: now)
            assert len(first) + sum(map(len, file)) == 1024 * 1024
    assert state() == State.CLOSED


# Limits


def test_a_429_is_remembered_for_this_key_alone(agent, colleague, newcomer, sandbox):
    sandbox.fault("rate_limited_seconds")
    agent.get("/tickets/")
    sandbox.clear_calls()
    for response in (agent.get("/tickets/"), agent.htmx_post(f"/tickets/{SAMPLE_ID}/reopen/")):
        assert response.status_code == 429
        assert 1 <= int(response.headers["Retry-After"]) <= 7
    assert "The ticket was not changed." in response.content.decode()
    assert sandbox.calls == []
    assert colleague.get("/tickets/").status_code == 200
    assert newcomer.post("/settings/key/", {"api_key": keys.OTHER}).status_code == 302
    assert agent.post("/settings/key/", {"api_key": keys.OTHER}).status_code == 302
    assert ApiKey.objects.get(user=agent.user).decrypt() == keys.OTHER
    assert agent.get("/tickets/").status_code == 200


def test_when_the_time_is_up_hostup_is_asked_again(agent, sandbox):
    sandbox.fault(status=429, headers={"Retry-After": "1"})
    agent.get("/tickets/")
    time.sleep(1)
    assert agent.get("/tickets/").status_code == 200


def test_the_limit_of_critical_tickets_leaves_all_else_alone(client):
    client.create(CRITICAL)
    with pytest.raises(errors.RateLimited):
        client.create(CRITICAL)
    assert client.tickets().tickets


def test_any_other_limit_on_a_new_ticket_is_remembered(client, sandbox):
    sandbox.fault("problem_429", method="POST")
    for call in (lambda: client.create(CRITICAL), client.tickets):
        pytest.raises(errors.RateLimited, call)
    assert len(sandbox.calls) == 1
