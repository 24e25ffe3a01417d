"""Reply in a real browser: the text stays, the mode shows, files go first."""

import re
import time
from threading import Event

import pytest
from playwright.sync_api import expect

from sandbox.keys import FULL
from sandbox.special_tickets import ATTACHMENTS_ID, ENCRYPTED_ID, LONG_THREAD_ID, SAMPLE_ID
from tests.browser.steps import (
    ANSWERS_OF_A_PROXY,
    TICKET,
    close,
    fill_in_sign_in,
    heading,
    hold,
    reopen,
    row_link,
    sign_in,
)
from tests.dashboard import AGENT, NEWCOMER

FILES_PAGE = f"/tickets/{ATTACHMENTS_ID}/"
PAGE = f"/tickets/{ENCRYPTED_ID}/"
SCREENS = pytest.mark.parametrize("screen", ["desktop", "phone"])
DRAFT = re.compile("/draft/$")
TEXT_FILE = {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"some notes"}


# Counts what is added: an alert is read out when it comes into the page.
COUNT_ARRIVALS = """(place) => {
  window.arrivals = 0;
  const count = (changes) => (window.arrivals += changes.filter((change) => change.addedNodes.length).length);
  new MutationObserver(count).observe(place, { childList: true });
}"""


def box(page):
    return page.get_by_role("textbox", name="Reply")


def expect_sent(page):
    expect(page.get_by_role("status").filter(has_text="Sent.")).to_be_visible()


def texts_at_hostup(sandbox):
    return [message.body for message in sandbox.tickets.find(ENCRYPTED_ID).messages]


def sent_calls(sandbox):
    return [call.path.rpartition("/")[2] for call in sandbox.calls if call.method == "POST"]


def test_a_reply_goes_out_once_and_the_box_is_empty(page, sandbox):
    page.goto(PAGE)
    answered = hold(sandbox, method="POST")
    box(page).fill("Once.")
    page.get_by_role("button", name="Send reply").dblclick()
    encrypted = page.get_by_label("Send encrypted")
    press = encrypted.bounding_box()
    page.mouse.click(press["x"] + 5, press["y"] + 5)  # too late to count
    answered.set()
    expect_sent(page)
    expect(encrypted).not_to_be_checked()
    expect(page.get_by_role("article").get_by_text("Once.")).to_be_visible()
    expect(box(page)).to_have_value("")
    assert texts_at_hostup(sandbox).count("Once.") == 1

    answered = hold(sandbox, method="POST")
    box(page).fill("By keyboard.")
    box(page).press("Enter")
    box(page).press("Control+Enter")
    box(page).press("Control+Enter")
    answered.set()
    expect(page.get_by_role("article").get_by_text("By keyboard.")).to_be_visible()
    expect_sent(page)
    assert texts_at_hostup(sandbox).count("By keyboard.\n") == 1


@SCREENS
def test_encrypted_is_a_mode_that_cannot_be_missed_by_keyboard_alone(page, sandbox, screen):
    page.goto(PAGE)
    look = "button => [button, button.form].map(part => getComputedStyle(part).backgroundColor)"
    in_clear = page.get_by_role("button", name="Send reply", exact=True).evaluate(look)
    box(page).focus()
    page.keyboard.type("Written without a mouse.")
    for _ in range(2):
        page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(page.get_by_label("Send encrypted")).to_be_checked()
    expect(page.get_by_role("button", name="Send reply encrypted", exact=True)).to_be_visible()
    encrypted = page.get_by_role("button", name="Send reply encrypted", exact=True).evaluate(look)
    assert set(encrypted).isdisjoint(in_clear)
    expect(page.get_by_text("Only the text is sent encrypted.")).to_be_visible()  # not the files
    expect(page.get_by_role("button", name="Send reply", exact=True)).to_have_count(0)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect_sent(page)
    expect(page.get_by_label("Send encrypted")).to_be_checked()
    assert sandbox.tickets.find(ENCRYPTED_ID).messages[-1].body == "Written without a mouse."
    assert sandbox.tickets.find(ENCRYPTED_ID).messages[-1].encrypted


def test_a_draft_shows_in_its_row_at_once_and_is_kept_when_its_ticket_is_left(page):
    page.goto(PAGE)
    mark = page.locator(f"#row-{ENCRYPTED_ID}").get_by_text("Draft", exact=True)
    row_link(page).wait_for()
    for words in ("Half a sentence", "Half a sentence more"):
        box(page).press_sequentially(words)
        expect(mark).to_be_visible()
    box(page).fill("")
    expect(mark).to_have_count(0)
    with page.expect_response(DRAFT):
        box(page).fill("Typed at a stretch")
        row_link(page).click()
    expect(heading(page)).to_be_visible()
    expect(mark).to_be_visible()

    with page.expect_response(DRAFT):
        box(page).fill("Typed before going back")
        page.go_back()
    expect(box(page)).to_have_value("Typed at a stretch")
    page.goto(TICKET)
    expect(box(page)).to_have_value("Typed before going back")
    with page.expect_response(DRAFT):
        page.get_by_label("Send encrypted").check()
    page.reload()
    expect(page.get_by_label("Send encrypted")).to_be_checked()


def test_how_it_goes_out_is_kept_however_fast_it_is_changed(page):
    page.goto(PAGE)
    box(page).fill("Secret.")
    expect(page.get_by_text("Draft saved.")).to_be_visible()
    slow = []
    page.route(DRAFT, lambda route: route.continue_() if slow else slow.append(route))
    for _ in range(3):
        page.get_by_label("Send encrypted").click()
    page.wait_for_timeout(500)
    slow[0].continue_()
    page.wait_for_timeout(500)
    page.reload()
    expect(page.get_by_label("Send encrypted")).to_be_checked()


WAYS_TO_LEAVE = {
    "Back": lambda page: page.go_back(wait_until="commit"),
    "reload": lambda page: page.reload(wait_until="commit"),
    "close": lambda page: page.close(run_before_unload=True),
    "ended without asking": lambda page: page.close(),  # as phones do
}


def test_the_last_words_are_kept_when_the_page_is_left_in_the_middle_of_them(context):
    for way, leave in WAYS_TO_LEAVE.items():
        page = context.new_page()
        page.goto("/healthz")
        page.goto(PAGE)
        box(page).fill(f"Typed at a stretch: {way}")
        leave(page)
        for _ in range(50):  # what a page sends while it is left takes a while
            kept = context.request.get(PAGE).text()
            if f"Typed at a stretch: {way}" in kept:
                break
            time.sleep(0.2)
        assert f"Typed at a stretch: {way}</textarea>" in kept


def test_what_a_lost_network_took_is_said_until_it_is_made_good(page, context):
    page.goto(PAGE)
    page.wait_for_load_state("networkidle")
    alert = page.get_by_role("alert")
    box(page).fill("Saved.")
    expect(page.get_by_text("Draft saved.")).to_be_visible()
    context.set_offline(True)
    with page.expect_event("requestfailed", lambda request: DRAFT.search(request.url)):
        box(page).press_sequentially(" Typed offline.")
    expect(page.get_by_text("Draft saved.")).to_be_hidden()
    expect(alert).to_contain_text("The dashboard cannot be reached")
    context.set_offline(False)
    expect(page.get_by_text("Draft saved.")).to_be_visible()
    expect(alert).to_have_count(0)
    page.reload()
    expect(box(page)).to_have_value("Saved. Typed offline.")

    page.wait_for_load_state("networkidle")
    context.set_offline(True)
    close(page).click()
    expect(alert).to_contain_text("see whether it changed before you try again")
    with page.expect_event("requestfailed", lambda request: DRAFT.search(request.url)):
        box(page).press_sequentially(" Half a")
    context.set_offline(False)
    box(page).press_sequentially(" sentence")
    expect(page.get_by_text("Draft saved.")).to_be_visible()
    expect(alert).to_contain_text("see whether it changed before you try again")


def test_what_could_not_be_saved_is_saved_when_its_ticket_is_left(page):
    page.goto(PAGE)
    row_link(page).wait_for()
    for way, leave in {"row": lambda: row_link(page).click(), "page": lambda: page.goto("/activity/")}.items():
        words = f"Typed at a bad moment: {way}"
        page.route(DRAFT, lambda route: route.abort())
        with page.expect_event("requestfailed", lambda request: DRAFT.search(request.url)):
            box(page).fill(words)
        with page.expect_event("requestfailed", lambda request: DRAFT.search(request.url)):
            page.get_by_label("Send encrypted").focus()
        with page.expect_request(DRAFT):
            page.unroute(DRAFT)
            leave()
        for _ in range(10):  # the page that would have seen it arrive is gone
            page.goto(PAGE)
            if box(page).input_value() == words:
                break
        expect(box(page)).to_have_value(words)


def test_what_cannot_be_saved_at_all_is_there_when_its_ticket_is_opened_again(page):
    page.goto(PAGE)
    row_link(page).wait_for()
    page.route(DRAFT, lambda route: route.abort())
    box(page).fill("Typed while nothing could be kept.")
    row_link(page).click()
    expect(heading(page)).to_be_visible()
    page.go_back()
    expect(box(page)).to_have_value("Typed while nothing could be kept.")
    page.unroute(DRAFT)
    expect(page.get_by_text("Draft saved.")).to_be_visible()


def test_what_could_not_be_saved_is_saved_a_little_later_without_a_word(page):
    page.clock.install()
    page.goto(PAGE)
    page.wait_for_load_state("networkidle")
    page.evaluate(COUNT_ARRIVALS, page.locator("#alerts").element_handle())
    failed = []
    failures = {
        "lost": lambda route: (failed.append("lost"), route.abort()),
        "refused": lambda route: (failed.append("refused"), route.fulfill(status=503)),
        "proxy": lambda route: (failed.append("proxy"), route.fulfill(**ANSWERS_OF_A_PROXY["redirect"])),
    }
    for name, fail in failures.items():
        page.evaluate("window.arrivals = 0")
        page.route(DRAFT, fail, times=2)
        box(page).fill(f"Typed at a bad moment: {name}")
        if name == "proxy":
            expect(page.get_by_role("alert")).to_contain_text("The dashboard cannot be reached")
        for _ in range(20):
            if page.get_by_text("Draft saved.").is_visible():
                break
            page.clock.fast_forward(5000)
            page.wait_for_timeout(100)
        expect(page.get_by_text("Draft saved.")).to_be_visible()
        expect(page.get_by_role("alert")).to_have_count(0)
        assert failed.count(name) == 2
        assert page.evaluate("window.arrivals") <= 1, "a screen reader hears it again and again"
    page.reload()
    expect(box(page)).to_have_value("Typed at a bad moment: proxy")


def test_what_is_written_is_saved_once_and_nothing_else(page):
    page.goto(PAGE)
    row_link(page).wait_for()
    saved = []
    page.on("request", lambda request: DRAFT.search(request.url) and saved.append(request))
    box(page).focus()
    row_link(page).click()
    expect(heading(page)).to_be_visible()
    box(page).focus()
    page.reload()
    row_link(page).wait_for()
    assert saved == []

    page.get_by_label("Attach files").set_input_files(TEXT_FILE)
    box(page).fill("With a file.")
    expect(page.get_by_text("Draft saved.")).to_be_visible()
    page.get_by_label("Attach files").focus()
    box(page).focus()
    row_link(page, "IPv6?").click()
    expect(heading(page, "IPv6?")).to_be_visible()
    assert len(saved) == 1
    assert "some notes" not in saved[0].post_data


def test_what_is_typed_after_an_answer_was_lost_is_kept(page, sandbox):
    page.goto(PAGE)
    page.wait_for_load_state("networkidle")
    page.route(re.compile("/reply/$"), lambda route: (route.fetch(), route.abort()))
    box(page).fill("First.")
    page.get_by_role("button", name="Send reply").click()
    expect(page.get_by_role("alert")).to_contain_text("The dashboard cannot be reached")
    assert texts_at_hostup(sandbox).count("First.") == 1
    with page.expect_response(DRAFT):
        box(page).fill("First. And another thought.")
    page.reload()
    expect(box(page)).to_have_value("First. And another thought.")


def test_a_draft_that_comes_after_its_reply_does_not_bring_it_back(page, sandbox):
    page.goto(PAGE)
    late = []
    page.route(DRAFT, lambda route: late.append(route))  # as on a slow line
    box(page).fill("Once.")
    page.get_by_role("button", name="Send reply").click()
    expect(page.get_by_role("status").filter(has_text="Sent.")).to_be_visible()
    for route in late:
        with page.expect_response(DRAFT):
            route.continue_()
    page.reload()
    expect(box(page)).to_have_value("")
    assert texts_at_hostup(sandbox).count("Once.") == 1
    assert late, "pressing the button saves what was typed until then"


def test_a_text_that_could_not_be_saved_before_it_went_out_does_not_come_back_after_it(page, sandbox):
    page.goto(PAGE)
    page.route(DRAFT, lambda route: route.abort())
    answered = hold(sandbox, method="POST", path="messages")
    with page.expect_event("requestfailed", lambda request: DRAFT.search(request.url)):
        box(page).fill("Once.")
        page.get_by_role("button", name="Send reply").click()
    page.unroute(DRAFT)
    with page.expect_request(DRAFT):
        page.goto("/activity/")
    answered.set()
    page.goto(PAGE)
    for _ in range(20):  # the page that would have seen it end is gone
        if page.get_by_role("article").get_by_text("Once.").count() and not box(page).input_value():
            break
        page.reload()
    expect(box(page)).to_have_value("")
    assert texts_at_hostup(sandbox).count("Once.") == 1


def test_why_it_was_not_sent_is_in_view_below_a_long_thread(page, sandbox):
    pictures = []
    page.route("**/*?preview", lambda picture: pictures.append(picture))
    page.goto(FILES_PAGE)
    sandbox.fault("problem_503", method="POST")
    box(page).fill("Try me.")
    page.get_by_role("button", name="Send reply").click()
    expect(page.get_by_role("alert")).to_contain_text("the ticket shows that it did not arrive")
    page.wait_for_timeout(300)
    assert pictures
    for picture in pictures:  # they load late
        picture.continue_()
    page.wait_for_timeout(500)  # whatever moves it has done so
    expect(page.get_by_role("alert")).to_be_in_viewport(ratio=1)

    page.mouse.move(1000, 400)
    page.mouse.wheel(0, -3000)  # an agent who reads on is not brought back
    page.wait_for_timeout(300)
    expect(page.get_by_role("alert")).not_to_be_in_viewport()

    expect(box(page)).to_have_value("Try me.")
    page.get_by_role("button", name="Send reply").click()
    expect_sent(page)
    assert [message.body for message in sandbox.tickets.find(ATTACHMENTS_ID).messages].count("Try me.") == 1


@SCREENS
def test_what_was_sent_is_in_view_below_a_long_message_and_the_next_is_a_tab_away(page, sandbox, screen):
    log = "\n".join(f"[{line:03}] rsync: copied /var/www/site{line}/index.html, 12 kB" for line in range(60))
    ticket = sandbox.tickets.find(ENCRYPTED_ID)
    sandbox.tickets.add_message(ticket, sender="staff", sender_name="Ola Demo", body=log)
    page.goto(PAGE)
    send_by_keyboard(page, "Please go ahead.")
    expect_sent(page)
    expect(page.get_by_role("region", name="Write to HostUp")).to_be_focused()
    page.wait_for_timeout(500)  # whatever moves it has done so
    assert page.get_by_role("article").get_by_text("rsync: copied").inner_text() == log
    expect(page.get_by_role("article").get_by_text("Please go ahead.")).to_be_in_viewport()
    for part in (box(page), page.get_by_role("button", name="Send reply")):
        expect(part).to_be_in_viewport(ratio=1)
    page.keyboard.press("Tab")
    expect(box(page)).to_be_focused()
    expect(box(page)).to_have_value("")
    assert texts_at_hostup(sandbox).count("Please go ahead.") == 1


@SCREENS
def test_what_is_new_stops_the_reply_until_it_is_sent_anyway(page, sandbox):
    page.goto(PAGE)
    ticket = sandbox.tickets.find(ENCRYPTED_ID)
    sandbox.tickets.add_message(ticket, sender="staff", sender_name="Ola Demo", body="Wait:\none more thing.")
    send_by_keyboard(page, "Bye.")
    expect(page.get_by_role("alert")).to_contain_text("the ticket has changed")
    expect(page.get_by_role("alert")).to_be_in_viewport()
    assert "Wait:\none more thing." in page.get_by_role("region", name="New in this ticket").inner_text()
    page.keyboard.press("Tab")
    expect(box(page)).to_be_focused()
    expect(box(page)).to_have_value("Bye.")
    page.get_by_role("button", name="Send anyway").click()
    expect_sent(page)
    assert texts_at_hostup(sandbox).count("Bye.") == 1


FAILURES_AFTER_A_FILE = {"the next file": {"path": "attachments", "skip": 1}, "the text": {"path": "messages"}}


@pytest.mark.parametrize("failure", FAILURES_AFTER_A_FILE)
def test_what_reopen_and_reply_has_attached_is_not_attached_again(page, sandbox, failure):
    sandbox.fault("problem_403", method="POST", **FAILURES_AFTER_A_FILE[failure])
    page.goto(TICKET)
    box(page).fill("Two files.")
    page.get_by_label("Attach files").set_input_files([TEXT_FILE, TEXT_FILE | {"name": "more.txt"}])
    page.get_by_role("button", name="Reopen and reply").click()
    expect(page.get_by_role("alert")).to_contain_text("leave out what is already attached: notes.txt")
    page.get_by_role("button", name="Send reply").click()
    expect(page.get_by_role("status").filter(has_text="Sent.")).to_be_visible()
    attached = [
        file.filename for message in sandbox.tickets.find(SAMPLE_ID).messages for file in message.attachments
    ]
    assert attached == ["notes.txt", "more.txt"]


def reopen_and_reply_slowly(page, sandbox, file=None):
    """Press *Reopen and reply*. Return, while the server is at work, the event that lets HostUp answer."""
    answered = hold(sandbox, method="POST", path="reopen")
    page.clock.install()
    page.goto(TICKET)
    box(page).fill("One more question.")
    expect(page.get_by_text("Draft saved.")).to_be_visible()
    if file:
        page.get_by_label("Attach files").set_input_files(file)
    with page.expect_request(re.compile("/reply/")):
        page.get_by_role("button", name="Reopen and reply").click()
    return answered


def test_an_answer_is_waited_for_as_long_as_the_server_may_take(page, sandbox):
    answered = reopen_and_reply_slowly(page, sandbox)
    page.clock.fast_forward("00:50")  # five calls to HostUp of ten seconds
    answered.set()
    expect(page.get_by_role("status").filter(has_text="Reopened and sent.")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(close(page)).to_be_visible()
    assert sent_calls(sandbox) == ["reopen", "messages"]


def test_files_that_travel_with_a_reply_may_take_as_long_as_the_line_needs(page, sandbox):
    answered = reopen_and_reply_slowly(page, sandbox, TEXT_FILE)
    expect(page.get_by_role("button", name="Remove")).to_be_disabled()
    page.clock.fast_forward("30:00")
    answered.set()
    expect(page.get_by_role("status").filter(has_text="Reopened and sent.")).to_be_visible()
    expect(page.get_by_role("link", name="notes.txt")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)


@pytest.mark.parametrize("way", ["Reopen and reply", "Reopen ticket first"])
def test_files_for_a_closed_ticket_add_up_and_are_removed_as_in_an_open_one(page, sandbox, way):
    page.goto(TICKET)
    box(page).fill("Two files.")
    choose = page.get_by_label("Attach files")
    choose.set_input_files([TEXT_FILE, TEXT_FILE | {"name": "wrong.txt"}])
    page.get_by_role("listitem").filter(has_text="wrong.txt").get_by_role("button", name="Remove").click()
    if way == "Reopen ticket first":
        reopen(page).click()
        expect(page.get_by_text("Reopened.")).to_be_visible()
        expect(page.get_by_role("button", name="Send reply")).to_be_visible()
        expect(box(page)).to_have_value("Two files.")
    choose.set_input_files(TEXT_FILE | {"name": "more.txt"})
    page.get_by_role("button", name=re.compile("^(Reopen and reply|Send reply)$")).click()
    expect(page.get_by_text(re.compile("^(Reopened and sent|Sent).$"))).to_be_visible()
    assert attached_at_hostup(sandbox, SAMPLE_ID) == ["notes.txt", "more.txt"]
    assert sent_calls(sandbox) == ["reopen", "attachments", "attachments", "messages"]


def test_a_file_that_is_too_large_is_said_before_a_ticket_is_reopened_for_it(page, sandbox, large_file):
    page.goto(TICKET)
    box(page).fill("A large file.")
    for file in (TEXT_FILE, large_file):
        page.get_by_label("Attach files").set_input_files(file)
    expect(page.get_by_role("alert")).to_contain_text("Larger than 25 MB. Remove the file to send your reply.")
    page.get_by_role("button", name="Reopen and reply").click()
    expect(page.get_by_role("button", name="Remove").last).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Reopen and reply").click()
    expect(page.get_by_text("Reopened and sent.")).to_be_visible()
    assert attached_at_hostup(sandbox, SAMPLE_ID) == ["notes.txt"]


def test_a_file_that_is_tried_again_does_not_travel_with_the_reply_too(page, sandbox):
    sandbox.fault("problem_503", method="POST", path="attachments")
    send_with_files(page, "With a file.", TEXT_FILE)
    expect(page.get_by_role("alert")).to_be_visible()
    answered = hold(sandbox, method="POST", path="attachments")
    page.get_by_role("button", name="Retry").click()
    close(page).click()
    page.get_by_role("button", name="Reopen and reply").click()
    answered.set()
    expect(page.get_by_text("Reopened and sent.")).to_be_visible()
    assert attached_at_hostup(sandbox) == ["notes.txt"]


def test_signed_out_in_the_middle_of_a_reply_loses_nothing(page, context):
    page.goto(PAGE)
    box(page).fill("A long and")
    expect(page.get_by_text("Draft saved.")).to_be_visible()
    context.clear_cookies(name="sessionid")
    box(page).fill("A long and careful answer.")  # at once: slow typing might be interrupted by the sign-in page
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_text(
        re.compile(r"^\s*You were signed out\s+Your text is kept\.\s*$")
    )
    with page.expect_response(DRAFT):  # else the save, once signed out, would lead away before the press
        fill_in_sign_in(page)
    expect(box(page)).to_have_value("A long and careful answer.")

    page.get_by_label("Attach files").set_input_files(TEXT_FILE)
    context.clear_cookies(name="sessionid")
    page.get_by_role("button", name="Send reply").click()  # the file is uploaded first
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text("You were signed out")
    fill_in_sign_in(page)
    expect(box(page)).to_have_value("A long and careful answer.")

    with page.expect_response(DRAFT):
        page.get_by_label("Send encrypted").check()
    context.clear_cookies(name="sessionid")
    box(page).fill("The password is not-a-real-one.")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert "not-a-real-one" not in page.evaluate("JSON.stringify(sessionStorage)")


def test_what_was_typed_signed_out_shows_when_its_ticket_is_opened_until_it_is_sent(page, context, sandbox):
    page.goto(PAGE)
    box(page).fill("A long and")
    expect(page.get_by_text("Draft saved.")).to_be_visible()
    context.clear_cookies(name="sessionid")
    box(page).fill("A long and careful answer.")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    sign_in(page, at="/")  # not by the sign-in page that was shown
    row_link(page, sandbox.tickets.find(ENCRYPTED_ID).subject).click()
    expect(box(page)).to_have_value("A long and careful answer.")
    expect(page.get_by_text("Draft saved.")).to_be_visible()

    box(page).fill("A short one.")
    page.get_by_role("button", name="Send reply").click()
    expect_sent(page)
    page.reload()
    expect(page.get_by_role("article").get_by_text("A short one.")).to_be_visible()
    page.wait_for_load_state("networkidle")
    expect(box(page)).to_have_value("")


@pytest.fixture(scope="module")
def sign_in_anew(browser, base_url, running_sandbox):
    """Return a function that signs the agent in again, as in another tab."""
    with browser.new_context(base_url=base_url) as elsewhere:
        sign_in(elsewhere.new_page())
        cookies = [cookie for cookie in elsewhere.cookies() if cookie["name"] != "timezone"]
    return lambda context: context.add_cookies(cookies)


@pytest.fixture
def expired(page, context, sign_in_anew):
    page.goto(PAGE)
    row_link(page).wait_for()
    sign_in_anew(context)
    return page


def test_signed_in_anew_in_another_tab_sends_all_the_same(expired, sandbox):
    box(expired).fill("A long and careful answer.")
    expired.get_by_label("Attach files").set_input_files(TEXT_FILE)
    expired.get_by_role("button", name="Send reply").click()
    expect(expired.get_by_role("status").filter(has_text="Sent.")).to_be_visible()
    expect(expired.get_by_role("alert")).to_have_count(0)
    assert sent_calls(sandbox) == ["attachments", "messages"]
    assert texts_at_hostup(sandbox).count("A long and careful answer.") == 1


def test_a_draft_that_is_refused_after_its_reply_went_out_is_nobody_s_concern(expired):
    late = []
    expired.route(DRAFT, lambda route: late.append(route), times=1)  # as on a slow line
    box(expired).fill("Once.")
    expired.get_by_role("button", name="Send reply").click()
    expect(expired.get_by_role("status").filter(has_text="Sent.")).to_be_visible()
    with expired.expect_response(lambda response: DRAFT.search(response.url) and response.status == 403):
        late[0].continue_()
    expired.wait_for_timeout(200)
    expect(expired.get_by_role("alert")).to_have_count(0)
    expired.reload()
    expired.wait_for_load_state("networkidle")
    expect(box(expired)).to_have_value("")


def test_signed_in_anew_in_another_tab_reopens_and_replies_all_the_same(page, context, sandbox, sign_in_anew):
    page.goto(TICKET)
    row_link(page).wait_for()
    sign_in_anew(context)
    box(page).fill("One more question.")
    page.get_by_role("button", name="Reopen and reply").click()
    expect(page.get_by_text("Reopened and sent.")).to_be_visible()
    assert sent_calls(sandbox) == ["reopen", "messages"]


def test_signed_in_anew_in_another_tab_saves_an_encrypted_reply(expired):
    expired.get_by_label("Send encrypted").check()
    box(expired).fill("The password is not-a-real-one.")
    expect(expired.get_by_text("Draft saved.")).to_be_visible()
    expect(expired.get_by_role("alert")).to_have_count(0)
    expired.reload()
    expect(box(expired)).to_have_value("The password is not-a-real-one.")


def test_another_agent_in_another_tab_gets_nothing_of_what_is_written(page, context, sign_ins, sign_in_anew):
    page.goto(PAGE)
    page.wait_for_load_state("networkidle")
    tried = []
    page.on("request", lambda request: DRAFT.search(request.url) and tried.append(request))
    context.add_cookies(sign_ins[NEWCOMER]["cookies"])
    box(page).fill("Not for everybody.")
    said = page.get_by_role("alert")
    expect(said).to_contain_text("This page has expired")
    expect(said).to_contain_text("Copy what you have written, then open the page again.")
    assert len(tried) == 1

    sign_in_anew(context)
    box(page).fill("For HostUp alone.")
    expect(page.get_by_text("Draft saved.")).to_be_visible()
    context.add_cookies(sign_ins[AGENT]["cookies"])  # and once more
    box(page).fill("For HostUp and nobody else.")
    expect(page.get_by_text("Draft saved.")).to_be_visible()
    page.get_by_role("button", name="Send reply").click()
    expect_sent(page)
    page.reload()
    page.wait_for_load_state("networkidle")
    expect(box(page)).to_have_value("")

    context.add_cookies(sign_ins[NEWCOMER]["cookies"])
    box(page).fill("Not for everybody.")
    expect(said).to_contain_text("This page has expired")
    page.goto("/settings/key/")
    page.get_by_label("API key").fill(FULL)
    page.get_by_role("button", name="Save key").click()
    expect(page.get_by_role("heading", name="Key ending in")).to_be_visible()
    page.goto(PAGE)
    page.wait_for_load_state("networkidle")
    expect(box(page)).to_have_value("")


def test_a_page_that_nothing_helps_says_so(page):
    page.goto(PAGE)
    page.wait_for_load_state("networkidle")
    tried = []
    headers = {"HX-Retarget": "#alerts", "HX-Trigger": "page-expired", "X-CSRF-Token": "no help", "X-Agent": AGENT}
    headers["X-Request-Id"] = "1"
    said = {"status": 403, "headers": headers, "body": '<p role="alert">This page has expired</p>'}
    page.route(DRAFT, lambda route: (tried.append(route), route.fulfill(**said)))
    box(page).fill("In vain.")
    expect(page.get_by_role("alert")).to_have_text("This page has expired")
    assert len(tried) == 2


def test_files_go_up_one_by_one_before_the_text_and_the_button_says_so(page, sandbox):
    answered = hold(sandbox, method="POST", path="attachments")
    send_with_files(page, "Two files.", TEXT_FILE, TEXT_FILE | {"name": "more.txt"})
    expect(page.get_by_role("progressbar")).to_have_count(2)
    expect(page.get_by_role("progressbar").first).to_be_visible()
    expect(page.get_by_role("button", name="Sending…")).to_be_visible()
    assert "messages" not in sent_calls(sandbox)
    answered.set()
    expect(page.get_by_text("Sent.", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Send reply")).to_be_visible()
    expect(page.get_by_role("link", name="more.txt")).to_be_visible()
    assert sent_calls(sandbox) == ["attachments", "attachments", "messages"]


def test_files_wait_until_there_is_a_text(page, sandbox):
    page.goto(TICKET)
    page.get_by_label("Attach files").set_input_files(TEXT_FILE)
    for button in ("Reopen and reply", "Send reply"):
        with page.expect_request("**/reply/") as sending:
            page.get_by_role("button", name=button).click()
        expect(page.get_by_role("alert")).to_contain_text("Write something before you send it.")
        assert "some notes" not in sending.value.post_data
        assert sent_calls(sandbox) == ([] if button == "Reopen and reply" else ["reopen"])
        if button == "Reopen and reply":
            reopen(page).click()
            expect(page.get_by_text("Reopened.")).to_be_visible()
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("notes.txt")).to_have_count(0)


def test_a_file_that_fails_is_tried_again_alone_and_goes_up_once(page, sandbox):
    sandbox.fault("problem_503", method="POST", path="attachments", skip=1)
    send_with_files(page, "Two files.", TEXT_FILE, TEXT_FILE | {"name": "more.txt"})
    expect(page.get_by_role("alert")).to_be_visible()
    assert sent_calls(sandbox) == ["attachments", "attachments"]
    page.get_by_role("button", name="Retry").click()
    expect(page.get_by_text("Attached.")).to_have_count(2)
    page.get_by_role("button", name="Send reply").click()
    expect(page.get_by_text("Sent.", exact=True)).to_be_visible()
    assert sent_calls(sandbox) == ["attachments"] * 3 + ["messages"]

    sandbox.clear_calls()
    sandbox.fault("problem_503", method="POST", path="attachments")
    write_with_files(page, "One file.", TEXT_FILE)
    expect(page.get_by_role("alert")).to_be_visible()
    answered = hold(sandbox, method="POST", path="attachments")
    page.get_by_role("button", name="Retry").click()
    page.get_by_role("button", name="Send reply").click()  # while the upload is under way
    answered.set()
    expect(page.get_by_text("Sent.", exact=True)).to_be_visible()
    assert sent_calls(sandbox) == ["attachments", "attachments", "messages"]
    assert attached_at_hostup(sandbox) == ["notes.txt"]


MORE_FILES = [TEXT_FILE | {"name": name} for name in ("second.txt", "third.txt")]


def send_with_files(page, text, *files):
    page.goto(PAGE)
    row_link(page).wait_for()
    write_with_files(page, text, *files)


def write_with_files(page, text, *files):
    box(page).fill(text)
    page.get_by_label("Attach files").set_input_files(files)
    page.get_by_role("button", name="Send reply").click()


def attached_at_hostup(sandbox, ticket_id=ENCRYPTED_ID):
    return [file.filename for file in sandbox.tickets.find(ticket_id).messages[-1].attachments]


def test_that_a_reply_was_not_sent_because_its_ticket_was_left_is_said_until_it_is(page, sandbox):
    answered = hold(sandbox, method="POST", path="attachments")
    send_with_files(page, "With three files.", TEXT_FILE, *MORE_FILES)
    while not sent_calls(sandbox):
        page.wait_for_timeout(50)
    row_link(page, "IPv6?").click()
    expect(heading(page, "IPv6?")).to_be_visible()
    answered.set()
    said = page.get_by_role("alert").filter(has_text="Your reply to ticket #149999 was not sent")
    expect(said).to_contain_text("have to be attached again: second.txt, third.txt")
    row_link(page).click()
    expect(heading(page)).to_be_visible()
    expect(said).to_be_visible()
    assert sent_calls(sandbox) == ["attachments"]
    reopen(page).click()
    expect(page.get_by_text("Reopened.")).to_be_visible()
    sandbox.fault("problem_409", method="POST")
    close(page).click()
    expect(page.get_by_role("alert").filter(has_text="does not allow that")).to_be_visible()
    box(page).fill("To another one.")
    page.get_by_role("button", name="Send reply").click()
    expect(page.get_by_text("Sent.", exact=True)).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(1)

    look = said.get_by_role("link", name="View ticket")
    expect(look).to_have_attribute("href", re.compile(ENCRYPTED_ID))
    row_link(page, sandbox.tickets.find(ENCRYPTED_ID).subject).click()
    expect(box(page)).to_have_value("With three files.")
    expect(said).to_be_visible()
    page.get_by_label("Attach files").set_input_files(MORE_FILES)
    page.get_by_role("button", name="Send reply").click()
    expect(page.get_by_text("Sent.", exact=True)).to_be_visible()
    expect(said).to_have_count(0)
    assert attached_at_hostup(sandbox) == ["notes.txt", "second.txt", "third.txt"]


def test_a_file_that_is_not_up_yet_stops_when_it_is_removed_or_its_ticket_is_left(page, context, sandbox):
    slow_line = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 50_000}
    page.goto(PAGE)
    row_link(page).wait_for()
    context.new_cdp_session(page).send("Network.emulateNetworkConditions", slow_line)
    for leave in (page.get_by_role("button", name="Remove", exact=True), row_link(page)):
        with page.expect_request(re.compile("/upload/")):
            write_with_files(page, "With a large file.", TEXT_FILE | {"buffer": b"x" * 2_000_000})
        with page.expect_event("requestfailed", lambda request: request.url.endswith("/upload/")):
            leave.click()
        expect(page.get_by_role("listitem").filter(has_text="notes.txt")).to_have_count(0)
        assert sent_calls(sandbox) == []
    expect(page.get_by_role("alert")).to_contain_text("have to be attached again: notes.txt")


def test_a_ticket_that_is_closed_while_files_go_up_keeps_its_reply_in_the_box(page, sandbox):
    answered = hold(sandbox, method="POST", path="attachments")
    with page.expect_request(re.compile("/upload/")):
        send_with_files(page, "With a file.", TEXT_FILE)
    close(page).click()
    expect(reopen(page)).to_be_visible()
    answered.set()
    said = page.get_by_role("alert")
    expect(said).to_contain_text("Not sent: the ticket has changed since you saw it")
    expect(said).to_contain_text("The ticket was closed or reopened. Send your reply if it still makes sense.")
    expect(page.get_by_text("Attached.")).to_be_visible()
    expect(box(page)).to_have_value("With a file.")
    assert sorted(sent_calls(sandbox)) == ["attachments", "close"]

    page.get_by_role("button", name="Reopen and reply").click()
    expect(page.get_by_text("Reopened and sent.")).to_be_visible()
    expect(said).to_have_count(0)
    assert attached_at_hostup(sandbox) == ["notes.txt"]


def test_who_leaves_the_page_while_files_go_up_is_asked_first(browser, base_url, sign_ins, sandbox):
    page = browser.new_context(base_url=base_url, storage_state=sign_ins[AGENT]).new_page()
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    answered = hold(sandbox, method="POST", path="attachments")
    send_with_files(page, "With a file.", TEXT_FILE)
    page.get_by_role("link", name="Activity").click()
    answered.set()
    expect(page.get_by_text("Sent.", exact=True)).to_be_visible()
    assert asked == ["beforeunload"]
    assert attached_at_hostup(sandbox) == ["notes.txt"]

    page.get_by_role("link", name="Activity").click()
    expect(page.get_by_role("heading", name="Activity")).to_be_visible()
    page.context.close()


@pytest.fixture
def large_file(tmp_path):
    return file_of(tmp_path / "large.zip", 25 * 1024**2 + 1)


def file_of(path, size):
    with path.open("wb") as file:
        file.truncate(size)
    return path


@SCREENS
def test_a_file_that_is_too_large_is_said_before_it_is_sent(page, sandbox, screen, large_file):
    page.goto(PAGE)
    box(page).fill("A large file.\n" * 40)
    page.get_by_label("Attach files").set_input_files(large_file)
    expect(page.get_by_role("listitem").filter(has_text="large.zip")).to_contain_text("25.1 MB")
    said = page.get_by_role("alert")
    expect(said).to_contain_text("Larger than 25 MB. Remove the file to send your reply.")
    expect(page.get_by_role("progressbar")).to_have_count(0)

    page.evaluate(COUNT_ARRIVALS, said.locator("xpath=..").element_handle())
    page.get_by_role("button", name="Send reply").press("Enter")
    expect(page.get_by_role("button", name="Remove", exact=True)).to_be_focused()
    expect(said).to_be_in_viewport(ratio=1)
    assert page.evaluate("window.arrivals") == 1, "a screen reader does not hear it again"
    page.keyboard.press("Enter")
    expect(said).to_have_count(0)
    page.get_by_role("button", name="Send reply").click()
    expect_sent(page)
    assert sent_calls(sandbox) == ["messages"]


@pytest.mark.browser_context_args(locale="sv-SE")
def test_a_size_is_written_as_its_reader_does_and_larger_only_when_it_is(page, tmp_path, large_file):
    page.goto(PAGE)
    choose = page.get_by_label("Bifoga filer")
    choose.set_input_files(
        [file_of(tmp_path / "log.zip", 25 * 1024**2), file_of(tmp_path / "old.zip", 26_100_000)]
    )
    for name, shown in {"log.zip": "25 MB", "old.zip": "24,9 MB"}.items():
        file = page.get_by_role("listitem").filter(has_text=name)
        expect(file.get_by_text(shown, exact=True)).to_be_visible()
        expect(file.get_by_role("alert").filter(visible=True)).to_have_count(0)
    choose.set_input_files(large_file)
    expect(page.get_by_role("listitem").filter(has_text="large.zip")).to_contain_text("25,1 MB")


def test_the_focus_stays_among_the_files(page, sandbox):
    page.goto(PAGE)
    page.get_by_label("Attach files").set_input_files([TEXT_FILE, *MORE_FILES])
    files = [page.get_by_role("listitem").filter(has_text=file["name"]) for file in (TEXT_FILE, *MORE_FILES)]
    removals = [file.get_by_role("button", name="Remove", exact=True) for file in files]
    removals[0].press("Enter")
    expect(removals[1]).to_be_focused()
    removals[2].press("Enter")
    expect(page.get_by_label("Attach files")).to_be_focused()

    box(page).fill("With a file.")
    sandbox.fault("problem_503", method="POST", path="attachments")
    page.get_by_role("button", name="Send reply").click()
    answered = hold(sandbox, method="POST", path="attachments")
    files[1].get_by_role("button", name="Retry").press("Enter")
    expect(removals[1]).to_be_focused()
    answered.set()
    expect(page.get_by_text("Attached.")).to_be_visible()
    expect(page.get_by_label("Attach files")).to_be_focused()


def test_sent_is_not_said_beside_what_was_not(page, sandbox):
    page.goto(PAGE)
    box(page).fill("First.")
    page.get_by_role("button", name="Send reply").click()
    expect_sent(page)
    sandbox.fault("problem_400", method="POST")
    box(page).fill("Second.")
    page.get_by_role("button", name="Send reply").click()
    expect(page.get_by_role("alert")).to_contain_text("Your reply was not sent.")
    expect(page.get_by_text("Sent.", exact=True)).to_have_count(0)

    page.get_by_role("button", name="Send reply").click()
    expect_sent(page)
    sandbox.clear_calls()
    write_with_files(page, "Third.", TEXT_FILE | {"name": "setup.exe"})
    expect(page.get_by_role("alert")).to_contain_text("is a program")
    expect(page.get_by_text("Sent.", exact=True)).to_have_count(0)
    expect(page.get_by_role("button", name="Retry")).to_have_count(0)  # refused for good
    page.get_by_role("button", name="Send reply").click()
    expect(page.get_by_role("button", name="Remove", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Send reply").click()
    expect_sent(page)
    assert sent_calls(sandbox) == ["messages"]


@SCREENS
def test_a_link_in_view_leads_down_a_long_ticket_into_the_text_box(page, screen):
    page.goto(f"/tickets/{LONG_THREAD_ID}/")
    link = page.get_by_role("link", name="Reply", exact=True)
    expect(link).to_be_in_viewport(ratio=1)
    link.click()
    expect(box(page)).to_be_focused()
    expect(box(page)).to_be_in_viewport()


def test_a_reply_refused_after_its_ticket_was_left_is_said_with_its_number(page, sandbox):
    page.goto(PAGE)
    number = page.get_by_role("article").get_by_text(re.compile(r"^#\d+$")).inner_text()
    box(page).fill("Are you there?")
    answered = hold(sandbox, "problem_403", method="POST")
    page.get_by_role("button", name="Send reply").click()
    page.get_by_role("listitem").get_by_role("link").nth(3).click()
    expect(box(page)).to_have_value("")
    answered.set()
    alert = page.get_by_role("alert").filter(visible=True)
    expect(alert).to_contain_text(f"{number}: Your API key does not allow this")
    expect(alert).to_contain_text("Your reply was not sent.")
    expect(alert).to_contain_text("Your text is kept.")  # with its own ticket, not here
    alert.get_by_role("link", name="View ticket").click()
    expect(box(page)).to_have_value("Are you there?")


def test_a_picture_shows_small_and_a_file_downloads_or_says_why_not(page, sandbox):
    page.goto(FILES_PAGE)
    picture = page.get_by_role("img", name="Preview of screenshot.png")
    picture.scroll_into_view_if_needed()
    page.wait_for_function("(image) => image.naturalWidth > 0", arg=picture.element_handle())
    picture.evaluate("image => { image.width = image.height = 2000 }")
    assert max(picture.bounding_box()["width"], picture.bounding_box()["height"]) < 200
    picture.evaluate("image => image.removeAttribute('width')")
    picture.evaluate("image => image.height = 120")
    assert page.get_by_role("link", name="screenshot.png image/png").bounding_box()["height"] < 60

    box(page).fill("About your invoice")
    expect(page.get_by_text("Draft saved.")).to_be_visible()
    link = page.get_by_role("link", name="invoice.pdf application/pdf")
    with page.expect_download() as downloading:
        link.click()
    assert downloading.value.suggested_filename == "invoice.pdf"
    expect(box(page)).to_have_value("About your invoice")
    sandbox.fault("empty_503", times=None)
    link.click()
    expect(page.get_by_role("heading", name="HostUp returned an error")).to_be_visible()
    sandbox.clear_faults()
    page.go_back()
    expect(box(page)).to_have_value("About your invoice")


@pytest.mark.parametrize("is_stopped_before", [False, True])
def test_a_page_that_is_left_without_asking_while_files_go_up_leaves_word_to_the_next_one(
    page, sandbox, is_stopped_before
):
    """iPhones leave without asking, and Safari stops requests under way before it leaves."""
    page.add_init_script("addEventListener('beforeunload', (event) => event.stopImmediatePropagation(), true)")
    answered = hold(sandbox, method="POST", path="attachments")
    send_with_files(page, "With a file.", TEXT_FILE)
    while not sent_calls(sandbox):
        page.wait_for_timeout(20)
    if is_stopped_before:
        page.evaluate("stop()")
    page.goto("/activity/")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("Your reply to ticket #149999 was not sent")
    expect(alert).to_contain_text("These files have to be attached again: notes.txt")
    answered.set()
    alert.get_by_role("link", name="View ticket").click()
    expect(box(page)).to_have_value("With a file.")
    expect(alert).to_have_count(0)
    assert sent_calls(sandbox) == ["attachments"]


def test_what_a_browser_stops_when_a_page_is_left_is_not_called_unreachable(page):
    """Firefox also stops a draft that is being saved when a file is downloaded."""
    page.goto(PAGE)
    page.route(DRAFT, lambda route: route.abort(), times=1)
    with page.expect_event("requestfailed", lambda request: DRAFT.search(request.url)):
        box(page).fill("Half a sentence")
        page.evaluate("dispatchEvent(new Event('beforeunload'))")
    page.wait_for_timeout(300)
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.get_by_text("Draft saved.")).to_be_visible()  # tried again


def test_an_upload_that_the_browser_stops_is_said_and_can_be_tried_again(page, sandbox):
    """Safari and Firefox stop requests under way when a link is pressed, even one to a file."""
    answered = hold(sandbox, method="POST", path="attachments")
    send_with_files(page, "With a file.", TEXT_FILE)
    while not sent_calls(sandbox):
        page.wait_for_timeout(20)
    page.evaluate("stop()")
    file = page.get_by_role("listitem").filter(has_text="notes.txt")
    expect(file.get_by_role("status")).to_have_text("The dashboard cannot be reached.")
    answered.set()
    file.get_by_role("button", name="Retry").click()
    expect(file).to_contain_text("Attached.")
    page.get_by_role("button", name="Send reply").click()
    expect_sent(page)


def test_an_upload_can_be_cancelled(page, sandbox):
    answered = hold(sandbox, method="POST", path="attachments")
    send_with_files(page, "Never mind the file.", TEXT_FILE)
    while not sent_calls(sandbox):  # otherwise the cancelled file may arrive after the text
        page.wait_for_timeout(20)
    page.get_by_role("button", name="Remove", exact=True).click()
    expect(page.get_by_role("progressbar")).to_have_count(0)
    assert "messages" not in sent_calls(sandbox)
    page.get_by_role("button", name="Send reply").click()
    expect_sent(page)
    assert sent_calls(sandbox) == ["attachments", "messages"]
    answered.set()


def press_remove_when_the_file_is_up(page, sandbox, **fault):
    sandbox.clear_calls()
    answered = hold(sandbox, method="POST", path="attachments", **fault)
    write_with_files(page, "With a file?", TEXT_FILE)
    while not sent_calls(sandbox):
        page.wait_for_timeout(20)
    page.get_by_role("button", name="Remove", exact=True).click()
    file = page.get_by_role("listitem").filter(has_text="notes.txt")
    expect(file.get_by_role("alert")).to_contain_text("It may be attached already")
    expect(file.get_by_role("progressbar")).to_have_count(0)
    answered.set()
    return file


def test_a_file_that_hostup_may_have_already_is_not_hidden_until_it_turns_out_not_to(page, sandbox):
    page.goto(PAGE)
    file = press_remove_when_the_file_is_up(page, sandbox, name="problem_403")
    expect(file.get_by_role("alert")).to_contain_text("Your API key does not allow this")
    file.get_by_role("button", name="Remove", exact=True).click()
    expect(file).to_have_count(0)
    page.get_by_role("button", name="Send reply").click()
    expect(page.get_by_text("Sent.", exact=True)).to_be_visible()
    assert sent_calls(sandbox) == ["attachments", "messages"]

    file = press_remove_when_the_file_is_up(page, sandbox)
    expect(file).to_contain_text("Attached.")  # HostUp has answered
    expect(file.get_by_role("button")).to_have_count(0)
    expect(page.get_by_role("button", name="Send reply")).to_be_visible()
    assert sent_calls(sandbox) == ["attachments"], "what is to go out now is for the agent to say"
    page.get_by_role("button", name="Send reply").click()
    expect(page.get_by_text("Sent.", exact=True)).to_be_visible()
    assert attached_at_hostup(sandbox) == ["notes.txt"]


def test_a_page_of_a_proxy_is_neither_attached_nor_sent(page, sandbox):
    page.goto(PAGE)
    row_link(page).wait_for()
    answers = list(ANSWERS_OF_A_PROXY.values())
    page.route(re.compile("/(upload|reply)/"), lambda route: route.fulfill(**answers[-1]))
    while answers:
        write_with_files(page, "With a file.", TEXT_FILE)
        file = page.get_by_role("listitem").filter(has_text="notes.txt")
        expect(file.get_by_role("status")).to_have_text("The dashboard cannot be reached.")
        expect(page.get_by_text("Sign in", exact=True).filter(visible=True)).to_have_count(0)
        file.get_by_role("button", name="Remove", exact=True).click()
        page.get_by_role("button", name="Send reply").click()
        expect(page.get_by_role("alert")).to_contain_text("The dashboard cannot be reached")
        expect(box(page)).to_have_value("With a file.")
        page.get_by_role("button", name="Dismiss").click()
        answers.pop()
    assert sent_calls(sandbox) == []


def send_by_keyboard(page, text):
    box(page).fill(text)
    page.get_by_role("button", name="Send reply").press("Enter")


def test_what_is_wrong_with_a_text_is_said_until_it_is_another(page):
    page.goto(PAGE)
    refused = {
        "": "Write something before you send it.",
        "x" * 100_001: "Too long: 100001 characters, and at most 100000",
    }
    for text, said in refused.items():
        send_by_keyboard(page, text)
        expect(page.get_by_role("alert")).to_contain_text(said)
        box(page).fill("Something.")
        expect(page.get_by_text("Draft saved.")).to_be_visible()
        expect(page.get_by_role("alert")).to_have_count(0)


@SCREENS
def test_without_javascript_a_refusal_is_in_view(new_context, sign_ins, sandbox, screen):
    page = new_context(storage_state=sign_ins[AGENT], java_script_enabled=False).new_page()
    page.goto(f"/tickets/{LONG_THREAD_ID}/")
    box(page).fill("Bye.")
    ticket = sandbox.tickets.find(LONG_THREAD_ID)
    sandbox.tickets.add_message(ticket, sender="staff", sender_name="Ola Demo", body="Wait, one more thing.")
    page.get_by_role("button", name="Send reply").click()
    expect(page.get_by_role("alert")).to_contain_text("the ticket has changed")
    expect(page.get_by_role("alert")).to_be_in_viewport()


@SCREENS
def test_without_javascript_with_a_file(new_context, sign_ins, sandbox, screen):
    page = new_context(storage_state=sign_ins[AGENT], java_script_enabled=False).new_page()
    page.goto(f"/tickets/{SAMPLE_ID}/")
    expect(page.get_by_text("Loading tickets…").filter(visible=True)).to_have_count(0)
    if screen == "desktop":
        assert page.get_by_role("link", name="All tickets").bounding_box()["x"] >= 16
    box(page).fill("No script here.")
    page.get_by_label("Attach files").set_input_files(TEXT_FILE)
    page.get_by_role("button", name="Reopen and reply").click()
    expect(page.get_by_role("status")).to_contain_text("Reopened and sent.")
    expect(page.get_by_text("No script here.")).to_be_visible()
    expect(page.get_by_role("link", name="notes.txt")).to_be_visible()
    assert sent_calls(sandbox) == ["reopen", "attachments", "messages"]


def test_a_file_that_may_be_attached_goes_up_again_only_when_that_is_asked_for(page, sandbox):
    sandbox.fault("lost_answer", method="POST", path="attachments", times=2)
    send_with_files(page, "With a file?", TEXT_FILE)
    expect(page.get_by_role("alert")).to_contain_text("We do not know whether notes.txt was attached")
    remove = page.get_by_role("button", name="Remove", exact=True)
    page.get_by_role("button", name="Send reply").click()
    expect(remove).to_be_focused()
    assert sent_calls(sandbox) == ["attachments"]
    with page.expect_response(re.compile("/upload/")):
        page.get_by_role("button", name="Retry").click()
    remove.click()
    page.get_by_role("button", name="Send reply").click()
    expect(page.get_by_text("Sent.", exact=True)).to_be_visible()
    assert sent_calls(sandbox) == ["attachments"] * 2 + ["messages"]


def test_that_a_secret_lies_open_is_said_until_it_is_dismissed(page, sandbox):
    page.goto(PAGE)
    row_link(page).wait_for()
    in_clear = {"encrypted": False}
    sandbox.fault(method="POST", path="messages", transform=lambda message: message | in_clear)
    sandbox.fault(
        method="GET",
        path="/tickets/tkt_",
        skip=1,
        transform=lambda ticket: ticket | {"messages": [message | in_clear for message in ticket["messages"]]},
    )
    box(page).fill("Secret.")
    page.get_by_label("Send encrypted").check()
    box(page).press("Control+Enter")
    said = page.get_by_role("alert")
    expect(said).to_contain_text(
        "HostUp did not encrypt it. Any password or other secret in it should now be changed."
    )
    expect(said).to_contain_text("#149999")
    box(page).fill("It was 1234.")
    box(page).press("Meta+Enter")  # as on a Mac
    expect(page.get_by_text("Sent.", exact=True)).to_be_visible()
    row_link(page).click()
    reopen(page).click()
    expect(page.get_by_text("Reopened.")).to_be_visible()
    page.get_by_role("button", name="Select", exact=True).click()
    expect(page.get_by_text("0 selected")).to_be_visible()
    expect(said).to_be_visible()
    said.get_by_role("button", name="Dismiss").click()
    expect(said).to_have_count(0)


def test_that_a_secret_lies_open_is_said_with_the_number_of_a_ticket_that_was_left_meanwhile(page, sandbox):
    page.goto(PAGE)
    answered, in_clear = Event(), {"encrypted": False}
    sandbox.fault(
        method="POST", path="messages", transform=lambda message: answered.wait(60) and message | in_clear
    )
    sandbox.fault(
        method="GET",
        path=ENCRYPTED_ID,
        skip=1,
        transform=lambda ticket: ticket | {"messages": [message | in_clear for message in ticket["messages"]]},
    )
    box(page).fill("Secret.")
    page.get_by_label("Send encrypted").check()
    page.get_by_role("button", name="Send reply").click()
    page.get_by_role("listitem").get_by_role("link").nth(3).click()
    expect(box(page)).to_have_value("")
    answered.set()
    said = (
        "#149999: Sent. But HostUp did not encrypt it. Any password or other secret in it should now be changed."
    )
    expect(page.get_by_role("alert").get_by_role("heading")).to_have_text(said)


def test_what_was_done_with_a_ticket_that_was_left_meanwhile_is_said_with_its_number(page, sandbox):
    page.goto(PAGE)
    said = page.get_by_role("status").filter(has=page.get_by_role("button", name="Dismiss"))
    answered = hold(sandbox, method="POST", path="messages")
    send_by_keyboard(page, "Are you there?")
    row_link(page).click()
    expect(heading(page)).to_be_visible()
    answered.set()
    expect(said).to_contain_text("#149999 Sent.")
    answered = hold(sandbox, "problem_409", method="POST", path="messages")
    box(page).fill("And now?")
    page.get_by_role("button", name="Reopen and reply").click()
    page.get_by_role("listitem").get_by_role("link").nth(3).click()
    expect(heading(page)).to_have_count(0)
    answered.set()
    alert = page.get_by_role("alert").filter(has_text="#149943: The ticket's state does not allow that")
    expect(alert.get_by_role("link")).to_have_text(["View ticket"])
    answered = hold(sandbox, method="POST", path="close")
    alert.get_by_role("link").click()
    close(page).click()
    page.get_by_role("listitem").get_by_role("link").nth(3).click()
    expect(heading(page)).to_have_count(0)
    answered.set()
    expect(said).to_contain_text("#149943 Closed.")


@pytest.mark.parametrize("screen", ["phone"])
def test_that_a_draft_is_saved_moves_no_button(page):
    page.goto("/tickets/150013/")
    box(page).fill("Half a sentence")
    send = page.get_by_role("button", name="Send reply")
    before = send.bounding_box()
    expect(page.get_by_text("Draft saved.")).to_be_visible()
    assert send.bounding_box() == before
