"""The dashboard as it runs in production: gunicorn in a process of its own, over a database of its own."""

import base64
import json
import os
import re
import secrets
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import closing
from pathlib import Path

import requests

from sandbox.model import DEPARTMENTS
from tests.ports import free_port

BASE_DIR = Path(__file__).resolve().parents[1]
START_SECONDS = 120  # on a busy machine the server has taken 23 to listen
AGENT, NEWCOMER = "agent", "newcomer"  # one with an API key saved, one without
PASSWORD = "a-password-for-the-browser-tests"
# The same for all dashboards of this process, so that they can reuse what SET_UP makes, which takes three seconds.
SECRETS = {
    "SECRET_KEY": secrets.token_urlsafe(48),
    "ENCRYPTION_KEYS": f"browser:{base64.b64encode(secrets.token_bytes(32)).decode()}",
}
SET_UP = """
from django.core.management import call_command
call_command("migrate", verbosity=0)
call_command("demo_agent")
call_command("createsuperuser", interactive=False, verbosity=0)
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
colleague = User.objects.create_user("colleague")
Authenticator.objects.create(user=colleague, type="webauthn", data={"name": "Phone"})
"""
_databases: dict[str, bytes] = {}  # a HostUp's address -> the database that SET_UP made with it


class Dashboard:
    """A dashboard over the HostUp at `hostup_url`, with its files in the folder `home`.

    `host` is the host in its URL: for passkeys it has to be a name rather than an IP address. `settings` are
    environment variables, on top of those that it needs.
    """

    def __init__(self, hostup_url: str, home: Path, *, host: str = "127.0.0.1", **settings: str):
        port = free_port()
        self.address, self.url = f"127.0.0.1:{port}", f"http://{host}:{port}"
        self.home = home
        self.log = home / "gunicorn.log"
        self._database = home / "db.sqlite3"
        # Of the settings, only these change what SET_UP makes.
        self._is_usual = not settings.keys() & {"DATABASE_URL", "AGENT_USERNAME", "AGENT_PASSWORD", *SECRETS}
        self._environment = (
            os.environ
            | SECRETS
            | {
                "SITE_URL": self.url,
                "DATA_DIR": str(home),
                "DATABASE_URL": f"sqlite:///{self._database}",
                "HOSTUP_API_URL": hostup_url,
                "TIME_ZONE": "Europe/Stockholm",
                "LANGUAGE_CODE": "en",
                "AGENT_USERNAME": AGENT,
                "AGENT_PASSWORD": PASSWORD,
                "DJANGO_SUPERUSER_USERNAME": NEWCOMER,
                "DJANGO_SUPERUSER_PASSWORD": PASSWORD,
                "DJANGO_SUPERUSER_EMAIL": "newcomer@example.com",
            }
            | settings
        )

    def __enter__(self) -> "Dashboard":
        made = _databases.get(self._environment["HOSTUP_API_URL"]) if self._is_usual else None
        if made:
            self._database.write_bytes(made)
            return self.start()
        self.manage("shell", "--verbosity", "0", "--command", SET_UP)
        if self._is_usual:
            _databases[self._environment["HOSTUP_API_URL"]] = self._database.read_bytes()
        return self.start()

    def restart(self) -> None:
        """Restart the server over the same database: its processes forget what they remember."""
        self.stop()
        self.start()

    def replace_workers(self) -> None:
        """Replace the workers, so that they forget what they know of HostUp, such as how long not to call it."""
        before = self.workers
        for worker in before:
            os.kill(worker, signal.SIGKILL)
        ends_at = time.monotonic() + START_SECONDS
        while len(self.workers) < len(before) or {*before} & {*self.workers}:
            if time.monotonic() > ends_at:
                raise RuntimeError(f"No other processes came:\n{self.log.read_text()}")
            time.sleep(0.02)

    def start(self) -> "Dashboard":
        """Start the server over the database as it is."""
        command = [sys.executable, "-m", "gunicorn", "hostup_dashboard.wsgi", "--bind", self.address]
        with self.log.open("a") as log:
            self._server = subprocess.Popen(
                command,
                cwd=BASE_DIR,
                env=self._environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                process_group=0,  # so that `kill` ends the workers with it
            )
        try:
            self._wait()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self) -> None:
        self._server.terminate()
        try:
            self._server.wait(10)
        except subprocess.TimeoutExpired:
            self._server.kill()
            self._server.wait()

    def kill(self) -> None:
        """Kill all its processes at once, as when its machine goes down."""
        os.killpg(self.pid, signal.SIGKILL)
        self._server.wait()

    @property
    def pid(self) -> int:
        """Return the process id of gunicorn's master."""
        return self._server.pid

    @property
    def workers(self) -> list[int]:
        """Return the process ids of gunicorn's workers (Linux)."""
        return [int(pid) for pid in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()]

    def forget(self) -> None:
        """Delete what the previous test left: activities, drafts, submissions, and every API key but the agent's.
        Its departments count as just asked for, however long the tests have been running."""
        with closing(sqlite3.connect(self._database, timeout=10)) as database, database:
            for table in ("tickets_activity", "tickets_draft", "tickets_submission"):
                database.execute(f"DELETE FROM {table}")  # noqa: S608  (names of ours)
            database.execute(
                "DELETE FROM tickets_apikey WHERE user_id <> (SELECT id FROM auth_user WHERE username = ?)",
                [AGENT],
            )
            names = {department.slug: department.display_name for department in DEPARTMENTS}
            database.execute(
                "UPDATE tickets_apikey SET departments = ?, departments_at = datetime('now')", [json.dumps(names)]
            )

    def forget_departments(self) -> None:
        """Forget the departments, as if the dashboard had not asked for them yet."""
        with closing(sqlite3.connect(self._database, timeout=10)) as database, database:
            database.execute("UPDATE tickets_apikey SET departments = '{}', departments_at = NULL")

    def manage(self, *arguments: str) -> str:
        """Run a `manage.py` command with this dashboard's settings, and return its output."""
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(
            command, cwd=BASE_DIR, env=self._environment, stdout=subprocess.PIPE, text=True, check=True
        )
        return done.stdout

    def _wait(self) -> None:
        ends_at = time.monotonic() + START_SECONDS
        while time.monotonic() < ends_at and self._server.poll() is None:
            try:
                urllib.request.urlopen(f"{self.url}/healthz", timeout=1)  # noqa: S310  (our own address)
                return
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)
        raise RuntimeError(f"The dashboard did not start:\n{self.log.read_text()}")


def signed_in(url: str) -> requests.Session:
    """Return a session of the agent at the dashboard at `url`, without a browser."""
    session = requests.Session()
    page = session.get(f"{url}/accounts/login/", timeout=30).text
    form = {"csrfmiddlewaretoken": token_in(page), "login": AGENT, "password": PASSWORD}
    answer = session.post(f"{url}/accounts/login/", form, timeout=30, allow_redirects=False)
    if answer.status_code != 302:
        raise RuntimeError(f"The agent could not sign in: {answer.status_code}")
    return session


def token_in(page: str) -> str:
    """Return the CSRF token of a page's form."""
    return re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page).group(1)
