"""The browser's own language and time zone, without anybody setting them."""

import re
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect

from sandbox.special_tickets import SAMPLE_ID
from tests.browser.steps import TICKET, heading, sign_in


@pytest.mark.browser_context_args(locale="sv-SE")
def test_a_swedish_browser_shows_swedish(visitor, page):
    visitor.goto("/")
    expect(visitor.get_by_role("heading", name="Logga in")).to_be_visible()
    expect(visitor.locator("html")).to_have_attribute("lang", "sv")

    page.goto(TICKET)
    expect(page.locator("html")).to_have_attribute("lang", "sv")
    expect(page.get_by_role("heading", name="Ärenden", exact=True)).to_be_visible()
    page.get_by_role("button", name="Återöppna ärendet", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("Återöppnat.")


@pytest.mark.browser_context_args(timezone_id="Asia/Tokyo")
def test_times_show_in_the_browsers_zone(visitor, sandbox):
    sign_in(visitor, at=TICKET)
    expect(heading(visitor)).to_be_visible()
    created = sandbox.tickets.find(SAMPLE_ID).created_at.astimezone(ZoneInfo("Asia/Tokyo"))
    expect(visitor.get_by_role("definition").filter(has_text=re.compile(r"days ago")).first).to_contain_text(
        f"{created:%Y-%m-%d %H:%M}"
    )
