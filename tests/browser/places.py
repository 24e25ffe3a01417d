"""Every page that people can reach, each with a function that opens it and waits until it shows."""

import re

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
from tests.browser.steps import SUBJECT, TICKET, heading, reopen, toast
from tests.dashboard import PASSWORD


def open_activity(page: Page) -> None:
    page.goto(TICKET)
    reopen(page).click()
    expect(toast(page)).to_contain_text("Reopened.")
    page.goto("/activity/")
    expect(heading(page, "Activity")).to_be_visible()
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


def open_authenticator_app(page: Page) -> None:
    page.goto("/accounts/me/totp/activate/")
    proof, app = heading(page, "Confirm that it is you"), heading(page, "Set up an authenticator app")
    expect(proof.or_(app)).to_be_visible()
    if proof.is_visible():  # more than five minutes after the tests' one sign-in
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Continue").click()
    expect(app).to_be_visible()


def open_reset_of_second_step(page: Page) -> None:
    page.goto("/agents/")
    page.get_by_role("link", name="Reset second step colleague").click()
    expect(heading(page, "Reset second step")).to_be_visible()


def _path(path: str, name: str | re.Pattern):
    """Return a function that opens the page at `path` and waits for its heading `name`."""

    def open_page(page: Page) -> None:
        page.goto(path)
        expect(heading(page, name)).to_be_visible()

    return open_page


VISITORS = {
    "sign in": _path("/accounts/login/", "Sign in"),
    "disabled account": _path("/accounts/inactive/", "This account is disabled"),
    "dead password link": _path("/accounts/password/1-dead/", "Choose a password"),
}
NEWCOMERS = {
    "no key": _path("/tickets/", "Add your API key"),
    "first key": _path("/settings/key/", "HostUp API key"),
}
AGENTS = {
    "key": _path("/settings/key/", "HostUp API key"),
    "list": _path("/tickets/", "Tickets"),
    "empty list": open_empty_list,
    "ticket": _path(TICKET, SUBJECT),
    "reopened ticket": open_reopened,
    "long thread": _path(f"/tickets/{LONG_THREAD_ID}/", "Migration of 60 sites, one after the other"),
    "long text": _path(f"/tickets/{LONG_TEXT_ID}/", re.compile("^Here is the whole log")),
    "hostile ticket": _path(f"/tickets/{HOSTILE_ID}/", re.compile("^<script>")),
    "encrypted messages": _path(f"/tickets/{ENCRYPTED_ID}/", "Temporary password for the migration"),
    "attachments": _path(f"/tickets/{ATTACHMENTS_ID}/", "Files that you asked for"),
    "services": _path(f"/tickets/{SERVICES_ID}/", "Renewal of everything we have"),
    "nothing but nulls": _path(f"/tickets/{NULLS_ID}/", "(no subject)"),
    "unknown ticket": _path("/tickets/1/", "HostUp has no such ticket"),
    "no ticket number": _path("/tickets/go/?number=abc", "That is not a ticket number"),
    "new ticket": _path("/tickets/new/", "New ticket"),
    "new ticket with errors": open_new_ticket_with_errors,
    "activity": open_activity,
    "error page": _path("/no-such-page/", "There is no such page"),
    "sign out": _path("/accounts/logout/", "Sign out"),
    "account": _path("/accounts/me/", "Your account"),
    "authenticator app": open_authenticator_app,
    "is it you": _path("/accounts/reauthenticate/", "Confirm that it is you"),
    "sessions": _path("/accounts/sessions/", "Your sessions"),
    "agents": _path("/agents/", "Agents"),
    "reset of a second step": open_reset_of_second_step,
}
PLACES = VISITORS | NEWCOMERS | AGENTS
