"""`make bench`: how fast are the pages, and what do they cost?

A real dashboard (gunicorn, two workers) runs in front of a HostUp that costs next to nothing and takes no time,
another in front of one that takes 80 ms. Beside them runs a Django that renders nothing, or next to nothing
(`bare.py`); its list shows how fast the machine is. Numbers are medians of several rounds and, where possible,
ratios to or differences from a bare call of the same round.
"""

import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import requests

from benchmarks.client import Load, ask
from benchmarks.hostup import LIST, HostUp
from sandbox import keys
from tests.dashboard import Dashboard, signed_in, token_in
from tests.ports import free_port

ROUNDS = 3
AT_ONCE = 16
HOSTUP_MS = 80
SECONDS = float(os.environ.get("BENCH_SECONDS", 5))  # of each measurement of requests per second
ALONE_TIMES = 60
PAGES = int(os.environ.get("BENCH_PAGES", 10_000))  # requested before memory is measured again
BROWSER = "gzip, deflate, br"


def main() -> None:
    with (
        tempfile.TemporaryDirectory() as one,
        tempfile.TemporaryDirectory() as other,
        HostUp() as instant,
        HostUp(HOSTUP_MS) as distant,
        Dashboard(instant.url, Path(one)) as dashboard,
        Dashboard(distant.url, Path(other)) as usual,
        bare(distant) as (bare_url, bare_list),
    ):
        print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before, Python {sys.version.split()[0]}")
        at_rest = memory(dashboard)
        quick, real = Visitor(dashboard.url), Visitor(usual.url)
        for visitor in (quick, real):  # the first requests of a process load its code
            ask(visitor.address, visitor.page("/tickets/"), at_once=AT_ONCE, times=20 * AT_ONCE)
        print_first_visit(quick)
        print_memory(quick, dashboard, at_rest, instant)
        print_own_share(real, distant, bare_list)
        print_rates(quick, dashboard, bare_url)
        print_rate_over_distance(real, distant, bare_list)
        print_growth(quick, dashboard)
        print_held("after all of this", memory(dashboard))


class Visitor:
    """The agent, signed in; returns whole requests as bytes."""

    def __init__(self, url: str):
        self.url, self.address = url, address_of(url)
        self.session = signed_in(url)
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.session.cookies)
        self._headers = {"Cookie": f"{cookies}; timezone=Europe/Stockholm", "Accept-Encoding": BROWSER}
        self._token = token_in(self.session.get(f"{url}/tickets/", timeout=30).text)

    def page(self, path: str) -> bytes:
        return request(self.address, "GET", path, self._headers)

    def reopen(self) -> bytes:
        path = "/tickets/tkt_10/"
        htmx = {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Current-URL": self.url + path}
        form = urlencode({"csrfmiddlewaretoken": self._token, "status": "closed"})
        return request(self.address, "POST", f"{path}reopen/", self._headers | htmx, form)

    def every_page(self) -> dict[str, bytes]:
        return {
            "list": self.page("/tickets/"),  # whose rows have been rendered before, as for a colleague
            "list, new rows": self.page("/tickets/?department=new"),
            "ticket": self.page("/tickets/tkt_10/"),
            "reopen": self.reopen(),
            "300 messages": self.page("/tickets/tkt_300/"),
        }


@contextmanager
def bare(hostup: HostUp):
    """Serve `bare.py`; yield its URL, and address and bytes of a request for its list."""
    with tempfile.TemporaryDirectory() as folder:
        site = {"BARE_DATABASE": str(Path(folder, "db.sqlite3")), "HOSTUP_LIST": f"{hostup.url}{LIST}?limit=50"}
        options = {"cwd": Path(__file__).parent, "env": os.environ | site, "text": True}
        key = subprocess.check_output([sys.executable, "bare.py"], **options).strip()
        with served("bare:application", **site) as url:
            page = address_of(url), request(address_of(url), "GET", "/list/", {"Cookie": f"sessionid={key}"})
            checked(ask(*page, at_once=AT_ONCE, times=20 * AT_ONCE))
            yield url, page


def print_own_share(visitor: Visitor, hostup: HostUp, bare_list: tuple) -> None:
    """Print how much longer a page takes than HostUp's own answer."""
    calls = {
        "list": hostup_call(hostup, "GET", f"{LIST}?limit=50"),
        "list, new rows": hostup_call(hostup, "GET", f"{LIST}?limit=50&departmentSlug=new"),
        "ticket": hostup_call(hostup, "GET", f"{LIST}/tkt_10"),
        "reopen": hostup_call(hostup, "POST", f"{LIST}/tkt_10/actions/reopen"),
    }
    calls["bare list"] = calls["list"]
    pages = {name: (visitor.address, page) for name, page in visitor.every_page().items()}
    pages["bare list"] = bare_list
    print(f"\nAdded to HostUp's {HOSTUP_MS} ms, medians of {ROUNDS} rounds   median    p95   call alone")
    for at_once, times in ((1, ALONE_TIMES), (AT_ONCE, ALONE_TIMES * AT_ONCE // 2)):
        for name, call in calls.items():
            rounds = []
            for _ in range(ROUNDS):
                raw = checked(ask(address_of(hostup.url), call, at_once=at_once, times=times))
                page = checked(ask(*pages[name], at_once=at_once, times=times))
                bare_ms = statistics.median(raw.ms)
                rounds.append((statistics.median(page.ms) - bare_ms, p95(page.ms) - bare_ms, bare_ms))
            median, late, bare_ms = map(statistics.median, zip(*rounds, strict=True))
            who = "alone" if at_once == 1 else f"{at_once} at once"
            print(f"{name:<16} {who:<24} {median:9.1f} {late:6.1f} {bare_ms:13.1f}")


def print_rates(visitor: Visitor, dashboard: Dashboard, bare_url: str) -> None:
    """Print how many pages a second two workers make when HostUp takes no time."""
    empty = request(address_of(bare_url), "GET", "/", {})
    print(f"\n{AT_ONCE} at once          per second  share of bare  CPU ms a page   (medians of {ROUNDS} rounds)")
    rates: dict[str, list[tuple[float, float, float]]] = {}
    for _ in range(ROUNDS):
        nothing = checked(ask(address_of(bare_url), empty, at_once=AT_ONCE, seconds=SECONDS)).per_second
        rates.setdefault("bare Django", []).append((nothing, 1, 0))
        for name, page in {"/healthz": visitor.page("/healthz"), **visitor.every_page()}.items():
            before = cpu_seconds(dashboard)
            load = checked(ask(visitor.address, page, at_once=AT_ONCE, seconds=SECONDS))
            cpu_ms = (cpu_seconds(dashboard) - before) * 1000 / len(load.ms)
            rates.setdefault(name, []).append((load.per_second, load.per_second / nothing, cpu_ms))
    for name, rounds in rates.items():
        rate, share, cpu_ms = map(statistics.median, zip(*rounds, strict=True))
        print(f"{name:<16} {rate:14.0f} {share:13.0%} {cpu_ms:14.1f}")


def print_rate_over_distance(visitor: Visitor, hostup: HostUp, bare_list: tuple) -> None:
    """Print the rate of lists as a share of the rate at which HostUp itself answers as many callers."""
    shares, bare_shares, refused = [], [], 0
    call, page = hostup_call(hostup, "GET", f"{LIST}?limit=50"), visitor.page("/tickets/")
    for _ in range(ROUNDS):
        raw = checked(ask(address_of(hostup.url), call, at_once=AT_ONCE, seconds=SECONDS))
        load = ask(visitor.address, page, at_once=AT_ONCE, seconds=SECONDS)
        shares.append(load.statuses.get("200", 0) / load.seconds / raw.per_second)
        bare_load = checked(ask(*bare_list, at_once=AT_ONCE, seconds=SECONDS))
        bare_shares.append(bare_load.per_second / raw.per_second)
        refused += len(load.ms) - load.statuses.get("200", 0)
    print(f"\nLists over a HostUp that takes {HOSTUP_MS} ms, {AT_ONCE} at once:")
    print(f"{statistics.median(shares):.0%} of its raw rate; {refused} refused as too busy")
    print(f"{statistics.median(bare_shares):.0%} is what the bare list gives")


def print_growth(visitor: Visitor, dashboard: Dashboard) -> None:
    print("\nGrowth               ms alone  CPU ms      bytes  compressed")
    paths = {f"{rows} tickets": f"/tickets/?department=rows-{rows}" for rows in (10, 50, 100)}
    paths |= {f"{messages} messages": f"/tickets/tkt_{messages}/" for messages in (10, 100, 2000)}
    for name, path in paths.items():
        times = 20 if "2000" in name else ALONE_TIMES
        before = cpu_seconds(dashboard)
        load = checked(ask(visitor.address, visitor.page(path), times=times))
        cpu_ms = (cpu_seconds(dashboard) - before) * 1000 / times
        packed, whole = sizes(visitor.session, visitor.url + path)
        print(f"{name:<16} {statistics.median(load.ms):12.1f} {cpu_ms:7.1f} {whole:10,} {packed:11,}")


def print_first_visit(visitor: Visitor) -> None:
    print("\nFirst visit      requests    bytes of the bodies as sent")
    for name, path in {"list": "/tickets/", "ticket": "/tickets/tkt_10/"}.items():
        page = visitor.session.get(visitor.url + path, timeout=30).text
        assets = re.findall(r'<(?:link|script)[^>]* (?:href|src)="([^"]+)"', page)
        bodies = {address: sizes(visitor.session, visitor.url + address)[0] for address in [path, *assets]}
        parts = ", ".join(f"{address.rpartition('/')[2] or 'page'} {size:,}" for address, size in bodies.items())
        print(f"{name:<16} {len(bodies):8} {sum(bodies.values()):8,}   {parts}")


def print_memory(visitor: Visitor, dashboard: Dashboard, at_rest: list[float], hostup: HostUp) -> None:
    before = hostup.counts()
    pages = len(checked(ask(visitor.address, visitor.page("/tickets/"), at_once=AT_ONCE, times=PAGES)).ms)
    after, worked = hostup.counts(), memory(dashboard)
    checked(ask(visitor.address, visitor.page("/tickets/tkt_2000/"), at_once=4, times=40))
    calls, connections = (after[name] - before[name] for name in ("calls", "connections"))
    opened = connections * 1000 / pages
    print(f"\n{pages} lists: {calls / pages:.3f} calls to HostUp a page; {opened:.1f} connections")
    print(f"opened per 1,000 pages, {after['connections']} since the start, by 2 workers of 24 threads")
    print_held("at rest", at_rest)
    print_held("after those", worked)
    print_held("after 2,000 messages", memory(dashboard))


def print_held(when: str, held: list[float]) -> None:
    print(f"Memory of each worker, {when:<22} {', '.join(f'{megabytes:.0f}' for megabytes in held)} MB")


@contextmanager
def served(application: str, *, python: str = sys.executable, **environment: str):
    """Serve an application of this folder with another gunicorn, with as many workers and threads as the dashboard
    has, and yield its URL."""
    address = f"127.0.0.1:{free_port()}"
    command = [python, "-m", "gunicorn", application, "--bind", address, "--log-level", "error"]
    command += ["--worker-class", "gthread", "--workers", "2", "--threads", "24"]
    folder = Path(__file__).parent  # where gunicorn does not find the dashboard's configuration
    server = subprocess.Popen(command, cwd=folder, env=os.environ | environment)
    try:
        for _ in range(100):
            try:
                requests.get(f"http://{address}/", timeout=5).raise_for_status()
                break
            except requests.RequestException:
                time.sleep(0.1)
        yield f"http://{address}"
    finally:
        server.terminate()
        server.wait()


def request(address: tuple[str, int], method: str, path: str, headers: dict[str, str], form: str = "") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", f"Host: {address[0]}:{address[1]}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if form:
        lines += ["Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(form)}"]
    return "\r\n".join([*lines, "", form]).encode()


def hostup_call(hostup: HostUp, method: str, path: str) -> bytes:
    return request(address_of(hostup.url), method, path, {"Authorization": f"Bearer {keys.FULL}"})


def address_of(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname, parts.port


def checked(load: Load, status: int = 200) -> Load:
    """Return the load, or raise RuntimeError on any other status: a fast error is not a fast page."""
    if set(load.statuses) != {str(status)}:
        raise RuntimeError(f"Not every answer was a page: {load.statuses}")
    return load


def sizes(session: requests.Session, address: str) -> tuple[int, int]:
    """Return how many bytes the body has, as sent to a browser and unpacked."""
    answer = session.get(address, headers={"Accept-Encoding": BROWSER}, stream=True, timeout=60)
    packed = len(answer.raw.read(decode_content=False))
    return packed, len(session.get(address, headers={"Accept-Encoding": "identity"}, timeout=60).content)


def p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20, method="inclusive")[18]


def cpu_seconds(dashboard: Dashboard) -> float:
    """Return the CPU time that the workers have used so far, in seconds (Linux)."""
    spent = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13] for pid in dashboard.workers]
    return sum(int(ticks) for both in spent for ticks in both) / os.sysconf("SC_CLK_TCK")


def memory(dashboard: Dashboard) -> list[float]:
    """Return the memory of each worker, in MB (Linux)."""
    held = re.compile(r"VmRSS:\s+(\d+) kB")
    statuses = [Path(f"/proc/{pid}/status").read_text() for pid in dashboard.workers]
    return [int(held.search(status).group(1)) / 1024 for status in statuses]


if __name__ == "__main__":
    main()
