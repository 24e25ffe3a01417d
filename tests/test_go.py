"""The box that leads to a ticket by its number."""

import pytest

from sandbox.special_tickets import SAMPLE_ID


@pytest.mark.parametrize("typed", ["149943", "#149943", " 149 943 "])
def test_it_takes_a_number(agent, typed):
    response = agent.get("/tickets/go/", {"number": typed}, follow=True)
    assert response.redirect_chain == [("/tickets/149943/", 302)]
    assert "Question about my hosting account" in response.content.decode()


def test_it_takes_an_id(agent):
    assert agent.get("/tickets/go/", {"number": SAMPLE_ID.upper()}).headers["Location"] == f"/tickets/{SAMPLE_ID}/"


@pytest.mark.parametrize("typed", ["", "#", "hello", "../key", "12.5", "١٢٣", "tkt_", "1" * 19, "149943/reopen"])
def test_it_says_what_it_takes(agent, sandbox, typed):
    response = agent.get("/tickets/go/", {"number": typed})
    assert response.status_code == 422
    assert "Type a number such as 149943" in response.content.decode()
    assert sandbox.calls == []


def test_it_asks_for_a_key_first(newcomer):
    response = newcomer.get("/tickets/go/?number=149943", follow=True)
    assert response.status_code == 403
    assert "Add your API key" in response.content.decode()


def test_a_number_that_hostup_does_not_have_is_worded(agent):
    response = agent.get("/tickets/go/?number=1", follow=True)
    assert response.status_code == 404
    assert "HostUp has no such ticket" in response.content.decode()
