"""`make bench-rotation`: does any page fail while the encryption key is rotated? How long does that take?

A dashboard of two processes, whose database is encrypted with the old key, is deployed as docs/operate.md says:
with `old,new`, then with `new,old`, and after `rotate_encryption_key` with the new key alone. Each deployment
starts beside the previous one. Meanwhile agents open pages that decrypt their API key and their draft, and one
saves another key, checks it and saves a draft.
"""

import base64
import os
import secrets
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from itertools import cycle
from pathlib import Path

import requests

from sandbox import keys
from sandbox.server import Sandbox
from sandbox.special_tickets import SAMPLE_ID
from tests.dashboard import Dashboard, token_in

READERS = 4
DRAFT = "A draft that only its agent reads."

# Makes AGENTS agents, each with a key and a draft, and prints the sessions of those who will be at work.
SEED = f"""
import json, os
from django.contrib.auth import get_user_model
from django.test import Client
from tickets.models import ApiKey, Draft
User = get_user_model()
users = [User(username=f"agent{{number}}", password="!") for number in range(int(os.environ["AGENTS"]))]
User.objects.bulk_create(users)
api_keys = [ApiKey(user=user, can_read_departments=False) for user in users]
drafts = [Draft(user=user, ticket_id={SAMPLE_ID!r}) for user in users]
for row in api_keys:
    row.encrypt({keys.FULL!r})
for row in drafts:
    row.encrypt(json.dumps(dict(message={DRAFT!r})))
ApiKey.objects.bulk_create(api_keys)
Draft.objects.bulk_create(drafts)
for user in users[:{READERS + 1}]:
    browser = Client()
    browser.force_login(user)
    print(browser.cookies["sessionid"].value)
"""


class Agents:
    """Agents at work on the `live` dashboard, with a pause of `pause` seconds after each step. What they saw is in
    `seen` and `failures`."""

    def __init__(self, sessions: list[str], pause: float):
        self._pause = pause
        self.live: Dashboard
        self.seen: Counter[str] = Counter()
        self.failures: list[str] = []
        self._last_four = ""
        self._stopping = threading.Event()
        self._at_work = [threading.Lock() for _ in sessions]
        *readers, self._writer = sessions
        jobs = [*(self._reads(session) for session in readers), self._writes(self._writer)]
        self._threads = [
            threading.Thread(target=self._work, args=pair) for pair in zip(self._at_work, jobs, strict=True)
        ]

    def move_to(self, dashboard: Dashboard) -> None:
        """Send every agent to another dashboard, and return when none still waits for the previous one."""
        self.live = dashboard
        for lock in self._at_work:
            with lock:
                pass

    def __enter__(self) -> "Agents":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def look_at_the_last_key(self) -> None:
        """Check that the key that was saved last is the one that is stored."""
        self._page(self.live.url, self._writer, "/settings/key/", f"Key ending in {self._last_four}")

    def _work(self, lock: threading.Lock, job: Callable[[str], None]) -> None:
        while not self._stopping.is_set():
            with lock:
                try:
                    job(self.live.url)
                except requests.RequestException as error:
                    self.failures.append(repr(error))
            time.sleep(self._pause)  # agents read what they see; and `move_to` gets the lock

    def _reads(self, session: str) -> Callable[[str], None]:
        def read(url: str) -> None:
            self._page(url, session, "/settings/key/", "Key ending in")
            self._page(url, session, f"/tickets/{SAMPLE_ID}/", DRAFT)

        return read

    def _writes(self, session: str) -> Callable[[str], None]:
        saved = cycle([keys.COLLEAGUE, keys.FULL])

        def write(url: str) -> None:
            key = next(saved)
            self._press(url, session, "/settings/key/", {"api_key": key}, "HostUp accepts it.")
            self._last_four = key[-4:]
            self._press(url, session, "/settings/key/check/", {}, f"Key ending in {self._last_four}")
            self._press(url, session, f"/tickets/{SAMPLE_ID}/draft/", {"message": DRAFT}, "Draft saved.")

        return write

    def _page(self, url: str, session: str, path: str, words: str) -> None:
        self._look(requests.get(url + path, cookies={"sessionid": session}, timeout=30), words)

    def _press(self, url: str, session: str, path: str, form: dict, words: str) -> None:
        with requests.Session() as browser:
            browser.cookies["sessionid"] = session
            browser.headers["Connection"] = "close"  # the server closes an idle one, perhaps just when it is used
            token = token_in(browser.get(f"{url}/settings/key/", timeout=30).text)
            answer = browser.post(url + path, form | {"csrfmiddlewaretoken": token}, timeout=30)
            self._look(answer, words)

    def _look(self, answer: requests.Response, words: str) -> None:
        self.seen[words.split()[0]] += 1
        if answer.status_code != 200 or words not in answer.text:
            self.failures.append(f"{answer.request.method} {answer.url}: {answer.status_code} without {words!r}")


def rotate(agents: int, pause: float = 0.02) -> tuple[Agents, float, str]:
    """Rotate the keys and drafts of `agents` agents while some of them work, with a pause of `pause` seconds after
    each step. Return those at work, the seconds that the rotation took, and its output."""
    old, new = (f"{kid}:{base64.b64encode(os.urandom(32)).decode()}" for kid in ("old", "new"))
    with Sandbox(rate_limit=1_000_000) as sandbox, tempfile.TemporaryDirectory() as folder:
        secret_key = secrets.token_urlsafe(48)

        def dashboard(encryption_keys: str, name: str = "operator") -> Dashboard:
            return Dashboard(
                sandbox.url,
                Path(folder),
                SECRET_KEY=secret_key,
                ENCRYPTION_KEYS=encryption_keys,
                AGENTS=str(agents),
                DATA_DIR=str(Path(folder) / name),  # its own static files; the database is shared
            )

        running: list[Dashboard] = []

        def deploy(name: str, encryption_keys: str) -> None:
            running.append(dashboard(encryption_keys, name).start())
            at_work.move_to(running[-1])
            for before in running[:-1]:
                before.stop()
            del running[:-1]

        operator = dashboard(old)
        operator.manage("migrate", "--verbosity", "0")
        at_work = Agents(operator.manage("shell", "-v0", "-c", SEED).split(), pause)
        try:
            deploy("one", f"{old},{new}")
            with at_work:
                deploy("two", f"{new},{old}")
                began = time.monotonic()
                said = dashboard(f"{new},{old}").manage("rotate_encryption_key")
                took = time.monotonic() - began
                deploy("three", new)
                time.sleep(1)  # the agents go on with the new key alone
            at_work.look_at_the_last_key()
        finally:
            for one in running:
                one.stop()
    return at_work, took, said


def main() -> None:
    agents = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    at_work, took, said = rotate(agents)
    print(said, end="")
    print(f"{agents} keys and {agents} drafts in {took:.1f} s, start of the command included")
    print(f"meanwhile {at_work.seen.total()} pages {dict(at_work.seen)}, {len(at_work.failures)} failed")
    for failure in at_work.failures[:10]:
        print(failure)
    sys.exit(bool(at_work.failures))


if __name__ == "__main__":
    main()
