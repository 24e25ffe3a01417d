"""axe-core finds nothing on any page, by its own rules and those of WCAG 2.2 AA, in light and dark."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from sandbox.special_tickets import LONG_TEXT_ID, SAMPLE_NUMBER
from tests.browser.conftest import SCREENS
from tests.browser.places import PLACES
from tests.browser.steps import SUBJECT, TICKET, close, heading, row, row_link

# To axe-core, which is slow, these look like other pages.
LEFT_OUT = ("first key", "long text", "long thread", "services", "nothing but nulls", "sign out")
# The list is the same beside every ticket: a few of its rows, once alone and once with one marked, are enough.
WITH_LIST = ("list", "ticket")
ALIKE = ".ticket-row:nth-child(n + 12)"
# Of the rules for WCAG 2.2 AA, this is the one that axe-core leaves out unless asked for.
OPTIONS = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}
COLOURS = ["color-contrast", "link-in-text-block"]  # all that can differ between light and dark
# Returns what has the focus if something else covers all of it.
COVERED = """() => {
  const focused = document.activeElement;
  if (focused === document.body) return null;
  const place = focused.closest(".ticket-row") ?? focused; // a row is pressed anywhere
  const { x, y, width, height } = focused.getBoundingClientRect();
  const middle = Math.min(x + width / 2, innerWidth - 1);
  const isSeen = [y + 2, y + height / 2, y + height - 2].some((at) => {
    const there = document.elementFromPoint(middle, at);
    return there && (place.contains(there) || there.contains(focused));
  });
  return isSeen ? null : `${focused.localName} ${focused.textContent.trim().slice(0, 30)}`;
}"""


@pytest.mark.parametrize("place", [place for place in PLACES if place not in LEFT_OUT])
def test_axe_finds_nothing(open_place, place):
    page = open_place(place)
    page.evaluate(Axe().axe_script)
    found, grounds = [], {}
    for screen in ("desktop", "phone"):
        page.set_viewport_size(SCREENS[screen]["viewport"])
        for scheme, options in {"light": OPTIONS, "dark": OPTIONS | {"runOnly": COLOURS}}.items():
            page.emulate_media(color_scheme=scheme)
            grounds[scheme] = page.evaluate("getComputedStyle(document.body).backgroundColor")
            of = {"exclude": [ALIKE if place in WITH_LIST else "#tickets"]}
            for violation in page.evaluate("(arguments) => axe.run(...arguments)", [of, options])["violations"]:
                nodes = [f"  {node['html']}\n    {node['failureSummary']}" for node in violation["nodes"][:3]]
                found += [f"{screen}, {scheme}: {violation['id']}: {violation['help']}", *nodes]
    assert not found, "\n".join(found)
    assert grounds["light"] != grounds["dark"]
    # To Safari a list without markers is no list, unless its role says so.
    lists = page.locator("main :is(ul, ol):not(.errorlist)")
    assert set(lists.evaluate_all("lists => lists.map(list => list.role)")) <= {"list"}


def test_with_forced_colours_the_place_the_open_row_and_our_turn_are_told(page):
    page.emulate_media(forced_colors="active")
    page.goto(TICKET)
    expect(row_link(page)).to_have_attribute("aria-current", "true")

    def edge(element, side):
        return element.evaluate(f"element => getComputedStyle(element).border{side}Color")

    ground = page.locator("body").evaluate("body => getComputedStyle(body).backgroundColor")
    places = page.get_by_role("navigation").get_by_role("link")
    here, elsewhere = places.filter(has_text="Tickets"), places.filter(has_text="Activity")
    assert edge(elsewhere, "Bottom") == edge(here, "Top") == ground != edge(here, "Bottom")
    edges = [edge(row(page, number), "Left") for number in (SAMPLE_NUMBER, 150013, 150027)]  # open, ours, HostUp's
    assert edges[2] == ground
    assert len(set(edges)) == 3


def test_a_field_is_called_by_its_label_and_nothing_else(page):
    page.goto(TICKET)
    expect(row_link(page)).to_be_visible()
    for label in ("Status", "Department", "Go to ticket", "Reply", "Attach files", "Send encrypted"):
        expect(page.get_by_label(label)).to_have_count(1)
    expect(page.get_by_role("heading", name=SUBJECT)).to_have_count(1)  # a row has a link, not a heading


# Returns what has the focus if no frame shows it.
UNFRAMED = """() => {
  const focused = document.activeElement;
  const isFramed = (part) => part && getComputedStyle(part).outlineStyle !== "none";
  if (focused === document.body || isFramed(focused) || isFramed(focused.closest(".ticket-row"))) return null;
  return `no frame: ${focused.localName} ${focused.textContent.trim().slice(0, 30)}`;
}"""


def test_zoomed_in_nothing_covers_what_has_the_focus(page):
    def covered(start):
        start.focus()
        found = []
        for key in ["Tab"] * 14 + ["Shift+Tab"] * 14:
            page.keyboard.press(key)
            found += [page.evaluate(COVERED), page.evaluate(UNFRAMED)]
        return [*filter(None, found)]

    sizes = [{"width": 640, "height": 400}, {"width": 320, "height": 200}]  # 1280 x 800 at 200 and 400 %
    page.goto(f"/tickets/{LONG_TEXT_ID}/")
    for size in sizes:
        page.set_viewport_size(size)
        assert covered(close(page)) == [], size
    page.goto("/tickets/")
    page.get_by_role("button", name="Select", exact=True).click()
    for size in sizes:
        page.set_viewport_size(size)
        assert covered(page.get_by_role("checkbox", name="Select ticket").first) == [], size


@pytest.mark.parametrize("screen", ["phone"])
def test_what_gets_the_focus_comes_out_from_under_the_bar(page):
    page.set_viewport_size({"width": 390, "height": 500})
    page.goto(TICKET)
    page.get_by_role("textbox", name="Reply").focus()
    files = page.get_by_label("Attach files")
    files.evaluate("files => scrollBy(0, files.getBoundingClientRect().bottom - innerHeight)")
    page.keyboard.press("Tab")
    expect(files).to_be_focused()
    assert page.evaluate(COVERED) is None


def test_from_a_ticket_its_row_is_one_step_away(page):
    page.goto("/tickets/")
    row_link(page).press("Enter")
    expect(heading(page)).to_be_focused()
    expect(page.get_by_role("link", name="← Tickets")).not_to_be_in_viewport()
    page.keyboard.press("Shift+Tab")
    expect(page.get_by_role("link", name="← Tickets")).to_be_in_viewport(ratio=1)
    page.keyboard.press("Enter")
    expect(row_link(page)).to_be_focused()
    expect(heading(page)).to_be_visible()  # the ticket stays open


def test_up_the_list_by_keyboard_nothing_hides_under_its_head(page):
    page.goto("/tickets/")
    row(page, 149698).get_by_role("link").focus()
    for _ in range(50):
        page.keyboard.press("Shift+Tab")
        assert page.evaluate(COVERED) is None


def test_what_a_new_page_says_comes_into_it_and_so_is_read_out(page):
    page.add_init_script("""addEventListener("DOMContentLoaded", () => {
      const toasts = document.querySelector("#toasts");
      new MutationObserver(() => (window.isSaid = true)).observe(toasts, { childList: true });
    })""")
    page.goto("/settings/key/")
    page.get_by_role("button", name="Check key").click()
    expect(page.get_by_role("status")).to_contain_text("HostUp accepts")
    page.wait_for_function("() => window.isSaid")
