"""Reply: sent once, never lost, and never without looking at what is new."""

import re
import uuid
from dataclasses import replace
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import OperationalError, connection
from django.utils import timezone

from sandbox.api import Api
from sandbox.special_tickets import SAMPLE_ID
from tests.forms import OPEN_ID, form_of, hidden_fields, messages_with, methods
from tests.full_disk import nothing_goes_into
from tickets import drafts, upstream
from tickets.forms import LONGEST_MESSAGE
from tickets.hostup.client import Client
from tickets.models import Activity, ApiKey, Draft, DraftQuerySet, Submission

URL = f"/tickets/{OPEN_ID}/reply/"
DRAFT_URL = f"/tickets/{OPEN_ID}/draft/"
PAGE = f"http://testserver/tickets/{OPEN_ID}/"


def text_in_the_box(html):
    return re.search(r"<textarea[^>]*>\n(.*?)</textarea>", html, re.DOTALL).group(1)


@pytest.fixture
def form(agent, sandbox):
    form = form_of(agent)
    sandbox.clear_calls()
    return form


def test_a_reply_goes_out_and_the_thread_shows_it(agent, sandbox, form):
    response = agent.htmx_post(URL, form | {"message": "Thank you."}, at=PAGE)
    assert response.status_code == 200
    html = response.content.decode()
    assert "Sent." in html
    assert "Thank you." in html[html.index("<article") : html.index("</article>")]
    assert text_in_the_box(html) == ""
    assert methods(sandbox) == ["GET", "POST", "GET"]
    (message,) = messages_with(sandbox, "Thank you.")
    assert not message.encrypted


def test_an_encrypted_reply_is_sent_encrypted_and_the_box_stays_so(agent, sandbox, form):
    html = agent.htmx_post(URL, form | {"message": "Secret.", "encrypted": "on"}, at=PAGE).content.decode()
    assert messages_with(sandbox, "Secret.")[0].encrypted
    assert re.search(r'name="encrypted"[^>]* checked', html)


@pytest.mark.parametrize("send", ["post", "htmx_post"])
def test_that_hostup_did_not_encrypt_it_is_said(agent, sandbox, form, send):
    in_clear = {"encrypted": False}
    sandbox.fault(method="POST", transform=lambda message: message | in_clear)
    sandbox.fault(
        method="GET",
        skip=1,
        transform=lambda ticket: ticket | {"messages": [message | in_clear for message in ticket["messages"]]},
    )
    where = {"at": PAGE} if send == "htmx_post" else {"follow": True}
    html = getattr(agent, send)(URL, form | {"message": "Secret.", "encrypted": "on"}, **where).content.decode()
    assert "Sent. But HostUp did not encrypt it. Any password or other secret in it should now be changed." in html


def test_an_answer_that_says_nothing_of_encryption_is_judged_by_the_ticket(agent, sandbox, form):
    sandbox.fault(method="POST", transform=lambda message: message | {"encrypted": None})
    html = agent.htmx_post(URL, form | {"message": "Secret.", "encrypted": "on"}, at=PAGE).content.decode()
    assert "Sent." in html
    assert "did not encrypt" not in html


@pytest.mark.parametrize("odd", [{"id": "req_1"}, {"id": "tmsg_1", "ticketId": SAMPLE_ID, "body": "Nope."}])
def test_an_answer_that_is_not_about_this_ticket_is_no_success(agent, sandbox, form, odd):
    sandbox.fault(status=201, method="POST", body=odd)
    html = agent.htmx_post(URL, form | {"message": "Thank you."}, at=PAGE).content.decode()
    assert "We do not know whether your reply was sent" in html
    assert Activity.objects.get().outcome == "unknown"


def test_a_ticket_that_is_read_as_another_gets_no_reply(agent, sandbox, form):
    sandbox.fault(method="GET", status=200, body={"id": SAMPLE_ID, "number": 149943, "status": "open"})
    response = agent.post(URL, form | {"message": "Secret."})
    assert response.status_code == 502
    assert text_in_the_box(response.content.decode()) == "Secret."
    assert methods(sandbox) == ["GET"]


def test_that_the_ticket_could_not_be_read_after_it_is_said(agent, sandbox, form):
    sandbox.fault("problem_503", method="GET", skip=1)
    html = agent.htmx_post(URL, form | {"message": "Thank you."}, at=PAGE).content.decode()
    assert "Sent. The ticket could not be reloaded: reload it yourself to see your reply." in html


def staff_writes(sandbox, text, ticket_id=OPEN_ID):
    ticket = sandbox.tickets.find(ticket_id)
    sandbox.tickets.add_message(ticket, sender="staff", body=text, sender_name="Sam")


@pytest.fixture
def meanwhile(monkeypatch):
    """Return a function that makes something happen at HostUp right before the next call of a method and path."""
    carry_out = Api.answer

    def meanwhile(method, path, happen):
        def answer(api, request):
            if request.method == method and path in request.path:
                monkeypatch.setattr(Api, "answer", carry_out)
                happen()
            return carry_out(api, request)

        monkeypatch.setattr(Api, "answer", answer)

    return meanwhile


def test_what_came_while_it_failed_is_shown_before_it_is_sent_again(agent, sandbox, form, meanwhile):
    meanwhile("GET", OPEN_ID, lambda: meanwhile("GET", OPEN_ID, lambda: staff_writes(sandbox, "Do not send it!")))
    sandbox.fault("problem_502", method="POST")
    html = agent.htmx_post(URL, form | {"message": "The password"}, at=PAGE).content.decode()
    box = html[html.index("composer-state") :]
    assert "New in this ticket" in box
    assert "Do not send it!" in box


@pytest.mark.parametrize("way", ["files", "reopen"])
def test_what_hostup_writes_while_files_go_up_or_it_is_reopened_stops_it(agent, sandbox, meanwhile, way):
    """Files may take minutes, and reopening a ticket may bring to light an answer with which it was closed."""
    ticket_id = OPEN_ID if way == "files" else SAMPLE_ID
    written = form_of(agent, ticket_id) | {"message": "Here is the log."}
    if way == "files":
        written["files"] = SimpleUploadedFile("log.txt", b"x")
        meanwhile("POST", "/attachments", lambda: staff_writes(sandbox, "Stop!", ticket_id))
    else:
        written["reopen"] = "1"
        meanwhile("POST", "/reopen", lambda: staff_writes(sandbox, "Stop!", ticket_id))
    response = agent.post(f"/tickets/{ticket_id}/reply/", written)
    html = response.content.decode()
    assert response.status_code == 409
    assert "Not sent: the ticket has changed since you saw it" in html
    assert "Stop!" in html[html.index("New in this ticket") :]
    assert ("leave out what is already attached: log.txt." in html) == (way == "files")
    assert ("The ticket was reopened, but your reply was not sent." in html) == (way == "reopen")
    assert messages_with(sandbox, "Here is the log.", ticket_id) == []
    assert agent.post(f"/tickets/{ticket_id}/reply/", written | hidden_fields(html)).status_code == 302


LEAVING_OUT = {
    "the thread": lambda ticket: ticket | {"messages": None},
    "its end": lambda ticket: ticket | {"messages": ticket["messages"][:2]},
    "its beginning": lambda ticket: ticket | {"messages": ticket["messages"][-1:]},
}


@pytest.mark.parametrize("left_out", LEAVING_OUT)
def test_a_thread_that_comes_in_part_proves_nothing(agent, sandbox, left_out):
    """The reference's own sample of a ticket has fewer messages than its count."""
    if left_out == "its end":
        staff_writes(sandbox, "Hello.")
        sandbox.fault(method="GET", path=OPEN_ID, times=None, transform=LEAVING_OUT[left_out])
    else:
        sandbox.fault(method="GET", path=OPEN_ID, skip=2, transform=LEAVING_OUT[left_out])
    form = form_of(agent)
    sandbox.fault("lost_answer", method="POST")
    html = agent.htmx_post(URL, form | {"message": "Once."}, at=PAGE).content.decode()
    if left_out == "its beginning":
        assert "Sent." in html
        return
    assert "We do not know whether your reply was sent" in html
    assert Activity.objects.get().outcome == "unknown"


def test_a_reply_to_a_ticket_that_comes_without_its_thread_is_not_sent_and_nothing_else_is_said_of_it(
    agent, sandbox, form
):
    """Without the thread, nothing tells what is new or, later, what arrived: an older "Thanks!" may match."""
    sandbox.fault(method="GET", path=OPEN_ID, transform=LEAVING_OUT["the thread"])
    html = agent.htmx_post(URL, form | {"message": "Thanks!"}, at=PAGE).content.decode()
    assert "HostUp sent a response the dashboard cannot read" in html
    assert "Your reply was not sent." in html
    assert "has changed" not in html
    assert 'class="thread"' not in html
    assert methods(sandbox)[-1] == "GET"
    assert "Sent." in agent.htmx_post(URL, form | {"message": "Thanks!"}, at=PAGE).content.decode()


def test_the_log_names_no_status_that_nobody_read(agent, sandbox, form):
    sandbox.fault("problem_500", method="GET", skip=1)
    agent.htmx_post(URL, form | {"message": "Where?"}, at=PAGE)
    activity = Activity.objects.get()
    assert (activity.from_status, activity.to_status) == (form["seen_status"], "")
    assert activity.ticket_number == str(sandbox.tickets.find(OPEN_ID).number)


def test_a_reply_that_could_not_be_looked_for_says_so_and_where_to_look(agent, sandbox, form):
    sandbox.fault("lost_answer", method="POST")
    sandbox.fault("problem_500", method="GET", skip=1)
    html = agent.htmx_post(URL, form | {"message": "Where?"}, at=PAGE).content.decode()
    assert "HostUp did not confirm it, and the ticket could not be reloaded." in html
    assert f'href="/tickets/{OPEN_ID}/">View ticket</a>' in html


def test_a_draft_that_arrived_after_all_is_told_from_one_that_did_not(agent, sandbox, form):
    sandbox.fault("lost_answer", method="POST")
    sandbox.fault("problem_500", method="GET", skip=1)
    agent.htmx_post(URL, form | {"message": "Here it is."}, at=PAGE)
    html = agent.get(PAGE).content.decode()
    assert text_in_the_box(html) == "Here it is."
    assert "Draft saved. The ticket already has a message with this text." in html
    assert "Send anyway" in html
    agent.htmx_post(DRAFT_URL, form_of(agent) | {"message": "Here it is. And more."})
    html = agent.get(PAGE).content.decode()
    assert "with this text" not in html
    assert "Send anyway" not in html


def test_a_sent_reply_leaves_the_thread_on_the_screen_when_it_comes_without(agent, sandbox, form):
    sandbox.fault(method="GET", path=OPEN_ID, skip=1, transform=LEAVING_OUT["the thread"])
    html = agent.htmx_post(URL, form | {"message": "Thanks."}, at=PAGE).content.decode()
    assert "Sent." in html
    assert 'class="message ' in html


def test_without_javascript_it_comes_back_to_the_ticket(agent, sandbox, form):
    response = agent.post(URL, form | {"message": "Hello."})
    assert response.status_code == 302
    assert "Sent." in agent.get(response.headers["Location"]).content.decode()


@pytest.mark.parametrize("text", ["", "   \n "])
def test_nothing_is_not_sent(agent, sandbox, form, text):
    response = agent.htmx_post(URL, form | {"message": text}, at=PAGE)
    assert response.status_code == 422
    assert "Write something before you send it." in response.content.decode()
    assert "POST" not in methods(sandbox)


def test_a_request_that_lost_its_text_takes_no_draft_with_it(agent, form):
    agent.htmx_post(DRAFT_URL, {"message": "Half a"})
    assert agent.post(URL, form).status_code == 422
    assert Draft.objects.of(agent.user, OPEN_ID)["message"] == "Half a"


def test_ten_presses_send_one_message(agent, sandbox, form):
    answers = [agent.htmx_post(URL, form | {"message": "Once."}, at=PAGE) for _ in range(10)]
    assert {answer.status_code for answer in answers} == {200}
    assert len(messages_with(sandbox, "Once.")) == 1


def test_another_text_in_a_form_that_was_sent_is_kept_and_asked_about(agent, sandbox, form):
    agent.htmx_post(URL, form | {"message": "First."}, at=PAGE)
    response = agent.post(URL, form | {"message": "Second."})
    assert response.status_code == 409
    html = response.content.decode()
    assert "You have already sent this and have changed it since" in html
    assert text_in_the_box(html) == "Second."
    assert not messages_with(sandbox, "Second.")
    assert agent.htmx_post(URL, hidden_fields(html) | {"message": "Second."}, at=PAGE).status_code == 200
    assert len(messages_with(sandbox, "Second.")) == 1


def test_a_file_added_to_what_was_sent_is_not_called_sent(agent, sandbox, form):
    """Without JavaScript: HostUp was slow, so the agent pressed Stop and attached a forgotten file."""
    agent.post(URL, form | {"message": "Here is the log."})
    log = SimpleUploadedFile("log.txt", b"the log")
    response = agent.post(URL, form | {"message": "Here is the log.", "files": log})
    assert response.status_code == 409
    assert "You have already sent this and have changed it since" in response.content.decode()


def test_a_press_while_another_is_being_sent_sends_nothing(agent, sandbox, form):
    Submission.objects.claim(form["token"], agent.user, digest="of the other press", turn=0)
    response = agent.htmx_post(URL, form | {"message": "Twice?"}, at=PAGE)
    assert response.status_code == 409
    assert "Your reply is being sent" in response.content.decode()
    assert not messages_with(sandbox, "Twice?")


def test_of_two_presses_that_try_again_the_later_one_sends_nothing(agent, sandbox, form):
    submission, _ = Submission.objects.claim(form["token"], agent.user, digest="refused before", turn=0)
    submission.end(Submission.State.NOT_SENT)

    def behind_another(execute, sql, *rest):
        if sql.startswith("UPDATE") and "tickets_submission" in sql:
            execute(sql, *rest)  # the other press takes it first
        return execute(sql, *rest)

    with connection.execute_wrapper(behind_another):
        response = agent.htmx_post(URL, form | {"message": "Twice?"}, at=PAGE)
    assert "Your reply is being sent" in response.content.decode()
    assert not messages_with(sandbox, "Twice?")


def test_a_press_while_many_files_are_being_sent_sends_nothing(agent, sandbox, form):
    submission, _ = Submission.objects.claim(form["token"], agent.user, digest="of the other press", turn=0)
    Submission.objects.filter(pk=submission.pk).update(started_at=timezone.now() - timedelta(minutes=20))
    html = agent.htmx_post(URL, form | {"message": "Twice?"}, at=PAGE).content.decode()
    assert "Your reply is being sent" in html
    again = agent.htmx_post(URL, form | hidden_fields(html) | {"message": "Twice?"}, at=PAGE)
    assert "Your reply is being sent" in again.content.decode()
    assert not messages_with(sandbox, "Twice?")


def test_another_agent_s_form_sends_nothing(agent, colleague, sandbox, form):
    agent.htmx_post(URL, form | {"message": "Mine."}, at=PAGE)
    response = colleague.htmx_post(URL, form | {"message": "Yours."}, at=PAGE)
    assert response.status_code in (409, 503)
    assert not messages_with(sandbox, "Yours.")


def test_a_form_without_a_token_is_kept_not_sent(agent, sandbox):
    response = agent.post(URL, {"message": "Text."})
    assert response.status_code == 422
    assert text_in_the_box(response.content.decode()) == "Text."
    assert "POST" not in methods(sandbox)


@pytest.mark.parametrize("fault", ["lost_answer", "truncated", "slow", "dripping_headers", "broken_json"])
def test_a_lost_answer_to_a_reply_that_arrived_is_sent(agent, sandbox, form, fault):
    sandbox.fault(fault, method="POST")
    response = agent.htmx_post(URL, form | {"message": "Did it arrive?"}, at=PAGE)
    assert response.status_code == 200
    assert "Sent." in response.content.decode()
    assert methods(sandbox) == ["GET", "POST", "GET"]
    assert len(messages_with(sandbox, "Did it arrive?")) == 1


@pytest.mark.parametrize("fault", ["reset", "problem_500", "html_502", "empty_503"])
def test_a_lost_answer_to_a_reply_that_did_not_arrive_may_be_tried_again(agent, sandbox, form, fault):
    sandbox.fault(fault, method="POST")
    refused = agent.htmx_post(URL, form | {"message": "Try me."}, at=PAGE)
    assert refused.status_code in (503, 504)
    html = refused.content.decode()
    for words in ("<h2>Not sent</h2>", "the ticket shows that it did not arrive", "Your text is kept."):
        assert words in html
    assert "Your reply was not sent." not in html  # once is enough
    again = agent.htmx_post(URL, form | {"message": "Try me."}, at=PAGE)
    assert again.status_code == 200
    assert len(messages_with(sandbox, "Try me.")) == 1


@pytest.mark.parametrize("success", [
    {"status": 201, "body": ""},
    {"status": 201, "body": "<html>"},
    {"status": 201, "body": {"message": "sent"}},
    {"status": 204, "body": ""},
    {"status": 201, "truncate": "body"},
    {"status": 201, "body": b"no gzip", "headers": {"Content-Encoding": "gzip"}},
])  # fmt: skip
def test_a_success_that_cannot_be_read_is_not_called_unsent(agent, sandbox, form, success):
    """HostUp has it, but the ticket may not show it yet."""
    sandbox.fault(method="POST", **success)
    response = agent.htmx_post(URL, form | {"message": "Pay them."}, at=PAGE)
    assert response.status_code == 502
    assert "We do not know whether your reply was sent" in response.content.decode()
    assert Activity.objects.get().outcome == "unknown"


def test_a_line_end_is_one_character_though_browsers_send_two(agent, sandbox, form):
    message = "x\r\n" * (LONGEST_MESSAGE // 2)
    assert "Sent." in agent.htmx_post(URL, form | {"message": message}, at=PAGE).content.decode()
    assert "Too long" in agent.htmx_post(URL, form | {"message": message + "y"}, at=PAGE).content.decode()


def test_what_cannot_be_known_is_not_sent_again_by_the_same_form(agent, sandbox, form):
    sandbox.fault("lost_answer", method="POST")
    sandbox.fault("problem_503", method="GET", skip=1)
    response = agent.htmx_post(URL, form | {"message": "Who knows."}, at=PAGE)
    assert response.status_code == 503
    assert "We do not know whether your reply was sent" in response.content.decode()
    assert Activity.objects.get().outcome == "unknown"
    again = agent.htmx_post(URL, form | {"message": "Who knows."}, at=PAGE)
    assert "Sent." in again.content.decode()  # now the ticket could be read
    assert len(messages_with(sandbox, "Who knows.")) == 1


UNREAD = {
    "down": lambda agent, sandbox: sandbox.fault("problem_503", method="GET", times=None),
    "told to wait": lambda agent, sandbox: sandbox.fault("rate_limited_seconds", method="GET", times=None),
    "no key": lambda agent, sandbox: ApiKey.objects.all().delete(),
    "another encryption key": lambda agent, sandbox: ApiKey.objects.update(token="other:x"),
}


@pytest.mark.parametrize("unread", UNREAD)
@pytest.mark.parametrize("send", ["post", "htmx_post"])
def test_pressed_again_while_the_ticket_cannot_be_read_a_sent_reply_is_sent(agent, sandbox, form, send, unread):
    agent.htmx_post(URL, form | {"message": "Once."}, at=PAGE)  # the browser lost the answer
    UNREAD[unread](agent, sandbox)
    answer = getattr(agent, send)(URL, form | {"message": "Once."})
    assert answer.headers["Location" if send == "post" else "HX-Redirect"] == f"/tickets/{OPEN_ID}/"
    assert "Sent." in agent.get(f"/tickets/{OPEN_ID}/").content.decode()
    assert not Draft.objects.exists()
    assert len(messages_with(sandbox, "Once.")) == 1


@pytest.mark.parametrize("unread", UNREAD)
def test_pressed_again_while_the_ticket_cannot_be_read_nobody_knows_more(agent, sandbox, form, unread):
    sandbox.fault("lost_answer", method="POST")
    sandbox.fault("problem_503", method="GET", skip=1)
    agent.post(URL, form | {"message": "Who knows."})
    UNREAD[unread](agent, sandbox)
    html = agent.post(URL, form | {"message": "Who knows."}).content.decode()
    assert "We do not know whether your reply was sent" in html
    assert "not sent" not in html
    assert text_in_the_box(html) == "Who knows."


def test_pressed_again_while_the_ticket_cannot_be_read_it_is_still_being_sent(agent, sandbox, form):
    Submission.objects.claim(form["token"], agent.user, digest="of the other press", turn=0)
    sandbox.fault("problem_503", method="GET", times=None)
    assert "Your reply is being sent" in agent.post(URL, form | {"message": "Twice?"}).content.decode()


def test_when_neither_ticket_nor_database_can_be_read_the_text_is_there_to_copy(agent, sandbox, form):
    def gone(execute, sql, *rest):
        if "tickets_submission" in sql:
            raise OperationalError("gone")
        return execute(sql, *rest)

    sandbox.fault("problem_503", method="GET", times=None)
    with connection.execute_wrapper(gone):
        response = agent.post(URL, form | {"message": "My words."})
    assert response.status_code == 503
    assert "My words." in response.content.decode()


@pytest.mark.parametrize(("state", "words"), [("sent", "You have already sent this"), ("not_sent", "Sent.")])
def test_a_press_that_ends_while_the_ticket_is_read_for_another_counts(agent, form, monkeypatch, state, words):
    Submission.objects.claim(form["token"], agent.user, digest="of the first press", turn=0)
    read = Client.ticket

    def read_slowly(*args, **kwargs):
        ticket = read(*args, **kwargs)
        Submission.objects.filter(state="sending").update(state=state)
        return ticket

    monkeypatch.setattr(Client, "ticket", read_slowly)
    html = agent.htmx_post(URL, form | {"message": "Twice?"}, at=PAGE).content.decode()
    assert "Your reply is being sent" not in html
    assert words in html


@pytest.mark.parametrize("unread", UNREAD)
def test_what_could_not_be_sent_goes_out_when_the_ticket_can_be_read_again(agent, sandbox, form, unread):
    key = agent.user.api_key
    UNREAD[unread](agent, sandbox)
    response = agent.post(URL, form | {"message": "Now."})
    assert response.status_code in (403, 429, 503)
    html = response.content.decode()
    assert "Your reply was not sent." in html
    assert text_in_the_box(html) == "Now."
    sandbox.clear_faults()
    key.save()
    cache.clear()
    upstream.pool_for.cache_clear()
    agent.htmx_post(URL, form | {"message": "Now."}, at=PAGE)
    assert len(messages_with(sandbox, "Now.")) == 1


REFUSALS = {
    "problem_400": 422,
    "problem_401": 403,
    "problem_403": 403,
    "rate_limited_seconds": 429,
    "problem_409": 409,
}


@pytest.mark.parametrize("fault", REFUSALS)
def test_a_refused_reply_keeps_the_text(agent, sandbox, form, fault):
    sandbox.fault(fault, method="POST")
    response = agent.post(URL, form | {"message": "My words."})
    assert response.status_code == REFUSALS[fault]
    assert response.headers.get("Retry-After") == ("7" if REFUSALS[fault] == 429 else None)
    html = response.content.decode()
    assert "Your reply was not sent." in html
    assert "req_" in html
    assert text_in_the_box(html) == "My words."
    assert hidden_fields(html)["seen_thread"] == form["seen_thread"]


@pytest.mark.parametrize("send", ["post", "htmx_post"])
def test_when_hostup_is_down_the_text_stays(agent, settings, nowhere, form, send):
    settings.HOSTUP_API_URL = nowhere
    response = getattr(agent, send)(URL, form | {"message": "My words."})
    assert response.status_code == 503
    html = response.content.decode()
    assert "Your reply was not sent." in html
    if send == "post":
        assert text_in_the_box(html) == "My words."
    else:
        assert "<textarea" not in html  # the box on the screen is not touched
    assert Draft.objects.of(agent.user, OPEN_ID)["message"] == "My words."


def test_a_new_message_stops_the_reply_and_shows(agent, sandbox, form):
    news = ("Wait.", "Something else.", "And one more thing.")
    for body in news:
        staff_writes(sandbox, body)
    response = agent.htmx_post(URL, form | {"message": "Bye."}, at=PAGE)
    assert response.status_code == 409
    html = response.content.decode()
    assert "Not sent: the ticket has changed since you saw it" in html
    assert all(body in html[html.index('class="news"') :] for body in news)
    assert "Send anyway" in html
    assert "<textarea" not in html
    assert not messages_with(sandbox, "Bye.")
    assert agent.htmx_post(URL, form | hidden_fields(html) | {"message": "Bye."}, at=PAGE).status_code == 200
    assert len(messages_with(sandbox, "Bye.")) == 1


def test_a_message_that_was_long_on_its_way_stops_the_reply_too(agent, sandbox, form):
    ticket = sandbox.tickets.find(OPEN_ID)
    late = replace(ticket.messages[0], id="tmsg_late", body="Do not pay.")
    ticket.messages.insert(0, late)
    ticket.status = "on_hold"
    response = agent.htmx_post(URL, form | {"message": "I pay."}, at=PAGE)
    assert response.status_code == 409
    html = response.content.decode()
    assert "Do not pay." in html[html.index("<article") : html.index("</article>")]
    assert "Read what is new, then send your reply if it still makes sense." in html
    assert "POST" not in methods(sandbox)
    assert agent.htmx_post(URL, form | hidden_fields(html) | {"message": "I pay."}, at=PAGE).status_code == 200


def test_a_message_that_cannot_be_read_stops_the_reply_when_it_comes_and_not_again(agent, sandbox, form):
    """Nobody can see it, but the ticket has changed."""
    ticket = sandbox.tickets.find(OPEN_ID)
    sandbox.fault(
        method="GET",
        times=None,
        transform=lambda sent: sent | {"messages": [*sent["messages"], {"sentAt": "soon"}]},
    )
    response = agent.htmx_post(URL, form | {"message": "Bye."}, at=PAGE)
    assert response.status_code == 409
    html = response.content.decode()
    assert "1 message from HostUp could not be read and is not shown." in html
    assert hidden_fields(html)["seen_count"] == str(len(ticket.messages) + 1)
    assert agent.htmx_post(URL, form | hidden_fields(html) | {"message": "Bye."}, at=PAGE).status_code == 200
    assert len(messages_with(sandbox, "Bye.")) == 1


@pytest.mark.parametrize("identifier", [" bad id! ", "bad\r\nid", "x" * 6000, "\x00", "å/?#"])
def test_a_message_with_any_id_at_all_stops_no_reply_that_saw_it(agent, sandbox, identifier):
    sandbox.tickets.find(OPEN_ID).messages[-1].id = identifier
    form = form_of(agent)
    assert agent.htmx_post(URL, form | {"message": "Hello."}, at=PAGE).status_code == 200


def test_messages_that_all_have_the_same_id_stop_no_reply_that_saw_them(agent, sandbox):
    for message in sandbox.tickets.find(OPEN_ID).messages:
        message.id = ""
    form = form_of(agent)
    assert agent.htmx_post(URL, form | {"message": "Hello."}, at=PAGE).status_code == 200


@pytest.mark.parametrize("fields", [{"body": 7}, {"sender": None}, {"sender": "api"}, {"id": "another's"}])
def test_a_lost_reply_that_may_be_a_message_that_says_too_little_is_not_called_unsent(
    agent, sandbox, form, fields
):
    sandbox.tickets.find(OPEN_ID).messages[0].id = "another's"
    sandbox.fault("problem_500", method="POST", process=True)
    sandbox.fault(
        method="GET",
        skip=1,
        transform=lambda sent: sent | {"messages": [*sent["messages"][:-1], sent["messages"][-1] | fields]},
    )
    response = agent.htmx_post(URL, form | {"message": "Pay them."}, at=PAGE)
    assert "We do not know whether your reply was sent" in response.content.decode()
    assert len(messages_with(sandbox, "Pay them.")) == 1


@pytest.mark.parametrize("status", [400, 409])
def test_a_refused_reply_that_is_in_the_ticket_was_sent(agent, sandbox, form, status):
    """A proxy may lose the first answer, send the reply again, and pass on what HostUp says about the second."""
    sandbox.fault(method="POST", status=status, process=True)
    assert "Sent." in agent.htmx_post(URL, form | {"message": "Hello."}, at=PAGE).content.decode()
    assert Activity.objects.values_list("action", "outcome").get() == ("reply", "done")
    assert len(messages_with(sandbox, "Hello.")) == 1


def test_a_refused_reply_that_may_be_a_message_without_its_text_is_not_called_unsent(agent, sandbox, form):
    sandbox.encrypted_body = "null"
    sandbox.fault(method="POST", status=400, process=True)
    response = agent.htmx_post(URL, form | {"message": "Hello.", "encrypted": "on"}, at=PAGE)
    assert "We do not know whether your reply was sent" in response.content.decode()
    assert Activity.objects.values_list("action", "outcome").get() == ("reply", "unknown")


@pytest.mark.parametrize(("status", "shown"), [("on_hold", "On hold"), ("<b>", "&lt;b&gt;")])
def test_another_status_stops_the_reply_too_and_is_said(agent, sandbox, form, status, shown):
    sandbox.tickets.find(OPEN_ID).status = status
    response = agent.htmx_post(URL, form | {"message": "Bye."}, at=PAGE)
    assert response.status_code == 409
    html = response.content.decode()
    assert f"The ticket is now “{shown}”. Send your reply if it still makes sense." in html
    assert "Read what is new" not in html
    assert "POST" not in methods(sandbox)


def test_a_status_of_a_later_day_stops_no_reply(agent, sandbox):
    sandbox.tickets.find(OPEN_ID).status = "waiting_for_" * 20
    form = hidden_fields(agent.get(PAGE).content.decode())
    assert agent.htmx_post(URL, form | {"message": "Hello."}, at=PAGE).status_code == 200


def test_on_a_closed_ticket_it_reopens_first(agent, sandbox):
    form = form_of(agent, SAMPLE_ID)
    assert "Reopen and reply" in agent.get(f"/tickets/{SAMPLE_ID}/").content.decode()
    sandbox.clear_calls()
    response = agent.htmx_post(f"/tickets/{SAMPLE_ID}/reply/", form | {"message": "Again.", "reopen": "1"})
    assert "Reopened and sent." in response.content.decode()
    assert methods(sandbox) == ["GET", "POST", "POST", "GET"]
    assert set(Activity.objects.values_list("action", "outcome")) == {("reopen", "done"), ("reply", "done")}


@pytest.mark.parametrize("is_read", [True, False])
@pytest.mark.parametrize("left", [None, []])
def test_reopening_first_by_an_answer_without_the_thread_has_it_read(agent, sandbox, left, is_read):
    """Otherwise every message in the thread would seem to have come after the reply was sent."""
    message = sandbox.tickets.find(SAMPLE_ID).messages[-1]
    message.body, message.sender = "Again.", "customer"
    form = form_of(agent, SAMPLE_ID)
    sandbox.fault(path="reopen", transform=lambda ticket: {**ticket, "messages": left})
    sandbox.fault("problem_500", path="messages")
    if not is_read:
        sandbox.fault("problem_400", method="GET", skip=1)
    sandbox.clear_calls()
    response = agent.htmx_post(f"/tickets/{SAMPLE_ID}/reply/", form | {"message": "Again.", "reopen": "1"})
    assert methods(sandbox) == ["GET", "POST", "GET", "POST", "GET"]
    assert "the ticket shows that it did not arrive" in response.content.decode()


def test_reopened_but_not_sent_says_both(agent, sandbox):
    form = form_of(agent, SAMPLE_ID)
    sandbox.fault("problem_400", path="messages")
    response = agent.htmx_post(f"/tickets/{SAMPLE_ID}/reply/", form | {"message": "Again.", "reopen": "1"})
    assert response.status_code == 422
    assert "The ticket was reopened, but your reply was not sent." in response.content.decode()


@pytest.mark.django_db(transaction=True)  # a test's own transaction would end with the first error
def test_a_form_that_cannot_be_claimed_gives_way_to_another(agent, sandbox, form):
    """The database may have stored the claim without saying so: it then counts as being sent for 20 minutes."""
    with nothing_goes_into("tickets_submission"):
        html = agent.htmx_post(URL, form | {"message": "Hello."}).content.decode()
    assert "Your reply was not sent." in html
    assert "POST" not in methods(sandbox)
    assert hidden_fields(html)["token"] != form["token"]


@pytest.mark.django_db(transaction=True)  # a test's own transaction would end with the first error
def test_what_cannot_be_logged_is_neither_reopened_nor_sent(agent, sandbox):
    form = form_of(agent, SAMPLE_ID)
    sandbox.clear_calls()
    with nothing_goes_into("tickets_activity"):
        response = agent.post(f"/tickets/{SAMPLE_ID}/reply/", form | {"message": "Again.", "reopen": "1"})
    assert response.status_code == 503
    assert "Your reply was not sent." in response.content.decode()
    assert methods(sandbox) == ["GET"]
    response = agent.htmx_post(f"/tickets/{SAMPLE_ID}/reply/", form | {"message": "Again.", "reopen": "1"})
    assert "Reopened and sent." in response.content.decode()


@pytest.mark.parametrize(("faults", "status", "words"), [
    ([{"name": "problem_403", "path": "reopen"}], 403, "Your API key does not allow this"),
    ([{"name": "reset", "path": "reopen"}], 503, "Not reopened: the ticket is still closed"),
    ([{"path": "reopen", "transform": lambda ticket: ticket | {"status": "closed"}}], 502,
     "Not reopened: the ticket is still closed"),
    ([{"name": "lost_answer", "path": "reopen"}, {"name": "problem_400", "method": "GET", "skip": 1}], 503,
     "We do not know whether the ticket was reopened"),
])  # fmt: skip
def test_not_reopened_is_not_sent(agent, sandbox, faults, status, words):
    form = form_of(agent, SAMPLE_ID)
    for fault in faults:
        sandbox.fault(**fault)
    response = agent.htmx_post(f"/tickets/{SAMPLE_ID}/reply/", form | {"message": "Again.", "reopen": "1"})
    assert response.status_code == status
    alert = response.content.decode().partition('role="alert"')[2]
    assert words in alert
    # This comes last: what HostUp did not confirm, as the alert says before it, is the reopening.
    assert re.search(r"<p>Your reply was not sent\.</p>\s*<p>Your text is kept\.</p>", alert)
    assert "your reply did not arrive" not in alert  # nobody has looked for it
    assert not messages_with(sandbox, "Again.", SAMPLE_ID)


def test_when_nobody_knows_whether_it_is_open_it_is_not_shown_as_closed(agent, sandbox):
    form = form_of(agent, SAMPLE_ID)
    sandbox.fault("lost_answer", path="reopen")
    sandbox.fault("problem_400", method="GET", skip=1)
    lost = agent.htmx_post(f"/tickets/{SAMPLE_ID}/reply/", form | {"message": "Again.", "reopen": "1"})
    assert f'id="row-{SAMPLE_ID}"' not in lost.content.decode()


def test_reopened_but_lost_says_both(agent, sandbox):
    form = form_of(agent, SAMPLE_ID)
    sandbox.fault("reset", path="messages")
    response = agent.htmx_post(f"/tickets/{SAMPLE_ID}/reply/", form | {"message": "Again.", "reopen": "1"})
    assert response.status_code == 503
    html = response.content.decode()
    assert "The ticket was reopened, but your reply was not sent." in html
    assert "the ticket shows that it did not arrive" in html


@pytest.mark.parametrize("path", ["reopen", "messages"])
@pytest.mark.parametrize("has_file", [False, True])
def test_what_the_ticket_s_state_does_not_allow_leads_to_the_ticket_unless_files_would_be_lost(
    agent, sandbox, path, has_file
):
    written = form_of(agent, SAMPLE_ID) | {"message": "Again.", "reopen": "1"}
    if has_file:
        written["files"] = SimpleUploadedFile("log.txt", b"x")
    sandbox.fault("problem_409", path=path)
    page = f"/tickets/{SAMPLE_ID}/"
    html = agent.htmx_post(f"{page}reply/", written, at=f"http://testserver{page}").content.decode()
    loses_file = has_file and path == "reopen"
    assert (f'href="{page}">Reload the ticket</a>' in html) != loses_file
    assert text_in_the_box(agent.get(page).content.decode()) == "Again."


# Drafts


def test_a_draft_is_there_after_a_reload_and_in_the_list(agent, sandbox):
    response = agent.htmx_post(DRAFT_URL, {"message": "Half a sen", "encrypted": "on"})
    assert response.content.decode() == "Draft saved."
    html = agent.get(f"/tickets/{OPEN_ID}/").content.decode()
    assert text_in_the_box(html) == "Half a sen"
    assert re.search(r'name="encrypted"[^>]* checked', html)
    row = agent.get("/tickets/").content.decode()
    assert ">Draft<" in row[row.index(f'id="row-{OPEN_ID}"') :].partition("</li>")[0]
    assert row.count(">Draft<") == 1


def test_of_a_text_that_is_too_long_the_first_part_is_kept_and_that_is_said(agent, form):
    too_long = "x" * LONGEST_MESSAGE + "y"
    response = agent.htmx_post(DRAFT_URL, form | {"message": too_long})
    assert response.content.decode() == "Too long to save as a draft."
    assert text_in_the_box(agent.get(f"/tickets/{OPEN_ID}/").content.decode()) == too_long[:-1]
    page = agent.post(URL, form | {"message": too_long}).content.decode()
    assert text_in_the_box(page) == too_long
    assert "Too long to save as a draft." in page
    assert "Draft saved." not in page
    assert agent.htmx_post(DRAFT_URL, form | {"message": too_long[1:]}).content.decode() == "Draft saved."


@pytest.mark.django_db(transaction=True)
def test_a_draft_that_could_not_be_kept_is_not_called_saved(agent, sandbox, form):
    sandbox.fault("problem_403", method="POST", times=None)
    with nothing_goes_into("tickets_draft"):
        page = agent.post(URL, form | {"message": "Mine."}).content.decode()
    assert text_in_the_box(page) == "Mine."
    assert "Draft saved." not in page
    assert "Draft saved." in agent.post(URL, form | {"message": "Mine."}).content.decode()


@pytest.mark.django_db(transaction=True)
def test_a_draft_that_failed_leaves_nothing_unknown(agent, form):
    """An alert about an unknown outcome would stay on the screen until it is dismissed."""
    agent.raise_request_exception = False
    with nothing_goes_into("tickets_draft"):
        response = agent.htmx_post(DRAFT_URL, form | {"message": "Mine."}, at=PAGE)
    assert response.status_code == 503
    assert 'class="failure"' in response.content.decode()


def test_a_draft_is_its_agent_s_alone_and_encrypted_at_rest(agent, colleague):
    agent.htmx_post(DRAFT_URL, {"message": "Half a sentence"})
    assert text_in_the_box(colleague.get(f"/tickets/{OPEN_ID}/").content.decode()) == ""
    assert "Half" not in Draft.objects.get().token


def test_a_draft_of_nothing_is_forgotten(agent):
    agent.htmx_post(DRAFT_URL, {"message": "x"})
    agent.htmx_post(DRAFT_URL, {"message": " "})
    assert not Draft.objects.exists()


def test_a_sent_text_is_no_draft_even_if_it_is_saved_late(agent, sandbox, form):
    agent.htmx_post(DRAFT_URL, form | {"message": "Thank y"})
    agent.htmx_post(URL, form | {"message": "Thank you."}, at=PAGE)
    agent.htmx_post(DRAFT_URL, form | {"message": "Thank you."})
    assert not Draft.objects.exists()


def test_a_restored_draft_goes_when_it_is_sent(agent, form):
    agent.htmx_post(DRAFT_URL, form | {"message": "Half a"})
    agent.htmx_post(URL, form_of(agent) | {"message": "Half a sentence, and sent before it was saved."})
    assert not Draft.objects.exists()


def test_what_is_written_on_another_device_stays_when_this_is_sent(agent, form):
    agent.htmx_post(DRAFT_URL, form_of(agent) | {"message": "On the phone"})
    agent.htmx_post(URL, form | {"message": "At the desk"})
    assert text_in_the_box(agent.get(PAGE).content.decode()) == "On the phone"


def test_a_box_in_which_nothing_was_written_takes_nobody_s_draft_with_it(agent, form):
    agent.htmx_post(DRAFT_URL, form_of(agent) | {"message": "On the phone"})
    agent.htmx_post(DRAFT_URL, form | {"message": "", "encrypted": "on", "turn": "1"})  # only this was ticked
    assert text_in_the_box(agent.get(PAGE).content.decode()) == "On the phone"
    agent.htmx_post(DRAFT_URL, form_of(agent) | {"message": "", "turn": "1"})  # the box that showed it was emptied
    assert not Draft.objects.exists()


def test_what_is_saved_while_a_process_is_ended_in_the_middle_of_its_reply_is_kept(agent, form):
    Submission.objects.create(token=form["token"], user=agent.user, digest="", turn=1)
    agent.htmx_post(DRAFT_URL, form | {"message": "Once.", "turn": "1"})
    assert text_in_the_box(agent.get(PAGE).content.decode()) == "Once."


def test_an_encrypted_draft_is_not_shown_for_sending_in_clear(agent, form):
    agent.htmx_post(DRAFT_URL, form_of(agent) | {"message": "The secret", "encrypted": "on"})
    html = agent.htmx_post(URL, form | {"message": "Hello."}, at=PAGE).content.decode()
    assert text_in_the_box(html) == "The secret"
    assert re.search(r'name="encrypted"[^>]* checked>', html)


def test_what_was_typed_after_the_press_stays_when_the_reply_has_gone_out(agent, sandbox, form):
    """The browser lost the connection, and its agent writes on while HostUp takes its time."""
    agent.htmx_post(DRAFT_URL, form | {"message": "Once. And more.", "turn": "2"})
    agent.htmx_post(URL, form | {"message": "Once.", "turn": "1"})
    assert len(messages_with(sandbox, "Once.")) == 1
    assert text_in_the_box(agent.get(PAGE).content.decode()) == "Once. And more."


@pytest.mark.parametrize("url", [URL, DRAFT_URL])
def test_a_restored_draft_that_was_written_on_elsewhere_stays(agent, form, url):
    agent.htmx_post(DRAFT_URL, form | {"message": "On the", "turn": "1"})
    at_the_desk = form_of(agent) | {"message": "On the" if url == URL else ""}
    agent.htmx_post(DRAFT_URL, form | {"message": "On the phone", "turn": "2"})
    assert agent.htmx_post(url, at_the_desk).status_code == 200
    assert text_in_the_box(agent.get(PAGE).content.decode()) == "On the phone"


def test_a_draft_that_waits_to_be_written_while_its_reply_goes_out_is_forgotten(agent, form, monkeypatch):
    keep, written = drafts.keep, form | {"message": "Once.", "turn": "1"}

    def reply_goes_out_first(*arguments):
        assert agent.post(URL, written).status_code == 302
        return keep(*arguments)

    monkeypatch.setattr(drafts, "keep", reply_goes_out_first)
    assert not agent.htmx_post(DRAFT_URL, written).content
    assert not Draft.objects.exists()


def test_drafts_that_overtake_each_other_end_with_the_last_words(agent, form):
    agent.htmx_post(DRAFT_URL, form | {"message": "Half a sentence", "turn": "8"})
    agent.htmx_post(DRAFT_URL, form | {"message": "Half a", "turn": "7"})
    assert text_in_the_box(agent.get(f"/tickets/{OPEN_ID}/").content.decode()) == "Half a sentence"
    agent.htmx_post(DRAFT_URL, form | {"message": " ", "turn": "7"})
    assert Draft.objects.exists()
    # Another page has its own count of turns.
    agent.htmx_post(DRAFT_URL, form | {"message": "From the phone", "turn": "1", "token": str(uuid.uuid4())})
    assert text_in_the_box(agent.get(f"/tickets/{OPEN_ID}/").content.decode()) == "From the phone"


def test_a_draft_that_is_said_to_be_saved_is_there_though_the_last_one_has_just_gone(agent, form, monkeypatch):
    """Another tab's reply was sent between the two steps of saving this draft."""
    agent.htmx_post(DRAFT_URL, form | {"message": "Half a sentence", "turn": "1"})
    find = DraftQuerySet.get_or_create

    def goes_right_after(drafts, *args, **kwargs):
        found = find(drafts, *args, **kwargs)
        monkeypatch.undo()
        Draft.objects.all().delete()
        return found

    monkeypatch.setattr(DraftQuerySet, "get_or_create", goes_right_after)
    said = agent.htmx_post(DRAFT_URL, form | {"message": "A whole sentence.", "turn": "2"}).content.decode()
    assert said == "Draft saved."
    assert text_in_the_box(agent.get(f"/tickets/{OPEN_ID}/").content.decode()) == "A whole sentence."


@pytest.mark.parametrize("turn", ["", "-1", "x", "9" * 30, "\0"])
def test_a_draft_is_kept_whatever_it_says_of_its_turn(agent, form, turn):
    agent.htmx_post(DRAFT_URL, form | {"message": "Kept", "turn": turn})
    assert text_in_the_box(agent.get(f"/tickets/{OPEN_ID}/").content.decode()) == "Kept"


def test_a_draft_lives_fourteen_days(agent):
    agent.htmx_post(DRAFT_URL, {"message": "Old"})
    for age, text in ((timedelta(days=13), "Old"), (timedelta(days=14, minutes=1), "")):
        Draft.objects.update(updated_at=timezone.now() - age)
        assert text_in_the_box(agent.get(f"/tickets/{OPEN_ID}/").content.decode()) == text
        assert ('class="draft"' in agent.get("/tickets/").content.decode()) == bool(text)


def test_a_draft_outlives_a_rotation_and_a_lost_key_is_no_error(agent, settings):
    agent.htmx_post(DRAFT_URL, {"message": "Kept"})
    settings.ENCRYPTION_KEYS = {"new": bytes(range(101, 133)), **settings.ENCRYPTION_KEYS}
    call_command("rotate_encryption_key", verbosity=0)
    settings.ENCRYPTION_KEYS = {"new": bytes(range(101, 133))}
    assert Draft.objects.of(agent.user, OPEN_ID)["message"] == "Kept"
    settings.ENCRYPTION_KEYS = {"other": bytes(range(50, 82))}
    assert Draft.objects.of(agent.user, OPEN_ID) == {}


def test_reopening_does_not_touch_what_is_being_written(agent):
    html = agent.htmx_post(
        f"/tickets/{SAMPLE_ID}/reopen/", {"status": "closed"}, at=f"http://testserver/tickets/{SAMPLE_ID}/"
    ).content.decode()
    assert "<textarea" not in html
    assert "Send reply" in html
    assert hidden_fields(html)["seen_status"] == "open"


def test_signed_out_without_javascript_shows_the_text_to_copy(visitor):
    response = visitor.post(URL, {"token": str(uuid.uuid4()), "message": "<b>My words.</b>"})
    assert response.status_code == 401
    assert "&lt;b&gt;My words.&lt;/b&gt;" in response.content.decode()


def test_signed_in_anew_in_another_tab_shows_the_text_to_copy(agent, form):
    agent.handler.enforce_csrf_checks = True
    response = agent.post(URL, form | {"message": "My words."})
    assert response.status_code == 403
    assert "My words." in response.content.decode()


def test_markup_in_a_draft_stays_text(agent):
    agent.htmx_post(DRAFT_URL, {"message": "</textarea><script>alert(1)</script>"})
    assert "<script>alert(1)" not in agent.get(f"/tickets/{OPEN_ID}/").content.decode()
