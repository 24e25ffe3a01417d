"""A new ticket: created once, errors at their fields, and no text is ever lost."""

import re
import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from sandbox import keys
from sandbox.api import Api
from sandbox.special_tickets import SAMPLE_ID, SERVICES_ID
from tests.agents import Agent
from tests.forms import hidden_fields
from tests.full_disk import nothing_goes_into
from tickets import upstream
from tickets.forms import LONGEST_MESSAGE, NewTicketForm
from tickets.models import Activity, ApiKey, Draft, Submission

URL = "/tickets/new/"
DRAFT_URL = "/tickets/new/draft/"
TICKETS_PATH = "/api/v2/support/tickets"


@pytest.fixture
def form(agent):
    return {
        "token": token_in(agent.get(URL).content.decode()),
        "department": "billing",
        "subject": "Invoice twice",
        "message": "We got it twice.\r\nWhy?",
        "priority": "high",
    }


def made(sandbox, subject="Invoice twice"):
    return [ticket for ticket in sandbox.tickets.all_tickets() if ticket.subject == subject]


def posts(sandbox):
    return [call for call in sandbox.calls if call.method == "POST"]


def error_of(html, field):
    found = re.search(rf'id="id_{field}_error">(.*?)</p>', html, re.DOTALL)
    return found and found.group(1)


def token_in(html):
    return re.search(r'name="token" value="([^"]+)"', html).group(1)


def test_the_page_offers_departments_with_their_descriptions_for_one_call(agent, sandbox):
    html = agent.get(URL).content.decode()
    for words in ("Technical support", "Web hosting, e-mail, VPS", "Invoices and payments", "Försäljning"):
        assert words in html
    assert [call.path for call in sandbox.calls] == ["/api/v2/support/departments"]
    agent.get(URL)
    assert len(sandbox.calls) == 1  # the second page knows them already


@pytest.mark.parametrize(("fault", "status"), [("problem_401", 403), ("problem_503", 200)])
def test_a_form_whose_departments_are_known_is_shown_unless_hostup_refuses_the_key(agent, sandbox, fault, status):
    agent.get(URL)
    ApiKey.objects.update(departments_at=timezone.now() - timedelta(days=1))
    sandbox.fault(fault, times=None)
    assert agent.get(URL).status_code == status


def test_priorities_say_what_they_mean(agent):
    html = agent.get(URL).content.decode()
    assert "Your customers are affected right now." in html
    assert re.search(r'<option value="medium" selected', html)


def test_a_ticket_is_created_and_opens(agent, sandbox, form):
    response = agent.post(URL, form, follow=True)
    (ticket,) = made(sandbox)
    assert response.redirect_chain == [(f"/tickets/{ticket.id}/", 302)]
    assert "Ticket created." in response.content.decode()
    assert (ticket.department_slug, ticket.priority, ticket.body) == ("billing", "high", "We got it twice.\nWhy?")
    activity = Activity.objects.get()
    assert (activity.action, activity.outcome, activity.ticket_id) == ("create", "done", ticket.id)


def test_htmx_is_led_to_the_ticket(agent, sandbox, form):
    response = agent.htmx_post(URL, form)
    (ticket,) = made(sandbox)
    assert response.headers["HX-Redirect"] == f"/tickets/{ticket.id}/"


def test_everything_that_was_filled_in_is_sent(agent, sandbox, form):
    more = {
        "priority": "critical",
        "critical_reason": "Nobody can order.",
        "cc_emails": "anna@example.com, kim@example.se;\nanna@example.com",
        "service_type": "vps",
        "service_id": "vps_1",
    }
    assert agent.post(URL, form | more).status_code == 302
    sent = posts(sandbox)[0]
    (ticket,) = made(sandbox)
    assert ticket.cc_emails == ["anna@example.com", "kim@example.se"]
    assert ticket.linked_services[0]["serviceId"] == "vps_1"
    assert ticket.priority == "critical"
    assert sent.path == TICKETS_PATH


def test_a_reason_left_from_a_changed_mind_is_not_sent(agent, form):
    form = NewTicketForm(form | {"critical_reason": "Was critical."}, departments={}, services=[])
    assert form.is_valid()
    assert set(form.for_hostup) == {"departmentSlug", "subject", "message", "priority"}


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"department": ""}, "department"),
        ({"subject": " "}, "subject"),
        ({"message": " \n"}, "message"),
        ({"priority": "panic"}, "priority"),
        ({"priority": "critical"}, "critical_reason"),
        ({"cc_emails": "anna@example.com, anna"}, "cc_emails"),
        ({"service_type": "vps"}, "service_id"),
        ({"service_id": "unheard-of"}, "service_type"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_without_a_call(agent, sandbox, form, fields, wrong):
    response = agent.post(URL, form | fields)
    assert response.status_code == 422
    html = response.content.decode()
    assert error_of(html, wrong)
    control = re.search(rf'<(?:select|input|textarea)[^>]*\bname="{wrong}"[^>]*>', html).group()
    assert 'aria-invalid="true"' in control
    assert re.search(rf'aria-describedby="[^"]*id_{wrong}_error"', control)
    assert "autofocus" in control
    assert len(re.findall("autofocus", html)) == 1
    assert not posts(sandbox)
    if "message" not in fields:
        assert "We got it twice." in html


def test_a_service_that_was_seen_needs_no_type(agent, sandbox, form):
    agent.get(f"/tickets/{SERVICES_ID}/")
    html = agent.get(URL).content.decode()
    assert re.search(r'<option value="hosting_2002">\s*Web hosting example.se', html)
    agent.post(URL, form | {"service_id": "hosting_2002"})
    assert made(sandbox)[0].linked_services[0]["serviceType"] == "hosting"


def test_services_are_offered_to_who_has_seen_them(agent, colleague, sandbox):
    agent.get("/tickets/")
    assert "vps_1001" in agent.get(URL).content.decode()
    assert "vps_1001" not in colleague.get(URL).content.decode()
    ApiKey.objects.filter(user=agent.user).update(saved_at=timezone.now())  # as if another key was saved
    assert "vps_1001" not in agent.get(URL).content.decode()


def refuse(sandbox, *errors):
    problem = {"status": 400, "code": "invalid_request", "detail": "No.", "requestId": "req_1", "errors": errors}
    sandbox.fault(status=400, body=problem, method="POST")


def test_what_hostup_says_of_a_field_stands_at_it(agent, sandbox, form):
    refuse(
        sandbox,
        {"pointer": "/subject", "detail": "Too vague.", "code": "x"},
        {"pointer": "/ccEmails/1", "detail": "Bounces.", "code": "x"},
        {"pointer": "/context/serviceId", "detail": "Not yours.", "code": "x"},
        {"pointer": "/departmentSlug", "detail": "Closed <today>.", "code": "x"},
        {"pointer": "/aiSummary", "detail": "Odd.", "code": "x"},
        {"pointer": "", "detail": "", "code": "x"},
    )
    response = agent.post(URL, form | {"cc_emails": "a@example.com b@example.com"})
    assert response.status_code == 422
    html = response.content.decode()
    assert error_of(html, "subject") == "Too vague."
    assert error_of(html, "cc_emails") == "b@example.com: Bounces."
    assert error_of(html, "service_id") == "Not yours."
    assert error_of(html, "department") == "Closed &lt;today&gt;."
    box = html[html.index('class="failure"') :].partition("</div>")[0]
    for words in ("The ticket was not created.", "Odd.", "req_1", "Your text is still here."):
        assert words in box
    assert "We got it twice." in html
    assert token_in(html) == form["token"]
    assert agent.post(URL, form).status_code == 302
    assert len(made(sandbox)) == 1


def test_a_department_that_hostup_does_not_have_is_an_error_at_its_field(agent, form):
    response = agent.post(URL, form | {"department": "gone"})
    assert response.status_code == 422
    html = response.content.decode()
    assert error_of(html, "department") == "There is no such department."
    assert '<option value="gone" selected' in html


REFUSALS = {
    "problem_400": 422,
    "problem_401": 403,
    "problem_403": 403,
    "problem_404": 404,
    "problem_409": 409,
    "rate_limited_seconds": 429,
    "html_403": 403,
}


@pytest.mark.parametrize("send", ["post", "htmx_post"])
@pytest.mark.parametrize("fault", REFUSALS)
def test_a_refusal_keeps_the_text_and_may_be_tried_again(agent, sandbox, form, fault, send):
    sandbox.fault(fault, method="POST")
    response = getattr(agent, send)(URL, form)
    assert response.status_code == REFUSALS[fault]
    html = response.content.decode()
    assert ("<html" in html) == (send == "post")
    assert "The ticket was not created." in html
    assert ("req_" in html) == fault.startswith(("problem", "rate"))
    assert "We got it twice." in html
    assert Draft.objects.of(agent.user, "")["subject"] == "Invoice twice"
    assert Activity.objects.get().outcome == "refused"
    upstream.pool_for.cache_clear()  # as if the time that HostUp asked for was over
    assert agent.post(URL, form | {"token": token_in(html)}).status_code == 302
    assert len(made(sandbox)) == 1
    assert not Draft.objects.exists()


def test_a_second_critical_ticket_within_the_hour_is_explained(agent, sandbox, form):
    critical = {"priority": "critical", "critical_reason": "Nobody can order."}
    agent.post(URL, form | critical)
    again = form | critical | {"token": str(uuid.uuid4()), "subject": "Another"}
    response = agent.post(URL, again)
    assert response.status_code == 429
    assert "HostUp accepts one critical ticket an hour. Choose “Urgent”, or wait." in response.content.decode()
    assert agent.post(URL, again | {"priority": "urgent"}).status_code == 302


def test_a_critical_ticket_may_be_one_call_too_many(agent, sandbox, form):
    """A call too many and a critical ticket too many have the same error code."""
    sandbox.fault("rate_limited_critical", method="POST", headers={"Retry-After": "7"})
    html = agent.post(
        URL, form | {"priority": "critical", "critical_reason": "Nobody can order."}
    ).content.decode()
    assert "Try again in 7 seconds." in html
    assert "Or choose “Urgent”: HostUp accepts one critical ticket an hour." in html


def test_without_hostup_the_text_stays(agent, settings, nowhere, form):
    settings.HOSTUP_API_URL = nowhere
    response = agent.post(URL, form)
    assert response.status_code == 503
    html = response.content.decode()
    assert "The ticket was not created." in html
    assert "We got it twice." in html


def test_without_a_key_the_text_stays(agent, form):
    ApiKey.objects.all().delete()
    response = agent.post(URL, form)
    assert response.status_code == 403
    html = response.content.decode()
    assert "Add your API key" in html
    assert "We got it twice." in html
    assert agent.get(URL).status_code == 403


def test_pressed_again_without_a_key_what_was_created_is_created(agent, sandbox, form):
    agent.post(URL, form)  # the browser lost the answer
    ApiKey.objects.all().delete()
    assert agent.post(URL, form).headers["Location"] == f"/tickets/{made(sandbox)[0].id}/"
    assert not Draft.objects.exists()


def test_going_back_to_it_gives_all_of_the_page(agent):
    page = agent.get(URL, headers={"HX-Request": "true", "HX-Request-Type": "full"}).content.decode()
    assert page.startswith("<!doctype html>")


def test_signed_out_shows_the_text_to_copy(visitor):
    written = {"subject": "A subject", "message": "My words.", "critical_reason": "All are down."}
    response = visitor.post(URL, {"token": str(uuid.uuid4())} | written)
    assert response.status_code == 401
    assert "A subject\n\nMy words.\n\nAll are down." in response.content.decode()


def test_a_form_without_a_token_is_kept_not_sent(agent, sandbox, form):
    response = agent.post(URL, form | {"token": "nonsense"})
    assert response.status_code == 422
    assert not posts(sandbox)
    assert agent.post(URL, form | {"token": token_in(response.content.decode())}).status_code == 302


# Sent once


@pytest.mark.parametrize("send", ["post", "htmx_post"])
def test_ten_presses_make_one_ticket(agent, sandbox, form, send):
    answers = [getattr(agent, send)(URL, form) for _ in range(10)]
    (ticket,) = made(sandbox)
    header = "Location" if send == "post" else "HX-Redirect"
    assert {answer.headers[header] for answer in answers} == {f"/tickets/{ticket.id}/"}
    assert agent.get(f"/tickets/{ticket.id}/").content.decode().count("Ticket created.") == 1
    assert Activity.objects.count() == 1


def test_another_text_in_a_form_that_was_sent_is_asked_about(agent, sandbox, form):
    agent.post(URL, form)
    changed = form | {"subject": "Something else"}
    response = agent.post(URL, changed)
    assert response.status_code == 409
    html = response.content.decode()
    assert "You have already sent this and have changed it since" in html
    assert f'href="/tickets/{made(sandbox)[0].id}/"' in html
    assert not made(sandbox, "Something else")
    agent.post(URL, changed | {"token": token_in(html)})
    assert len(made(sandbox, "Something else")) == 1


def test_a_press_while_the_first_is_under_way_sends_nothing(agent, sandbox, form, monkeypatch):
    monkeypatch.setattr("tickets.creating.PATIENCE", 0.3)
    Submission.objects.create(token=form["token"], user=agent.user, digest="x")
    response = agent.post(URL, form)
    assert response.status_code == 409
    assert "Your ticket is being created" in response.content.decode()
    assert not posts(sandbox)


@pytest.fixture
def two_tabs(agent, form):
    """Return what two tabs, or a tab and a phone, would send of the same draft."""
    written = form | hidden_fields(agent.get(URL).content.decode())
    agent.post(DRAFT_URL, written)
    return [written, form | hidden_fields(agent.get(URL).content.decode())]


@pytest.mark.parametrize("order", [1, -1])
def test_one_draft_in_two_tabs_is_created_once_unless_that_is_wanted(agent, sandbox, two_tabs, order):
    first, second = two_tabs[::order]
    agent.post(URL, first)
    refused = agent.post(URL, second | {"subject": ""}).content.decode()
    second |= hidden_fields(refused)
    response = agent.post(URL, second)
    assert response.status_code == 409
    html = response.content.decode()
    assert "You have already created this ticket" in html
    assert f'href="/tickets/{made(sandbox)[0].id}/"' in html
    assert "We got it twice." in html
    assert not Draft.objects.exists()
    agent.post(URL, second | hidden_fields(html))
    assert len(made(sandbox)) == 2


@pytest.mark.parametrize(("state", "words"), [
    ("sending", "Your ticket is being created"),
    ("unknown", "We do not know whether the ticket was created"),
])  # fmt: skip
def test_one_draft_in_two_tabs_is_created_once_whoever_knows_of_it(agent, sandbox, two_tabs, state, words):
    first, second = two_tabs
    agent.post(URL, first)
    Submission.objects.update(state=state, ticket_id="")
    for _ in range(2 if state == "sending" else 1):
        response = agent.post(URL, second)
        assert response.status_code == 409
        html = response.content.decode()
        assert words in html
        assert Draft.objects.exists()
        second |= hidden_fields(html)
    assert len(made(sandbox)) == 1


def test_the_same_words_after_a_refusal_or_in_a_new_form_are_created(agent, sandbox, two_tabs):
    first, second = two_tabs
    sandbox.fault("problem_400", method="POST")
    agent.post(URL, first)
    assert agent.post(URL, second).status_code == 302
    Draft.objects.all().delete()
    new = agent.get(URL).content.decode()
    assert agent.post(URL, first | hidden_fields(new)).status_code == 302
    assert len(made(sandbox)) == 2


def test_another_agent_s_form_that_failed_sends_nothing(agent, colleague, sandbox, form):
    sandbox.fault("problem_400", method="POST")
    agent.post(URL, form)
    assert colleague.post(URL, form).status_code == 409
    assert not made(sandbox)


def test_another_agent_s_form_sends_nothing_and_tells_nothing(agent, colleague, sandbox, form):
    agent.post(URL, form)
    response = colleague.post(URL, form)
    assert response.status_code == 409
    (ticket,) = made(sandbox)
    assert ticket.id not in response.content.decode()


@pytest.mark.parametrize("fault", ["lost_answer", "truncated", "slow", "broken_json", "dripping_headers"])
def test_a_lost_answer_to_what_was_created_leads_to_it(agent, sandbox, form, fault):
    sandbox.fault(fault, method="POST")
    sandbox.clear_calls()
    response = agent.post(URL, form)
    (ticket,) = made(sandbox)
    assert response.headers["Location"] == f"/tickets/{ticket.id}/"
    assert [call.method for call in sandbox.calls] == [
        "POST",
        "GET",
        "GET",
    ]  # reads the newest tickets, and the one that looks like ours
    assert Activity.objects.get().outcome == "done"
    assert agent.post(URL, form).headers["Location"] == f"/tickets/{ticket.id}/"
    assert len(made(sandbox)) == 1


@pytest.mark.parametrize("fault", ["reset", "problem_500", "html_502", "empty_503"])
def test_a_lost_answer_to_what_was_not_created_may_be_tried_again(agent, sandbox, form, fault):
    sandbox.fault(fault, method="POST")
    response = agent.post(URL, form)
    assert response.status_code == 503
    html = response.content.decode()
    assert "it is not among the newest tickets. Try again." in html
    assert 'class="failure"' in html  # a known failure looks different from an unknown outcome
    assert Activity.objects.get().outcome == "not_done"
    assert agent.post(URL, form | {"token": token_in(html)}).status_code == 302
    assert len(made(sandbox)) == 1


def expect_unknown(agent, form, status=503):
    response = agent.post(URL, form)
    html = response.content.decode()
    assert response.status_code == status
    assert "We do not know whether the ticket was created" in html
    assert "We got it twice." in html
    assert token_in(html) != form["token"]
    assert Activity.objects.get().outcome == "unknown"
    assert agent.post(URL, form).status_code == 409  # the same form never sends again
    return html


def test_when_the_tickets_cannot_be_read_either_it_is_unknown(agent, sandbox, form):
    sandbox.fault("lost_answer", method="POST")
    sandbox.fault("problem_400", path="tickets$", method="GET")
    assert "the tickets could not be read" in expect_unknown(agent, form)
    assert len(made(sandbox)) == 1


def test_a_colleague_s_of_the_same_subject_is_not_taken_for_it(agent, sandbox, form, monkeypatch):
    fields = {"department_slug": "billing", "subject": "Invoice twice", "body": "Theirs.", "requester_name": "Kim"}
    carry_out = Api.answer

    def answer(api, request):  # right after our call was lost on its way to HostUp
        monkeypatch.setattr(Api, "answer", carry_out)
        sandbox.tickets.create(keys.ACCOUNT_A, **fields)
        return carry_out(api, request)

    monkeypatch.setattr(Api, "answer", answer)
    sandbox.fault("reset", method="POST")
    expect_unknown(agent, form)


def test_one_that_is_like_it_and_cannot_be_read_is_unknown(agent, sandbox, form):
    sandbox.fault("lost_answer", method="POST")
    sandbox.fault("problem_500", method="GET", path="tickets/tkt_")
    expect_unknown(agent, form)


def test_in_all_the_tickets_it_is_looked_for_whatever_their_order(agent, sandbox, form):
    every_one = {"nextCursor": None}
    sandbox.fault(method="GET", path="tickets$", transform=lambda page: every_one | {"data": page["data"][::-1]})
    sandbox.fault("reset", method="POST")
    assert "it is not among the newest tickets. Try again." in agent.post(URL, form).content.decode()


@pytest.mark.parametrize("fault", ["lost_answer", "reset"])
def test_tickets_in_another_order_prove_nothing(agent, sandbox, form, fault):
    """HostUp does not document the order of tickets: ours may be on a later page."""
    sandbox.fault(method="GET", path="tickets$", transform=lambda page: page | {"data": page["data"][:0:-1]})
    sandbox.fault(fault, method="POST")
    expect_unknown(agent, form)


@pytest.mark.parametrize(("fault", "status"), [("problem_504", 504), ("html_200", 502), ("empty_200", 502)])
def test_what_may_still_come_is_unknown(agent, sandbox, form, fault, status):
    sandbox.fault(fault, method="POST")
    expect_unknown(agent, form, status)


@pytest.mark.django_db(transaction=True)  # a test's own transaction would end with the first error
def test_a_form_that_cannot_be_claimed_gives_way_to_another(agent, sandbox, form):
    with nothing_goes_into("tickets_submission"):
        html = agent.post(URL, form).content.decode()
    assert "The ticket was not created." in html
    assert not made(sandbox)
    assert token_in(html) != form["token"]


def test_a_success_that_breaks_off_is_unknown(agent, sandbox, form):
    sandbox.fault(method="POST", status=201, truncate="body")
    expect_unknown(agent, form, 502)


def test_two_that_could_be_it_are_unknown(agent, sandbox, form):
    sandbox.fault("lost_answer", method="POST")
    fields = {"department_slug": "billing", "subject": "Invoice twice", "body": "x", "requester_name": "Kim"}
    sandbox.tickets.create(keys.ACCOUNT_A, **fields)
    expect_unknown(agent, form)


@pytest.mark.parametrize("change", [{"subject": "[Billing] Invoice twice"}, {"departmentSlug": "accounts"}])
def test_one_that_hostup_filed_otherwise_is_unknown(agent, sandbox, form, change):
    def file_otherwise(page):
        page["data"][0] |= change
        return page

    sandbox.fault("lost_answer", method="POST")
    sandbox.fault(method="GET", path="tickets$", transform=file_otherwise)
    expect_unknown(agent, form)
    assert len(made(sandbox)) == 1


def test_an_older_one_or_another_form_s_is_not_taken_for_it(agent, sandbox, form):
    fields = {"department_slug": "billing", "subject": "Invoice twice", "body": "x", "requester_name": "Kim"}
    sandbox.tickets.create(keys.ACCOUNT_A, **fields).created_at -= timedelta(minutes=1)
    agent.post(URL, form | {"token": str(uuid.uuid4())})
    sandbox.fault("reset", method="POST")
    response = agent.post(URL, form)
    assert response.status_code == 503
    assert "it is not among the newest tickets" in response.content.decode()


# Drafts


def test_of_a_text_that_is_too_long_the_first_part_is_kept_and_that_is_said(agent, form):
    too_long = "x" * LONGEST_MESSAGE + "y"
    saved = agent.htmx_post(DRAFT_URL, form | {"message": too_long})
    assert saved.content.decode() == "Too long to save as a draft."
    assert too_long[:-1] in agent.get(URL).content.decode()
    page = agent.post(URL, form | {"message": too_long}).content.decode()
    assert too_long in page
    assert "Too long to save as a draft." in page
    assert "Draft saved." not in page


def test_a_draft_is_restored_and_the_list_tells(agent, form):
    assert "Draft" not in agent.get("/tickets/").content.decode()
    saved = agent.htmx_post(DRAFT_URL, form | {"critical_reason": "Because."})
    assert saved.content.decode() == "Draft saved."
    html = agent.get(URL).content.decode()
    assert 'value="Invoice twice"' in html
    assert "We got it twice." in html
    assert '<option value="billing" selected' in html
    assert '<option value="high" selected' in html
    for path in ("/tickets/", f"/tickets/{SAMPLE_ID}/"):
        assert re.search(
            r'href="/tickets/new/">New ticket <span class="draft">Draft<', agent.get(path).content.decode()
        )


def test_a_draft_is_its_agent_s_alone_and_encrypted(agent, colleague, form):
    agent.htmx_post(DRAFT_URL, form)
    assert "We got it twice." not in colleague.get(URL).content.decode()
    assert "twice" not in Draft.objects.get().token


def test_what_is_only_chosen_is_no_draft(agent, form):
    agent.htmx_post(DRAFT_URL, form)
    assert agent.htmx_post(DRAFT_URL, form | {"subject": " ", "message": ""}).content == b""
    assert not Draft.objects.exists()


def test_a_reason_that_does_not_show_any_more_is_no_draft(agent, form):
    reason = {"subject": "", "message": "", "critical_reason": "All is down."}
    assert agent.htmx_post(DRAFT_URL, form | reason | {"priority": "critical"}).content == b"Draft saved."
    assert agent.htmx_post(DRAFT_URL, form | reason | {"priority": "medium", "turn": "9"}).content == b""
    assert not Draft.objects.exists()


def test_a_created_ticket_is_no_draft_even_if_it_is_saved_late(agent, form):
    agent.htmx_post(DRAFT_URL, form)
    agent.post(URL, form)
    agent.htmx_post(DRAFT_URL, form)
    assert not Draft.objects.exists()


def test_a_restored_draft_goes_when_it_is_created(agent, form):
    agent.post(DRAFT_URL, form)
    html = agent.get(URL).content.decode()
    shown_draft = re.search(r'name="shown_draft" value="([^"]+)"', html).group(1)
    agent.post(URL, form | {"token": token_in(html), "shown_draft": shown_draft, "subject": "Another"})
    assert not Draft.objects.exists()


def test_a_ticket_that_is_created_at_the_second_try_is_no_draft(agent, sandbox, form):
    sandbox.fault("problem_503", method="POST")
    html = agent.htmx_post(URL, form | {"turn": "5"}).content.decode()
    agent.htmx_post(DRAFT_URL, form | {"turn": "5"})  # a late save, from the form that the answer replaces
    agent.htmx_post(URL, form | hidden_fields(html) | {"turn": "4"})
    assert not Draft.objects.exists()


def test_what_is_written_on_another_device_stays_when_this_is_created(agent, form):
    agent.post(DRAFT_URL, form | {"token": token_in(agent.get(URL).content.decode()), "subject": "On the phone"})
    agent.post(URL, form)
    html = agent.get(URL).content.decode()
    assert "On the phone" in html
    at_the_desk = form | hidden_fields(html)
    agent.post(DRAFT_URL, form | {"token": str(uuid.uuid4()), "subject": "On the phone, later"})
    agent.post(URL, at_the_desk)
    assert "On the phone, later" in agent.get(URL).content.decode()


def test_an_empty_form_takes_no_draft_with_it(agent, form):
    agent.post(DRAFT_URL, form | {"token": str(uuid.uuid4()), "subject": "On the phone"})
    assert agent.post(URL, form | {"subject": "", "message": " "}).status_code == 422
    assert "On the phone" in agent.get(URL).content.decode()


def test_a_draft_needs_no_key_and_no_get(newcomer):
    assert newcomer.htmx_post(DRAFT_URL, {"message": "x"}).status_code == 200
    assert newcomer.get(DRAFT_URL).status_code == 405


def test_markup_in_what_was_written_stays_text(agent, form):
    hostile = "</textarea><script>alert(1)</script>"
    agent.htmx_post(DRAFT_URL, dict.fromkeys(form, hostile))
    assert "<script>alert(1)" not in agent.get(URL).content.decode()
    assert "<script>alert(1)" not in agent.post(URL, dict.fromkeys(form, hostile)).content.decode()


def test_a_read_only_key_is_told_so_and_keeps_the_text(db, sandbox):
    reader = Agent("reader", keys.READ_ONLY)
    token = token_in(reader.get(URL).content.decode())
    fields = {"department": "billing", "subject": "S", "message": "My words.", "priority": "low"}
    response = reader.post(URL, fields | {"token": token})
    assert response.status_code == 403
    html = response.content.decode()
    assert "Your API key does not allow this" in html
    assert "My words." in html
