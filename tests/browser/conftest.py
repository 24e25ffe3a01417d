"""A real browser on the real dashboard, which calls the sandbox. Every page is watched while it is open."""

import os
import re

import pytest
from playwright.sync_api import expect

from tests.browser import chromium
from tests.browser.places import NEWCOMERS, PLACES, VISITORS
from tests.browser.steps import sign_in
from tests.dashboard import AGENT, NEWCOMER, Dashboard

SCREENS = {
    "desktop": {"viewport": {"width": 1440, "height": 900}},
    "phone": {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True},
    "small phone": {"viewport": {"width": 360, "height": 640}, "is_mobile": True, "has_touch": True},
}
PATIENCE = 10_000  # milliseconds
# The browser logs the first for an error status and for a missing answer, htmx the second for a missing answer.
SAID_OF_EVERY_FAILED_REQUEST = ("Failed to load resource:", "htmx: htmx:error: Failed to fetch")
CSP_LISTENER = """
document.addEventListener("securitypolicyviolation", (violation) =>
  console.error(`CSP: ${violation.violatedDirective} refused ${violation.blockedURI || "inline"}`));
"""

expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session")
def dashboard(running_sandbox, tmp_path_factory):
    with Dashboard(running_sandbox.url, tmp_path_factory.mktemp("dashboard")) as dashboard:
        yield dashboard


@pytest.fixture(scope="session")
def base_url(dashboard):
    return dashboard.url


@pytest.fixture(autouse=True)
def sandbox(running_sandbox, dashboard):
    """Return the sandbox, reset, with a dashboard that has forgotten the previous test."""
    running_sandbox.reset()
    dashboard.forget()
    return running_sandbox


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    path = chromium.find()
    if not path:
        pytest.fail("No Chromium for the browser tests. Run: python -m tests.browser.chromium")
    quiet = [
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
        "--disable-quic",
    ]
    as_root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    return browser_type_launch_args | {"executable_path": path, "args": as_root + quiet}


@pytest.fixture
def screen():
    """Return a name in SCREENS; a test of another screen is parametrized with it."""
    return "desktop"


@pytest.fixture
def browser_context_args(browser_context_args, screen):
    return browser_context_args | SCREENS[screen] | {"locale": "en-GB", "timezone_id": "Europe/Stockholm"}


@pytest.fixture(scope="session")
def sign_ins(browser, base_url, running_sandbox):
    """Return each agent's state after signing in, once for all tests, because a password is slow to check."""
    states = {}
    for username in (AGENT, NEWCOMER):
        context = browser.new_context(base_url=base_url)
        sign_in(context.new_page(), username)
        state = context.storage_state()
        state["cookies"] = [cookie for cookie in state["cookies"] if cookie["name"] != "timezone"]
        states[username] = state
        context.close()
    return states


@pytest.fixture
def new_context(new_context):
    """Open browser contexts, and fail the test for anything that goes wrong in their pages."""
    contexts, troubles = [], []

    def watched(**arguments):
        context = new_context(**arguments)
        context.set_default_timeout(PATIENCE)
        context.add_init_script(CSP_LISTENER)
        watch(context, troubles)
        contexts.append(context)
        return context

    yield watched
    for context in contexts:
        for page in context.pages:
            page.title()  # a round trip, after which all that the page reported has arrived
    assert not troubles, "\n".join(troubles)


@pytest.fixture
def context(new_context, sign_ins):
    return new_context(storage_state=sign_ins[AGENT])


@pytest.fixture
def page(context):
    """A page of an agent who is signed in and has an API key saved."""
    return context.new_page()


@pytest.fixture
def newcomer(new_context, sign_ins):
    """A page of an agent who is signed in and has no API key yet."""
    return new_context(storage_state=sign_ins[NEWCOMER]).new_page()


@pytest.fixture
def visitor(new_context):
    """A page of somebody who is not signed in."""
    return new_context().new_page()


@pytest.fixture
def open_place(new_context, sign_ins):
    """Return a function that opens one of PLACES, signed in as it needs, and returns the page."""

    def open_place(name):
        username = None if name in VISITORS else NEWCOMER if name in NEWCOMERS else AGENT
        page = new_context(storage_state=sign_ins.get(username)).new_page()
        PLACES[name](page)
        expect(page.get_by_text("Loading tickets…").filter(visible=True)).to_have_count(0)
        return page

    return open_place


@pytest.fixture
def late(page):
    """Hold back the answer to the next request for an address: `late.ask_for(pattern)`, `late.is_on_its_way()`,
    `late.arrive()`."""
    return Late(page)


class Late:
    def __init__(self, page):
        self._page = page
        self._held = []

    def ask_for(self, pattern):
        self._page.route(re.compile(pattern), lambda route: self._held.append((route, route.fetch())), times=1)

    def is_on_its_way(self):
        for _ in range(500):
            if self._held:
                return
            self._page.wait_for_timeout(20)
        pytest.fail("nobody asked for it")

    def arrive(self):
        route, response = self._held.pop()
        route.fulfill(response=response)


def watch(context, troubles) -> None:
    """Note in `troubles` whatever goes wrong in the pages of a context."""

    def console(message):
        if message.type == "error" and not message.text.startswith(SAID_OF_EVERY_FAILED_REQUEST):
            troubles.append(f"console: {message.text}")

    def dialog(shown):
        troubles.append(f"dialog: {shown.message}")
        shown.dismiss()

    def response(answer):
        if answer.status == 500:
            troubles.append(f"500 for {answer.request.method} {answer.url}")

    context.on("console", console)
    context.on("dialog", dialog)
    context.on("response", response)
    context.on("weberror", lambda error: troubles.append(f"page error: {error.error}"))
