"""A HostUp that hangs takes nothing with it but the calls to HostUp."""

import time
from concurrent.futures import ThreadPoolExecutor

import requests

from sandbox.server import Sandbox
from tests.browser.dashboard import Dashboard, signed_in
from tickets import upstream


def test_a_hung_hostup_leaves_sign_in_and_health_alone(tmp_path):
    with Sandbox() as hung, Dashboard(hung.url, tmp_path) as dashboard, ThreadPoolExecutor(50) as agents:
        session = signed_in(dashboard.url)
        hung.fault(delay=60, times=None)
        hung.clear_calls()
        waiting = [agents.submit(session.get, f"{dashboard.url}/tickets/", timeout=30) for _ in range(50)]
        while len(hung.calls) < upstream.CALLS_AT_ONCE or sum(call.done() for call in waiting) < 50 - 32:
            time.sleep(0.02)
        began = time.monotonic()
        for _ in range(10):  # of both processes
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
