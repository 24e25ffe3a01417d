"""Browsers for agents at the replicas. Each call names the address of the replica or the proxy to use."""

import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import requests

from tests.dashboard import AGENT, PASSWORD, token_in
from tests.forms import hidden_fields

SECONDS = 30  # that an answer may take in these tests
SIGN_IN, CODE = "/accounts/login/", "/accounts/me/authenticate/"


class Browser(requests.Session):
    """A browser with one cookie jar for all addresses, as behind a proxy: cookies do not distinguish ports."""

    def __init__(self):
        super().__init__()
        self.headers["Connection"] = "close"  # the server closes idle connections, perhaps just as one is used

    def see(self, url: str, path: str) -> requests.Response:
        return self.get(url + path, timeout=SECONDS, allow_redirects=False)

    def press(self, url: str, path: str, form: dict | None = None, *, on: str | None = None) -> requests.Response:
        """Press a button that posts to `path`, on the page `on` (by default `path` itself)."""
        token = token_in(self.get(url + (on or path), timeout=SECONDS).text)
        return self.send_form(url, path, (form or {}) | {"csrfmiddlewaretoken": token})

    def send_form(self, url: str, path: str, form: dict) -> requests.Response:
        return self.post(url + path, form, timeout=SECONDS, allow_redirects=False)

    def sign_in(self, url: str, username: str = AGENT, password: str = PASSWORD) -> requests.Response:
        return self.press(url, SIGN_IN, {"login": username, "password": password})

    def is_in(self, url: str) -> bool:
        return self.see(url, "/activity/").status_code == 200

    def form_of(self, url: str, ticket_id: str) -> dict:
        """Return the hidden fields of the reply box, as they stand on the ticket's page."""
        page = self.see(url, f"/tickets/{ticket_id}/").text
        fields = hidden_fields(page[page.index('class="composer"') :])
        return fields | {"csrfmiddlewaretoken": token_in(page)}


def signed_in(url: str, username: str = AGENT) -> Browser:
    browser = Browser()
    answer = browser.sign_in(url, username)
    assert answer.status_code == 302, words_of(answer)
    return browser


def at_once(*jobs: Callable[[], object]) -> list:
    """Run all jobs at the same moment and return their results."""
    together = threading.Barrier(len(jobs))

    def work(job):
        together.wait()
        return job()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(work, jobs))


def words_of(answer: requests.Response) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text).split())
