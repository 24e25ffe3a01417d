"""`make bench-bulkhead`: how long do sign-in and the health check take while HostUp hangs?

50 agents ask a real dashboard for tickets at once while the sandbox answers nobody. Once those calls hang, other
people's requests are timed, and compared with the same on a quiet dashboard. Each measured request has a
connection of its own. Signing in checks a password, which is slow on purpose: some 0.03 s of a core for the hash.
"""

import statistics
import tempfile
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import requests
from requests.adapters import HTTPAdapter

from sandbox.server import Sandbox
from tests.dashboard import AGENT, PASSWORD, Dashboard, signed_in, token_in

AGENTS = 50
ROUNDS = 5
SECONDS = 8  # of measuring in a round: less than the ten that a call to HostUp may take
WARM_UP_SECONDS = 3  # the first requests of a process load its code
HEALTH_CHECKS = 5  # for each sign-in
AIM = 200  # milliseconds, of 99 in 100 requests

Times = dict[str, list[float]]


def main() -> None:
    quiet, hung = defaultdict(list), defaultdict(list)
    with (
        Sandbox() as sandbox,
        tempfile.TemporaryDirectory() as folder,
        Dashboard(sandbox.url, Path(folder)) as dashboard,
        ThreadPoolExecutor(AGENTS) as agents,
    ):
        session = signed_in(dashboard.url)
        visitors = (Visitor(dashboard.url, number) for number in count(1))
        for _ in range(ROUNDS):
            measure(visitors, defaultdict(list), WARM_UP_SECONDS)
            measure(visitors, quiet, SECONDS)
            sandbox.fault(delay=60, times=None)
            sandbox.clear_calls()
            began = time.monotonic()
            waiting = [agents.submit(session.get, f"{dashboard.url}/tickets/", timeout=60) for _ in range(AGENTS)]
            while len(sandbox.calls) + (refused := sum(call.done() for call in waiting)) < AGENTS:
                time.sleep(0.01)
            took = (time.monotonic() - began) * 1000
            print(f"{len(sandbox.calls)} calls hang, {refused} more were refused within {took:.0f} ms", flush=True)
            measure(visitors, hung, SECONDS)
            for call in waiting:
                call.result()
            sandbox.clear_faults()
            dashboard.restart()  # which forgets that HostUp is down
    heading = "{:<20}{:>13}{:>8}{:>8}{:>14}{:>8}{:>8}{:>10}"
    print(heading.format("milliseconds", "quiet: p50", "p99", "max", "hung: p50", "p99", "max", "measured"))
    for what, times in hung.items():
        row = "{:<20}{:>13.0f}{:>8.0f}{:>8.0f}{:>14.0f}{:>8.0f}{:>8.0f}{:>10}"
        verdict = "" if summary(times)[1] < AIM else f"   p99 over {AIM}"
        print(row.format(what, *summary(quiet[what]), *summary(times), len(times)) + verdict)


class Visitor:
    """Somebody who signs in, from an address of their own: sign-ins from one address are throttled."""

    def __init__(self, url: str, number: int):
        self.url = url
        self.session = requests.Session()
        self.session.headers["Connection"] = "close"
        self.session.mount("http://", _From(f"127.0.{1 + number // 250}.{1 + number % 250}"))

    def timed(self, times: list[float], method: str, path: str, status: int, **form) -> str:
        began = time.perf_counter()
        answer = self.session.request(method, self.url + path, timeout=60, allow_redirects=False, **form)
        times.append((time.perf_counter() - began) * 1000)
        if answer.status_code != status:
            raise RuntimeError(f"{method} {path} answered {answer.status_code}")
        return answer.text

    def sign_out(self) -> None:
        """Sign out: a sign-in looks through the agent's other sessions, and nobody has hundreds of them."""
        form = {"csrfmiddlewaretoken": self.session.cookies["csrftoken"]}
        self.session.post(f"{self.url}/accounts/logout/", form, timeout=60, allow_redirects=False)


class _From(HTTPAdapter):
    def __init__(self, address: str):
        self._address = address
        super().__init__()

    def init_poolmanager(self, *args, **kwargs):
        super().init_poolmanager(*args, source_address=(self._address, 0), **kwargs)


def measure(visitors, times: Times, seconds: float) -> None:
    ends_at = time.monotonic() + seconds
    while time.monotonic() < ends_at:
        visitor = next(visitors)
        for _ in range(HEALTH_CHECKS):
            visitor.timed(times["/healthz"], "GET", "/healthz", 200)
        page = visitor.timed(times["the sign-in page"], "GET", "/accounts/login/", 200)
        form = {"csrfmiddlewaretoken": token_in(page), "login": AGENT, "password": PASSWORD}
        visitor.timed(times["signing in"], "POST", "/accounts/login/", 302, data=form)
        visitor.sign_out()


def summary(times: list[float]) -> tuple[float, float, float]:
    """Return median, 99th percentile and maximum."""
    return statistics.median(times), statistics.quantiles(times, n=100, method="inclusive")[98], max(times)


if __name__ == "__main__":
    main()
