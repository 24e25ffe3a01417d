"""In one hand: nothing scrolls sideways, and what is pressed is large enough for a thumb."""

import pytest
from playwright.sync_api import expect

from sandbox.special_tickets import LONG_THREAD_ID
from tests.browser.places import PLACES
from tests.browser.steps import close, toast

WIDTH = 360
THUMB = 44  # CSS pixels

# The controls, as distinct from links in a text: name and height of each that shows.
CONTROLS = """() =>
  [...document.querySelectorAll("button, .button, input, select, nav a, header a, .ticket-row a")]
  .filter((control) => control.checkVisibility() && control.type !== "hidden" && !control.matches(".skip-link"))
  .map((control) => {
    // A row is pressed anywhere, and a box by its label.
    const row = control.matches("a") && control.closest(".ticket-row");
    const area = row || control.closest("label.check") || control;
    return [control.textContent.trim() || control.name, area.getBoundingClientRect().height];
  })"""
TOO_WIDE = """(width) => [...document.querySelectorAll("body *")]
  .filter((element) => element.getBoundingClientRect().right > width + 0.5 && !element.closest(".scrolling"))
  .map((element) => `${element.localName}.${element.className} ${element.getBoundingClientRect().right}`)
  .slice(0, 5)"""


@pytest.mark.parametrize("screen", ["small phone"])
@pytest.mark.parametrize("place", PLACES)
def test_a_page_fits_a_small_phone_and_a_thumb(open_place, place):
    page = open_place(place)
    width = page.evaluate("document.scrollingElement.scrollWidth")
    assert width <= WIDTH, page.evaluate(TOO_WIDE, WIDTH)
    assert [(name, height) for name, height in page.evaluate(CONTROLS) if height < THUMB] == []


@pytest.mark.parametrize("screen", ["phone"])
@pytest.mark.parametrize("fault", ["problem_409", "problem_403"])
def test_far_down_a_thread_a_refusal_and_a_success_are_both_seen(page, sandbox, fault):
    page.goto(f"/tickets/{LONG_THREAD_ID}/")
    page.get_by_text("Shall we close?").scroll_into_view_if_needed()
    sandbox.fault(fault, method="POST")
    close(page).tap()
    expect(page.get_by_role("alert")).to_be_in_viewport()

    page.get_by_text("Shall we close?").scroll_into_view_if_needed()
    close(page).tap()
    expect(toast(page)).to_contain_text("Closed.")
    expect(toast(page)).to_be_in_viewport()
    expect(page.get_by_role("alert")).to_have_count(0)
