"""Departments: read from HostUp every ten minutes, or learned from tickets if the key may not read them."""

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from sandbox import keys
from sandbox.special_tickets import SAMPLE_ID, SERVICES_ID
from tests.agents import Agent
from tickets import departments
from tickets.models import ApiKey
from tickets.upstream import client_of

URL = "/tickets/departments/"
PATH = "/api/v2/support/departments"
ASKS = 'hx-get="/tickets/departments/"'


def key_of(agent):
    return ApiKey.objects.get(user=agent.user)


def paths(sandbox):
    return [call.path for call in sandbox.calls]


def grow_old(agent, **ago):
    ApiKey.objects.filter(user=agent.user).update(departments_at=timezone.now() - timedelta(**ago))


def let_pass(agent, **time):
    ApiKey.objects.filter(user=agent.user).update(departments_at=F("departments_at") - timedelta(**time))


@pytest.fixture
def limited(db, sandbox):
    """An agent whose key lacks `read:account`, and who knows no department yet."""
    agent = Agent("limited", keys.NO_ACCOUNT)
    ApiKey.objects.filter(user=agent.user).update(can_read_departments=False, departments={})
    return agent


def test_the_list_asks_for_them_apart_and_once_in_ten_minutes(agent, sandbox):
    assert ASKS in agent.get("/tickets/").content.decode()
    html = agent.htmx_get(URL).content.decode()
    assert paths(sandbox) == ["/api/v2/support/tickets", PATH]
    for words in ('<option value="technical">Technical support</option>', "Billing", "Domains", "Försäljning"):
        assert words in html
    html = agent.get("/tickets/").content.decode()
    assert ASKS not in html
    assert "Technical support" in html
    agent.htmx_get(URL)
    assert paths(sandbox).count(PATH) == 1


def test_what_a_list_teaches_undoes_nothing_that_was_asked_meanwhile(agent, sandbox):
    ApiKey.objects.filter(user=agent.user).update(can_read_departments=None, departments={})
    as_the_list_began = get_user_model().objects.select_related("api_key").get(pk=agent.user.pk)
    tickets = client_of(as_the_list_began).tickets().tickets
    agent.htmx_get(URL)
    departments.learn(as_the_list_began, tickets)
    assert key_of(agent).can_read_departments
    assert key_of(agent).department_descriptions


def test_they_are_old_after_ten_minutes(agent, sandbox):
    grow_old(agent, minutes=9, seconds=50)
    assert ASKS not in agent.get("/tickets/").content.decode()
    grow_old(agent, minutes=10, seconds=1)
    assert ASKS in agent.get("/tickets/").content.decode()


def test_saving_the_key_asks_for_them(newcomer, sandbox):
    newcomer.post("/settings/key/", {"api_key": keys.FULL})
    sandbox.clear_calls()
    assert ASKS not in newcomer.get("/tickets/").content.decode()
    newcomer.get("/tickets/new/")
    assert PATH not in paths(sandbox)


def test_a_hostup_that_does_not_tell_is_not_asked_at_every_page(agent, sandbox):
    sandbox.fault("problem_404", path="departments", times=None)
    for _ in range(3):
        agent.htmx_get("/tickets/departments/")
    assert len(sandbox.calls) == 1


def test_the_chosen_one_stays_chosen(agent):
    html = agent.htmx_get(f"{URL}?department=billing").content.decode()
    assert '<option value="billing" selected>Billing</option>' in html
    assert html.count("selected") == 1
    assert "gone</option>" in agent.htmx_get(f"{URL}?department=gone").content.decode()


@pytest.mark.parametrize(("fault", "status"), [("problem_503", 503), ("wrong_shape", 502), ("problem_429", 429)])
def test_what_is_known_stays_when_hostup_does_not_answer(agent, sandbox, fault, status):
    sandbox.fault(fault, times=None)
    response = agent.htmx_get(URL)
    assert response.status_code == status
    assert ">Billing</option>" in response.content.decode()
    assert "class=" not in response.content.decode()
    assert key_of(agent).departments == {"billing": "Billing"}


@pytest.mark.parametrize("told", [[], [{"slug": None}]])
def test_what_is_known_stays_when_hostup_tells_none(agent, sandbox, told):
    sandbox.fault(status=200, body={"departments": told})
    assert ">Billing</option>" in agent.htmx_get(URL).content.decode()
    assert "Billing" in agent.get("/tickets/new/").content.decode()
    let_pass(agent, minutes=1)
    assert "Technical support" in agent.htmx_get(URL).content.decode()


def test_who_was_told_none_is_not_told_that_their_key_may_not_ask(agent, sandbox):
    ApiKey.objects.update(departments={}, departments_at=None)
    sandbox.fault(status=200, body={"departments": []})
    sandbox.fault(status=200, body={"data": [], "nextCursor": None})
    html = agent.get("/tickets/new/").content.decode()
    assert "No departments to choose from: HostUp listed none" in html
    assert "your API key may not" not in html


def test_a_key_that_was_saved_while_hostup_did_not_tell_is_told_a_minute_later(newcomer, sandbox):
    sandbox.fault("problem_503", path="departments", times=None)
    newcomer.post("/settings/key/", {"api_key": keys.FULL})
    sandbox.clear_faults()
    assert ASKS not in newcomer.get("/tickets/").content.decode()
    let_pass(newcomer, minutes=1)
    assert ASKS in newcomer.get("/tickets/").content.decode()
    assert "Försäljning" in newcomer.get("/tickets/new/").content.decode()


def test_a_key_that_lost_the_scope_keeps_what_it_knows_and_asks_no_more(db, sandbox):
    agent = Agent("limited", keys.NO_ACCOUNT)
    response = agent.htmx_get(URL)
    assert response.status_code == 200
    assert "Billing" in response.content.decode()
    assert key_of(agent).can_read_departments is False
    assert ASKS not in agent.get("/tickets/").content.decode()


def test_a_proxy_that_refuses_says_nothing_of_the_scope(agent, sandbox):
    sandbox.fault("html_403")
    assert agent.htmx_get(URL).status_code == 403
    assert key_of(agent).can_read_departments is not False


def test_without_htmx_there_is_nothing_to_see(agent, sandbox):
    assert agent.get(URL).headers["Location"] == "/tickets/"
    assert sandbox.calls == []


def test_they_are_kept_for_the_key_that_asked_alone(agent, sandbox):
    api_key = key_of(agent)
    ApiKey.objects.filter(user=agent.user).update(saved_at=timezone.now())  # another key, saved meanwhile
    departments.refresh(client_of(agent.user), api_key)
    assert key_of(agent).departments == {"billing": "Billing"}


def test_without_the_scope_they_are_learned_from_the_list(limited, sandbox):
    limited.get("/tickets/")
    assert paths(sandbox) == ["/api/v2/support/tickets"]
    assert key_of(limited).departments["billing"] == "Billing"
    html = limited.get("/tickets/?department=billing").content.decode()
    assert '<option value="billing" selected>Billing</option>' in html
    assert ">Technical support</option>" in html


def test_without_the_scope_they_are_learned_from_a_ticket(limited):
    limited.get(f"/tickets/{SAMPLE_ID}/")
    assert key_of(limited).departments == {"billing": "Billing"}
    limited.get(f"/tickets/{SERVICES_ID}/")
    assert key_of(limited).departments == {"billing": "Billing", "sales": "Försäljning"}


def test_who_may_ask_for_them_learns_none_from_tickets(agent):
    """HostUp takes new tickets only in departments that it lists, and may have given up a ticket's since."""
    ApiKey.objects.update(can_read_departments=True)
    agent.get("/tickets/")
    assert key_of(agent).departments == {"billing": "Billing"}


def test_only_what_is_new_is_written(limited):
    limited.get("/tickets/")
    with CaptureQueriesContext(connection) as queries:
        limited.get("/tickets/")
    assert not [query for query in queries if "UPDATE" in query["sql"]]


def test_without_the_scope_a_new_ticket_can_be_written(limited, sandbox):
    html = limited.get("/tickets/new/").content.decode()
    assert paths(sandbox) == ["/api/v2/support/tickets"]  # nothing was known yet
    assert '<option value="technical">Technical support</option>' in html
    limited.get("/tickets/new/")
    assert len(sandbox.calls) == 1


@pytest.mark.parametrize(("fault", "status"), [("problem_503", 503), ("problem_404", 404), ("html_403", 403)])
def test_a_new_ticket_is_written_with_what_is_known_when_hostup_does_not_tell(agent, sandbox, fault, status):
    sandbox.fault(fault, times=None)
    assert "Billing" in agent.get("/tickets/new/").content.decode()
    ApiKey.objects.update(departments={}, departments_at=None)
    assert agent.get("/tickets/new/").status_code == status


def test_when_none_can_be_learned_the_page_says_so(limited, sandbox):
    sandbox.fault(status=200, body={"data": [], "nextCursor": None})
    html = limited.get("/tickets/new/").content.decode()
    assert "No departments to choose from" in html
    assert "No departments to choose from" not in limited.get("/tickets/new/").content.decode()


def test_a_key_of_unknown_rights_still_gets_departments_at_once(db, sandbox):
    agent = Agent("limited", keys.NO_ACCOUNT)
    ApiKey.objects.update(departments={})
    assert ">Billing</option>" in agent.get("/tickets/new/").content.decode()


def test_a_stranger_s_departments_are_not_ours(limited, stranger):
    limited.get("/tickets/")
    assert key_of(stranger).departments == {"billing": "Billing"}
