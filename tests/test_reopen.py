"""Reopen (and Close, its undo): one press, one call, and the truth about what became of it."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from sandbox.special_tickets import LONG_THREAD_ID, SAMPLE_ID, SAMPLE_MESSAGE_ID, SAMPLE_NUMBER
from tests.forms import hidden_fields
from tickets.models import Activity
from tickets.shown import stamp

URL = f"/tickets/{SAMPLE_ID}/reopen/"
CLOSE_URL = f"/tickets/{SAMPLE_ID}/close/"
TICKET_PAGE = f"http://testserver/tickets/{SAMPLE_ID}/"
FORM = {"status": "closed", "next": "/tickets/?status=closed"}


def form_in(html, url):
    """Return the hidden fields that a browser sends with the page's form for `url`."""
    form = re.search(rf'action="{url}".*?</form>', html, re.DOTALL)[0]
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form))


def calls(sandbox):
    return [(call.method, call.path.removeprefix("/api/v2/support/tickets/")) for call in sandbox.calls]


def test_one_press_is_one_call_and_redraws_ticket_and_row(agent, sandbox):
    response = agent.htmx_post(URL, FORM, at=TICKET_PAGE)
    assert response.status_code == 200
    assert calls(sandbox) == [("POST", f"{SAMPLE_ID}/actions/reopen")]
    html = response.content.decode()
    assert f'hx-target="#row-{SAMPLE_ID}"' in html
    assert f'hx-target="#ticket-{SAMPLE_ID}"' in html
    assert html.count('<span class="status open">Open</span>') == 2
    assert "Reopened." in html
    assert "Close again" in html


def test_from_the_row_only_the_row_is_redrawn(agent):
    html = agent.htmx_post(URL, FORM).content.decode()
    assert f'id="row-{SAMPLE_ID}"' in html
    assert "<article" not in html


def test_the_row_leads_on_with_what_is_filtered_by_now(agent):
    """Its button may have been drawn before another filter was chosen."""
    for at, query in (("?department=billing", "?department=billing"), ("", ""), ("//[?x", "")):
        html = agent.htmx_post(f"{URL}?status=closed", FORM, at=f"http://testserver/tickets/{at}").content.decode()
        assert f'href="/tickets/{SAMPLE_ID}/{query}"' in html
        assert f'action="{CLOSE_URL}{query}"' in html


def test_a_toast_says_which_ticket_it_is_about_unless_that_is_open(agent):
    def toast(at):
        html = agent.htmx_post(URL, FORM, at=at).content.decode()
        return html[html.index('class="toast"') :]

    assert f"#{SAMPLE_NUMBER}</span> Reopened.</span>" in toast("http://testserver/tickets/")
    assert f"#{SAMPLE_NUMBER}" in toast(f"http://testserver/tickets/{LONG_THREAD_ID}/")
    assert f"#{SAMPLE_NUMBER}" not in toast(TICKET_PAGE)


def test_where_nobody_says_which_page_is_open_the_form_tells(agent):
    html = agent.htmx_post(URL, FORM | {"next": f"/tickets/{SAMPLE_ID}/"}, at="").content.decode()
    assert "<h1" in html
    assert f"#{SAMPLE_NUMBER}</span> Reopened.</span>" not in html
    assert "<h1" not in agent.htmx_post(CLOSE_URL, {"next": "/tickets/"}, at="").content.decode()
    assert "<h1" in agent.htmx_post(URL, at="").content.decode()


def test_without_javascript_a_toast_says_no_number_on_the_ticket_s_own_page(agent):
    answer = agent.post(URL, FORM | {"next": f"/tickets/{SAMPLE_ID}/"}, follow=True)
    assert '<span class="words">Reopened.</span>' in answer.content.decode()


def test_the_heading_of_what_was_redrawn_takes_the_focus(agent):
    ticket = agent.htmx_post(URL, FORM, at=TICKET_PAGE).content.decode()
    assert len(re.findall(r"<h1 [^>]*autofocus", ticket)) == ticket.count("autofocus") == 1
    row = agent.htmx_post(CLOSE_URL, {"status": "open"}).content.decode()
    assert len(re.findall(r"<p [^>]*autofocus", row)) == row.count("autofocus") == 1


def test_without_javascript_it_goes_back_to_where_the_form_was(agent, sandbox):
    response = agent.post(URL, FORM)
    assert response.status_code == 302
    assert response.headers["Location"] == "/tickets/?status=closed"
    page = agent.get(TICKET_PAGE).content.decode()
    assert "Reopened." in page
    assert "Close again" in page
    assert sandbox.tickets.find(SAMPLE_ID).status == "open"


def test_close_again_is_an_honest_close(agent, sandbox):
    agent.htmx_post(URL, FORM)
    response = agent.htmx_post(CLOSE_URL, {"status": "open"})
    assert "Closed." in response.content.decode()
    assert sandbox.tickets.find(SAMPLE_ID).status == "closed"


@pytest.mark.parametrize("answer", ["unchanged", "conflict"])
def test_a_ticket_that_a_colleague_reopened_is_already_open(agent, sandbox, answer):
    """What HostUp answers to reopening an open ticket is not documented. Both answers count as a success."""
    sandbox.already = answer
    shown_at = sandbox.tickets.find(SAMPLE_ID).updated_at
    ticket = sandbox.tickets.find(SAMPLE_ID)
    ticket.status, ticket.updated_at = "open", datetime.now(UTC) - timedelta(seconds=10)
    response = agent.htmx_post(URL, FORM | {"updated_at": stamp(shown_at)})
    assert response.status_code == 200
    html = response.content.decode()
    assert "Already open." in html
    assert "Close again" not in html
    assert Activity.objects.get().outcome == "already"


@pytest.mark.parametrize(("url", "done", "already"), [
    (URL, "Reopened.", "Already open."),
    (f"/tickets/{SAMPLE_NUMBER}/reopen/", "Reopened.", "Already open."),
    (CLOSE_URL, "Closed.", "Already closed."),
])  # fmt: skip
def test_a_second_press_of_the_same_form_is_no_second_change(agent, colleague, sandbox, url, done, already):
    """Without JavaScript nothing prevents it. HostUp's times, in whole seconds, do not tell the presses apart."""
    ticket = sandbox.tickets.find(SAMPLE_ID)
    ticket.status = "open" if url == CLOSE_URL else "closed"
    times = {"updated_at": stamp(ticket.updated_at), "read_at": stamp(datetime.now(UTC))}
    form = {"status": ticket.status} | times
    assert done in agent.htmx_post(url, form).content.decode()
    for again in (agent, colleague, agent):
        assert already in again.htmx_post(url, form).content.decode()
    assert list(Activity.objects.values_list("outcome", flat=True)) == ["already"] * 3 + ["done"]


def test_what_was_closed_in_between_is_reopened_again(agent):
    for url, said in [(URL, "Reopened."), (CLOSE_URL, "Closed."), (URL, "Reopened.")]:
        assert said in agent.htmx_post(url, FORM).content.decode()


def test_what_hostup_closed_in_between_is_reopened_again(agent, sandbox):
    agent.htmx_post(URL, FORM)
    sandbox.tickets.find(SAMPLE_ID).status = "closed"
    form = form_in(agent.get(TICKET_PAGE).content.decode(), URL)
    assert "Close again" in agent.htmx_post(URL, form).content.decode()
    assert set(Activity.objects.values_list("outcome", flat=True)) == {"done"}


@pytest.mark.parametrize("at", [TICKET_PAGE, "/tickets/"])
def test_what_hostup_dates_before_the_page_was_read_is_our_doing(agent, sandbox, at):
    """What `updatedAt` follows is not documented. If the ticket was still closed then, it dates no reopening."""
    form = form_in(agent.get(at).content.decode(), URL)
    sandbox.fault(method="POST", transform=lambda ticket: ticket | {"updatedAt": "2026-04-27T11:45:00.000Z"})
    assert (
        "Reopened."
        in agent.htmx_post(
            URL, form | {"updated_at": stamp(datetime(2026, 4, 27, 10, 45, tzinfo=UTC))}
        ).content.decode()
    )


def test_what_may_have_been_closed_in_between_is_reopened_again(agent, sandbox):
    assert "Reopened." in agent.htmx_post(URL, FORM).content.decode()
    sandbox.fault("lost_answer", method="POST")
    sandbox.fault("problem_503", method="GET")
    assert "We do not know" in agent.htmx_post(CLOSE_URL, {"status": "open"}).content.decode()
    assert "Reopened." in agent.htmx_post(URL, FORM).content.decode()


def test_a_form_that_says_nothing_of_the_ticket_reopens_no_open_one(agent, sandbox):
    ticket = sandbox.tickets.find(SAMPLE_ID)
    ticket.status = "open"
    assert "Already open." in agent.htmx_post(URL).content.decode()


@pytest.mark.parametrize("fault", ["reset", "lost_answer", "problem_502", "html_200"])
def test_a_lost_answer_does_not_make_a_colleague_s_change_ours(agent, sandbox, fault):
    ticket = sandbox.tickets.find(SAMPLE_ID)
    shown = FORM | {"updated_at": stamp(ticket.updated_at)}
    ticket.status, ticket.updated_at = "open", datetime.now(UTC) - timedelta(seconds=10)
    sandbox.fault(fault, method="POST")
    html = agent.htmx_post(URL, shown).content.decode()
    assert "Already open." in html
    assert "Close again" not in html
    assert Activity.objects.get().outcome == "already"


@pytest.mark.parametrize("answer", ["ticket", "empty"])
def test_a_ticket_that_a_colleague_closed_is_already_closed(agent, sandbox, answer):
    sandbox.close_answer, sandbox.already = answer, "unchanged"
    ticket = sandbox.tickets.find(SAMPLE_ID)
    shown = {"status": "open", "updated_at": stamp(ticket.updated_at - timedelta(minutes=5))}
    ticket.status = "closed"
    assert "Already closed." in agent.htmx_post(CLOSE_URL, shown).content.decode()


def test_an_answer_without_a_time_is_taken_at_its_word(agent, sandbox):
    sandbox.fault(method="POST", headers={"Date": "today"})
    form = FORM | {"updated_at": stamp(sandbox.tickets.find(SAMPLE_ID).updated_at)}
    assert "Reopened." in agent.htmx_post(URL, form).content.decode()


@pytest.mark.parametrize("answer", ["ticket", "empty"])
def test_close_is_a_success_whatever_form_its_answer_has(agent, sandbox, answer):
    """What closing answers is not documented."""
    sandbox.close_answer = answer
    agent.htmx_post(URL, FORM)
    sandbox.clear_calls()
    response = agent.htmx_post(CLOSE_URL, {"status": "open"})
    assert response.status_code == 200
    assert "Closed." in response.content.decode()
    assert [method for method, _ in calls(sandbox)] == (["POST"] if answer == "ticket" else ["POST", "GET"])


def as_in_the_list(ticket):
    """Return only what a list entry has of a ticket."""
    return {name: value for name, value in ticket.items() if name not in ("body", "attachments", "messages")}


def form_beside_the_thread(agent, sandbox):
    """Return what a ticket's button sends on a page that shows the ticket's thread (writing.js)."""
    html = agent.get(TICKET_PAGE).content.decode()
    sandbox.clear_calls()
    return FORM | {"seen_count": hidden_fields(html)["seen_count"]}


def test_beside_the_thread_it_is_one_call_too(agent, sandbox):
    """The sample has a `messageCount` of 3 and one message: that does not mean that the answer lacks messages."""
    form = form_beside_the_thread(agent, sandbox)
    assert form["seen_count"] == "1"
    assert "Reopened." in agent.htmx_post(URL, form, at=TICKET_PAGE).content.decode()
    assert calls(sandbox) == [("POST", f"{SAMPLE_ID}/actions/reopen")]


def test_a_thread_that_is_on_the_screen_as_it_is_stays_there(agent, sandbox):
    seen = hidden_fields(agent.get(TICKET_PAGE).content.decode())
    form = FORM | {name: seen[name] for name in ("seen_count", "seen_thread")}
    html = agent.htmx_post(URL, form, at=TICKET_PAGE).content.decode()
    assert '<span class="status open">Open</span>' in html
    assert '<dl class="ticket-facts">' in html  # when it was updated
    assert 'class="thread"' not in html
    sandbox.tickets.add_message(sandbox.tickets.find(SAMPLE_ID), sender="staff", sender_name="Ola", body="Wait.")
    html = agent.htmx_post(CLOSE_URL, form, at=TICKET_PAGE).content.decode()
    assert "Wait." in html[html.index('class="thread"') :]


@pytest.mark.parametrize("change", [
    lambda ticket: ticket | {"attachments": [{"id": "tatt_new", "filename": "new.txt"}]},
    lambda ticket: ticket | {"messages": [ticket["messages"][0] | {"body": "Said better."}]},
])  # fmt: skip
def test_a_thread_of_as_many_messages_that_says_something_else_is_redrawn(agent, sandbox, change):
    seen = hidden_fields(agent.get(TICKET_PAGE).content.decode())
    form = FORM | {name: seen[name] for name in ("seen_count", "seen_thread")}
    sandbox.fault(method="POST", transform=change)
    html = agent.htmx_post(URL, form, at=TICKET_PAGE).content.decode()
    assert "new.txt" in html or "Said better." in html


WITHOUT_A_THREAD = {
    "a list entry": as_in_the_list,
    "null": lambda ticket: ticket | {"messages": None},
    "fewer": lambda ticket: ticket | {"messages": ticket["messages"][1:]},
}


@pytest.mark.parametrize("lacking", WITHOUT_A_THREAD)
@pytest.mark.parametrize("action", ["reopen", "close"])
def test_an_answer_without_the_thread_has_the_ticket_read_once_more(agent, sandbox, lacking, action):
    """What closing answers is not documented."""
    if action == "close":
        agent.htmx_post(URL, FORM)
    form = form_beside_the_thread(agent, sandbox)
    sandbox.fault(method="POST", transform=WITHOUT_A_THREAD[lacking])
    response = agent.htmx_post(f"/tickets/{SAMPLE_ID}/{action}/", form, at=TICKET_PAGE)
    assert response.status_code == 200
    assert [method for method, _ in calls(sandbox)] == ["POST", "GET"]
    html = response.content.decode()
    assert f'id="message-{SAMPLE_MESSAGE_ID}"' in html
    assert "No messages yet." not in html
    assert hidden_fields(html)["seen_count"] == "1"
    latest = Activity.objects.first()
    assert (latest.outcome, latest.to_status) == ("done", "open" if action == "reopen" else "closed")


def test_the_outcome_is_what_the_answer_said_whatever_is_read_after_it(agent, sandbox):
    sandbox.fault(method="POST", transform=as_in_the_list)
    sandbox.fault(method="GET", transform=lambda ticket: ticket | {"status": "closed"})
    html = agent.htmx_post(URL, FORM, at=TICKET_PAGE).content.decode()
    assert "Reopened." in html
    buttons = re.findall(r'action="\S+/(reopen|close)/".*?<span class="idle">(\w+)', html, re.DOTALL)
    assert set(buttons) == {("reopen", "Reopen"), ("close", "Close")}
    assert html.count('<span class="status closed">Closed</span>') == 2
    assert Activity.objects.values_list("outcome", "to_status").get() == ("done", "open")
    sandbox.tickets.find(SAMPLE_ID).status = "closed"
    sandbox.fault(method="POST", transform=lambda ticket: as_in_the_list(ticket) | {"status": "closed"})
    response = agent.htmx_post(URL, FORM, at=TICKET_PAGE)
    assert response.status_code == 502
    html = response.content.decode()
    assert "Not reopened: the ticket is still closed" in html
    assert f'id="message-{SAMPLE_MESSAGE_ID}"' in html


@pytest.mark.parametrize("lacking", WITHOUT_A_THREAD)
def test_a_thread_that_cannot_be_read_stays_on_the_screen(agent, sandbox, lacking):
    form = form_beside_the_thread(agent, sandbox)
    sandbox.fault(method="POST", transform=WITHOUT_A_THREAD[lacking])
    sandbox.fault("problem_503", method="GET", times=None)
    response = agent.htmx_post(URL, form, at=TICKET_PAGE)
    assert [method for method, _ in calls(sandbox)] == ["POST", "GET"]
    assert_reopened_around_the_thread(response)


@pytest.mark.parametrize("lacking", ["a list entry", "null"])
@pytest.mark.parametrize("lost", [False, True])
def test_a_thread_that_is_not_there_when_read_again_stays_on_the_screen(agent, sandbox, lacking, lost):
    form = form_beside_the_thread(agent, sandbox)
    if lost:
        sandbox.fault("lost_answer", method="POST")
    sandbox.fault(transform=WITHOUT_A_THREAD[lacking], times=None)
    sandbox.clear_calls()
    assert_reopened_around_the_thread(agent.htmx_post(URL, form, at=TICKET_PAGE))
    assert [method for method, _ in calls(sandbox)] == ["POST", "GET"]


def assert_reopened_around_the_thread(response):
    assert response.status_code == 200
    html = response.content.decode()
    assert "Reopened." in html
    assert html.count('<span class="status open">Open</span>') == 2
    assert html.count("autofocus") == 1
    assert f'action="{CLOSE_URL}"' in html[html.index("ticket-header") :]
    for redrawn in ("<article", 'class="thread"', "No messages yet.", "seen_message", 'name="seen_count"'):
        assert redrawn not in html
    assert '<input type="hidden" name="seen_status" value="open">' in html
    assert "Send reply" in html
    assert Activity.objects.get().outcome == "done"


@pytest.mark.parametrize("count", ["", "-1", "x", "9" * 5000, "\0"])
def test_a_form_whose_number_of_messages_is_none_reopens_all_the_same(agent, sandbox, count):
    assert "Reopened." in agent.htmx_post(URL, FORM | {"seen_count": count}).content.decode()
    assert len(sandbox.calls) == 1


LOST = ["lost_answer", "truncated", "dripping_headers", "dripping_body", "broken_json"]


@pytest.mark.parametrize("fault", LOST)
def test_a_lost_answer_is_settled_by_reading_once(agent, sandbox, fault):
    sandbox.fault(fault, method="POST")
    response = agent.htmx_post(URL, FORM)
    assert [method for method, _ in calls(sandbox)] == ["POST", "GET"]
    assert response.status_code == 200
    assert "Reopened." in response.content.decode()
    assert Activity.objects.get().outcome == "done"


def test_a_lost_answer_is_settled_by_a_ticket_that_has_odd_messages(agent, sandbox):
    sandbox.fault("lost_answer", method="POST")
    sandbox.fault(method="GET", transform=lambda ticket: ticket | {"ccEmails": None, "messages": [None]})
    assert "Reopened." in agent.htmx_post(URL, FORM).content.decode()
    assert Activity.objects.get().outcome == "done"


def test_a_status_that_says_nothing_is_no_success(agent, sandbox):
    sandbox.fault("html_502", method="POST")
    sandbox.tickets.find(SAMPLE_ID).status = "unknown"
    html = agent.htmx_post(URL, FORM).content.decode()
    assert "We do not know whether the change went through" in html
    assert "the ticket does not show what happened." in html
    assert "could not be reloaded" not in html  # it was read
    assert Activity.objects.get().outcome == "unknown"


@pytest.mark.parametrize("fault", ["problem_503", "html_200"])
def test_an_answer_that_came_is_not_called_lost(agent, sandbox, fault):
    sandbox.fault(fault, times=None)
    html = agent.htmx_post(URL, FORM).content.decode()
    assert "HostUp did not confirm it and the ticket could not be reloaded." in html
    assert "lost" not in html


@pytest.mark.parametrize("fault", ["reset", "problem_500", "html_502", "empty_503", "problem_504", "html_200"])
def test_what_did_not_happen_is_said_and_can_be_tried_again(agent, sandbox, fault):
    sandbox.fault(fault, method="POST")
    response = agent.htmx_post(URL, FORM, at=TICKET_PAGE)
    assert [method for method, _ in calls(sandbox)] == ["POST", "GET"]
    assert response.status_code in (502, 503, 504)
    html = response.content.decode()
    assert "Not reopened: the ticket is still closed" in html
    assert f'action="{URL}"' in html
    assert 'role="alert"' in html
    assert html.count('<span class="status closed">Closed</span>') == 2
    assert Activity.objects.get().outcome == "not_done"


@pytest.mark.parametrize(("fault", "may"), [("problem_504", True), ("html_200", True), ("reset", False)])
def test_what_may_yet_happen_is_not_called_over(agent, sandbox, fault, may):
    """After a time-out HostUp may still be working on it, and a success is a success, whatever its body says."""
    sandbox.fault(fault, method="POST")
    html = agent.htmx_post(URL, FORM, at=TICKET_PAGE).content.decode()
    assert ("It may still happen: check again in a moment." in html) == may


def test_trying_again_what_a_colleague_has_done_meanwhile_is_not_our_doing(agent, sandbox):
    sandbox.fault("html_502", method="POST")
    ticket = sandbox.tickets.find(SAMPLE_ID)
    shown = FORM | {"status": "closed", "updated_at": stamp(ticket.updated_at)}
    again = dict(
        re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', agent.post(URL, shown).content.decode())
    )
    ticket.status, ticket.updated_at = "open", datetime.now(UTC) - timedelta(seconds=10)
    html = agent.htmx_post(URL, again).content.decode()
    assert "Already open." in html
    assert list(Activity.objects.values_list("from_status", "outcome")) == [
        ("closed", "already"),
        ("closed", "not_done"),
    ]


def test_a_status_that_hostup_does_not_document_is_an_answer_we_cannot_read(agent, sandbox):
    sandbox.fault(status=405, method="POST")
    response = agent.htmx_post(URL, FORM)
    assert response.status_code == 502
    assert "Not reopened: the ticket is still closed" in response.content.decode()


def test_what_cannot_be_known_is_called_unknown(agent, sandbox):
    sandbox.fault("lost_answer", method="POST")
    sandbox.fault("problem_503", method="GET", times=None)
    response = agent.htmx_post(URL, FORM)
    assert [method for method, _ in calls(sandbox)] == ["POST", "GET"]
    assert response.status_code == 503
    html = response.content.decode()
    assert "We do not know whether the change went through" in html
    assert "View ticket" in html
    assert "Retry</button>" not in html
    assert Activity.objects.get().outcome == "unknown"


REFUSALS = {
    "problem_400": (422, "HostUp did not accept that"),
    "problem_401": (403, "HostUp does not accept your API key"),
    "problem_403": (403, "Your API key does not allow this"),
    "problem_404": (404, "HostUp has no such ticket"),
    "problem_409": (409, "The ticket&#39;s state does not allow that"),
    "rate_limited_seconds": (429, "Try again in 7 seconds."),
}


@pytest.mark.parametrize("fault", REFUSALS)
def test_a_refusal_is_worded_with_the_request_id_and_leaves_the_screen(agent, sandbox, fault):
    status, words = REFUSALS[fault]
    sandbox.fault(fault, method="POST")
    response = agent.htmx_post(URL, FORM, at=TICKET_PAGE)
    assert response.status_code == status
    html = response.content.decode()
    assert words in html
    logged = Activity.objects.get()
    assert logged.outcome == "refused"
    assert logged.request_id
    assert logged.request_id in html
    if fault != "problem_409":  # after that one the ticket is read again and redrawn
        assert response.headers["HX-Retarget"] == "#alerts"
        assert "<article" not in html
        assert len(sandbox.calls) == 1


@pytest.mark.parametrize(
    ("at", "way_on"), [(TICKET_PAGE, "Reload the ticket"), ("http://testserver/tickets/", "View ticket")]
)
def test_the_way_on_from_a_refusal_is_called_what_it_does(agent, sandbox, at, way_on):
    sandbox.fault("problem_409", method="POST")
    html = agent.htmx_post(URL, FORM, at=at).content.decode()
    assert f'href="/tickets/{SAMPLE_ID}/">{way_on}</a>' in html


def test_nothing_is_sent_when_hostup_cannot_be_reached(agent, settings, nowhere):
    settings.HOSTUP_API_URL = nowhere
    response = agent.htmx_post(URL, FORM)
    assert response.status_code == 503
    html = response.content.decode()
    assert "HostUp cannot be reached" in html
    assert "The ticket was not changed." in html
    assert f'action="{URL}"' in html
    assert Activity.objects.get().outcome == "not_done"


def test_a_read_only_key_is_told_which_way_on(agent, sandbox):
    sandbox.fault("problem_403", method="POST")
    page = agent.post(URL, FORM)
    assert page.status_code == 403
    assert 'href="/settings/key/"' in page.content.decode()


def test_the_log_says_who_what_from_to_and_how(agent):
    agent.htmx_post(f"/tickets/{SAMPLE_NUMBER}/reopen/", FORM)
    logged = Activity.objects.get()
    assert (logged.user, logged.action, logged.outcome) == (agent.user, "reopen", "done")
    assert (logged.ticket_id, logged.ticket_number) == (SAMPLE_ID, str(SAMPLE_NUMBER))
    assert (logged.from_status, logged.to_status) == ("closed", "open")
    assert logged.finished_at >= logged.started_at


def test_a_crash_in_the_middle_leaves_an_unknown_in_the_log(agent, monkeypatch):
    def crash(*arguments):
        raise KeyboardInterrupt  # as when the worker is stopped

    monkeypatch.setattr("tickets.changes.make", crash)
    with pytest.raises(KeyboardInterrupt):
        agent.htmx_post(URL, FORM)
    assert Activity.objects.get().outcome == "unknown"
    assert "Unknown" in agent.get("/activity/").content.decode()


def test_a_success_that_shows_the_ticket_still_closed_is_none(agent, sandbox):
    sandbox.fault(method="POST", transform=lambda ticket: ticket | {"status": "closed"})
    response = agent.htmx_post(URL, FORM, at=TICKET_PAGE)
    assert response.status_code == 502
    html = response.content.decode()
    assert "Not reopened: the ticket is still closed" in html
    assert "HostUp answered with the ticket unchanged." in html
    assert "we read the ticket again" not in html  # nobody did
    assert "You can try again." in html
    assert Activity.objects.get().outcome == "not_done"


ANOTHER = {"id": LONG_THREAD_ID, "number": 1, "messages": []}


@pytest.mark.parametrize(("url", "before", "after"), [(URL, "closed", "open"), (CLOSE_URL, "open", "closed")])
def test_a_success_that_shows_another_ticket_is_none(agent, sandbox, url, before, after):
    """A cache on the way may mix up tickets."""
    sandbox.tickets.find(SAMPLE_ID).status = before
    sandbox.fault(method="POST", status=200, body=ANOTHER | {"status": after})
    html = agent.htmx_post(url, {"status": before}, at=TICKET_PAGE).content.decode()
    assert f"the ticket is still {before}" in html
    activity = Activity.objects.get()
    assert (activity.ticket_id, activity.outcome) == (SAMPLE_ID, "not_done")


def test_another_ticket_does_not_tell_what_became_of_this_one(agent, sandbox):
    sandbox.fault("reset", method="POST")
    sandbox.fault(method="GET", status=200, body=ANOTHER | {"status": "open"})
    response = agent.htmx_post(URL, FORM, at=TICKET_PAGE)
    assert "Reopened." not in response.content.decode()
    assert "We do not know whether the change went through" in response.content.decode()
    activity = Activity.objects.get()
    assert (activity.ticket_id, activity.outcome) == (SAMPLE_ID, "unknown")


def test_a_success_with_a_status_that_says_nothing_is_settled_by_reading_once(agent, sandbox):
    sandbox.tickets.find(SAMPLE_ID).status = "open"
    sandbox.fault(method="POST", transform=lambda ticket: ticket | {"status": "waiting_for_godot"})
    assert "Closed." in agent.htmx_post(CLOSE_URL, {"status": "open"}).content.decode()
    assert [call.method for call in sandbox.calls] == ["POST", "GET"]
    assert Activity.objects.get().outcome == "done"


def test_a_status_that_says_nothing_is_not_called_open(agent, sandbox):
    sandbox.fault(transform=lambda ticket: ticket | {"status": "waiting_for_godot"}, times=2)
    response = agent.htmx_post(CLOSE_URL, {"status": "open"})
    assert response.status_code == 502
    html = response.content.decode()
    assert "We do not know whether the change went through" in html
    assert "still open" not in html
    assert Activity.objects.get().outcome == "unknown"


@pytest.mark.parametrize("shown", ["2026-04-27T11:45:00", "9" * 17, "-1", "nonsense", ""])
def test_a_form_whose_time_is_none_reopens_all_the_same(agent, shown):
    assert "Reopened." in agent.htmx_post(URL, FORM | {"updated_at": shown}).content.decode()
