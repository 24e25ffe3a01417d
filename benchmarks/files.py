"""`make bench-files`: does the server's memory grow with the files that pass through it?

Uploads and downloads 25 MB files through a real dashboard in front of the sandbox, several at a time, and prints
the peak memory of the server's processes before and after.
"""

import re
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests

from sandbox.server import Sandbox
from sandbox.special_tickets import ENCRYPTED_ID
from tests.dashboard import Dashboard, signed_in, token_in

MEGABYTE = 1024 * 1024
FILE = b"x" * (25 * MEGABYTE)
AT_ONCE, TIMES = 4, 12


def main() -> None:
    with (
        Sandbox(rate_limit=10_000) as sandbox,
        tempfile.TemporaryDirectory() as folder,
        Dashboard(sandbox.url, Path(folder)) as dashboard,
    ):
        session = signed_in(dashboard.url)
        session.get(f"{dashboard.url}/tickets/", timeout=30)
        before = memory_of(dashboard)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            up = list(pool.map(lambda number: send_up(dashboard.url, session, number), range(TIMES)))
        reply(dashboard.url, session)
        links = file_links(dashboard.url, session)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            down = list(pool.map(lambda link: fetch(dashboard.url, session, link), links[:TIMES]))
        after = memory_of(dashboard)
    print(f"{sum(up)} files of 25 MB went up, {down.count(len(FILE))} came down, {AT_ONCE} at a time")
    for pid in before:
        print(f"process {pid}: {before[pid]:.0f} MB before, {after.get(pid, 0):.0f} MB at most")


def ticket_page(url: str, session: requests.Session) -> str:
    return session.get(f"{url}/tickets/{ENCRYPTED_ID}/", timeout=30).text


def send_up(url: str, session: requests.Session, number: int) -> bool:
    form = {"csrfmiddlewaretoken": token_in(ticket_page(url, session))}
    files = {"file": (f"file{number}.bin", FILE)}
    return session.post(f"{url}/tickets/{ENCRYPTED_ID}/upload/", form, files=files, timeout=120).status_code == 200


def reply(url: str, session: requests.Session) -> None:
    page = ticket_page(url, session)
    fields = dict(re.findall(r'name="(token|seen_message|seen_status)" value="([^"]*)"', page))
    form = fields | {"csrfmiddlewaretoken": token_in(page), "message": "The files."}
    session.post(f"{url}/tickets/{ENCRYPTED_ID}/reply/", form, timeout=60).raise_for_status()


def file_links(url: str, session: requests.Session) -> list[str]:
    return re.findall(r'href="([^"]*/attachments/[^"]*name=file\d+[^"]*)"', ticket_page(url, session))


def fetch(url: str, session: requests.Session, link: str) -> int:
    with session.get(url + link, stream=True, timeout=120) as response:
        return sum(len(chunk) for chunk in response.iter_content(MEGABYTE))


def memory_of(dashboard: Dashboard) -> dict[int, float]:
    """Return the peak memory of each of its processes so far, in MB (Linux)."""
    pids = [dashboard.pid, *dashboard.workers]
    peak = re.compile(r"VmHWM:\s+(\d+) kB")
    return {pid: int(peak.search(Path(f"/proc/{pid}/status").read_text()).group(1)) / 1024 for pid in pids}


if __name__ == "__main__":
    main()
