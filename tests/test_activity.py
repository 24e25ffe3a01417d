"""The log: who did what with which ticket, for every agent to see."""

import re
import uuid

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from sandbox import keys
from sandbox.special_tickets import ENCRYPTED_ID, SAMPLE_ID
from tests.forms import form_of
from tickets.hostup.circuit import FAILURES
from tickets.models import Activity

NEW = {"department": "billing", "subject": "Invoice", "message": "Twice.", "priority": "high"}
# Each logged action: the address that its form is sent to, and the form's fields besides its token.
TRIED = {
    "close": (f"/tickets/{ENCRYPTED_ID}/close/", {"status": "answered"}),
    "reply": (f"/tickets/{ENCRYPTED_ID}/reply/", {"message": "Thank you."}),
    "upload": (f"/tickets/{ENCRYPTED_ID}/upload/", {}),
    "create": ("/tickets/new/", NEW),
    "key_saved": ("/settings/key/", {"api_key": keys.FULL}),
    "key_checked": ("/settings/key/check/", {}),
}


def test_it_shows_who_did_what(agent, colleague):
    agent.htmx_post(f"/tickets/{SAMPLE_ID}/reopen/", {"status": "closed"})
    html = colleague.get("/activity/").content.decode()
    cells = [re.sub("<[^>]*>", "", cell).strip() for cell in re.findall(r"<td\b.*?</td>", html, re.DOTALL)]
    assert cells[1:-1] == ["agent", "Reopen ticket", "#149943", "Closed → Open", "Done"]


def test_every_action_is_either_shared_on_purpose_or_for_staff(agent, colleague):
    for action in Activity.Action:
        Activity.objects.note(colleague.user, action)
    seen = set(Activity.objects.visible_to(agent.user).values_list("action", flat=True))
    assert seen == {"reopen", "close", "reply", "create", "upload", "key_saved", "key_checked", "key_removed"}


def test_it_is_filtered_by_agent_and_ticket(agent, colleague):
    agent.htmx_post(f"/tickets/{SAMPLE_ID}/reopen/", {"status": "closed"})
    colleague.post("/settings/key/check/")

    def entries(query):
        return agent.get(f"/activity/{query}").content.decode().count("<tr>") - 1

    assert entries("") == 2
    assert entries("?agent=agent") == 1
    assert entries("?ticket=149943") == entries("?ticket=%23149943") == entries(f"?ticket={SAMPLE_ID}") == 1
    assert entries("?agent=colleague&ticket=149943") == -1  # no table, but a sentence
    assert "No activity to show." in agent.get("/activity/?agent=nobody").content.decode()


def test_who_has_only_been_acted_upon_can_be_chosen_too(agent, newcomer):
    agent.user.is_staff = True
    agent.user.save()
    agent.post(f"/agents/{newcomer.user.pk}/disable/")
    html = agent.get("/activity/?agent=newcomer").content.decode()
    assert "Disable agent" in html
    assert "<option selected>newcomer</option>" in html


def test_a_ticket_s_entries_are_found_by_either_of_its_names(agent, colleague, sandbox):
    """A failed attempt is logged with the only name that is known: the one in its address."""
    agent.htmx_post(f"/tickets/{SAMPLE_ID}/reopen/", {"status": "closed"})
    sandbox.fault("problem_403", method="POST", times=3)
    colleague.htmx_post(f"/tickets/{SAMPLE_ID}/close/")
    assert ">Refused<" in agent.get("/activity/?agent=colleague&ticket=149943").content.decode()
    agent.htmx_post(f"/tickets/{SAMPLE_ID}/close/")
    agent.htmx_post("/tickets/149943/close/")
    agent.htmx_post("/tickets/150020/close/")  # another ticket
    for name in (SAMPLE_ID, "149943"):
        html = agent.get(f"/activity/?ticket={name}").content.decode()
        assert html.count("<tr>") - 1 == 4
        assert html.count("#149943</a>") + html.count(">149943</a>") == 4
    assert f'href="/activity/?ticket={SAMPLE_ID}"' in agent.get(f"/tickets/{SAMPLE_ID}/").content.decode()


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL reads a table as short as this one whole")
@pytest.mark.parametrize("query", ["?ticket=149943", f"?ticket={SAMPLE_ID}"])
def test_for_one_ticket_a_long_log_is_not_read_whole(agent, query):
    """The log is kept for 400 days: reading all of 300,000 entries took four seconds."""
    with CaptureQueriesContext(connection) as asked:
        agent.get(f"/activity/{query}")
    log = [each["sql"] for each in asked if 'FROM "tickets_activity"' in each["sql"]]
    with connection.cursor() as cursor:
        plans = [cursor.execute(f"EXPLAIN QUERY PLAN {sql}").fetchall() for sql in log]
    assert log
    assert not re.findall(r"SCAN (?:tickets_activity|U0)", str(plans))


def test_long_logs_have_pages(agent):
    for _ in range(51):
        Activity.objects.note(agent.user, "key_checked")
    assert "Older" in agent.get("/activity/").content.decode()
    assert "Newer" in agent.get("/activity/?page=2").content.decode()
    assert agent.get("/activity/?page=nonsense").status_code == 200


def test_a_request_id_is_kept_for_hostup_s_support(agent, sandbox):
    sandbox.fault("problem_403", method="POST")
    agent.htmx_post(f"/tickets/{SAMPLE_ID}/reopen/", {"status": "closed"})
    html = agent.get("/activity/").content.decode()
    assert "Refused" in html
    assert "forbidden" in html
    assert "<code>req_" in html


def test_a_status_that_a_form_made_up_is_not_logged(agent):
    agent.htmx_post(f"/tickets/{SAMPLE_ID}/reopen/", {"status": "<script>"})
    assert "script&gt;" not in agent.get("/activity/").content.decode()


@pytest.fixture
def logged(agent):
    """Return a function that does one of `TRIED`, with `meanwhile` right before, and returns what was logged."""

    def logged(action, meanwhile):
        url, form = TRIED[action]
        seen = form_of(agent) if url.endswith("/reply/") else {"token": str(uuid.uuid4())}
        files = {"file": SimpleUploadedFile("log.txt", b"x")} if action == "upload" else {}
        meanwhile()
        agent.post(url, seen | form | files)
        return Activity.objects.values_list("action", "outcome").get()

    return logged


@pytest.mark.parametrize("action", TRIED)
def test_what_hostup_refuses_is_refused_whatever_it_was(sandbox, logged, action):
    method = "GET" if action.startswith("key") else "POST"
    assert logged(action, lambda: sandbox.fault("problem_403", method=method)) == (action, "refused")


@pytest.mark.parametrize("action", ["close", "upload", "create", "key_saved", "key_checked"])
def test_what_hostup_was_not_asked_is_not_done_whatever_it_was(agent, sandbox, logged, action):
    def hostup_is_down():
        sandbox.fault("problem_500", times=None)
        for _ in range(FAILURES):
            agent.get("/tickets/")
        sandbox.clear_calls()

    assert logged(action, hostup_is_down) == (action, "not_done")
    assert sandbox.calls == []


@pytest.mark.parametrize("action", ["key_saved", "key_checked"])
def test_an_answer_that_says_nothing_refuses_nothing(sandbox, logged, action):
    assert logged(action, lambda: sandbox.fault("html_200")) == (action, "not_done")


@pytest.mark.parametrize(
    ("action", "outcome"),
    [("close", "not_done"), ("reply", "not_done"), ("upload", "unknown"), ("create", "not_done")],
)
def test_what_was_lost_and_looked_for_in_vain_is_not_done(sandbox, logged, action, outcome):
    """A lost file is not looked for: nothing distinguishes it from another of the same name."""
    assert logged(action, lambda: sandbox.fault("problem_502", method="POST")) == (action, outcome)
