"""The log in a real browser: what came of it is in view, however long the names are."""

import pytest
from playwright.sync_api import expect

from tests.browser.places import open_activity

LONG_NAME = "maria.magdalena.palmqvist-andersson@a-company-with-a-name.example"


@pytest.mark.parametrize("column", [2, 3])
@pytest.mark.parametrize("width", [1024, 1280])
def test_a_long_name_leaves_the_outcome_in_view(page, column, width):
    page.set_viewport_size({"width": width, "height": 800})
    open_activity(page)
    page.get_by_role("cell").nth(column - 1).evaluate("(cell, name) => cell.append(`: ${name}`)", LONG_NAME)
    expect(page.get_by_role("cell", name="Done", exact=True)).to_be_in_viewport(ratio=1)
    table = page.get_by_role("region", name="Activity")
    assert table.evaluate("table => table.scrollWidth <= table.clientWidth")
