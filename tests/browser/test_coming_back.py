"""Coming back to a tab after a while: the list is up to date, and nothing else on the page has moved."""

import re

import pytest
from playwright.sync_api import expect

from sandbox import keys
from sandbox.special_tickets import LONG_THREAD_ID, REPEATED_OPENING_ID, SAMPLE_ID, SAMPLE_NUMBER
from tests.browser.places import open_empty_list
from tests.browser.steps import (
    ANSWERS_OF_A_PROXY,
    HOLD_FIRST_MOMENTS,
    calls,
    expect_nothing_more,
    heading,
    hold,
    posts,
    row,
    row_link,
    toast,
)

GO = """([seconds, way]) => {
  const go = (isHidden) => {
    if (way !== "window") {
      Object.defineProperty(document, "hidden", { value: isHidden, configurable: true });
      document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
    }
    if (way !== "tab") dispatchEvent(new Event(isHidden ? "blur" : "focus"));
  };
  go(true);
  const now = Date.now;
  Date.now = () => now() + seconds * 1000;
  go(false);
}"""


def come_back(page, seconds=61, way="tab"):
    """Come back from another "tab", from another "window" beside this one, or with the events of "both", as
    browsers report another tab."""
    page.evaluate(GO, [seconds, way])


@pytest.fixture
def listed(page, sandbox):
    """Open the list, to which HostUp adds something while the agent is elsewhere."""
    ticket = sandbox.tickets.find(SAMPLE_ID)
    page.goto("/tickets/")
    expect(row(page)).to_contain_text("Closed")
    sandbox.tickets.add_message(ticket, sender="staff", sender_name="Ola Demo", body="Please look.")
    sandbox.clear_calls()
    return page


@pytest.mark.parametrize(("screen", "way"), [("desktop", "window"), ("desktop", "both"), ("phone", "tab")])
def test_the_list_is_as_it_is_now_and_the_focus_where_it_was(listed, sandbox, way):
    row_link(listed, "IPv6?").focus()
    come_back(listed, way=way)
    expect(row(listed)).to_contain_text("Waiting on us")
    expect(listed.get_by_role("listitem").filter(has_text="#").first).to_contain_text(f"#{SAMPLE_NUMBER}")
    expect(row_link(listed, "IPv6?")).to_be_focused()
    assert calls(sandbox) == ["GET /tickets"]


def test_a_press_that_was_meant_for_the_row_that_stood_there_does_nothing(listed, sandbox):
    first = listed.get_by_role("listitem").get_by_role("button").first
    below = listed.locator(f"#row-{SAMPLE_ID} ~ li").first.get_by_role("button")  # its row stays where it is
    listed.evaluate(HOLD_FIRST_MOMENTS)
    places = [button.bounding_box() for button in (first, below)]
    come_back(listed)
    expect(first).to_have_accessible_name(re.compile(str(SAMPLE_NUMBER)))
    for place in places:
        listed.mouse.click(place["x"] + 5, place["y"] + 5)
    expect(toast(listed)).to_contain_text(re.compile("Closed|Reopened"))
    assert len(posts(sandbox)) == 1


def test_a_press_that_was_meant_for_the_button_that_stood_there_does_nothing(page, sandbox):
    page.goto("/tickets/")
    place = row(page).get_by_role("button", name="Reopen").bounding_box()
    sandbox.tickets.find(SAMPLE_ID).status = "open"  # by a colleague
    page.evaluate(HOLD_FIRST_MOMENTS)
    come_back(page)
    expect(row(page).get_by_role("button", name="Close")).to_be_visible()
    page.mouse.click(place["x"] + 5, place["y"] + 5)
    expect_nothing_more(page, sandbox, [])


def test_the_open_ticket_says_when_the_list_knows_of_more(listed, sandbox):
    listed.goto(f"/tickets/{SAMPLE_ID}/")
    expect(row(listed)).to_be_visible()
    come_back(listed)
    expect(row(listed)).to_contain_text("Waiting on us")
    more = listed.get_by_text("Something has changed in this ticket.")
    expect(more).to_be_hidden()  # it was opened just now
    listed.get_by_role("textbox", name="Reply").fill("My words.")
    sandbox.tickets.add_message(
        sandbox.tickets.find(SAMPLE_ID), sender="staff", sender_name="Ola Demo", body="Wait!"
    )
    listed.get_by_label("Attach files").set_input_files(
        {"name": "a.txt", "mimeType": "text/plain", "buffer": b"x"}
    )
    come_back(listed)
    expect(more).to_be_visible()
    expect(listed.locator("[aria-live=polite]").filter(has=more)).to_be_visible()
    listed.emulate_media(media="print")
    expect(more).to_be_hidden()
    listed.emulate_media(media="screen")
    listed.get_by_role("link", name="Show the latest").click()
    expect(listed.get_by_role("article").get_by_text("Wait!")).to_be_visible()
    expect(listed.get_by_role("textbox", name="Reply")).to_have_value("My words.")
    expect(more).to_be_hidden()
    listed.get_by_role("button", name="Send reply").click()  # with the file; the message has been seen now
    expect(listed.get_by_text("Sent.")).to_be_visible()
    assert [call.path.rpartition("/")[2] for call in sandbox.calls if call.method == "POST"] == [
        "attachments", "messages"
    ]  # fmt: skip


@pytest.mark.parametrize(("screen", "address", "what"), [
    ("phone", "", "a message"),  # where there is no list beside it
    ("desktop", "?status=closed", "its status"),  # a list of closed tickets no longer shows it
])  # fmt: skip
def test_the_open_ticket_says_so_also_where_the_list_does_not_tell(page, sandbox, address, what):
    page.goto(f"/tickets/{SAMPLE_ID}/{address}")
    expect(row(page) if address else heading(page)).to_be_visible()
    more = page.get_by_text("Something has changed in this ticket.")
    come_back(page)
    page.wait_for_load_state("networkidle")
    expect(more).to_be_hidden()
    sandbox.clear_calls()
    if what == "its status":
        sandbox.tickets.reopen(keys.HOLDERS[keys.FULL].account, SAMPLE_ID)
    else:
        sandbox.tickets.add_message(
            sandbox.tickets.find(SAMPLE_ID), sender="staff", sender_name="Ola", body="Look!"
        )
    come_back(page)
    expect(more).to_be_visible()
    expect(heading(page)).to_be_in_viewport(ratio=1)
    assert calls(sandbox) == [*["GET /tickets"][: bool(address)], f"GET /tickets/{SAMPLE_ID}"]
    page.get_by_role("link", name="Show the latest").click()
    expect(more).to_be_hidden()
    expect(page.get_by_role("article").get_by_text("Open" if address else "Look!", exact=True)).to_be_visible()


def test_a_ticket_that_cannot_be_shown_as_it_is_now_says_why_and_keeps_the_text(listed, sandbox):
    listed.goto(f"/tickets/{SAMPLE_ID}/")
    expect(row(listed)).to_be_visible()
    listed.get_by_role("textbox", name="Reply").fill("My words.")
    sandbox.tickets.add_message(sandbox.tickets.find(SAMPLE_ID), sender="staff", sender_name="Ola", body="Wait!")
    come_back(listed)
    sandbox.fault("problem_500", method="GET", path="tickets/tkt_")
    listed.get_by_role("link", name="Show the latest").click()
    expect(listed.get_by_role("alert")).to_contain_text("HostUp returned an error")
    expect(listed.get_by_role("banner")).to_have_count(1)
    expect(listed.get_by_role("main")).to_have_count(1)
    listed.get_by_role("link", name="Retry").click()
    expect(listed.get_by_role("article").get_by_text("Wait!")).to_be_visible()
    expect(listed.get_by_role("textbox", name="Reply")).to_have_value("My words.")


NOT_LOOKED_AT = """
let shown = false;
const waiting = [];
const Observer = IntersectionObserver;
window.IntersectionObserver = class extends Observer {
  constructor(see, options) {
    super((...seen) => (shown ? see(...seen) : waiting.push(() => see(...seen))), options);
  }
};
document.hasFocus = () => shown;
window.show = () => {
  shown = true;
  requestAnimationFrame(() => waiting.forEach((see) => see()));
};
"""


def test_a_ticket_that_is_looked_at_long_after_it_was_opened_asks_for_the_list_once(page, sandbox):
    """As a ticket that is opened in a background tab."""
    page.add_init_script(NOT_LOOKED_AT)
    page.goto(f"/tickets/{SAMPLE_ID}/")
    page.wait_for_load_state("networkidle")
    sandbox.clear_calls()
    page.evaluate(f"(way) => {{ show(); ({GO})(way); }}", [61, "tab"])  # browsers report both, in this order
    expect(row(page)).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert calls(sandbox) == ["GET /tickets"]


def test_after_a_moment_nothing_is_asked_for(listed, sandbox):
    listed.evaluate("() => { const now = Date.now; Date.now = () => now() + 600_000; }")  # ten minutes of reading
    for _ in range(3):
        come_back(listed, seconds=30, way="both")
    listed.wait_for_timeout(500)
    assert calls(sandbox) == []


def test_a_list_that_is_filtered_stays_so_and_has_what_has_come(page, sandbox):
    page.goto("/tickets/?status=closed")
    with page.expect_response("**/tickets/?status=closed"):
        come_back(page)
    expect(page.get_by_label("Status")).to_have_value("closed")
    expect(row(page)).to_contain_text("Closed")

    open_empty_list(page)
    sandbox.tickets.find(SAMPLE_ID).status = "answered"  # by HostUp's staff
    come_back(page)
    expect(row(page)).to_contain_text("Waiting on us")
    expect(page.get_by_role("listitem").filter(has_text="#")).to_have_count(1)


def test_what_the_agent_is_at_is_left_alone(page, sandbox):
    page.goto("/tickets/")
    answered = hold(sandbox, method="POST")
    row(page).get_by_role("button").click()
    expect(page.get_by_text("Reopening…").filter(visible=True)).to_be_visible()
    expect_not_asked_for(page, sandbox)
    answered.set()
    expect(page.get_by_text("Reopened.")).to_be_visible()

    page.get_by_role("button", name="Select", exact=True).click()
    page.get_by_role("checkbox").first.check()
    expect_not_asked_for(page, sandbox)
    page.get_by_role("button", name="Cancel", exact=True).click()

    page.get_by_role("link", name="More tickets").click()
    expect(page.get_by_role("listitem").filter(has_text="#")).to_have_count(100)
    expect_not_asked_for(page, sandbox)


def expect_not_asked_for(page, sandbox):
    """Come back, and check that the list is not requested again."""
    sandbox.clear_calls()
    come_back(page)
    page.wait_for_timeout(500)
    assert "GET /tickets" not in calls(sandbox)


def test_a_list_that_does_not_come_leaves_what_is_there(listed, context, sandbox):
    def expect_left(trouble):
        come_back(listed)
        listed.wait_for_timeout(1500)
        expect(row_link(listed), trouble).to_be_visible()
        expect(listed.get_by_role("alert"), trouble).to_have_count(0)

    sandbox.fault("problem_500", times=None)
    expect_left("HostUp")
    context.set_offline(True)
    expect_left("network")
    context.set_offline(False)
    context.clear_cookies()
    expect_left("session")


def test_what_could_not_be_loaded_once_is_loaded_the_next_time(listed):
    """Browsers remember what did not load, by its address."""
    asked_for = []
    listed.route(
        re.compile(r"/away\.[^/]*$"), lambda route: (asked_for.append(route.request.url), route.abort()), times=1
    )
    come_back(listed)
    listed.wait_for_timeout(300)
    listed.on("request", lambda request: "/away." in request.url and asked_for.append(request.url))
    come_back(listed)
    expect(row(listed)).to_contain_text("Waiting on us")
    assert len(asked_for) == len({*asked_for}) == 2


@pytest.mark.parametrize("answer", ANSWERS_OF_A_PROXY)
def test_a_page_of_a_proxy_takes_no_list_s_place(listed, answer):
    listed.route("**/tickets/", lambda route: route.fulfill(**ANSWERS_OF_A_PROXY[answer]))
    come_back(listed)
    listed.wait_for_timeout(500)
    expect(row_link(listed)).to_be_visible()
    expect(listed).to_have_title(re.compile("^Tickets"))


@pytest.mark.parametrize("press", ["a filter", "Reopen"])
def test_a_list_that_comes_when_something_else_was_pressed_changes_nothing(page, sandbox, late, press):
    page.goto("/tickets/")
    late.ask_for("/tickets/$")
    come_back(page, way="window")
    late.is_on_its_way()
    if press == "a filter":
        page.get_by_label("Status").select_option("Closed")
        expect(row(page, 150013)).to_have_count(0)  # an answered ticket
    else:
        answered = hold(sandbox, method="POST")
        row(page).get_by_role("button").click()
    late.arrive()
    page.wait_for_timeout(200)
    if press == "a filter":
        expect(row(page, 150013)).to_have_count(0)
    else:
        expect(page.get_by_text("Reopening…").filter(visible=True)).to_be_visible()
        answered.set()


@pytest.mark.parametrize("way", ["row", "number"])
def test_a_list_that_comes_while_a_ticket_is_loading_shows_what_is_new(listed, sandbox, way):
    loading = []
    listed.route(re.compile("/tickets/(tkt_|go/)"), lambda route: loading.append(route))
    sandbox.fault(path="tickets$", delay=0.5)
    come_back(listed, way="window")
    if way == "row":
        row_link(listed, "IPv6?").click()
    else:
        listed.get_by_label("Go to ticket").fill(REPEATED_OPENING_ID)
        listed.get_by_role("button", name="Go", exact=True).click()
    expect(row(listed)).to_contain_text("Waiting on us")
    if way == "row":
        pane = listed.get_by_role("region", name="Ticket", exact=True)
        expect(pane).to_have_css("opacity", "0.6")  # not there yet
    loading[0].continue_()
    expect(heading(listed, "IPv6?")).to_be_focused()
    expect(row_link(listed, "IPv6?")).to_have_css("opacity", "1")


@pytest.mark.parametrize("press", ["a filter, then Reopen", "Reopen"])
def test_a_list_that_comes_after_a_change_does_not_show_what_was(page, sandbox, press):
    page.goto("/tickets/")
    sandbox.fault(path="tickets$", delay=1.5)
    sandbox.fault("problem_500", path="tickets$", skip=press.count("filter"))  # if the list is requested once more
    with page.expect_response("**/tickets/"):
        with page.expect_request("**/tickets/"):
            come_back(page, way="window")
        if "filter" in press:
            page.get_by_label("Status").select_option("Closed")
            expect(row(page, 150013)).to_have_count(0)  # an answered ticket
        row(page).get_by_role("button").click()
        expect(row(page)).to_contain_text("Open")
    page.wait_for_timeout(500)
    expect(row(page, 150013)).to_have_count(0 if "filter" in press else 1)
    expect(row(page)).to_contain_text("Open")
    expect(page.get_by_role("alert")).to_have_count(0)


def test_who_writes_below_a_long_ticket_sees_that_it_has_changed_and_nothing_moves(page, sandbox):
    page.goto(f"/tickets/{LONG_THREAD_ID}/")
    expect(row(page)).to_be_visible()
    box = page.get_by_role("textbox", name="Reply")
    box.press_sequentially("My words.")
    box.scroll_into_view_if_needed()
    before = box.bounding_box()
    sandbox.tickets.add_message(
        sandbox.tickets.find(LONG_THREAD_ID), sender="staff", sender_name="Ola", body="Wait!"
    )
    come_back(page)
    expect(page.get_by_role("link", name="Show the latest")).to_be_in_viewport(ratio=1)
    expect(box).to_be_focused()
    assert box.bounding_box() == before
    page.get_by_role("link", name="Show the latest").click()
    expect(page.get_by_role("article").get_by_text("Wait!")).to_be_in_viewport()
    expect(page.get_by_role("article").get_by_role("heading", level=1)).to_be_focused()
