"""On paper: what was written, and no controls."""

import re

import pytest
from playwright.sync_api import expect

from sandbox.special_tickets import ATTACHMENTS_ID, LONG_THREAD_ID
from tests.browser.steps import TICKET, close, heading, reopen, row_link, ticket


@pytest.mark.parametrize("screen", ["desktop", "phone"])
def test_a_printed_ticket_is_the_ticket_alone(page):
    page.goto(TICKET)
    reopen(page).click()
    expect(close(page)).to_be_visible()
    page.emulate_media(media="print")
    for shown in (heading(page), page.get_by_text("Hello, I have a question")):
        expect(shown).to_be_visible()
    for pressed in ("button", "textbox", "navigation", "alert", "status"):
        expect(page.get_by_role(pressed)).to_have_count(0)
    expect(row_link(page)).to_have_count(0)
    pane = page.get_by_role("region", name="Ticket", exact=True)
    assert pane.evaluate("pane => pane.scrollHeight === pane.clientHeight")  # nothing is cut off


def test_a_message_tells_when_it_was_written_and_on_paper_nothing_else(page):
    page.goto(TICKET)
    age = ticket(page).get_by_role("listitem").get_by_text(re.compile("hours ago"))
    when = "age => getComputedStyle(age, '::after').content"
    exact = re.compile(r'"?\d{4}-\d\d-\d\d \d\d:\d\d"$')
    assert exact.search(age.evaluate(when))
    page.emulate_media(media="print")
    assert exact.match(age.evaluate(when))
    expect(age).to_have_css("font-size", "0px")
    for ago in ticket(page).get_by_role("definition").get_by_text(re.compile("ago$")).all():
        expect(ago).to_be_hidden()


def test_a_long_one_has_no_way_to_its_end(page):
    page.goto(f"/tickets/{LONG_THREAD_ID}/")
    newest = page.get_by_role("link", name="Newest message")
    expect(newest).to_be_visible()
    page.emulate_media(media="print")
    expect(newest).to_be_hidden()
    expect(page.get_by_text("Shall we close?")).to_be_visible()


def test_of_a_file_its_name_is_printed_alone(page):
    page.goto(f"/tickets/{ATTACHMENTS_ID}/")
    view = page.get_by_role("link", name="View invoice.pdf")
    expect(view).to_be_visible()
    page.emulate_media(media="print")
    expect(view).to_be_hidden()
    expect(page.get_by_text("invoice.pdf").filter(visible=True)).to_have_count(1)
