"""Nothing on any page for axe-core to find: its own rules and those of WCAG 2.2 AA, in light and dark."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.places import PLACES
from tests.browser.steps import TICKET

# These look like others to axe-core, and it takes its time.
LEFT_OUT = ("first key", "long text", "services", "nothing but nulls", "sign out")
# The list beside a ticket is the same everywhere; once alone and once with a row marked will do.
WITH_LIST = ("list", "ticket")
# Of the rules for WCAG 2.2 AA, this is the one that axe-core leaves out unless asked for.
OPTIONS = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}
COLOURS = ["color-contrast", "link-in-text-block"]  # all that can differ between light and dark


@pytest.mark.parametrize("screen", ["desktop", "phone"])
@pytest.mark.parametrize("place", [place for place in PLACES if place not in LEFT_OUT])
def test_axe_finds_nothing(open_place, place):
    page = open_place(place)
    without_list = None if place in WITH_LIST else {"exclude": ["#tickets"]}
    found = []
    for scheme, options in {"light": OPTIONS, "dark": OPTIONS | {"runOnly": COLOURS}}.items():
        page.emulate_media(color_scheme=scheme)
        for violation in Axe().run(page, without_list, options).response["violations"]:
            nodes = [f"{node['html']}\n    {node['failureSummary']}" for node in violation["nodes"][:3]]
            found.append(f"{scheme}: {violation['id']}: {violation['help']}\n  " + "\n  ".join(nodes))
    assert not found, "\n".join(found)


def test_a_field_is_called_by_its_label_and_nothing_else(page):
    page.goto(TICKET)
    for label in ("Status", "Department", "Go to ticket", "Reply", "Attach files", "Send encrypted"):
        expect(page.get_by_label(label, exact=True)).to_have_count(1)
