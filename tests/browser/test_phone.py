"""In one hand: nothing scrolls sideways, and controls are large enough for a thumb."""

import re
from itertools import product

import pytest
from playwright.sync_api import expect

from sandbox.special_tickets import ATTACHMENTS_ID, LONG_THREAD_ID, SERVICES_ID
from tests.browser.places import PLACES
from tests.browser.steps import TICKET, close, row, toast

WIDTH = 360
THUMB = 44  # CSS pixels
UNZOOMED = 16  # CSS pixels: Safari zooms into fields with smaller letters, and does not zoom out

# Returns the name and shorter side of each visible control. Links in a text do not count.
CONTROLS = """() =>
  [...document.querySelectorAll(`button, .button, input, select, nav a, header a, .ticket-row a,
    .ticket-facts a, .ways-to a, .sheet > p > a:only-child`)]
  .filter((control) => control.checkVisibility() && control.type !== "hidden" && !control.matches(".skip-link"))
  .map((control) => {
    // A row is pressed anywhere, and a box by its label.
    const row = control.matches("a") && control.closest(".ticket-row");
    const label = control.type === "checkbox" && control.labels[0];
    const { width, height } = (row || label || control).getBoundingClientRect();
    return [control.textContent.trim() || control.name, Math.min(width, height)];
  })"""
# Returns the controls that overlap, except those that lie over the page or all over a row.
OVERLAPPING = """() => {
  const controls = [...document.querySelectorAll("main :is(a, button, input, select, textarea)")]
    .filter((control) => control.checkVisibility({visibilityProperty: true}) && control.type !== "hidden")
    .filter((control) => !control.closest(".ticket-actions, .ticket-row"))
    .map((control) => [control, control.getBoundingClientRect()]);
  const depth = (one, other) => Math.min(
    one.right - other.left, other.right - one.left, one.bottom - other.top, other.bottom - one.top);
  return controls.flatMap(([one, box], index) => controls.slice(index + 1)
    .filter(([other, its]) => !one.contains(other) && depth(box, its) > 0.5)
    .map(([other, its]) => [one.textContent.trim(), other.textContent.trim(), depth(box, its)]));
}"""
# Returns the name of each field, and the size of its letters.
FIELDS = """() => [...document.querySelectorAll("input:not([type=checkbox], [type=file]), select, textarea")]
  .filter((field) => field.checkVisibility() && field.type !== "hidden")
  .map((field) => [field.name, parseFloat(getComputedStyle(field).fontSize)])"""
TOO_WIDE = """(width) => [...document.querySelectorAll("body *")]
  .filter((element) => element.getBoundingClientRect().right > width + 0.5 && !element.closest(".scrolling"))
  .map((element) => `${element.localName}.${element.className} ${element.getBoundingClientRect().right}`)
  .slice(0, 5)"""
LARGE_TEXT = "(percent) => document.documentElement.style.fontSize = `${percent}%`"
# Returns the words in headings and controls that are broken in the middle.
BROKEN_WORDS = """(elements) => (elements ?? [...document.querySelectorAll("h1, header *, button, .button")])
  .flatMap((element) => [...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE))
  .flatMap((text) => [...text.data.matchAll(/[^\\s-]+/g)].filter(({ 0: word, index }) => {
    const range = new Range();
    range.setStart(text, index);
    range.setEnd(text, index + word.length);
    return range.getClientRects().length > 1;
  })).map(([word]) => word)"""


def sideways(page, width):
    """Return what makes a page scroll sideways, if it does."""
    is_wider = page.evaluate("document.scrollingElement.scrollWidth") > width
    return is_wider and (page.evaluate(TOO_WIDE, width) or "the page")


@pytest.mark.parametrize("screen", ["small phone"])
@pytest.mark.parametrize("place", PLACES)
def test_a_page_fits_a_small_phone_and_a_thumb_with_large_text_too(open_place, place):
    page = open_place(place)
    assert not sideways(page, WIDTH)
    assert [(name, side) for name, side in page.evaluate(CONTROLS) if side < THUMB] == []
    assert [(name, size) for name, size in page.evaluate(FIELDS) if size < UNZOOMED] == []
    for width, percent in product((320, 360, 390), (100, 130, 150, 200)):
        page.set_viewport_size({"width": width, "height": 640})
        page.evaluate(LARGE_TEXT, percent)
        assert not sideways(page, width), (width, percent)
        assert percent > 100 or page.evaluate(OVERLAPPING) == [], width


@pytest.mark.parametrize("screen", ["small phone"])
@pytest.mark.parametrize(
    "cc", ["CC", pytest.param("Kopia", marks=pytest.mark.browser_context_args(locale="sv-SE"))]
)
def test_no_label_of_a_ticket_falls_apart(page, cc):
    page.goto(f"/tickets/{SERVICES_ID}/")
    labels = page.get_by_role("term")
    expect(labels.filter(has_text=cc)).to_be_visible()
    for width, percent in product((320, 360, 390), (100, 150, 200)):
        page.set_viewport_size({"width": width, "height": 640})
        page.evaluate(LARGE_TEXT, percent)
        assert labels.evaluate_all(BROKEN_WORDS) == [], (width, percent)
        assert not sideways(page, width), (width, percent)


@pytest.mark.browser_context_args(locale="sv-SE")
@pytest.mark.parametrize("screen", ["small phone", "desktop"])
def test_no_word_falls_apart_beside_a_draft(page, screen):
    page.goto("/tickets/new/")
    page.get_by_label("Meddelande").fill("Hej")
    expect(page.get_by_text("Utkast sparat.")).to_be_visible()
    page.goto("/tickets/")
    expect(row(page)).to_be_visible()
    for width, percent in product((320, 360, 390) if screen == "small phone" else (1024, 1280), (100, 150, 200)):
        page.set_viewport_size({"width": width, "height": 800})
        page.evaluate(LARGE_TEXT, percent)
        assert page.evaluate(BROKEN_WORDS) == [], (width, percent)
        assert not sideways(page, width), percent


@pytest.mark.parametrize("language", ["en-GB", "sv-SE"])
@pytest.mark.parametrize("with_javascript", [True, False])
def test_no_word_of_what_became_of_a_row_falls_apart(new_context, sign_ins, language, with_javascript):
    language = {"Accept-Language": language}
    context = new_context(
        storage_state=sign_ins["agent"], extra_http_headers=language, java_script_enabled=with_javascript
    )
    page = context.new_page()
    page.goto("/tickets/")
    row(page).get_by_role("button").click()
    expect(toast(page)).to_contain_text("#149943")
    for width in (320, 360, 390, 1024, 1280, 1440):
        page.set_viewport_size({"width": width, "height": 800})
        assert toast(page).locator("*").evaluate_all(BROKEN_WORDS) == [], width
        assert not sideways(page, width), width


@pytest.mark.parametrize("screen", ["small phone"])
@pytest.mark.parametrize(
    "again", ["Close again", pytest.param("Stäng igen", marks=pytest.mark.browser_context_args(locale="sv-SE"))]
)
def test_what_undoes_a_reopen_is_one_line(page, again):
    page.goto("/tickets/")
    row(page).get_by_role("button").click()
    assert toast(page).get_by_role("button", name=again).bounding_box()["height"] == THUMB


@pytest.mark.parametrize("screen", ["small phone"])
def test_a_toast_with_a_long_name_can_be_dismissed(page):
    page.goto("/settings/key/")
    page.get_by_role("button", name="Check key").click()
    said = toast(page).get_by_text("key")
    said.evaluate("said => said.prepend('christoffer.svensson-lindqvist@kundtjanst.foretaget.example.se ')")
    expect(toast(page).get_by_role("button", name="Dismiss")).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize("screen", ["small phone"])
def test_with_large_text_close_and_reply_are_whole(page, sandbox):
    page.goto(f"/tickets/{LONG_THREAD_ID}/")
    for width, percent in product((320, 360, 390), (100, 150, 200)):
        page.set_viewport_size({"width": width, "height": 640})
        page.evaluate(LARGE_TEXT, percent)
        for control in (close(page), page.get_by_role("link", name="Reply", exact=True)):
            expect(control).to_be_in_viewport(ratio=1)
        page.get_by_role("button", name="Send reply").click(trial=True)
        assert page.evaluate(BROKEN_WORDS) == [], (width, percent)


@pytest.mark.parametrize("screen", ["small phone"])
def test_two_ways_to_a_file_do_not_touch(page, screen):
    page.goto(f"/tickets/{ATTACHMENTS_ID}/")
    download = page.get_by_role("link", name="invoice.pdf application/pdf").bounding_box()
    view = page.get_by_role("link", name="View invoice.pdf").bounding_box()
    beside = view["x"] - (download["x"] + download["width"])
    below = view["y"] - (download["y"] + download["height"])
    assert max(beside, below) >= 8


@pytest.mark.browser_context_args(locale="sv-SE")
@pytest.mark.parametrize("screen", ["small phone"])
def test_a_ticket_opens_with_some_of_what_was_written(page, screen):
    page.goto(TICKET)
    first_words = page.get_by_text("Hello, I have a question").bounding_box()
    actions = page.get_by_role("button", name="Återöppna ärendet").bounding_box()
    assert first_words["y"] + 20 < actions["y"]


@pytest.mark.browser_context_args(locale="sv-SE")
@pytest.mark.parametrize("screen", ["small phone"])
def test_with_many_facts_too_and_the_answer_is_one_link_away(page):
    page.goto("/tickets/150013/")
    first_words = page.get_by_text("Mail from info@").bounding_box()
    actions = page.get_by_role("button", name="Stäng ärendet", exact=True).bounding_box()
    assert first_words["y"] + 45 < actions["y"]  # two lines
    page.get_by_role("link", name="Nyaste meddelandet").tap()
    expect(page.get_by_text("Mail from you leaves by another server now")).to_be_in_viewport()
    expect(page.get_by_text("diskUsedMb")).to_be_in_viewport()


@pytest.mark.browser_context_args(locale="sv-SE")
@pytest.mark.parametrize("screen", ["small phone"])
def test_what_was_written_stays_where_it_is_when_the_status_changes(page):
    page.goto(TICKET)
    first_words = page.get_by_text("Hello, I have a question")
    before = first_words.bounding_box()
    page.get_by_role("button", name="Återöppna ärendet", exact=True).click()
    expect(toast(page)).to_contain_text("Återöppnat.")
    assert first_words.bounding_box() == before


@pytest.mark.browser_context_args(locale="sv-SE")
@pytest.mark.parametrize("screen", ["small phone"])
def test_a_row_with_a_draft_stays_as_high_when_it_is_reopened(page):
    page.goto("/tickets/150020/")
    page.get_by_role("textbox", name="Svara").fill("Hej")
    expect(page.get_by_text("Utkast sparat.")).to_be_visible()
    page.goto("/tickets/")
    height = row(page, 150020).bounding_box()["height"]
    row(page, 150020).get_by_role("button").click()
    expect(toast(page)).to_contain_text("Återöppnat.")
    assert row(page, 150020).bounding_box()["height"] == height


def test_beside_the_list_too_what_was_answered_is_in_view(page):
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto("/tickets/150013/")
    expect(page.get_by_text("Mail from you leaves by another server now")).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize("screen", ["phone"])
def test_far_down_a_thread_a_refusal_and_a_success_are_both_seen(page, sandbox):
    page.goto(f"/tickets/{LONG_THREAD_ID}/")
    for fault, said in {"problem_409": "state does not allow", "problem_403": "does not allow this"}.items():
        page.get_by_text("Shall we close?").scroll_into_view_if_needed()
        sandbox.fault(fault, method="POST")
        close(page).tap()
        expect(page.get_by_role("alert")).to_contain_text(said)
        expect(page.get_by_role("alert")).to_be_in_viewport()

    page.get_by_text("Shall we close?").scroll_into_view_if_needed()
    close(page).tap()
    expect(toast(page)).to_contain_text("Closed.")
    expect(toast(page)).to_be_in_viewport()
    expect(page.get_by_role("alert")).to_have_count(0)


@pytest.mark.browser_context_args(locale="sv-SE")
@pytest.mark.parametrize("screen", ["small phone"])
@pytest.mark.parametrize(
    ("address", "press", "undo", "below"),
    [
        (TICKET, "Återöppna ärendet", "Stäng igen", "Stäng ärendet"),
        ("/tickets/150006/", "Stäng ärendet", "Återöppna", "Återöppna ärendet"),
    ],
)
def test_with_large_text_a_toast_is_whole_and_over_no_button(page, address, press, undo, below):
    page.goto(address)
    page.get_by_role("button", name=press, exact=True).click()
    below = page.get_by_role("button", name=below, exact=True)
    expect(below).to_be_visible()
    for width, percent in product((320, 360), (100, 130, 200)):
        page.set_viewport_size({"width": width, "height": 640})
        page.evaluate(LARGE_TEXT, percent)
        for name in (undo, "Dölj"):
            expect(toast(page).get_by_role("button", name=name, exact=True)).to_be_in_viewport(ratio=1)
        box = toast(page).bounding_box()
        assert box["y"] + box["height"] <= below.bounding_box()["y"], (width, percent)
        page.get_by_role("button", name=re.compile("Skicka svar|Återöppna och svara")).click(trial=True)
        assert toast(page).locator("*").evaluate_all(BROKEN_WORDS) == [], (width, percent)


@pytest.mark.browser_context_args(locale="sv-SE")
@pytest.mark.parametrize("screen", ["small phone", "desktop"])
def test_a_draft_of_a_new_ticket_moves_nothing_of_the_list(page, screen):
    sizes = list(product((360, 390) if screen == "small phone" else (1024,), (100, 200)))

    def places():
        page.goto("/tickets/")
        expect(row(page)).to_be_visible()
        for width, percent in sizes:
            page.set_viewport_size({"width": width, "height": 800})
            page.evaluate(LARGE_TEXT, percent)
            yield page.get_by_role("button", name="Markera").bounding_box(), row(page).bounding_box()

    without_draft = list(places())
    page.goto("/tickets/new/")
    page.get_by_label("Meddelande").fill("Hej")
    expect(page.get_by_text("Utkast sparat.")).to_be_visible()
    assert list(places()) == without_draft
    expect(page.get_by_role("link", name="Nytt ärende Utkast")).to_be_visible()
