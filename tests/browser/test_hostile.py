"""A customer's text is text. Whatever ran from it would be a dialog or an error, and fail the test."""

import pytest
from playwright.sync_api import expect

from sandbox.special_tickets import HOSTILE_ID
from tests.browser.steps import ticket


@pytest.mark.parametrize("screen", ["desktop", "phone"])
def test_nothing_in_a_hostile_ticket_runs(page, context):
    foreign = []
    context.on(
        "request", lambda request: foreign.append(request.url) if "/127.0.0.1:" not in request.url else None
    )
    page.goto("/tickets/")
    page.get_by_role("link", name="<script>alert('subject')</script>").click()
    expect(ticket(page).get_by_role("heading", level=1)).to_contain_text(
        "<script>alert('subject')</script> \"quoted\""
    )
    expect(ticket(page)).to_contain_text("<img src=x onerror=alert(1)><b>bold?</b>")
    page.goto(f"/tickets/{HOSTILE_ID}/")
    expect(ticket(page)).to_contain_text("javascript:alert(1) [click](javascript:alert(2))")
    expect(ticket(page).get_by_role("link", name="https://example.com/")).not_to_have_count(0)
    page.get_by_role("button", name="Close ticket", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("Closed.")
    assert ticket(page).locator("script, img, iframe, b, i, [onerror], [onmouseover]").count() == 0
    addresses = ticket(page).get_by_role("link").evaluate_all("links => links.map((link) => link.protocol)")
    assert set(addresses) <= {"http:", "https:"}
    assert foreign == []
