"""The whole way from signing in to a reopened ticket and back, for each kind of agent."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from sandbox import keys
from tests.browser.steps import (
    TICKET,
    close,
    heading,
    posts,
    reopen,
    row,
    row_link,
    sign_in,
    ticket,
    toast,
)
from tests.dashboard import NEWCOMER, PASSWORD


def add_key(page: Page) -> None:
    expect(page.get_by_role("alert")).to_contain_text("Add your API key")
    page.get_by_role("link", name="Go to the API key").click()
    page.get_by_label("API key", exact=True).fill(keys.FULL)
    page.get_by_role("button", name="Save key").click()
    expect(page.get_by_role("heading", name="Key ending in a1b2")).to_be_visible()
    page.get_by_role("link", name="Tickets", exact=True).click()
    expect(page.get_by_role("heading", name="Tickets", exact=True)).to_be_visible()


def at_the_ticket(page: Page):
    return expect(page).to_have_url(re.compile(f"{TICKET}$"))


def test_from_signing_in_to_reopened_and_closed_again_on_a_desktop(visitor, sandbox):
    sign_in(visitor, NEWCOMER, at="/")
    add_key(visitor)
    row_link(visitor).click()
    expect(heading(visitor)).to_be_visible()
    at_the_ticket(visitor)
    expect(row(visitor)).to_contain_text("Closed")

    reopen(visitor).click()
    expect(toast(visitor)).to_contain_text("Reopened.")
    expect(ticket(visitor)).to_contain_text("Waiting on HostUp")
    expect(row(visitor)).to_contain_text("Waiting on HostUp")
    expect(row(visitor).get_by_role("button", name="Close ticket 149943")).to_be_visible()
    at_the_ticket(visitor)

    toast(visitor).get_by_role("button", name="Close again").click()
    expect(toast(visitor)).to_contain_text("Closed.")
    expect(reopen(visitor)).to_be_visible()
    expect(row(visitor)).to_contain_text("Closed")
    assert posts(sandbox)[-2:] == ["reopen", "close"]


@pytest.mark.parametrize("screen", ["phone"])
def test_from_signing_in_to_reopened_and_closed_again_on_a_phone(visitor, sandbox):
    sign_in(visitor, NEWCOMER, at="/")
    add_key(visitor)
    row_link(visitor).tap()
    expect(heading(visitor)).to_be_visible()
    expect(row(visitor)).to_be_hidden()
    at_the_ticket(visitor)

    expect(reopen(visitor)).to_be_in_viewport(ratio=1)
    reopen(visitor).tap()
    expect(toast(visitor)).to_contain_text("Reopened.")
    expect(ticket(visitor)).to_contain_text("Waiting on HostUp")

    toast(visitor).get_by_role("button", name="Close again").tap()
    expect(toast(visitor)).to_contain_text("Closed.")
    expect(reopen(visitor)).to_be_visible()

    ticket(visitor).get_by_role("link", name="Tickets").tap()
    expect(row(visitor)).to_contain_text("Closed")
    assert posts(sandbox)[-2:] == ["reopen", "close"]


def test_by_keyboard_alone(visitor, sandbox):
    def tab_to(wanted: Locator, key: str = "Tab") -> None:
        wanted.wait_for()
        for _ in range(300):
            if wanted.evaluate("element => element === document.activeElement"):
                return
            visitor.keyboard.press(key)
        pytest.fail(f"{key} does not lead to {wanted}")

    def go_to(wanted: Locator, key: str = "Tab") -> None:
        tab_to(wanted, key)
        visitor.keyboard.press("Enter")

    visitor.goto("/")
    expect(visitor.get_by_label("Username")).to_be_focused()
    visitor.keyboard.type(NEWCOMER)
    tab_to(visitor.get_by_label("Password"))
    visitor.keyboard.type(PASSWORD)
    visitor.keyboard.press("Enter")

    go_to(visitor.get_by_role("link", name="Go to the API key"))
    tab_to(visitor.get_by_label("API key", exact=True))
    visitor.keyboard.type(keys.FULL)
    go_to(visitor.get_by_role("button", name="Save key"))
    expect(visitor.get_by_role("heading", name="Key ending in a1b2")).to_be_visible()

    go_to(visitor.get_by_role("link", name="Tickets", exact=True))
    go_to(row_link(visitor))
    expect(heading(visitor)).to_be_focused()
    go_to(reopen(visitor))
    expect(heading(visitor)).to_be_focused()
    go_to(toast(visitor).get_by_role("button", name="Close again"), "Shift+Tab")
    expect(heading(visitor)).to_be_focused()
    expect(toast(visitor)).to_contain_text("Closed.")
    assert posts(sandbox)[-2:] == ["reopen", "close"]


def test_without_javascript(new_context, sandbox):
    page = new_context(java_script_enabled=False).new_page()
    sign_in(page, NEWCOMER, at="/")
    add_key(page)
    row_link(page).click()
    expect(heading(page)).to_be_visible()
    at_the_ticket(page)

    reopen(page).click()
    at_the_ticket(page)
    expect(toast(page)).to_contain_text("Reopened.")
    expect(close(page)).to_be_visible()

    toast(page).get_by_role("button", name="Close again").click()
    at_the_ticket(page)
    expect(toast(page)).to_contain_text("Closed.")
    expect(reopen(page)).to_be_visible()
    assert posts(sandbox)[-2:] == ["reopen", "close"]


@pytest.mark.parametrize("screen", ["phone"])
def test_without_javascript_the_list_filters_and_goes_on(new_context, sign_ins):
    page = new_context(java_script_enabled=False, storage_state=sign_ins["agent"]).new_page()
    page.goto("/tickets/")
    page.get_by_label("Status").select_option("Closed")
    page.get_by_role("button", name="Show").click()
    expect(page).to_have_url(re.compile(r"status=closed"))
    row(page).get_by_role("button", name="Reopen").click()
    expect(page).to_have_url(re.compile(r"/tickets/\?status=closed"))
    expect(toast(page)).to_contain_text("Reopened.")
    toast(page).get_by_role("button", name="Close again").click()
    expect(toast(page)).to_contain_text("Closed.")
    expect(page).to_have_url(re.compile(r"/tickets/\?status=closed"))

    page.goto("/tickets/")
    page.get_by_role("link", name="More tickets").click()
    expect(page).to_have_url(re.compile(r"cursor="))
    expect(page.get_by_role("listitem").first).to_be_visible()
