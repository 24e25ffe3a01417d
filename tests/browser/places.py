"""Every page that an agent can come to, with a sentence that shows it has been reached."""

from playwright.sync_api import Page, expect

from sandbox.special_tickets import (
    ATTACHMENTS_ID,
    ENCRYPTED_ID,
    HOSTILE_ID,
    LONG_TEXT_ID,
    LONG_THREAD_ID,
    NULLS_ID,
    SERVICES_ID,
)
from tests.browser.steps import TICKET, reopen, toast


def open_activity(page: Page) -> None:
    page.goto(TICKET)
    reopen(page).click()
    expect(toast(page)).to_contain_text("Reopened.")
    page.goto("/activity/")
    expect(page.get_by_role("table")).to_be_visible()


def open_reopened(page: Page) -> None:
    page.goto(TICKET)
    reopen(page).click()
    expect(toast(page)).to_contain_text("Reopened.")


def open_empty_list(page: Page) -> None:
    page.goto("/tickets/?status=answered&department=billing")
    expect(page.get_by_role("link", name="Show all tickets")).to_be_visible()


def open_new_ticket_with_errors(page: Page) -> None:
    page.goto("/tickets/new/")
    page.get_by_label("Priority").select_option("Critical")
    page.get_by_role("button", name="Create ticket").click()
    expect(page.get_by_role("alert")).to_contain_text("Not created")


def _path(path: str):
    return lambda page: page.goto(path)


VISITORS = {"sign in": _path("/accounts/login/")}
NEWCOMERS = {"no key": _path("/tickets/"), "first key": _path("/settings/key/")}
AGENTS = {
    "key": _path("/settings/key/"),
    "list": _path("/tickets/"),
    "empty list": open_empty_list,
    "ticket": _path(TICKET),
    "reopened ticket": open_reopened,
    "long thread": _path(f"/tickets/{LONG_THREAD_ID}/"),
    "long text": _path(f"/tickets/{LONG_TEXT_ID}/"),
    "hostile ticket": _path(f"/tickets/{HOSTILE_ID}/"),
    "encrypted messages": _path(f"/tickets/{ENCRYPTED_ID}/"),
    "attachments": _path(f"/tickets/{ATTACHMENTS_ID}/"),
    "services": _path(f"/tickets/{SERVICES_ID}/"),
    "nothing but nulls": _path(f"/tickets/{NULLS_ID}/"),
    "unknown ticket": _path("/tickets/1/"),
    "no ticket number": _path("/tickets/go/?number=abc"),
    "new ticket": _path("/tickets/new/"),
    "new ticket with errors": open_new_ticket_with_errors,
    "activity": open_activity,
    "error page": _path("/no-such-page/"),
    "sign out": _path("/accounts/logout/"),
    "account": _path("/accounts/me/"),
    "authenticator app": _path("/accounts/me/totp/activate/"),
    "sessions": _path("/accounts/sessions/"),
    "agents": _path("/agents/"),
}
PLACES = VISITORS | NEWCOMERS | AGENTS
