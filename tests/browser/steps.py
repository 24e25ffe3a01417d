"""What people do in these tests again and again, and how they find things."""

import re
from threading import Event

from playwright.sync_api import Locator, Page, expect

from sandbox.special_tickets import SAMPLE_ID, SAMPLE_NUMBER
from tests.dashboard import AGENT, PASSWORD

SUBJECT = "Question about my hosting account"
TICKET = f"/tickets/{SAMPLE_ID}/"
# Their first moments, in which buttons take no presses, last until somebody moves them on.
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
    """Wait until a button takes presses, which it does not in its first moment; for pressing without waiting."""
    button.evaluate("button => Promise.all(button.getAnimations().map((animation) => animation.finished))")
    return button


def press_enter_twice(button: Locator) -> None:
    button.focus()
    button.page.keyboard.press("Enter")
    button.page.keyboard.press("Enter")


def posts(sandbox) -> list[str]:
    """What was changed at HostUp, or tried to: "reopen", "close", …"""
    return [call.path.rsplit("/", 1)[1] for call in sandbox.calls if call.method == "POST"]


def calls(sandbox) -> list[str]:
    return [f"{call.method} {call.path.removeprefix('/api/v2/support')}" for call in sandbox.calls]


def hold(sandbox, name: str | None = None, **fault) -> Event:
    """Have HostUp keep an answer, true or of that fault, until what is returned is set: a call is under way for as
    long as the test looks, up to the time that the dashboard gives one."""
    answered = Event()
    sandbox.fault(name, transform=lambda value: answered.wait(60) and value, **fault)
    return answered


def expect_nothing_more(page: Page, sandbox, sent: list[str]) -> None:
    """Only time can show that nothing more comes. A press that counts is sent at once."""
    page.wait_for_timeout(500)
    assert posts(sandbox) == sent


SIGN_IN_ELSEWHERE = "<!doctype html><title>Sign in</title><h1>Sign in</h1>"
# What a proxy before the dashboard answers with when its own session is over, or a request takes it too long.
ANSWERS_OF_A_PROXY = {
    "redirect": {"status": 302, "headers": {"Location": "/healthz"}},
    "page": {"status": 200, "content_type": "text/html", "body": SIGN_IN_ELSEWHERE},
    "nothing": {"status": 200},
    "refused": {"status": 403, "content_type": "text/html", "body": SIGN_IN_ELSEWHERE},
}


def expect_whole_page(page: Page) -> None:
    """A fragment that the browser shows by itself has neither header nor title."""
    expect(page).to_have_title(re.compile("HostUp Dashboard$"))
    expect(page.get_by_role("banner")).to_be_visible()
