"""The log in a real browser: the outcomes are in view, however long the names are."""

from playwright.sync_api import expect

from tests.browser.places import open_activity

LONG_NAME = "maria.magdalena.palmqvist-andersson@a-company-with-a-name.example"


def test_a_long_name_leaves_the_outcome_in_view(page):
    open_activity(page)
    table = page.get_by_role("region", name="Activity")
    for column in (2, 3):
        cell = page.get_by_role("cell").nth(column - 1)
        cell.evaluate("(cell, name) => cell.append(`: ${name}`)", LONG_NAME)
        for width in (1024, 1280):
            page.set_viewport_size({"width": width, "height": 800})
            expect(page.get_by_role("cell", name="Done", exact=True)).to_be_in_viewport(ratio=1)
            assert table.evaluate("table => table.scrollWidth <= table.clientWidth"), (column, width)
        cell.evaluate("cell => cell.lastChild.remove()")
