"""Back, Forward, and coming back after the session ended: whole pages, the right place."""

import re
from itertools import product

import pytest
from playwright.sync_api import expect

from sandbox.special_tickets import SAMPLE_NUMBER
from tests.browser.steps import (
    TICKET,
    close,
    expect_whole_page,
    fill_in_sign_in,
    heading,
    posts,
    reopen,
    row,
    row_link,
    ticket,
    toast,
)


@pytest.mark.parametrize("screen", ["desktop", "phone"])
def test_a_ticket_stays_where_it_is_when_the_script_comes(page, late):
    late.ask_for(r"/app\.[^/]*js$")
    page.goto(TICKET, wait_until="commit")
    late.is_on_its_way()
    before = reopen(page).bounding_box(), ticket(page).get_by_role("list").first.bounding_box()
    late.arrive()
    expect(page.get_by_role("button", name="Copy number")).to_be_visible()
    assert (reopen(page).bounding_box(), ticket(page).get_by_role("list").first.bounding_box()) == before


@pytest.mark.parametrize("screen", ["desktop", "phone"])
def test_the_way_to_a_new_ticket_stays_where_it_is_when_the_script_comes(page, late):
    new = page.get_by_role("link", name="New ticket")
    late.ask_for(r"/app\.[^/]*js$")
    page.goto("/tickets/", wait_until="commit")
    late.is_on_its_way()
    before = new.bounding_box()
    late.arrive()
    expect(page.get_by_role("button", name="Select", exact=True)).to_be_visible()
    assert new.bounding_box() == before


def test_back_and_forward_show_whole_pages_with_the_right_content(page):
    def expect_list():
        expect(page).to_have_url(re.compile(r"/tickets/$"))
        expect_whole_page(page)
        expect(row(page)).to_be_visible()
        expect(heading(page)).to_have_count(0)

    def expect_reopened_ticket():
        expect(page).to_have_url(re.compile(f"{TICKET}$"))
        expect_whole_page(page)
        expect(heading(page)).to_be_visible()
        expect(close(page)).to_be_visible()
        expect(row(page)).to_contain_text("Open")

    def expect_key_page():
        expect_whole_page(page)
        expect(page.get_by_role("heading", name="HostUp API key")).to_be_visible()

    page.goto("/tickets/")
    row_link(page).click()
    reopen(page).click()
    expect(toast(page)).to_contain_text("Reopened.")
    expect_reopened_ticket()
    page.get_by_role("link", name="API key").click()
    expect_key_page()

    page.go_back()
    expect_reopened_ticket()
    page.go_back()
    expect_list()
    page.go_forward()
    expect_reopened_ticket()
    page.go_forward()
    expect_key_page()


def test_back_leads_from_ticket_to_ticket_as_soon_as_there_is_a_network(page, context):
    def expect_second():
        expect(heading(page, "IPv6?")).to_be_visible()
        expect(page).to_have_title("IPv6? · HostUp Dashboard")

    page.goto("/tickets/")
    row_link(page).click()
    expect(heading(page)).to_be_visible()
    row_link(page, "IPv6?").click()
    expect_second()
    address = page.url
    context.set_offline(True)
    page.evaluate("history.back()")
    expect(page.get_by_role("alert")).to_contain_text("cannot be reached")
    expect(page).to_have_url(address)
    expect_second()
    context.set_offline(False)
    page.go_back()
    expect(heading(page)).to_be_visible()
    expect(page).to_have_title("Question about my hosting account · HostUp Dashboard")
    expect(row_link(page)).to_have_attribute("aria-current", "true")
    expect_whole_page(page)
    row_link(page, "IPv6?").click()
    expect_second()
    expect(page.get_by_role("listitem").locator("[aria-current]")).to_have_text(["IPv6?"])


def nth_row(page, number):
    return page.get_by_role("listitem").filter(has_text=re.compile(r"#\d+")).nth(number - 1)


def opened(page, number):
    """Scroll a row into view, open its ticket, and return where on the screen the row is."""
    nth_row(page, number).scroll_into_view_if_needed()
    link = nth_row(page, number).get_by_role("link")
    link.click()
    expect(heading(page, link.inner_text())).to_be_visible()
    return nth_row(page, number).bounding_box()["y"]


def expect_row_at(page, number, y):
    expect(nth_row(page, 50)).to_be_attached()
    expect(nth_row(page, number)).to_be_in_viewport(ratio=1)
    assert abs(nth_row(page, number).bounding_box()["y"] - y) < 1


def test_back_leaves_the_list_beside_the_tickets_where_it_was_and_forward_soon_leads_on(page, late):
    def expect_open(number):
        expect(nth_row(page, number).get_by_role("link")).to_have_attribute("aria-current", "true")

    page.goto("/tickets/")
    opened(page, 31)
    in_between = page.url
    y = opened(page, 33)
    y_of_31 = nth_row(page, 31).bounding_box()["y"]
    page.go_back()
    expect_open(31)
    expect_row_at(page, 33, y)
    page.go_back()
    expect(page).to_have_url(re.compile(r"/tickets/$"))
    expect(page.get_by_role("article")).to_have_count(0)
    expect_row_at(page, 31, y_of_31)

    late.ask_for(f"{re.escape(in_between)}$")
    page.go_forward()
    late.is_on_its_way()
    page.evaluate("htmx.timeout = () => new Promise((done) => setTimeout(done, 1000))")  # as on a busy machine
    page.go_forward()
    late.arrive()
    expect_open(33)
    expect_row_at(page, 33, y)


def test_after_back_and_after_a_reload_the_row_of_the_open_ticket_is_in_view(page):
    def expect_open_row():
        expect(nth_row(page, 33).get_by_role("link")).to_have_attribute("aria-current", "true")
        expect(nth_row(page, 33)).to_be_in_viewport(ratio=1)
        top = page.get_by_label("Go to ticket").bounding_box()  # the last of what stays at the list's top
        assert nth_row(page, 33).bounding_box()["y"] >= top["y"] + top["height"]
        expect(page.get_by_label("Go to ticket")).to_be_in_viewport(ratio=1)

    page.goto("/tickets/")
    opened(page, 33)
    opened(page, 1)
    page.go_back()
    expect_open_row()
    page.reload()
    expect_open_row()
    nth_row(page, 50).scroll_into_view_if_needed()
    opened(page, 50)
    page.go_back()
    expect_open_row()


@pytest.mark.parametrize("screen", ["phone"])
def test_on_a_phone_without_javascript_the_way_back_to_the_list_leads_to_the_row_that_was_left(
    new_context, sign_ins
):
    page = new_context(storage_state=sign_ins["agent"], java_script_enabled=False).new_page()
    page.goto("/tickets/?status=closed")
    tenth = nth_row(page, 10)
    tenth.get_by_role("link").click()
    expect(page.get_by_role("article")).to_be_visible()
    page.get_by_role("link", name="← Tickets").click()
    expect(tenth).to_be_in_viewport(ratio=1)
    expect(page.get_by_label("Status")).to_have_value("closed")


def go_on_reading(page):
    page.get_by_role("link", name="More tickets").click()
    expect(nth_row(page, 100)).to_be_attached()


def test_back_brings_the_list_back_as_long_as_it_was_or_asks_for_it_once(page):
    page.goto("/tickets/")
    go_on_reading(page)
    opened(page, 71)
    y = opened(page, 73)
    page.go_back()
    expect(nth_row(page, 71).get_by_role("link")).to_have_attribute("aria-current", "true")
    expect_row_at(page, 73, y)
    expect(page.get_by_role("article").get_by_role("heading", level=1)).to_be_focused()

    asked = []
    page.route("**/tickets/?*cursor=*", lambda route: (asked.append(route.request.url), route.abort()))
    page.go_back()
    expect(page.get_by_role("alert")).to_contain_text("cannot be reached")
    expect(page.get_by_role("link", name="More tickets")).to_be_visible()
    page.get_by_label("Status").select_option("Closed")
    expect(page).to_have_url(re.compile("status=closed"))
    assert len(asked) == 1


@pytest.mark.parametrize("screen", ["phone"])
def test_on_a_phone_all_ways_back_lead_to_where_the_list_was_however_far_down(page):
    def read(number):
        nth_row(page, number).get_by_role("link").click()
        expect(page.get_by_role("article")).to_be_visible()

    page.goto("/tickets/")
    nth_row(page, 31).scroll_into_view_if_needed()
    y = nth_row(page, 31).bounding_box()["y"]
    read(31)
    page.go_back()
    expect(page.get_by_role("article")).to_have_count(0)
    expect_row_at(page, 31, y)

    go_on_reading(page)
    for way in ("Back", "← Tickets", "← Tickets, from the newest message"):
        read(71)
        if way == "Back":
            page.go_back()
        else:
            if way.endswith("message"):  # as the link to the newest message does, which only long threads have
                page.evaluate("location.hash = 'message-1'")
            page.get_by_role("link", name="← Tickets").click()
        expect(page.get_by_role("article")).to_have_count(0)
        expect(nth_row(page, 71)).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize("screen", ["phone"])
def test_on_a_phone_a_ticket_that_does_not_come_leads_on_and_back(page, sandbox):
    page.goto("/tickets/?status=closed")
    sandbox.fault("problem_500", path="/tickets/")
    row_link(page).click()
    expect(page.get_by_role("link", name="Retry")).to_be_focused()
    expect(page).to_have_title("HostUp returned an error · HostUp Dashboard")
    page.get_by_role("link", name="← Tickets").click()
    expect(page).to_have_url(re.compile(r"/tickets/\?status=closed$"))

    number = page.get_by_label("Go to ticket").filter(visible=True)
    number.fill("999999")
    number.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Check the number.")
    expect(number).to_have_value("999999")
    number.fill(str(SAMPLE_NUMBER))
    number.press("Enter")
    expect(heading(page)).to_be_visible()
    with page.context.expect_page():
        page.get_by_role("link", name="← Tickets").click(modifiers=["Shift"])  # opens a window of its own
    expect(heading(page)).to_be_visible()
    page.get_by_role("link", name="← Tickets").click()
    expect(page).to_have_url(re.compile(r"/tickets/\?status=closed#row-"))

    page.goto("/tickets/")
    for link in (page.get_by_role("link", name="More tickets"), row_link(page)):
        sandbox.fault("problem_500")
        link.click()
        expect(page.get_by_role("link", name="Retry")).to_be_focused()


def test_a_page_of_a_ticket_that_is_not_there_takes_another_number(page):
    page.goto("/tickets/1/?status=closed")
    number = page.get_by_label("Go to ticket")
    expect(number).to_have_value("1")
    number.fill(str(SAMPLE_NUMBER))
    number.press("Enter")
    expect(heading(page)).to_be_visible()
    expect(page).to_have_url(re.compile(r"\?status=closed"))


def test_a_list_that_comes_back_slowly_does_not_jump_under_whoever_reads_on(page, late):
    page.goto("/tickets/")
    go_on_reading(page)
    opened(page, 71)
    late.ask_for("cursor=")
    page.go_back()
    expect(page.get_by_role("listitem").filter(has_text=re.compile(r"#\d+"))).to_have_count(50)
    late.is_on_its_way()
    page.locator("#list-pane").evaluate("list => { list.scrollTop = 400 }")
    late.arrive()
    expect(nth_row(page, 100)).to_be_attached()
    page.wait_for_timeout(200)
    assert page.locator("#list-pane").evaluate("list => list.scrollTop") == 400


def test_when_the_session_has_ended_row_and_reopen_lead_to_sign_in_and_back_and_send_nothing(
    page, context, sandbox
):
    page.goto("/tickets/?status=closed")
    context.clear_cookies()
    row_link(page).click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)
    expect_whole_page(page)
    expect(row(page)).to_have_count(0)
    fill_in_sign_in(page)
    expect(page).to_have_url(re.compile(r"/tickets/\?status=closed$"))
    expect(row(page)).to_be_visible()

    row_link(page).click()
    expect(heading(page)).to_be_visible()
    context.clear_cookies(name="sessionid")
    reopen(page).click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text("Your last action was not carried out.")
    fill_in_sign_in(page)
    expect(page).to_have_url(re.compile(rf"{TICKET}\?status=closed$"))
    expect(reopen(page)).to_be_visible()
    assert posts(sandbox) == []
    reopen(page).click()
    expect(toast(page)).to_contain_text("Reopened.")


@pytest.mark.parametrize("screen", ["phone"])
def test_back_after_the_session_has_ended_leads_to_all_of_the_sign_in_page(page, context):
    page.goto("/tickets/")
    row_link(page).click()
    heading(page).wait_for()
    context.clear_cookies()
    page.get_by_role("link", name="← Tickets").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    styles = "sheets => sheets.map(({ href }) => /sheet|app/.exec(href)?.[0])"
    assert page.locator("link[rel=stylesheet]").evaluate_all(styles) == ["app", "sheet"]
    fill_in_sign_in(page)
    expect(page).to_have_url(re.compile("/tickets/$"))


@pytest.mark.parametrize("screen", ["phone"])
def test_what_nobody_knows_is_said_in_the_list_too(page, sandbox):
    page.goto("/tickets/")
    row_link(page).click()
    heading(page).wait_for()
    sandbox.fault("lost_answer", method="POST")
    sandbox.fault("problem_500", method="GET", path="tkt_")
    reopen(page).click()
    unknown = page.get_by_role("alert").filter(has_text="We do not know whether the change went through")
    expect(unknown).to_be_visible()
    expect(unknown).not_to_contain_text("#")  # it is shown in its own ticket
    page.go_back()
    expect(row(page)).to_be_visible()
    expect(unknown).to_contain_text(f"#{SAMPLE_NUMBER}: We do not know")
    row_link(page).press("Enter")
    expect(heading(page)).to_be_visible()
    expect(unknown).to_contain_text(f"#{SAMPLE_NUMBER}: We do not know")


def test_a_toast_covers_neither_the_way_elsewhere_nor_the_ticket(page):
    page.set_viewport_size({"width": 1280, "height": 768})
    page.goto(TICKET)
    reopen(page).click()
    expect(toast(page)).to_contain_text("Reopened.")
    for width, place in product((1024, 1279, 1280), ("navigation", "article")):
        page.set_viewport_size({"width": width, "height": 768})
        shown, box = toast(page).bounding_box(), page.get_by_role(place).bounding_box()
        beside = box["x"] + box["width"] <= shown["x"] or shown["x"] + shown["width"] <= box["x"]
        assert beside or box["y"] + box["height"] <= shown["y"] or shown["y"] + shown["height"] <= box["y"]


@pytest.mark.browser_context_args(locale="sv-SE")
def test_a_long_toast_leaves_the_way_elsewhere_free_and_has_room(page):
    page.goto(TICKET)
    page.get_by_role("button", name="Återöppna ärendet", exact=True).click()
    words = toast(page).get_by_text("Återöppnat.")
    words.evaluate("words => words.append(' Och en mening till, som säger vad som nu är annorlunda än förut.')")
    for width in (1024, 1280, 1440):
        page.set_viewport_size({"width": width, "height": 768})
        place, shown, text = (part.bounding_box() for part in (page.get_by_role("navigation"), toast(page), words))
        assert place["x"] + place["width"] <= shown["x"] or place["y"] + place["height"] <= shown["y"]
        assert shown["y"] + 4 <= text["y"]
        assert text["y"] + text["height"] + 4 <= shown["y"] + shown["height"]


@pytest.mark.parametrize("with_javascript", [True, False])
def test_the_skip_link_leads_to_the_open_ticket(new_context, sign_ins, with_javascript):
    page = new_context(storage_state=sign_ins["agent"], java_script_enabled=with_javascript).new_page()
    page.goto("/tickets/")
    row_link(page).click()
    expect(heading(page)).to_be_visible()
    skip = page.get_by_role("link", name="Skip to the content")
    skip.focus()
    expect(skip).to_be_in_viewport(ratio=1)
    skip.press("Enter")
    page.keyboard.press("Tab")
    expect(ticket(page).locator(":focus")).to_be_visible()


def dismiss(page):
    return page.get_by_role("button", name="Dismiss")


def test_what_is_dismissed_gives_the_focus_back(page, context):
    page.goto(TICKET)
    page.wait_for_load_state("networkidle")
    context.set_offline(True)
    reopen(page).click()
    page.get_by_role("alert").wait_for()
    box = page.get_by_role("textbox", name="Reply")
    box.focus()
    dismiss(page).click()
    expect(dismiss(page)).to_have_count(0)
    expect(box).to_be_focused()

    context.set_offline(False)
    reopen(page).click()
    expect(heading(page)).to_be_focused()
    dismiss(page).press("Enter")
    expect(dismiss(page)).to_have_count(0)
    expect(heading(page)).to_be_focused()


def test_what_came_with_its_page_leaves_the_focus_below_it_and_is_not_said_again(page):
    undone = page.get_by_text("Nothing has been changed yet.")
    page.goto("/settings/key/?undone=")
    expect(undone).to_be_visible()
    page.get_by_role("button", name="Check key").click()
    expect(toast(page)).to_contain_text("HostUp accepts the key.")
    dismiss(page).focus()
    page.wait_for_timeout(600)  # until it has been read out
    expect(dismiss(page)).to_be_focused()
    page.keyboard.press("Enter")
    expect(dismiss(page)).to_have_count(0)
    expect(page.get_by_role("main")).to_be_focused()

    page.go_back()
    expect(page.get_by_role("button", name="Check key")).to_be_visible()
    expect(undone).to_have_count(0)


def test_what_is_copied_twice_keeps_its_name(page, context):
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(TICKET)
    copy = page.get_by_role("button", name=re.compile("^(Copy number|Copied)$"))
    copy.click()
    expect(copy).to_have_text("Copied")
    copy.click()
    expect(copy).to_have_text("Copy number")
    page.wait_for_timeout(2000)
    expect(copy).to_have_text("Copy number")
    assert page.evaluate("navigator.clipboard.readText()") == str(SAMPLE_NUMBER)
    row_link(page, "IPv6?").click()
    expect(heading(page, "IPv6?")).to_be_visible()
    expect(copy).to_be_visible()


@pytest.mark.parametrize("screen", ["phone"])
def test_the_way_to_the_list_that_found_no_network_can_be_gone_when_there_is_one(page, context):
    page.goto("/tickets/")
    for go_back in (
        lambda: page.evaluate("history.back()"),
        lambda: page.get_by_role("link", name="← Tickets").press("Enter"),  # a message may cover it
    ):
        row_link(page).click()
        page.get_by_role("textbox", name="Reply").fill("My words.")
        context.set_offline(True)
        go_back()
        expect(page.get_by_role("alert")).to_contain_text("cannot be reached")
        expect(page).to_have_url(re.compile(f"{TICKET}$"))
        context.set_offline(False)
        expect(page.get_by_role("textbox", name="Reply")).to_have_value("My words.")
        go_back()
        expect(page).to_have_url(re.compile(r"/tickets/$"))
        expect(row(page)).to_be_visible()


def test_while_back_waits_for_its_page_what_is_there_is_pale_and_nothing_more(page):
    page.goto("/tickets/")
    row_link(page).click()
    expect(heading(page)).to_be_visible()
    waiting = []
    page.route(re.compile("/tickets/$"), lambda route: waiting.append(route))
    page.evaluate("history.back()")
    expect(page.get_by_role("main")).to_have_css("opacity", "0.6")
    expect(reopen(page)).to_have_css("opacity", "1")
    assert page.get_by_text("Reopening…").filter(visible=True).count() == 0
    waiting[0].abort()
    expect(page.get_by_role("main")).to_have_css("opacity", "1")
    page.unroute_all()
    page.evaluate("history.back()")
    expect(heading(page)).to_have_count(0)
    expect(page.get_by_role("main")).to_have_css("opacity", "1")


@pytest.mark.parametrize("screen", ["phone"])
def test_back_in_the_list_the_focus_is_on_the_ticket_that_was_left_without_a_frame(page):
    page.goto("/tickets/")
    go_on_reading(page)
    link = nth_row(page, 71).get_by_role("link")
    link.tap()
    page.get_by_role("link", name="← Tickets").tap()
    expect(link).to_be_focused()
    assert not link.evaluate("link => link.matches(':focus-visible')")


def test_without_the_navigation_api_back_over_a_link_within_the_page_leaves_what_is_on_it(page):
    """As in Firefox up to 146 and Safari up to 26.1."""
    page.add_init_script("Object.defineProperty(window, 'navigation', { value: undefined })")
    page.goto("/tickets/")
    row_link(page).click()
    expect(heading(page)).to_be_visible()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.get_by_role("link", name="Reply", exact=True).click()
    heading(page).evaluate("heading => (heading.dataset.kept = 1)")
    page.go_back()
    page.wait_for_timeout(300)
    expect(page.locator("h1[data-kept]")).to_be_visible()
    assert asked == []
    page.go_back()
    expect(heading(page)).to_have_count(0)


def test_a_list_that_comes_when_its_agent_has_gone_on_leaves_the_next_one_its_place(page, late):
    page.goto("/tickets/")
    opened(page, 31)
    y = opened(page, 33)
    held = []
    page.route(page.url, lambda route: held.append(route))
    page.evaluate("history.go(-2)")
    expect(page.get_by_role("article")).to_have_count(0)
    late.ask_for("/tickets/$")
    page.go_forward()
    late.is_on_its_way()
    with page.expect_request(lambda request: request.url == page.url):
        page.go_forward()
    late.arrive()
    expect(nth_row(page, 31)).to_be_visible()
    held.pop().continue_()
    expect(nth_row(page, 33).get_by_role("link")).to_have_attribute("aria-current", "true")
    expect_row_at(page, 33, y)
