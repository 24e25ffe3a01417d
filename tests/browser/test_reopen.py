"""Reopen in a real browser: one press, one call, and the screen tells the truth and stays where it was."""

import re

import pytest
from playwright.sync_api import expect

from sandbox.special_tickets import LONG_THREAD_ID, SAMPLE_ID, SAMPLE_MESSAGE_ID, SAMPLE_NUMBER
from tests.browser.steps import (
    ANSWERS_OF_A_PROXY,
    HOLD_FIRST_MOMENTS,
    SUBJECT,
    TICKET,
    calls,
    close,
    expect_nothing_more,
    heading,
    hold,
    posts,
    press_enter_twice,
    ready,
    reopen,
    row,
    row_link,
    ticket,
    toast,
)

TOPMOST = """(element) => {
  const { left, right, top, bottom } = element.getBoundingClientRect();
  const corners = [left + 2, right - 2].flatMap((x) => [top + 2, bottom - 2].map((y) => [x, y]));
  return corners.every(([x, y]) => element.contains(document.elementFromPoint(x, y)));
}"""
MOVE_ON = """(button, milliseconds) => {
  for (const moment of button.getAnimations()) moment.currentTime += milliseconds;
}"""
UNKNOWN = "We do not know whether the change went through"
LIST = r"/tickets/(\?|$)"
BOTH_SCREENS = pytest.mark.parametrize("screen", ["desktop", "phone"])


def row_subject(page):
    return row(page).get_by_role("paragraph").filter(has_text=SUBJECT)


def row_reopen(page):
    return row(page).get_by_role("button", name="Reopen ticket 149943")


def test_a_list_that_was_asked_for_before_it_and_comes_after_it_shows_it(page, late):
    late.ask_for(LIST)
    page.goto(TICKET)  # with the list beside it
    late.is_on_its_way()
    reopen(page).click()
    expect(toast(page)).to_contain_text("Reopened.")
    late.arrive()
    expect(row(page).get_by_role("button", name="Close ticket 149943")).to_be_visible()

    late.ask_for(LIST)
    page.get_by_label("Department").select_option("Billing")
    late.is_on_its_way()
    close(page).click()
    expect(toast(page)).to_contain_text("Closed.")
    late.arrive()
    expect(row_reopen(page)).to_be_visible()
    expect(page).to_have_url(re.compile(rf"{TICKET}\?department=billing$"))

    late.ask_for(LIST)
    page.get_by_label("Department").select_option("All")
    late.is_on_its_way()
    page.get_by_role("textbox", name="Reply").fill("One more question.")
    page.get_by_role("button", name="Reopen and reply").click()
    expect(toast(page)).to_contain_text("Reopened and sent.")
    late.arrive()
    expect(page.locator("#tickets")).to_have_css("opacity", "1")
    expect(row(page)).to_contain_text("Waiting on HostUp")


def test_a_ticket_that_was_asked_for_before_it_and_comes_after_it_shows_it(page, late):
    page.goto("/tickets/")
    late.ask_for(f"{TICKET}$")
    row_link(page).click()
    late.is_on_its_way()
    row_reopen(page).click()
    expect(row(page)).to_contain_text("Open")
    late.arrive()
    expect(close(page)).to_be_visible()
    expect(page).to_have_url(re.compile(f"{TICKET}$"))


def test_who_has_gone_back_by_the_time_its_answer_comes_hears_of_it(page, sandbox):
    page.goto("/tickets/")
    row_link(page).click()
    answered = hold(sandbox, method="POST")
    ready(reopen(page)).click()
    page.go_back()
    expect(ticket(page)).to_have_count(0)
    answered.set()
    expect(toast(page)).to_contain_text("Reopened.")
    expect(row(page)).to_contain_text("Open")


def test_what_was_not_done_is_said_though_another_ticket_opens_and_of_which_it_is(page, sandbox, late):
    page.goto("/tickets/")
    other = page.get_by_role("listitem").get_by_role("link").nth(3)
    answered = hold(sandbox, "problem_403", method="POST")
    ready(row_reopen(page)).click()
    late.ask_for(r"/tickets/tkt_")
    other.click()
    late.is_on_its_way()
    answered.set()
    alert = page.get_by_role("alert").filter(visible=True)
    expect(alert.get_by_role("heading")).to_have_text("#149943: Your API key does not allow this")
    late.arrive()
    expect(ticket(page)).to_be_visible()
    expect(alert).to_contain_text("Your API key does not allow this")

    row_link(page).click()
    expect(heading(page)).to_be_visible()
    sandbox.fault("problem_409", method="POST")
    ready(row_reopen(page)).click()
    expect(alert.get_by_role("heading")).to_have_text("The ticket's state does not allow that")


def test_the_thread_stays_on_the_screen_when_hostup_answers_without_it(page, sandbox):
    page.goto(TICKET)
    message = page.locator(f"#message-{SAMPLE_MESSAGE_ID}")
    expect(row(page)).to_be_visible()
    sandbox.clear_calls()
    sandbox.fault(method="POST", times=4, transform=lambda ticket: {**ticket, "messages": []})
    for times, button in enumerate((reopen, row_reopen)):
        ready(button(page)).click()
        expect(close(page)).to_be_visible()
        expect(message).to_be_visible()
        assert [call.method for call in sandbox.calls] == ["POST", "GET"] * (2 * times + 1)
        ready(toast(page).get_by_role("button", name="Close again")).click()
        expect(reopen(page)).to_be_visible()
        expect(message).to_be_visible()
        assert [call.method for call in sandbox.calls] == ["POST", "GET"] * (2 * times + 2)

    sandbox.clear_calls()
    sandbox.fault(method="POST", transform=lambda ticket: {**ticket, "messages": None, "body": None})
    sandbox.fault("problem_403", method="GET", path="/tickets/tkt_")
    ready(reopen(page)).click()
    expect(toast(page)).to_contain_text("Reopened.")
    expect(heading(page)).to_be_focused()
    expect(ticket(page).locator(".status")).to_have_text("Open")
    expect(message).to_be_visible()
    assert [call.method for call in sandbox.calls] == ["POST", "GET"]

    page.get_by_role("textbox", name="Reply").fill("And what it says of it is still true.")
    page.get_by_role("button", name="Send reply").click()
    expect(toast(page)).to_contain_text("Sent.")
    expect(message).to_be_visible()


@BOTH_SCREENS
def test_from_its_row_the_row_stays_where_it_is_and_takes_the_focus(page, sandbox, screen):
    page.goto("/tickets/")
    row_reopen(page).wait_for()
    if screen == "desktop":
        page.mouse.move(200, 600)
        page.mouse.wheel(0, 300)
        scrolled = "() => document.querySelector('#list-pane').scrollTop"
    else:
        page.evaluate("window.scrollTo(0, 300)")
        scrolled = "() => window.scrollY"
    page.wait_for_function(f"({scrolled})() === 300")
    ready(row_reopen(page))
    rows = page.get_by_role("listitem").locator("[href]").all_inner_texts()
    place = row(page).bounding_box()

    row_reopen(page).click()
    expect(row_subject(page)).to_be_focused()
    expect(row(page)).to_contain_text("Open")
    expect(row(page).get_by_role("button", name="Close ticket 149943")).to_be_visible()
    expect(toast(page)).to_contain_text("Reopened.")
    assert page.evaluate(scrolled) == 300
    assert row(page).bounding_box()["y"] == place["y"]
    assert page.get_by_role("listitem").locator("[href]").all_inner_texts() == rows
    assert calls(sandbox)[1:] == [f"POST {TICKET.rstrip('/')}/actions/reopen"]


@pytest.mark.parametrize(
    ("language", "screens"),
    [("en-GB", {360: 10, 1280: 2}), ("sv-SE", {320: 4, 390: 3, 1024: 2, 1920: 1})],
)
def test_rows_that_are_reopened_one_after_another_move_nothing(page, sandbox, language, screens):
    def places(presses):
        places = {}
        for width in (width for width in screens if screens[width] > presses):
            page.set_viewport_size({"width": width, "height": 2000})
            # Found and measured in one step: between two steps a row may be redrawn.
            places[width] = page.evaluate(
                "[...document.querySelectorAll('.ticket-row')].map(row => row.getBoundingClientRect().y)"
            )
        return places

    sandbox.tickets.find(SAMPLE_ID).priority = "critical"
    page.set_extra_http_headers({"Accept-Language": language})
    page.goto("/tickets/?status=closed")
    rows = page.locator(".ticket-row")
    before = places(0)
    for nth in range(max(screens.values())):
        answered = hold(sandbox, method="POST")
        rows.nth(nth).get_by_role("button").click()
        expect(rows.nth(nth).locator(".busy")).to_be_visible()
        assert places(nth).items() <= before.items()
        answered.set()
        expect(rows.nth(nth).locator(".status.open")).to_be_visible()
        assert places(nth).items() <= before.items()


def test_from_its_row_the_ticket_beside_it_is_redrawn_by_the_same_call_unless_it_is_another(page, sandbox):
    page.goto("/tickets/")
    row_link(page, "IPv6?").click()
    expect(heading(page, "IPv6?")).to_be_visible()
    row_reopen(page).click()
    expect(toast(page)).to_contain_text("Reopened.")
    expect(heading(page, "IPv6?")).to_be_visible()
    expect(row_subject(page)).to_be_focused()
    ready(toast(page).get_by_role("button", name="Close again")).click()
    expect(toast(page)).to_contain_text("Closed.")

    row_link(page).click()
    expect(reopen(page)).to_be_visible()
    expect(toast(page)).to_be_empty()
    sandbox.clear_calls()
    row_reopen(page).click()
    expect(close(page)).to_be_visible()
    expect(row(page).get_by_role("button", name="Close ticket 149943")).to_be_visible()
    assert calls(sandbox) == [f"POST {TICKET.rstrip('/')}/actions/reopen"]


@BOTH_SCREENS
def test_in_the_ticket_its_heading_takes_the_focus_and_what_is_said_covers_no_button(page):
    page.goto(TICKET)
    reopen(page).click()
    expect(heading(page)).to_be_focused()
    expect(toast(page)).to_contain_text("Reopened.")
    page.evaluate("document.querySelectorAll('.pane').forEach((part) => part.scrollTop = 1e6)")
    page.evaluate("scrollTo(0, 1e6)")
    assert page.get_by_role("button", name="Send reply").evaluate(TOPMOST)


@BOTH_SCREENS
def test_who_reads_the_end_of_a_long_ticket_reads_on_there(page, sandbox, screen):
    long = sandbox.tickets.find(LONG_THREAD_ID)
    in_reach = {"desktop": row(page, long.number).get_by_role("button"), "phone": close(page).or_(reopen(page))}
    button = in_reach[screen]
    page.goto(f"/tickets/{LONG_THREAD_ID}/")
    button.wait_for()
    page.get_by_role("link", name="Newest message").click()
    last = page.locator(f"#message-{long.messages[-1].id}")
    page.wait_for_timeout(500)  # until all that is in view is drawn
    place = last.bounding_box()["y"]
    for done in ("Closed.", "Reopened."):
        ready(button).click()
        expect(toast(page)).to_contain_text(done)
        expect(heading(page, long.subject)).to_be_focused()
        page.wait_for_timeout(200)  # whatever moves it has done so
        expect(last).to_be_in_viewport()
        assert last.bounding_box()["y"] == pytest.approx(place, abs=1)


PRESSES_TWICE = {"double click": lambda button: button.dblclick(), "Enter twice": press_enter_twice}


@pytest.mark.parametrize(("where", "button"), [(TICKET, reopen), ("/tickets/", row_reopen)], ids=["ticket", "row"])
def test_pressed_twice_it_is_sent_once(page, sandbox, where, button):
    page.goto(where)
    for how, delay in (("double click", 0), ("double click", 1), ("Enter twice", 1)):
        sandbox.fault(delay=delay, method="POST")
        PRESSES_TWICE[how](ready(button(page)))
        expect(toast(page)).to_contain_text("Reopened.")
        ready(toast(page).get_by_role("button", name="Close again")).click()
        expect(toast(page)).to_contain_text("Closed.")
    expect_nothing_more(page, sandbox, ["reopen", "close"] * 3)


@pytest.mark.parametrize(("where", "screen"), [("ticket", "phone"), ("row", "desktop")])
def test_the_first_press_counts_however_early_and_late_ones_do_not_close_what_it_reopened(page, sandbox, where):
    page.goto(TICKET if where == "ticket" else "/tickets/")
    button = reopen(page) if where == "ticket" else row_reopen(page)
    button.scroll_into_view_if_needed()
    box = button.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.evaluate(HOLD_FIRST_MOMENTS)
    page.mouse.click(x, y)
    in_its_place = (
        close(page) if where == "ticket" else row(page).get_by_role("button", name="Close ticket 149943")
    )
    in_its_place.wait_for()
    for pause in (0, 450, 450):
        in_its_place.evaluate(MOVE_ON, pause)
        page.mouse.click(x, y)
    expect_nothing_more(page, sandbox, ["reopen"])
    expect(toast(page)).to_contain_text("Reopened.")


def test_a_late_second_press_does_not_undo_what_it_undid(page, sandbox):
    page.goto(TICKET)
    reopen(page).click()
    box = ready(toast(page).get_by_role("button", name="Close again")).bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.evaluate(HOLD_FIRST_MOMENTS)
    page.mouse.click(x, y)
    toast(page).get_by_role("button", name="Reopen").wait_for()
    page.mouse.click(x, y)
    expect_nothing_more(page, sandbox, ["reopen", "close"])
    expect(toast(page)).to_contain_text("Closed.")


def test_while_it_is_under_way_the_button_says_so_and_who_writes_keeps_the_focus(page, sandbox):
    page.goto(TICKET)
    answered = hold(sandbox, method="POST")
    ready(reopen(page)).click()
    expect(page.get_by_role("button", name="Reopening…")).to_be_visible()
    box = page.get_by_role("textbox", name="Reply")
    box.click()
    page.keyboard.type("Good mor")
    answered.set()
    expect(close(page)).to_be_visible()
    page.keyboard.type("ning")
    expect(box).to_be_focused()
    expect(box).to_have_value("Good morning")
    expect(toast(page)).to_contain_text("Reopened.")
    expect(page.get_by_text("Reopening…").filter(visible=True)).to_have_count(0)
    answered = hold(sandbox, method="POST")
    toast(page).get_by_role("button", name="Close again").click()
    expect(toast(page).get_by_role("button", name="Closing…")).to_be_visible()
    answered.set()
    expect(toast(page)).to_contain_text("Closed.")


def test_a_row_says_so_though_its_ticket_opens_and_pressed_in_both_places_it_is_sent_once(page, sandbox):
    answered = hold(sandbox, method="POST")
    page.goto("/tickets/")
    row_reopen(page).click()
    expect(page.get_by_role("button", name="Reopening…")).to_be_visible()
    row_link(page).click()
    expect(heading(page)).to_be_visible()
    expect(row(page).get_by_text("Reopening…")).to_be_visible()
    row(page).get_by_role("button").click()
    answered.set()
    expect(toast(page)).to_contain_text("Reopened.")
    expect(page.get_by_text("Reopening…").filter(visible=True)).to_have_count(0)
    expect(row(page)).to_contain_text("Open")

    answered = hold(sandbox, method="POST")
    ready(toast(page).get_by_role("button", name="Close again")).click()
    expect(toast(page).get_by_role("button", name="Closing…")).to_be_visible()
    close(page).click()
    expect(ticket(page).get_by_role("button", name="Closing…")).to_be_visible()
    answered.set()
    expect(toast(page)).to_contain_text("Closed.")

    answered = hold(sandbox, method="POST")
    ready(row_reopen(page)).click()
    reopen(page).click()
    expect(ticket(page).get_by_role("button", name="Reopening…")).to_be_visible()
    answered.set()
    expect(toast(page)).to_contain_text("Reopened.")
    expect_nothing_more(page, sandbox, ["reopen", "close", "reopen"])


def test_refused_the_ticket_stays_as_it_was_and_the_reason_is_given(page, sandbox):
    page.goto(TICKET)
    expect(row(page)).to_contain_text("Closed")
    before = ticket(page).inner_text()
    alert = page.get_by_role("alert")
    reasons = {
        "problem_409": "The ticket's state does not allow that",
        "problem_403": "Your API key does not allow this",
    }
    for fault, words in reasons.items():
        sandbox.fault(fault, method="POST")
        reopen(page).click()
        expect(alert).to_contain_text(words)
        expect(alert).to_contain_text(re.compile(r"request ID: req_\w+"))
        expect(alert).to_be_in_viewport()
        assert ticket(page).inner_text() == before
        expect(row(page)).to_contain_text("Closed")
        expect(toast(page)).to_be_empty()
    assert posts(sandbox) == ["reopen", "reopen"]
    row_link(page, "IPv6?").click()
    expect(heading(page, "IPv6?")).to_be_visible()
    expect(alert).to_have_count(0)


def lose_the_truth(sandbox):
    """Make it impossible to find out what becomes of the next change."""
    sandbox.fault("lost_answer", method="POST")
    sandbox.fault("problem_503", method="GET", path="/tickets/tkt_")


def test_after_a_lost_answer_the_ticket_is_read_and_the_truth_is_shown(page, sandbox):
    page.goto(TICKET)
    expect(row(page)).to_contain_text("Closed")
    sandbox.clear_calls()
    sandbox.fault("lost_answer", method="POST")
    reopen(page).click()
    expect(toast(page)).to_contain_text("Reopened.")
    expect(close(page)).to_be_visible()
    address = TICKET.rstrip("/")
    assert calls(sandbox) == [f"POST {address}/actions/reopen", f"GET {address}"]

    lose_the_truth(sandbox)
    ready(close(page)).click()
    said = page.get_by_role("alert").filter(has_text=UNKNOWN)
    expect(said).to_be_visible()
    expect(toast(page)).to_be_empty()

    lose_the_truth(sandbox)
    with page.expect_response(re.compile("/(reopen|close)/")):
        row(page).get_by_role("button").click()
    expect(said).to_have_count(1)
    row(page).get_by_role("button").click()
    expect(toast(page)).to_contain_text(re.compile("Closed|Already closed"))
    expect(said).to_have_count(0)


@pytest.mark.parametrize("screen", ["phone"])
def test_what_was_not_done_can_be_tried_again(page, sandbox):
    page.goto(TICKET)
    sandbox.fault("problem_500", method="POST")
    reopen(page).click()
    expect(page.get_by_role("alert")).to_contain_text("Not reopened: the ticket is still closed")
    expect(reopen(page)).to_be_visible()
    page.get_by_role("button", name="Retry").click()
    expect(toast(page)).to_contain_text("Reopened.")
    expect(close(page)).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(heading(page)).to_be_focused()
    assert posts(sandbox) == ["reopen", "reopen"]


def test_without_a_network_an_alert_says_so_and_nothing_else_changes(page, context, sandbox):
    page.goto(TICKET)
    expect(row(page)).to_be_visible()
    shown = ticket(page).element_handle()
    context.set_offline(True)
    reopen(page).click()
    expect(page.get_by_role("alert")).to_contain_text("The dashboard cannot be reached")
    row_link(page, "IPv6?").click()
    expect(page.get_by_role("alert")).to_have_count(1)
    assert shown.evaluate("element => element.isConnected")
    expect(heading(page)).to_be_visible()
    assert posts(sandbox) == []

    context.set_offline(False)
    reopen(page).click()
    expect(toast(page)).to_contain_text("Reopened.")
    expect(page.get_by_role("alert")).to_have_count(0)
    assert posts(sandbox) == ["reopen"]


def reopen_without_an_answer(page, sandbox):
    """Press Reopen so that nobody can find out what became of it; return the alert that says so."""
    page.goto(TICKET)
    lose_the_truth(sandbox)
    reopen(page).click()
    said = page.get_by_role("alert").filter(has_text=UNKNOWN)
    expect(said).to_be_visible()
    return said


def test_what_nobody_knows_is_said_until_it_is_dismissed(page, context, sandbox):
    said = reopen_without_an_answer(page, sandbox)
    row_link(page).wait_for()
    with page.expect_event("requestfailed"):  # a draft, about which there is an alert of its own
        context.set_offline(True)
        page.get_by_role("textbox", name="Reply").press_sequentially("Half a")
    context.set_offline(False)
    expect(page.get_by_text("Draft saved.")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(1)
    row_link(page, "IPv6?").click()
    expect(heading(page, "IPv6?")).to_be_visible()
    expect(said).to_be_visible()

    sandbox.fault("problem_409", method="POST")
    others = page.get_by_role("listitem").filter(has_not_text=f"#{SAMPLE_NUMBER}")
    other = others.get_by_role("button", name=re.compile("^Reopen ticket")).first
    other.click()
    expect(page.get_by_role("alert")).to_have_count(2)
    other.click()
    expect(toast(page)).to_contain_text("Reopened.")
    expect(page.get_by_role("alert")).to_have_count(1)
    page.get_by_role("button", name="Select", exact=True).click()
    others.get_by_role("checkbox").first.check()
    page.get_by_role("button", name=re.compile("^(Reopen|Close) selected")).and_(page.locator(":enabled")).click()
    expect(page.get_by_role("button", name="Done", exact=True)).to_be_visible()
    expect(said).to_be_visible()

    said.get_by_role("button", name="Dismiss").click()
    expect(page.get_by_role("alert")).to_have_count(0)


@pytest.mark.parametrize("screen", ["small phone"])
def test_several_alerts_leave_the_way_to_the_buttons_free(page, sandbox):
    reopen_without_an_answer(page, sandbox)
    for fault in ("problem_400", "problem_403"):
        sandbox.fault(fault, method="POST")
        reopen(page).tap()
        expect(page.get_by_role("alert")).to_have_count(2)
    newest = page.get_by_role("alert").filter(has_text="Your API key does not allow this")
    expect(newest.get_by_role("button", name="Dismiss")).to_be_in_viewport(ratio=1)
    assert reopen(page).evaluate(TOPMOST)
    page.get_by_role("button", name="Dismiss").first.tap()
    page.get_by_role("button", name="Dismiss").first.tap()
    expect(page.get_by_role("alert")).to_have_count(0)


def test_a_page_of_a_proxy_is_no_answer(page, sandbox):
    page.goto("/tickets/")
    answers = list(ANSWERS_OF_A_PROXY.values())
    page.route("**/reopen/**", lambda route: route.fulfill(**answers.pop()), times=len(answers))
    while answers:
        row_reopen(page).click()
        expect(page.get_by_role("alert")).to_contain_text("see whether it changed before you try again")
        expect(row_reopen(page)).to_be_visible()
        page.get_by_role("button", name="Dismiss").click()
        expect(page.get_by_role("alert")).to_have_count(0)
    assert posts(sandbox) == []
