"""Several tickets at once: each as if its own button were pressed, one after another, and the truth about each."""

import re
import time

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from sandbox.keys import ACCOUNT_A
from sandbox.special_tickets import SAMPLE_NUMBER
from tests.browser.steps import (
    ANSWERS_OF_A_PROXY,
    TICKET,
    calls,
    fill_in_sign_in,
    heading,
    hold,
    posts,
    ready,
    row,
    row_link,
    toast,
)
from tests.browser.test_accessibility import OPTIONS

CLOSED = "/tickets/?status=closed"
ALIKE = "#tickets li:nth-child(n + 8)"  # rows that stay as they are
BOTH_SCREENS = pytest.mark.parametrize("screen", ["desktop", "phone"])
SLOW_DOWN = {"status": 429, "headers": {"Retry-After": "1"}, "method": "POST"}
# Records all that shows: a second may be over before the test looks.
NOTE_WHAT_SHOWS = """(part) => {
  window.shown = [];
  const note = () => window.shown.push(part.innerText);
  new MutationObserver(note).observe(part, { subtree: true, childList: true });
}"""
# Tells whether the page can be left without a question.
LEAVE = "dispatchEvent(new Event('beforeunload', { cancelable: true }))"
PLACES_OF_FOUR = """(rows) => rows.slice(0, 4).flatMap((row) => [row, row.querySelector("a")]).map((part) => {
  const { y, width } = part.getBoundingClientRect();
  return [Math.round(y), Math.round(width)];
})"""


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


@pytest.fixture
def long_wait(dashboard):
    """Yield a fault by which HostUp asks for a longer wait than the tests' patience."""
    yield SLOW_DOWN | {"headers": {"Retry-After": "100"}}
    dashboard.replace_workers()


def box(page: Page, number: str) -> Locator:
    return page.get_by_role("checkbox", name=f"Select ticket {number}")


def bar(page: Page) -> Locator:
    return page.get_by_role("region", name="Selected tickets")


def says(page: Page) -> Locator:
    return bar(page).get_by_role("status")


def result(page: Page, number: str) -> Locator:
    return row(page, number).locator(".bulk-result")


def numbers(page: Page) -> list[str]:
    """Return the numbers of the tickets in the list, from the top."""
    rows = page.get_by_role("listitem").filter(has_text=re.compile(r"#\d+"))
    return [re.search(r"#(\d+)", text).group(1) for text in rows.all_inner_texts()]


def select(page: Page, wanted: list[str]) -> None:
    button(page, "Select").click()
    for number in wanted:
        box(page, number).check()
    expect(says(page)).to_have_text(f"{len(wanted)} selected")


def paths(sandbox, wanted: list[str], action: str = "reopen") -> list[str]:
    ids = {str(ticket.number): ticket.id for ticket in sandbox.tickets.tickets_of(ACCOUNT_A)}
    return [f"POST /tickets/{ids[number]}/actions/{action}" for number in wanted]


def changes(sandbox) -> list[str]:
    return [call for call in calls(sandbox) if call.startswith("POST")]


@pytest.fixture
def three(page):
    """Select three closed tickets, and return their numbers."""
    page.goto(CLOSED)
    wanted = numbers(page)[:3]
    select(page, wanted)
    return wanted


def test_no_toast_lies_over_the_bar(page, sandbox):
    page.goto(CLOSED)
    page.get_by_role("listitem").get_by_role("button", name="Reopen").first.click()
    expect(toast(page).filter(has_text="Reopened.")).to_be_visible()
    select(page, numbers(page)[1:2])
    for width in (390, 1100, 1440):
        page.set_viewport_size({"width": width, "height": 768})
        button(page, "Reopen selected").click(trial=True, timeout=3000)  # ms
    button(page, "Reopen selected").click()
    expect(says(page)).to_have_text("1 reopened.")


def test_what_the_wrong_button_did_is_taken_back_by_the_right_one(page, sandbox, three):
    sandbox.already = "conflict"
    sandbox.tickets.reopen(ACCOUNT_A, three[1])  # by a colleague, whose change is not taken back
    again = button(page, "Select these again")
    expect(again).to_be_hidden()
    button(page, "Reopen selected").click()
    expect(says(page)).to_have_text("3 reopened.")
    box(page, numbers(page)[5]).check()  # this one was not among them
    again.click()
    expect(says(page)).to_have_text("2 selected")
    expect(says(page)).to_be_focused()
    expect(again).to_be_hidden()
    for number in three:
        expect(box(page, number)).to_be_checked(checked=number != three[1])
    button(page, "Close selected").click()
    expect(says(page)).to_have_text("2 closed.")
    assert changes(sandbox) == paths(sandbox, three) + paths(sandbox, [three[0], three[2]], "close")


def test_select_pressed_without_a_network_says_so_and_works_later_pressed_twice_too(page, context):
    page.goto("/tickets/")
    scripts = []
    page.on("request", lambda request: request.resource_type == "script" and scripts.append(request.url))
    context.set_offline(True)
    button(page, "Select").click()
    expect(page.get_by_role("alert")).to_contain_text("The dashboard cannot be reached")
    context.set_offline(False)
    page.route("**/bulk.*.js?", lambda route: (time.sleep(0.5), route.continue_()))
    button(page, "Select").dblclick()
    expect(says(page)).to_have_text("0 selected")
    expect(page.get_by_role("alert")).to_have_count(0)
    # Firefox before version 155 does not request again what it could not load, so the address has to differ.
    assert len(scripts) == len(set(scripts)) == 2


def test_after_an_upgrade_select_brings_the_page_of_now_and_back_to_another_version_it_works(page, sandbox):
    page.route("**/bulk.*.js", lambda route: route.fulfill(status=404))
    page.goto("/tickets/")
    with page.expect_navigation():
        button(page, "Select").click()
    page.unroute_all()
    button(page, "Select").click()
    expect(says(page)).to_have_text("0 selected")
    button(page, "Cancel").click()
    row_link(page).click()
    expect(heading(page)).to_be_visible()

    def upgraded(route):
        answer = route.fetch()
        route.fulfill(response=answer, body=re.sub(r'(data-script="[^"]*)', r"\1?version=2", answer.text()))

    page.route("**/tickets/", upgraded)
    page.go_back()
    expect(page.locator("[data-script$='?version=2']")).to_be_visible()
    select(page, numbers(page)[:2])
    assert not changes(sandbox)


def test_three_are_reopened_one_after_another_by_one_call_each(page, sandbox, three):
    button(page, "Reopen selected").click()
    expect(says(page)).to_have_text("3 reopened.")
    assert changes(sandbox) == paths(sandbox, three)
    for number in three:
        expect(row(page, number)).to_contain_text("Waiting on HostUp")
        expect(result(page, number)).to_have_text("Reopened.")
        expect(box(page, number)).not_to_be_checked()
    expect(toast(page).locator(".toast")).to_have_count(0)

    page.goto("/activity/")
    logged = page.get_by_role("table").get_by_role("row").filter(has_text="Reopen")
    expect(logged).to_have_count(3)
    for number in three:
        expect(logged.filter(has_text=f"#{number}")).to_contain_text("Done")


def test_what_fails_stays_selected_with_its_reason_and_the_others_go_on(page, sandbox):
    page.goto(CLOSED)
    wanted = numbers(page)[:6]
    select(page, wanted)
    sandbox.fault("lost_answer", method="POST", skip=1)
    sandbox.fault("problem_503", method="GET")
    for fault in ("problem_409", "problem_503", "problem_403"):
        sandbox.fault(fault, method="POST", skip=1)
    button(page, "Reopen selected").click()
    expect(says(page)).to_have_text("2 reopened, 1 unknown, 3 not done. 4 selected")
    assert changes(sandbox) == paths(sandbox, wanted)
    reasons = {
        wanted[1]: "We do not know whether the change went through",
        wanted[2]: "The ticket's state does not allow that",
        wanted[3]: "Not reopened: the ticket is still closed",
        wanted[4]: "Your API key does not allow this",
    }
    for number, reason in reasons.items():
        expect(box(page, number)).to_be_checked()
        expect(box(page, number)).to_have_accessible_description(reason)
        expect(result(page, number)).to_have_text(reason)
        expect(row(page, number)).to_contain_text("Closed")
    for number in (wanted[0], wanted[5]):
        expect(box(page, number)).not_to_be_checked()
    expect(page.get_by_role("alert")).to_have_count(0)

    button(page, "Reopen selected").click()
    expect(says(page)).to_have_text("4 reopened.")
    assert changes(sandbox) == paths(sandbox, [*wanted, *reasons])


def test_asked_to_slow_down_it_counts_the_seconds_and_goes_on_with_the_same(page, sandbox, three):
    sandbox.fault(**SLOW_DOWN, skip=1)
    bar(page).evaluate(NOTE_WHAT_SHOWS)
    button(page, "Reopen selected").click()
    expect(says(page)).to_have_text("3 reopened.")
    waiting = [shown for shown in page.evaluate("window.shown") if "Continuing in 1 s" in shown]
    assert waiting
    assert all("HostUp asked the dashboard to slow down" in shown and "1 of 3" in shown for shown in waiting)
    assert changes(sandbox) == paths(sandbox, [three[0], three[1], three[1], three[2]])


def test_stopped_in_the_middle_what_was_sent_is_awaited_and_nothing_more_is_sent(page, sandbox, three):
    answered = hold(sandbox, method="POST", skip=1)
    button(page, "Reopen selected").click()
    expect(page.get_by_role("progressbar")).to_have_js_property("value", 1)
    expect(bar(page)).to_contain_text("1 of 3")
    expect(box(page, three[2])).to_be_disabled()
    expect(button(page, "Select")).to_be_disabled()
    expect(bar(page).get_by_role("button")).to_have_text(["Stop"])
    assert not page.evaluate(LEAVE), "whoever leaves is asked first"
    row(page, three[2]).click()  # neither selects nor opens it
    button(page, "Stop").click()
    expect(says(page)).to_have_text("Stopping after this one…")
    answered.set()
    expect(says(page)).to_have_text("Stopped. 2 reopened, 1 not done. 1 selected")
    page.wait_for_timeout(500)
    assert changes(sandbox) == paths(sandbox, three[:2])
    expect(box(page, three[2])).to_be_checked()
    expect(page).to_have_url(re.compile(re.escape(CLOSED)))
    assert page.evaluate(LEAVE)


@pytest.mark.browser_context_args(locale="sv-SE")
def test_in_swedish_the_words_fit_one_ticket_as_well_as_three(page):
    page.goto(CLOSED)
    button(page, "Markera").click()
    page.get_by_role("checkbox").first.check()
    says = page.get_by_role("region", name="Markerade ärenden").get_by_role("status")
    expect(says).to_have_text("Markerade: 1")
    button(page, "Återöppna markerade").click()
    expect(says).to_have_text("Återöppnade: 1.")


def test_by_keyboard_alone(page, sandbox):
    def tab_to(wanted: Locator, key: str = "Tab") -> None:
        for _ in range(60):
            if wanted.evaluate("element => element === document.activeElement"):
                return
            page.keyboard.press(key)
        pytest.fail(f"{key} does not lead to {wanted}")

    page.goto(CLOSED)
    wanted = numbers(page)[:3]
    tab_to(button(page, "Select"))
    page.keyboard.press("Enter")
    for number in wanted:
        tab_to(box(page, number))
        page.keyboard.press("Space")
    expect(says(page)).to_have_text("3 selected")
    tab_to(button(page, "Reopen selected"), "Shift+Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")  # a late second press does not stop it
    expect(says(page)).to_have_text("3 reopened.")
    expect(says(page)).to_be_focused()
    tab_to(button(page, "Done"))
    page.keyboard.press("Enter")
    expect(button(page, "Select")).to_be_focused()
    expect(bar(page)).to_be_hidden()
    expect(page.get_by_role("checkbox", name="Select ticket")).to_have_count(0)
    assert changes(sandbox) == paths(sandbox, wanted)


def test_open_ones_among_them_are_left_alone_and_can_be_closed_until_it_is_done(page, sandbox):
    page.goto("/tickets/")
    closed, open_ = "149943", "150013"
    select(page, [open_])
    expect(button(page, "Done")).to_have_count(0)
    button(page, "Cancel").click()
    button(page, "Select").click()
    expect(says(page)).to_have_text("0 selected")  # the earlier selection is forgotten
    button(page, "Cancel").click()
    select(page, [closed, open_])
    button(page, "Reopen selected").click()
    expect(says(page)).to_have_text("1 reopened. 1 selected")
    expect(button(page, "Cancel")).to_have_count(0)
    expect(button(page, "Reopen selected")).to_be_disabled()
    button(page, "Close selected").click()
    expect(says(page)).to_have_text("1 closed.")
    assert changes(sandbox) == paths(sandbox, [closed]) + paths(sandbox, [open_], "close")
    button(page, "Done").click()
    expect(bar(page)).to_be_hidden()
    button(page, "Select").click()
    expect(says(page)).to_have_text("0 selected")  # so is the earlier result
    button(page, "Cancel").click()
    select(page, [closed])
    expect(button(page, "Cancel")).to_be_visible()
    row(page, open_).click()  # the whole row selects
    expect(box(page, open_)).to_be_checked()


def test_a_list_beside_a_ticket_is_selected_from_after_back_too_and_the_focus_stays(page, sandbox):
    page.goto(TICKET)
    page.get_by_role("listitem").get_by_role("link").nth(3).click()
    expect(page).not_to_have_url(re.compile(TICKET))
    page.go_back()
    expect(page).to_have_url(re.compile(TICKET))
    page.wait_for_load_state("networkidle")
    select(page, [str(SAMPLE_NUMBER)])
    expect(page.get_by_role("checkbox")).to_have_count(51)  # one for each row, and "Send encrypted"
    answered = hold(sandbox, method="POST")
    button(page, "Reopen selected").click()
    link = page.get_by_role("link", name="API key")
    link.focus()
    answered.set()
    expect(says(page)).to_have_text("1 reopened.")
    expect(page.get_by_role("button", name="Close ticket", exact=True)).to_be_visible()
    expect(link).to_be_focused()
    assert changes(sandbox) == paths(sandbox, [str(SAMPLE_NUMBER)])


def test_25_at_most(page):
    page.goto(CLOSED)
    wanted = numbers(page)[:26]
    select(page, [])
    page.locator(".pick input").evaluate_all("boxes => boxes.slice(0, 25).forEach((box) => box.click())")
    expect(says(page)).to_have_text("25 selected")
    box(page, wanted[25]).click()
    expect(says(page)).to_have_text("No more than 25 tickets at a time. 25 selected")
    expect(box(page, wanted[25])).not_to_be_checked()
    box(page, wanted[0]).uncheck()
    box(page, wanted[25]).check()
    expect(says(page)).to_have_text("25 selected")


def test_what_is_selected_stays_so_as_long_as_the_agent_sees_it(page):
    page.goto("/tickets/")
    select(page, ["149943", "150013"])
    page.get_by_role("link", name="More tickets").click()
    expect(page.get_by_role("checkbox", name="Select ticket")).to_have_count(100)
    expect(box(page, "149943")).to_be_checked()
    more = numbers(page)[70]
    box(page, more).check()
    expect(says(page)).to_have_text("3 selected")
    box(page, more).uncheck()
    page.get_by_label("Status").select_option("Closed")
    expect(row(page, 150013)).to_have_count(0)
    expect(says(page)).to_have_text("1 selected")
    expect(box(page, "149943")).to_be_checked()


@BOTH_SCREENS
def test_the_list_does_not_scroll_by_itself(page, screen):
    scrolled = "() => document.querySelector('#list-pane').scrollTop + window.scrollY"
    page.goto(CLOSED)
    wanted = numbers(page)[10:13]
    select(page, wanted)
    before = page.evaluate(scrolled)
    assert before > 0
    button(page, "Reopen selected").focus()
    page.keyboard.press("Enter")
    expect(says(page)).to_have_text("3 reopened.")
    assert page.evaluate(scrolled) == before


def test_signed_out_it_stops_and_signed_in_elsewhere_its_page_has_expired(page, context, sandbox, three):
    context.clear_cookies(name="sessionid")
    button(page, "Reopen selected").click()
    expect(says(page)).to_have_text("Stopped: you are signed out. 0 reopened, 3 not done. 3 selected")
    with context.expect_page() as in_another_tab:
        bar(page).get_by_role("link", name="Sign in").click(modifiers=["ControlOrMeta"])
    fill_in_sign_in(in_another_tab.value)
    expect(in_another_tab.value).to_have_url(re.compile(re.escape(CLOSED)))
    expect(row(in_another_tab.value, three[0])).to_be_visible()

    button(page, "Reopen selected").click()
    expect(says(page)).to_have_text("Stopped: the page has expired. 0 reopened, 3 not done. 3 selected")
    expect(page.get_by_role("alert")).to_contain_text("Nothing was changed. Reload the page and try again.")
    assert posts(sandbox) == []
    page.reload()
    select(page, three)
    button(page, "Reopen selected").click()
    expect(says(page)).to_have_text("3 reopened.")


@pytest.fixture
def under_way(page, sandbox):
    """Reopen three tickets, in a list that Back can leave. Return their numbers, and the event that lets HostUp
    answer the second call."""
    page.goto("/tickets/")
    page.get_by_label("Status").select_option("Closed")
    expect(row(page, 150013)).to_have_count(0)
    expect(page).to_have_url(re.compile(re.escape(CLOSED)))
    wanted = numbers(page)[:3]
    select(page, wanted)
    answered = hold(sandbox, method="POST", skip=1)
    button(page, "Reopen selected").click()
    expect(bar(page)).to_contain_text("1 of 3")
    return wanted, answered


def test_gone_back_in_the_middle_it_stops_and_says_what_was_done(page, sandbox, under_way):
    wanted, answered = under_way
    page.go_back()
    expect(row(page, 150013)).to_be_visible()
    answered.set()
    expect(says(page)).to_contain_text("Stopped. 2 reopened, 1 not done.")
    expect(page.get_by_role("alert")).to_have_count(0)
    page.wait_for_timeout(500)
    assert changes(sandbox) == paths(sandbox, wanted[:2])


def test_gone_back_to_an_error_it_stops_too(page, sandbox, under_way):
    wanted, answered = under_way
    sandbox.fault("problem_503", method="GET", times=None)
    page.go_back()
    expect(page.get_by_role("heading", name="HostUp returned an error")).to_be_visible()
    answered.set()
    page.wait_for_timeout(500)
    assert changes(sandbox) == paths(sandbox, wanted[:2])
    sandbox.clear_faults()
    page.go_forward()
    expect(says(page)).to_contain_text("Stopped. 2 reopened, 1 not done.")


def test_without_an_answer_of_the_dashboard_it_stops_and_says_so(page, context, sandbox, three):
    def expect_stopped():
        counts = "0 reopened, 1 unknown, 2 not done. 3 selected"
        expect(says(page)).to_have_text(f"Stopped: the dashboard cannot be reached. {counts}")
        expect(result(page, three[0])).to_have_text("The dashboard cannot be reached")
        expect(page.get_by_role("alert")).to_contain_text("see whether it changed before you try again")

    answers = list(ANSWERS_OF_A_PROXY.values())
    page.route("**/reopen/**", lambda route: route.fulfill(**answers.pop()), times=len(answers))
    while answers:
        with page.expect_response("**/reopen/**"):
            button(page, "Reopen selected").click()
        expect_stopped()

    context.set_offline(True)
    with page.expect_event("requestfailed"):
        button(page, "Reopen selected").click()
    expect_stopped()
    assert posts(sandbox) == []

    context.set_offline(False)
    button(page, "Reopen selected").click()
    expect(says(page)).to_have_text("3 reopened.")
    assert changes(sandbox) == paths(sandbox, three)


@pytest.mark.parametrize("screen", ["small phone"])
def test_on_a_small_phone_turned_too_everything_is_in_reach_of_a_thumb(page, sandbox):
    page.goto(CLOSED)
    wanted = numbers(page)[10:13]  # far down the list
    select(page, wanted)
    for width, height in ((740, 360), (360, 640)):
        page.set_viewport_size({"width": width, "height": height})
        expect(says(page)).to_be_in_viewport(ratio=1)
        for name in ("Reopen selected", "Close selected", "Cancel"):
            expect(button(page, name)).to_be_in_viewport(ratio=1)
            assert button(page, name).bounding_box()["height"] >= 44
        assert bar(page).bounding_box()["height"] < 360 / 4 or height > width
        area = page.locator(".pick").first.bounding_box()
        assert min(area["width"], area["height"]) >= 44

    sandbox.fault("problem_409", method="POST")
    answered = hold(sandbox, method="POST")
    button(page, "Reopen selected").tap()
    page.set_viewport_size({"width": 740, "height": 360})
    for each in (says(page), page.get_by_role("progressbar"), button(page, "Stop")):
        expect(each).to_be_in_viewport(ratio=1)
    answered.set()
    expect(says(page)).to_contain_text("2 reopened, 1 not done.")
    page.set_viewport_size({"width": 360, "height": 640})
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 360


@pytest.mark.parametrize(("screen", "widths"), [("small phone", [360]), ("desktop", [1100, 1280, 1440, 1800])])
def test_what_becomes_of_a_ticket_moves_and_narrows_no_other(page, sandbox, three, widths):
    def places():
        places = {}
        for width in widths:
            page.set_viewport_size({"width": width, "height": 800})
            places[width] = page.locator(".ticket-row").evaluate_all(PLACES_OF_FOUR)
        return places

    before = places()
    sandbox.fault("problem_409", method="POST", skip=1)
    answered = hold(sandbox, method="POST")
    ready(button(page, "Reopen selected")).click()
    expect(row(page, three[0]).get_by_text("Reopening…")).to_be_visible()
    assert places() == before
    answered.set()
    expect(says(page)).to_contain_text("2 reopened, 1 not done.")
    expect(result(page, three[1])).to_have_text("The ticket's state does not allow that")
    assert places() == before


def test_the_wait_can_be_stopped_and_axe_finds_nothing_in_it_or_after(page, sandbox, long_wait):
    def violations():
        page.wait_for_timeout(900)  # until presses count again, on a busy machine, too
        page.wait_for_function("document.getAnimations().every((animation) => animation.playState === 'finished')")
        found = []
        for width in (390, 1440):
            # So high that the bar covers no row: to axe-core, the target in a half-covered row is too small.
            page.set_viewport_size({"width": width, "height": 4000})
            found += Axe().run(page, {"exclude": [ALIKE]}, OPTIONS).response["violations"]
        return [(each["id"], [node["html"] + node["failureSummary"] for node in each["nodes"]]) for each in found]

    page.goto(CLOSED)
    wanted = numbers(page)[:4]
    select(page, wanted)
    sandbox.fault("problem_409", method="POST")
    sandbox.fault(**long_wait, skip=1)
    button(page, "Reopen selected").click()
    expect(bar(page)).to_contain_text(re.compile(r"Continuing in 9\d s"))  # whenever the test looks
    assert violations() == []
    button(page, "Stop").click()
    expect(says(page)).to_have_text("Stopped. 1 reopened, 3 not done. 3 selected")
    assert violations() == []
    assert changes(sandbox) == paths(sandbox, wanted[:3])


def test_without_javascript_there_is_nothing_to_select_with(new_context, sign_ins):
    page = new_context(java_script_enabled=False, storage_state=sign_ins["agent"]).new_page()
    page.goto(CLOSED)
    expect(page.get_by_role("button", name="Select")).to_have_count(0)
    expect(bar(page)).to_have_count(0)


def test_a_ticket_that_it_changes_too_takes_no_other_change_until_both_are_over(page, sandbox):
    page.goto(TICKET)
    select(page, [str(SAMPLE_NUMBER)])
    held = []
    page.route(re.compile("/(reopen|close)/"), lambda route: held.append(route))

    def expect_held(count):
        for _ in range(500):
            if len(held) == count:
                return
            page.wait_for_timeout(20)
        pytest.fail(f"{len(held)} were sent")

    button(page, "Reopen ticket").click()
    expect_held(1)
    button(page, "Reopen selected").click()
    expect_held(2)
    held[0].continue_()
    ready(button(page, "Close ticket")).click()
    expect(page.get_by_text("Closing…").filter(visible=True)).to_be_visible()
    page.wait_for_timeout(300)
    assert len(held) == 2
    held[1].continue_()
    expect(says(page)).to_have_text("1 reopened.")
    assert "close" not in posts(sandbox)


def test_a_ticket_that_somebody_reopens_before_its_turn_is_not_closed(page, sandbox):
    page.goto(f"{TICKET}?status=closed")
    expect(row(page)).to_be_visible()
    another = next(number for number in numbers(page) if number != str(SAMPLE_NUMBER))
    assert numbers(page).index(another) < numbers(page).index(str(SAMPLE_NUMBER))
    select(page, [another, str(SAMPLE_NUMBER)])
    answered = hold(sandbox, method="POST")
    button(page, "Reopen selected").click()
    expect(row(page, another).get_by_text("Reopening…")).to_be_visible()
    ready(button(page, "Reopen ticket")).click()
    expect(button(page, "Close ticket")).to_be_visible()
    answered.set()
    expect(says(page)).to_have_text("1 reopened, 1 not done. 1 selected")
    expect(result(page, str(SAMPLE_NUMBER))).to_have_text("The list has changed: nothing was sent")
    assert posts(sandbox) == ["reopen", "reopen"]


def test_on_a_small_screen_the_list_has_the_room(page):
    page.set_viewport_size({"width": 1024, "height": 768})
    page.goto(CLOSED)
    page.get_by_role("listitem").filter(has_text=re.compile(r"#\d+")).nth(8).scroll_into_view_if_needed()
    expect(page.get_by_label("Status")).not_to_be_in_viewport()
