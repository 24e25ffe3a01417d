"""Steps that these tests share, and how they find things on a page."""

import re
from threading import Event

from playwright.sync_api import Locator, Page, expect

from sandbox.special_tickets import SAMPLE_ID, SAMPLE_NUMBER
from tests.dashboard import AGENT, PASSWORD

SUBJECT = "Question about my hosting account"
TICKET = f"/tickets/{SAMPLE_ID}/"
# Pauses the animation during which a new button takes no presses (app.css), until a test moves it on.
HOLD_FIRST_MOMENTS = """() => addEventListener("animationstart", ({ target }) => {
  for (const moment of target.getAnimations()) moment.pause();
})"""


def sign_in(page: Page, username: str = AGENT, at: str = "/accounts/login/") -> None:
    page.goto(at)
    fill_in_sign_in(page, username)


def fill_in_sign_in(page: Page, username: str = AGENT) -> None:
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Sign out").wait_for()


def row(page: Page, number: int = SAMPLE_NUMBER) -> Locator:
    return page.get_by_role("listitem").filter(has_text=f"#{number}")


def row_link(page: Page, subject: str = SUBJECT) -> Locator:
    return page.get_by_role("listitem").get_by_role("link", name=subject)


def ticket(page: Page) -> Locator:
    return page.get_by_role("article")


def heading(page: Page, subject: str = SUBJECT) -> Locator:
    return page.get_by_role("heading", level=1, name=subject)


def toast(page: Page) -> Locator:
    return page.get_by_role("status")


def reopen(page: Page) -> Locator:
    return page.get_by_role("button", name="Reopen ticket", exact=True)


def close(page: Page) -> Locator:
    return page.get_by_role("button", name="Close ticket", exact=True)


def ready(button: Locator) -> Locator:
    """Wait until `button` takes presses, which it does not while it arrives (app.css), and return it."""
    button.evaluate("button => Promise.all(button.getAnimations().map((animation) => animation.finished))")
    return button


def press_enter_twice(button: Locator) -> None:
    button.focus()
    button.page.keyboard.press("Enter")
    button.page.keyboard.press("Enter")


def posts(sandbox) -> list[str]:
    """Return what was changed at HostUp, or tried to be: "reopen", "close", …"""
    return [call.path.rsplit("/", 1)[1] for call in sandbox.calls if call.method == "POST"]


def calls(sandbox) -> list[str]:
    return [f"{call.method} {call.path.removeprefix('/api/v2/support')}" for call in sandbox.calls]


def hold(sandbox, name: str | None = None, **fault) -> Event:
    """Have HostUp hold back one answer, its own or that of the fault `name`, until the returned event is set. So
    the call stays under way while the test looks, up to the deadline that the dashboard gives it."""
    answered = Event()
    sandbox.fault(name, transform=lambda value: answered.wait(60) and value, **fault)
    return answered


def expect_nothing_more(page: Page, sandbox, sent: list[str]) -> None:
    """Wait half a second, and fail if anything but `sent` has gone out: a press that counts is sent at once."""
    page.wait_for_timeout(500)
    assert posts(sandbox) == sent


SIGN_IN_ELSEWHERE = "<!doctype html><title>Sign in</title><h1>Sign in</h1>"
# How a proxy in front of the dashboard may answer when its own session has ended, or a request takes too long.
ANSWERS_OF_A_PROXY = {
    "redirect": {"status": 302, "headers": {"Location": "/healthz"}},
    "page": {"status": 200, "content_type": "text/html", "body": SIGN_IN_ELSEWHERE},
    "nothing": {"status": 200},
    "refused": {"status": 403, "content_type": "text/html", "body": SIGN_IN_ELSEWHERE},
}


def expect_whole_page(page: Page) -> None:
    """Expect a whole page: a fragment that the browser shows on its own has neither banner nor title."""
    expect(page).to_have_title(re.compile("HostUp Dashboard$"))
    expect(page.get_by_role("banner")).to_be_visible()
