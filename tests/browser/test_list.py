"""The list beside the ticket: filters, more tickets, and what a reload costs."""

import re

import pytest
from playwright.sync_api import expect

from sandbox.keys import ACCOUNT_A
from sandbox.special_tickets import SAMPLE_ID
from tests.browser.steps import TICKET, calls, heading, hold, row, row_link


def statuses(page):
    return page.get_by_role("listitem").filter(has_text=re.compile(r"#\d+"))


def numbers(page):
    return [re.search(r"#\d+", text).group() for text in statuses(page).all_inner_texts()]


def test_choosing_a_status_updates_list_and_address_without_loading_a_page_and_is_heard(page, sandbox):
    page.goto("/tickets/")
    page.evaluate("window.sameDocument = true")
    heard = page.locator("[aria-live=polite]")
    expect(heard).to_be_empty()
    expect(row(page, 150013)).to_be_visible()  # an answered ticket
    answered = hold(sandbox)
    page.get_by_label("Status").select_option("Closed")
    expect(page.locator("#tickets")).to_have_css("opacity", "0.7")
    assert page.get_by_text("Closing…").filter(visible=True).count() == 0
    answered.set()
    expect(page.locator("#tickets")).to_have_css("opacity", "1")
    expect(page).to_have_url(re.compile(r"/tickets/\?status=closed$"))
    expect(row(page, 150013)).to_have_count(0)
    assert statuses(page).count() == statuses(page).filter(has_text="Closed").count() > 0
    expect(heard).to_have_text(f"{statuses(page).count()} tickets")

    page.get_by_label("Department").select_option("Billing")
    expect(page).to_have_url(re.compile(r"/tickets/\?status=closed&department=billing$"))
    page.get_by_label("Department").select_option("All")
    page.get_by_label("Status").select_option("All")
    expect(heard).to_have_text("50 tickets, and more")
    assert page.evaluate("window.sameDocument")


def test_filtering_keeps_the_open_ticket_in_the_pane_and_in_the_address(page, sandbox):
    page.goto("/tickets/")
    link = row_link(page)
    sandbox.fault(path="tickets$", delay=1)
    page.get_by_label("Status").select_option("Closed")
    link.click()  # while the filtered list is loading
    expect(heading(page)).to_be_visible()
    expect(page).to_have_url(re.compile(rf"{TICKET}\?status=closed$"))

    page.get_by_label("Status").select_option("Answered")
    expect(page).to_have_url(re.compile(rf"{TICKET}\?status=answered$"))
    expect(row(page)).to_have_count(0)
    expect(heading(page)).to_be_visible()

    page.reload()
    expect(heading(page)).to_be_visible()
    expect(row(page, 150013)).to_be_visible()
    expect(row(page)).to_have_count(0)
    expect(page.get_by_label("Status")).to_have_value("answered")


def test_a_row_opens_its_ticket_for_one_call_and_learns_what_has_changed(page, sandbox):
    page.goto("/tickets/")
    expect(row(page)).to_contain_text("Closed")
    sandbox.tickets.find(SAMPLE_ID).status = "answered"  # by HostUp's staff
    sandbox.clear_calls()
    row_link(page).click()
    expect(heading(page)).to_be_focused()
    expect(row(page)).to_contain_text("Answered")
    expect(row(page)).to_contain_text("Waiting on us")
    expect(row(page).get_by_role("button", name="Close ticket")).to_be_visible()
    expect(row_link(page)).to_have_attribute("aria-current", "true")
    page.wait_for_load_state("networkidle")
    assert calls(sandbox) == [f"GET {TICKET.rstrip('/')}"]

    sandbox.clear_calls()
    page.reload()  # one call for the list, one for the ticket
    expect(heading(page)).to_be_visible()
    expect(row_link(page)).to_have_attribute("aria-current", "true")
    page.wait_for_load_state("networkidle")
    assert sorted(calls(sandbox)) == ["GET /tickets", f"GET {TICKET.rstrip('/')}"]


def test_a_filter_that_fails_is_in_the_address_and_can_be_gone_back_through_all_the_same(page, sandbox):
    page.goto("/tickets/?status=on_hold")
    sandbox.fault("problem_500")
    page.get_by_label("Status").select_option("Answered")
    page.get_by_role("link", name="Retry").click()
    expect(row(page, 150013)).to_be_visible()
    expect(page).to_have_url(re.compile(r"/tickets/\?status=answered$"))
    page.get_by_label("Status").select_option("Closed")
    expect(row(page, 150013)).to_have_count(0)
    page.go_back()
    expect(row(page, 150013)).to_be_visible()
    expect(page.get_by_label("Status")).to_have_value("answered")


def test_more_tickets_follow_below_and_none_shows_twice(page, sandbox):
    page.goto("/tickets/")
    more = page.get_by_role("link", name="More tickets")
    for shown in (50, 100):
        expect(statuses(page)).to_have_count(shown)
        more.click()
    expect(page.get_by_text("No more tickets.")).to_be_visible()
    expect(page).to_have_url(re.compile(r"/tickets/$"))
    seen = numbers(page)
    assert len(seen) == len(set(seen)) == len(sandbox.tickets.tickets_of(ACCOUNT_A))


def test_by_keyboard_more_tickets_do_not_lose_the_place_even_if_they_do_not_come(page, sandbox):
    page.goto("/tickets/")
    page.get_by_role("link", name="New ticket").focus()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Select")).to_be_focused()  # in the order on the screen

    sandbox.fault("empty_200")
    page.get_by_role("link", name="More tickets").press("Enter")
    expect(page.get_by_role("link", name="Retry")).to_be_focused()
    page.get_by_role("link", name="Retry").press("Enter")
    expect(statuses(page)).to_have_count(100)
    expect(statuses(page).nth(50).get_by_role("paragraph").first).to_be_focused()

    sandbox.fault("expired_cursor")
    page.get_by_role("link", name="More tickets").press("Enter")
    expect(page.get_by_role("link", name="Start from the top")).to_be_focused()
    page.get_by_role("link", name="Start from the top").press("Enter")
    expect(statuses(page)).to_have_count(50)
    expect(statuses(page).first.get_by_role("paragraph").first).to_be_focused()
    expect(statuses(page).first).to_be_in_viewport(ratio=1)

    page.get_by_role("link", name="More tickets").press("Enter")
    expect(statuses(page)).to_have_count(100)
    assert page.evaluate("document.activeElement !== document.body"), "the focus went back to the page's top"


def test_a_list_beside_a_ticket_is_asked_for_where_it_shows_and_again_if_it_did_not_come(page, context, sandbox):
    page.set_viewport_size({"width": 390, "height": 900})  # too narrow for the list
    page.goto(TICKET)
    expect(heading(page)).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert calls(sandbox) == [f"GET {TICKET.rstrip('/')}"]
    context.set_offline(True)
    page.set_viewport_size({"width": 1440, "height": 900})
    again = page.get_by_role("link", name="Retry")
    expect(again).to_be_visible()
    expect(page.get_by_text("Loading tickets…").filter(visible=True)).to_have_count(0)
    expect(page.get_by_role("alert")).to_contain_text("The dashboard cannot be reached")

    context.set_offline(False)
    again.click()
    expect(row_link(page)).to_have_attribute("aria-current", "true")
    expect(again).to_have_count(0)
    expect(page.get_by_role("button", name="Select", exact=True)).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(heading(page)).to_be_visible()


@pytest.mark.parametrize(("encoding", "most"), [("gzip, br", 29_500), ("gzip", 31_500)])
@pytest.mark.parametrize(("path", "screen"), [("/tickets/", "desktop"), (TICKET, "phone")])
def test_a_first_visit_is_light(page, path, screen, encoding, most):
    """Browsers accept brotli only over https, and from their own machine."""
    page.set_extra_http_headers({"Accept-Encoding": encoding})
    requests = []
    page.on("requestfinished", lambda request: requests.append(request))
    page.goto(path, wait_until="networkidle")
    sizes = {request.url: request.sizes()["responseBodySize"] for request in requests}
    assert len(sizes) <= 5, sizes
    assert 20_000 < sum(sizes.values()) <= most, sizes


def test_a_filter_that_finds_no_network_is_not_chosen_over_the_list_of_before(page, context):
    page.goto(f"{TICKET}?status=closed")
    expect(row(page)).to_be_visible()
    context.set_offline(True)
    status = page.get_by_label("Status")
    status.select_option("Answered")
    expect(page.get_by_role("alert")).to_contain_text("cannot be reached")
    expect(status).to_have_value("closed")
    expect(row(page)).to_be_visible()
    context.set_offline(False)
    status.select_option("Answered")
    expect(row(page, 150013)).to_be_visible()  # an answered ticket
    expect(page).to_have_url(re.compile(r"status=answered$"))


@pytest.mark.parametrize("is_retried", [False, True])
def test_a_first_list_that_comes_after_a_filter_was_chosen_does_not_take_its_place(page, late, is_retried):
    if is_retried:
        page.route("**/tickets/", lambda route: route.abort(), times=1)
    else:
        late.ask_for(r"/tickets/$")
    page.goto(TICKET)
    if is_retried:
        again = page.get_by_role("link", name="Retry")
        again.wait_for()
        late.ask_for(r"/tickets/$")
        again.click()
    late.is_on_its_way()
    page.get_by_label("Status").select_option("Answered")
    expect(row(page, 150013)).to_be_visible()  # an answered ticket
    late.arrive()
    page.wait_for_timeout(300)
    expect(row(page)).to_have_count(0)
    expect(page.get_by_label("Status")).to_have_value("answered")


def test_a_row_shows_at_once_that_its_ticket_is_being_opened(page, sandbox):
    page.goto("/tickets/")
    answered = hold(sandbox, path="/tickets/tkt_")
    row_link(page).click()
    expect(row_link(page)).to_have_css("opacity", "0.6")
    looks = "row => [getComputedStyle(row).backgroundColor, getComputedStyle(row).borderLeftColor]"
    opening = row(page).evaluate(looks)
    answered.set()
    expect(heading(page)).to_be_focused()
    page.mouse.move(0, 0)
    assert row(page).evaluate(looks) == opening != row(page, 150013).evaluate(looks)

    place = row(page, 150013).get_by_text("#150013").bounding_box()
    page.mouse.click(place["x"] + 5, place["y"] + 5)  # anywhere on a row opens it
    expect(row(page, 150013).locator("[aria-current]")).to_be_visible()
