"""A new ticket in a real browser: errors at their fields, the text kept, and one ticket however it is pressed."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.steps import (
    ANSWERS_OF_A_PROXY,
    calls,
    expect_nothing_more,
    expect_whole_page,
    heading,
    hold,
    posts,
    press_enter_twice,
    row,
    sign_in,
    toast,
)

SUBJECT = "The invoice came twice"
VAGUE = {
    "status": 400,
    "code": "invalid_request",
    "detail": "The request is not valid.",
    "requestId": "req_vague",
    "errors": [{"pointer": "/subject", "detail": "Say more.", "code": "x"}],
}


def fill_in(page, subject=SUBJECT):
    page.get_by_label("Department").select_option("Billing")
    page.get_by_label("Subject").fill(subject)
    page.get_by_label("Message").fill("We got it twice.\nWhy?")
    page.get_by_label("Priority").select_option("High")


def create(page):
    return page.get_by_role("button", name="Create ticket")


def expect_created(page, sandbox, subject=SUBJECT):
    expect(page).to_have_url(re.compile(r"/tickets/tkt_\w+/$"))
    expect(heading(page, subject)).to_be_visible()
    expect(toast(page)).to_have_text(re.compile(r"^\s*Ticket created\.\W*$"))
    expect_whole_page(page)
    assert len([ticket for ticket in sandbox.tickets.all_tickets() if ticket.subject == subject]) == 1


@pytest.mark.parametrize(("screen", "with_javascript"), [("phone", True), ("desktop", False)])
def test_an_error_stands_at_its_field_and_then_it_works(new_context, sign_ins, sandbox, screen, with_javascript):
    page = new_context(java_script_enabled=with_javascript, storage_state=sign_ins["agent"]).new_page()
    page.goto("/tickets/new/")
    create(page).click()
    for label, said in {
        "Department": "Choose a department.",
        "Subject": "Say in a few words what it is about.",
        "Message": "Write something before you send it.",
    }.items():
        expect(page.get_by_label(label)).to_have_accessible_description(re.compile(re.escape(said)))
    assert posts(sandbox) == []

    fill_in(page)
    sandbox.fault(status=400, body=VAGUE, method="POST")
    create(page).click()
    expect(page.get_by_role("alert")).to_contain_text("The ticket was not created.")
    expect(page.get_by_role("alert")).to_contain_text("req_vague")
    subject = page.get_by_label("Subject")
    expect(subject).to_have_accessible_description(re.compile("Say more."))
    expect(subject).to_have_attribute("aria-invalid", "true")
    expect(subject).to_be_focused()
    expect(subject).to_have_value(SUBJECT)
    expect(page.get_by_label("Message")).to_have_value("We got it twice.\nWhy?")
    expect(page.get_by_label("Department")).to_have_value("billing")
    expect(page.get_by_label("Priority")).to_have_value("high")
    expect_whole_page(page)

    create(page).click()
    expect_created(page, sandbox)
    assert posts(sandbox) == ["tickets", "tickets"]


@pytest.mark.parametrize("with_javascript", [True, False])
def test_pressed_twice_it_creates_one(new_context, sign_ins, sandbox, with_javascript):
    page = new_context(java_script_enabled=with_javascript, storage_state=sign_ins["agent"]).new_page()
    sandbox.fault(delay=1, method="POST", times=2)
    for subject, press_twice in {
        "Double click": lambda button: button.dblclick(),
        "Enter": press_enter_twice,
    }.items():
        page.goto("/tickets/new/")
        fill_in(page, subject)
        press_twice(create(page))
        expect_created(page, sandbox, subject)
    expect_nothing_more(page, sandbox, ["tickets", "tickets"])


def test_a_draft_is_kept_until_it_is_a_ticket(page, sandbox):
    page.goto("/tickets/new/")
    saved = []
    page.on("request", lambda request: request.url.endswith("/draft/") and saved.append(request))
    for label in ("Department", "Subject", "Message", "Priority"):
        page.get_by_label(label).focus()
    page.get_by_role("link", name="Tickets", exact=True).click()
    expect(page.get_by_role("heading", name="Tickets", exact=True)).to_be_visible()
    assert saved == [], "nothing was typed"

    page.get_by_role("link", name="New ticket", exact=True).click()
    fill_in(page)
    page.get_by_role("link", name="Tickets", exact=True).click()
    page.get_by_role("link", name="New ticket Draft").click()
    expect(page.get_by_label("Subject")).to_have_value(SUBJECT)
    expect(page.get_by_label("Message")).to_have_value("We got it twice.\nWhy?")
    expect(page.get_by_label("Department")).to_have_value("billing")
    create(page).click()
    expect_created(page, sandbox)
    expect(page.get_by_role("link", name="New ticket", exact=True)).to_be_visible()
    assert posts(sandbox) == ["tickets"]

    page.go_back()
    expect(create(page)).to_be_visible()
    for label, untouched in {"Department": "", "Subject": "", "Message": "", "Priority": "medium"}.items():
        expect(page.get_by_label(label)).to_have_value(untouched)


def test_the_last_words_are_kept_though_an_earlier_draft_comes_later(page):
    late = []
    page.goto("/tickets/new/")
    page.route("**/draft/", lambda route: late.append(route.request), times=1)  # as on a slow line
    with page.expect_request("**/draft/"):
        page.get_by_label("Message").fill("Typed")
    with page.expect_response("**/draft/"):
        page.get_by_label("Message").fill("Typed at a stretch")
    [request] = late
    headers = {name: request.headers[name] for name in ("content-type", "hx-request", "referer")}
    assert page.request.post(request.url, headers=headers, data=request.post_data).ok
    page.reload()
    expect(page.get_by_label("Message")).to_have_value("Typed at a stretch")


def test_a_draft_is_saved_after_an_error_too(page, sandbox):
    page.goto("/tickets/new/")
    page.get_by_label("Message").fill("First.")
    create(page).click()
    expect(page.get_by_role("alert")).to_contain_text("Check the fields that are marked.")
    with page.expect_response(re.compile("/tickets/new/draft/")):
        page.get_by_label("Message").fill("First. Second.")
    page.reload()
    expect(page.get_by_label("Message")).to_have_value("First. Second.")
    assert posts(sandbox) == []


def test_created_at_the_second_try_it_leaves_an_empty_form(page, sandbox):
    page.goto("/tickets/new/")
    fill_in(page)
    sandbox.fault("problem_409", method="POST")
    page.get_by_label("Message").press_sequentially(" Please.")
    page.keyboard.press("Control+Enter")  # before the last words are saved
    expect(page.get_by_role("alert")).to_contain_text("The ticket was not created.")
    create(page).click()
    expect_created(page, sandbox)
    page.goto("/tickets/new/")
    expect(page.get_by_label("Message")).to_have_value("")


def test_without_a_network_the_text_stays_and_is_saved_when_it_is_back(page, context, sandbox):
    page.goto("/tickets/new/")
    fill_in(page)
    expect(page.get_by_text("Draft saved.")).to_be_visible()

    def fails():
        return page.expect_event("requestfailed", lambda request: request.url.endswith("/draft/"))

    context.set_offline(True)
    page.get_by_label("Subject").fill("")
    with fails():
        page.get_by_label("Subject").press_sequentially("Typed offline")
    expect(page.get_by_role("alert")).to_be_visible()
    with fails():  # once more, because the field is left
        page.get_by_role("button", name="Dismiss").click()
    page.wait_for_timeout(200)
    expect(page.get_by_role("alert")).to_have_count(0)
    with fails():
        page.get_by_label("Priority").select_option("Low")
    expect(page.get_by_text("Draft saved.")).to_be_hidden()
    context.set_offline(False)
    expect(page.get_by_text("Draft saved.")).to_be_visible()
    page.reload()
    expect(page.get_by_label("Subject")).to_have_value("Typed offline")
    expect(page.get_by_label("Priority")).to_have_value("low")

    context.set_offline(True)
    create(page).click()
    expect(page.get_by_role("alert")).to_contain_text("The dashboard cannot be reached")
    expect(page.get_by_label("Message")).to_have_value("We got it twice.\nWhy?")
    context.set_offline(False)
    create(page).click()
    expect_created(page, sandbox, "Typed offline")


def test_what_was_typed_signed_out_shows_when_the_form_is_opened_again(page, context):
    page.goto("/tickets/new/")
    fill_in(page)
    expect(page.get_by_text("Draft saved.")).to_be_visible()
    context.clear_cookies(name="sessionid")
    page.get_by_label("Subject").fill("Typed signed out")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    sign_in(page, at="/")
    page.get_by_role("link", name="New ticket").click()
    expect(page.get_by_label("Subject")).to_have_value("Typed signed out")
    expect(page.get_by_label("Message")).to_have_value("We got it twice.\nWhy?")


def test_signed_in_anew_in_another_tab_creates_all_the_same(page, context, sandbox):
    page.goto("/tickets/new/")
    context.clear_cookies(name="sessionid")
    sign_in(context.new_page())
    fill_in(page)
    create(page).click()
    expect_created(page, sandbox)
    assert posts(sandbox) == ["tickets"]


@pytest.mark.parametrize("with_javascript", [True, False])
def test_the_reason_shows_when_it_is_critical(new_context, sign_ins, with_javascript):
    page = new_context(java_script_enabled=with_javascript, storage_state=sign_ins["agent"]).new_page()
    page.goto("/tickets/new/")
    reason = page.get_by_label("Why is it critical?")
    expect(reason).to_be_hidden()
    page.get_by_label("Priority").select_option("Critical")
    expect(reason).to_be_visible()
    expect(page.get_by_text("HostUp accepts one critical ticket an hour.")).to_be_visible()
    fill_in(page)
    expect(reason).to_be_hidden()
    page.get_by_label("Priority").select_option("Critical")
    create(page).click()
    expect(reason).to_be_focused()
    expect(reason).to_have_accessible_description(re.compile("Say how your customers are affected."))


@pytest.mark.parametrize("screen", ["phone"])
def test_go_to_ticket_opens_it_by_its_number(page, sandbox):
    page.goto("/tickets/")
    page.get_by_label("Go to ticket").fill("#149943")
    page.get_by_label("Go to ticket").press("Enter")
    expect(heading(page)).to_be_visible()
    expect(page).to_have_url(re.compile("/tickets/149943/$"))


def test_go_to_ticket_keeps_the_filters_and_the_list(page, sandbox):
    page.goto("/tickets/?department=billing")
    page.get_by_label("Department").select_option("All")
    page.get_by_label("Status").select_option("Closed")
    expect(page).to_have_url(re.compile(r"/tickets/\?status=closed$"))
    sandbox.clear_calls()
    page.get_by_label("Go to ticket").fill("150013")  # an answered ticket
    page.get_by_role("button", name="Go", exact=True).click()
    expect(page).to_have_url(re.compile(r"/tickets/150013/\?status=closed$"))
    expect(page.get_by_role("article").get_by_role("heading", level=1)).to_be_focused()
    assert calls(sandbox) == ["GET /tickets/150013"]
    page.go_back()
    expect(page.get_by_role("article")).to_have_count(0)
    expect(page.get_by_label("Status")).to_have_value("closed")


def test_a_slip_in_go_to_ticket_takes_neither_list_nor_ticket_nor_field_away(page, sandbox):
    page.goto("/tickets/149943/?status=closed")
    expect(row(page)).to_be_visible()
    sandbox.clear_calls()
    box = page.get_by_label("Go to ticket")
    box.press("Enter")
    expect(box).to_be_focused()
    box.fill("abc/../x")
    box.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Type a number such as 149943")
    expect(box).to_be_focused()
    expect(box).to_have_value("abc/../x")
    expect(heading(page)).to_be_visible()
    expect(row(page)).to_be_visible()
    expect(page).to_have_url(re.compile(r"/tickets/149943/\?status=closed$"))
    assert calls(sandbox) == []


def test_without_javascript_a_slip_in_go_to_ticket_can_be_corrected_where_it_is_told(new_context, sign_ins):
    page = new_context(java_script_enabled=False, storage_state=sign_ins["agent"]).new_page()
    page.goto("/tickets/?status=closed&department=billing")
    page.get_by_label("Go to ticket").fill("14994 3x")
    page.get_by_role("button", name="Go", exact=True).click()
    box = page.get_by_label("Go to ticket")
    expect(box).to_have_value("14994 3x")
    expect(box).to_be_focused()
    box.fill("149943")
    box.press("Enter")
    expect(heading(page)).to_be_visible()
    expect(page).to_have_url(re.compile(r"/tickets/149943/\?status=closed&department=billing$"))


def test_old_departments_are_asked_for_beside_the_list(page, dashboard, sandbox):
    dashboard.forget_departments()
    page.goto("/tickets/?department=billing")
    expect(page.get_by_label("Department").get_by_role("option", name="Domains")).to_be_attached()
    expect(page.get_by_label("Department")).to_have_value("billing")
    page.wait_for_load_state("networkidle")
    assert calls(sandbox) == ["GET /tickets", "GET /departments"]
    page.reload()
    page.wait_for_load_state("networkidle")
    assert calls(sandbox)[2:] == ["GET /tickets"]


@pytest.mark.parametrize("screen", ["phone"])
def test_old_departments_wait_where_the_list_does_not_show(page, dashboard, sandbox):
    dashboard.forget_departments()
    page.goto("/tickets/149943/")
    expect(heading(page)).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert calls(sandbox) == ["GET /tickets/149943"]


def test_a_filter_chosen_while_departments_are_coming_stays(page, dashboard, sandbox):
    dashboard.forget_departments()
    answered = hold(sandbox, path="departments$")
    with page.expect_request(re.compile("/departments/")):
        page.goto("/tickets/?department=billing")
    page.get_by_label("Department").select_option("All")
    expect(page).to_have_url(re.compile(r"/tickets/$"))
    answered.set()
    page.wait_for_timeout(500)
    expect(page.get_by_label("Department")).to_have_value("")


@pytest.mark.parametrize("answer", ANSWERS_OF_A_PROXY)
def test_a_page_of_a_proxy_leaves_the_form_and_its_text(page, sandbox, answer):
    page.goto("/tickets/new/")
    page.route("**/tickets/new/**", lambda route: route.fulfill(**ANSWERS_OF_A_PROXY[answer]))
    page.get_by_label("Message").fill("It is slow.")
    page.get_by_role("button", name="Create ticket").click()
    expect(page.get_by_role("alert")).to_contain_text("The dashboard cannot be reached")
    expect(page.get_by_label("Message")).to_have_value("It is slow.")
    expect(page.get_by_text("Draft saved.").filter(visible=True)).to_have_count(0)
    page.unroute_all()
    expect(page.get_by_text("Draft saved.")).to_be_visible()  # it goes on trying
    assert posts(sandbox) == []


def test_while_it_is_being_created_its_fields_stand_still(page, sandbox):
    page.goto("/tickets/new/")
    page.get_by_label("Department").select_option("Billing")
    page.get_by_label("Subject").fill("Invoice twice")
    message = page.get_by_label("Message")
    message.fill("We got it twice.")
    height = page.get_by_label("Subject").bounding_box()["height"]
    answered = hold(sandbox, "problem_403", method="POST")
    page.get_by_role("button", name="Create ticket").click()
    expect(message).not_to_be_editable()
    page.get_by_label("Priority").focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_label("Priority")).to_have_value("medium")
    assert page.get_by_label("Subject").bounding_box()["height"] == height
    answered.set()
    expect(page.get_by_role("alert").filter(visible=True)).to_contain_text("Your API key does not allow this")
    expect(message).to_be_editable()
    expect(message).to_have_value("We got it twice.")
    page.get_by_label("Priority").focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_label("Priority")).to_have_value("high")
