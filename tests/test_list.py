"""The list: whose turn it is, what is new, and one call for each page."""

import itertools
import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from sandbox.cursors import encode_cursor
from sandbox.special_tickets import HOSTILE_ID, NULLS_ID, SAMPLE_ID, UNKNOWN_STATUS_ID


def rows(html):
    return re.findall(r'id="row-(tkt_\w+)"', html)


def more(html):
    found = re.search(r'href="(/tickets/\?[^"]*cursor=[^"]*)"', html)
    return found and found.group(1).replace("&amp;", "&")


def test_a_page_is_one_call(agent, sandbox):
    response = agent.get("/tickets/")
    assert response.status_code == 200
    assert [(call.method, call.path) for call in sandbox.calls] == [("GET", "/api/v2/support/tickets")]
    assert len(rows(response.content.decode())) == 50


def test_a_row_says_what_an_agent_asks_first(agent):
    html = agent.get("/tickets/").content.decode()
    row = html[html.index(f'id="row-{SAMPLE_ID}"') :].partition("</li>")[0]
    assert "Question about my hosting account" in row
    assert "#149943" in row
    assert ">Closed<" in row
    assert "Billing" in row
    assert "Jane Example" in row
    assert re.search(r'<time class="age"[^>]*>\d+ h</time>', row)
    assert re.search(r"Reopen.*ticket 149943", row, re.DOTALL)


@pytest.mark.parametrize("asked", ["", "de"])
@pytest.mark.parametrize(("language", "closed"), [("sv", "Stängt"), ("en", "Closed")])
def test_where_the_browser_does_not_say_the_settings_choose(agent, sandbox, settings, asked, language, closed):
    settings.LANGUAGE_CODE, settings.TIME_ZONE = language, "Asia/Tokyo"
    there = sandbox.tickets.find(SAMPLE_ID).last_message_at.astimezone(ZoneInfo("Asia/Tokyo"))
    html = agent.get("/tickets/", headers={"Accept-Language": asked}).content.decode()
    assert f'<html lang="{language}"' in html
    row = html[html.index(f'id="row-{SAMPLE_ID}"') :].partition("</li>")[0]
    assert f'title="{there:%Y-%m-%d %H:%M}"' in row
    assert f">{closed}<" in row


def test_a_row_says_what_is_pressing_and_no_other_priority(agent):
    html = agent.get("/tickets/").content.decode()
    row = html[html.index("Web shop down, no customer can order") :].partition("</li>")[0]
    assert "Critical" in row
    assert not re.search("Low|Medium|High", html.partition('id="row-')[2])


def test_whose_turn_it_is(agent):
    ours = agent.get("/tickets/?status=answered").content.decode()
    assert ours.count("Waiting on us") == len(rows(ours)) > 0
    theirs = agent.get("/tickets/?status=in_progress").content.decode()
    assert theirs.count("Waiting on HostUp") == len(rows(theirs)) > 0
    nobodys = agent.get("/tickets/?status=closed").content.decode()
    assert "Waiting on" not in nobodys


@pytest.mark.parametrize(("status", "word", "turn"), [
    ("open", "Open", "Waiting on HostUp"),
    ("answered", "Answered", "Waiting on us"),
    ("customer_reply", "Customer reply", "Waiting on HostUp"),
    ("in_progress", "In progress", "Waiting on HostUp"),
    ("on_hold", "On hold", None),
    ("closed", "Closed", None),
    ("unknown", "Unknown", None),
])  # fmt: skip
def test_each_status_has_its_word_its_turn_and_its_button(agent, sandbox, status, word, turn):
    sandbox.tickets.find(SAMPLE_ID).status = status
    listed, shown = (agent.get(path).content.decode() for path in ("/tickets/", f"/tickets/{SAMPLE_ID}/"))
    row = listed[listed.index(f'id="row-{SAMPLE_ID}"') :].partition("</li>")[0]
    header = shown[shown.index('<header class="ticket-header">') :].partition("</header>")[0]
    for part, of_ticket in ((row, ""), (header, " ticket")):
        assert re.findall(r'class="status \w+">([^<]*)<', part) == [word]
        assert re.findall(r'class="turn[^"]*">([^<]*)<', part) == [turn] * bool(turn)
        button = "Reopen" if status == "closed" else "Close"
        assert re.findall(r'class="idle">([^<]*)<', part) == [button + of_ticket]


def test_more_tickets_come_each_once_and_then_end(agent, sandbox):
    seen, address = [], "/tickets/"
    while address:
        html = agent.htmx_get(address).content.decode()
        assert "<html" not in html
        seen += rows(html)
        address = more(html)
    assert len(seen) == len(set(seen)) == len(sandbox.tickets.tickets_of("account-a"))


def test_a_ticket_that_slid_to_the_next_page_does_not_show_twice(agent, sandbox):
    first = agent.get("/tickets/").content.decode()
    sandbox.tickets.find(rows(agent.get(more(first)).content.decode())[-1]).last_message_at = datetime.now(UTC)
    second = agent.get(more(first)).content.decode()
    assert not set(rows(first)) & set(rows(second))


def test_when_all_of_the_next_page_has_been_seen_the_list_is_not_called_complete(agent, sandbox):
    first = agent.get("/tickets/").content.decode()
    moved = [ticket for ticket in sandbox.tickets.tickets_of("account-a") if str(ticket.number) not in more(first)]
    for ticket in moved[:50]:
        ticket.last_message_at = ticket.updated_at = datetime.now(UTC)
    answer = agent.htmx_get(more(first))
    assert answer.status_code == 409
    html = answer.content.decode()
    assert "No more tickets." not in html
    assert "The list has changed too much since you began to read it." in html
    assert 'href="/tickets/"' in html


@pytest.mark.parametrize("length", [1, 2, 5])
def test_cursors_that_go_in_circles_end(agent, sandbox, length):
    asked = itertools.count()

    def following(page):
        return page | {"nextCursor": encode_cursor(50 * (1 + next(asked) % length))}

    sandbox.fault(method="GET", path="tickets$", transform=following, times=None)
    address, pages = "/tickets/", 0
    while address and pages < 10:
        html = agent.htmx_get(address).content.decode()
        address, pages = more(html), pages + 1
    assert "No more tickets." in html
    assert pages == length + 1


def test_an_empty_page_is_not_the_end_when_hostup_says_that_there_is_more(agent, sandbox):
    sandbox.fault(method="GET", path="tickets$", body={"data": [], "nextCursor": "further"})
    html = agent.get("/tickets/?status=closed").content.decode()
    assert "No closed tickets." not in html
    assert "cursor=further" in more(html)


def test_a_cursor_is_given_back_whole(agent, sandbox):
    """It is opaque, and may be long."""
    sandbox.fault(method="GET", path="tickets$", transform=lambda page: page | {"nextCursor": "a" * 2000})
    agent.get(more(agent.get("/tickets/").content.decode()))
    assert sandbox.calls[-1].query["cursor"] == "a" * 2000


@pytest.mark.parametrize("sentence", ["", "No \u202eemoji."])
def test_what_hostup_says_of_a_field_is_shown_plainly(agent, sandbox, sentence):
    problem = {"code": "invalid_request", "errors": [{"pointer": "/status", "detail": sentence}]}
    sandbox.fault(method="GET", path="tickets$", status=400, body=problem)
    html = agent.get("/tickets/").content.decode()
    assert ("No \ufffdemoji." if sentence else "Check what you tried to do.") in html
    assert "<p></p>" not in html


def test_filters_live_in_the_address(agent, sandbox):
    html = agent.get("/tickets/?status=closed&department=billing").content.decode()
    assert sandbox.calls[0].query["status"] == "closed"
    assert sandbox.calls[0].query["departmentSlug"] == "billing"
    assert re.search(r'value="closed" selected', html)
    assert re.search(r'value="billing" selected', html)
    assert f'href="/tickets/{SAMPLE_ID}/?status=closed&amp;department=billing"' in html


def test_filtering_beside_an_open_ticket_keeps_both_in_the_address(agent, sandbox):
    at = f"http://testserver/tickets/{SAMPLE_ID}/?status=open"
    filtered = agent.htmx_get("/tickets/?status=closed&department=", at=at, source="form#filters")
    assert filtered.headers["HX-Push-Url"] == f"/tickets/{SAMPLE_ID}/?status=closed"
    at_the_box = f"http://testserver/tickets/{SAMPLE_ID}/#message-{SAMPLE_ID}"  # after Reply was pressed
    filtered = agent.htmx_get("/tickets/?status=closed&department=", at=at_the_box, source="form#filters")
    assert filtered.headers["HX-Push-Url"] == f"/tickets/{SAMPLE_ID}/?status=closed"
    alone = agent.htmx_get("/tickets/?status=&department=", source="form#filters")
    assert alone.headers["HX-Push-Url"] == "/tickets/"
    sandbox.fault("problem_400")  # as for a department that no longer exists
    refused = agent.htmx_get("/tickets/?status=closed&department=", source="form#filters")
    assert (refused.status_code, refused.headers["HX-Push-Url"]) == (422, "/tickets/?status=closed")


@pytest.mark.parametrize("address", ["/tickets/?status=nonsense", "/tickets/?status=unknown", "/tickets/?seen=x"])
def test_an_odd_address_shows_all_tickets(agent, address):
    assert len(rows(agent.get(address).content.decode())) == 50


@pytest.mark.parametrize("get", ["get", "htmx_get"])
def test_an_expired_cursor_leads_back_to_the_first_page(agent, get):
    response = getattr(agent, get)("/tickets/?cursor=nonsense&status=open")
    assert response.status_code == 422
    html = response.content.decode()
    assert "This part of the list is no longer there" in html
    first_page, more = re.search(r'href="([^"]+)"([^>]*)>Start from the top', html).groups()
    assert first_page == "/tickets/?status=open"
    assert ('hx-target="#tickets"' in more) == (get == "htmx_get")  # an error page has no list to put it into


def test_one_malformed_ticket_does_not_hide_the_others(agent, sandbox):
    sandbox.fault("one_malformed_ticket")
    html = agent.get("/tickets/").content.decode()
    assert len(rows(html)) == 49
    assert "1 ticket from HostUp could not be read" in html


def test_unknown_values_show_as_they_came(agent, sandbox):
    sandbox.fault("unknown_values", times=None)
    for path in ("/tickets/", f"/tickets/{SAMPLE_ID}/"):
        response = agent.get(path)
        assert response.status_code == 200
        assert re.search(r'class="status unknown">\w+<', response.content.decode())


@pytest.mark.parametrize("word", ["update", "items", "__class__"])
def test_a_value_that_python_has_a_meaning_for_shows_as_it_came(agent, sandbox, word):
    ticket = sandbox.tickets.find(SAMPLE_ID)
    ticket.status = ticket.messages[0].sender = word
    assert re.search(rf'class="status unknown">{word}<', agent.get("/tickets/").content.decode())
    html = agent.get(f"/tickets/{SAMPLE_ID}/").content.decode()
    assert re.search(rf'class="status unknown">{word}<', html)
    assert re.search(rf'class="sender">{word}<', html)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("?status=closed", "No closed tickets."),
        ("?status=on_hold", "No tickets with the status “On hold”."),
        ("?department=billing", "No tickets in Billing."),
        ("?status=open&department=billing", "No tickets with the status “Open” in Billing."),
        ("", "No tickets yet."),
    ],
)
def test_an_empty_list_says_why(agent, sandbox, query, words):
    sandbox.fault(status=200, body={"data": [], "nextCursor": None})
    html = agent.get(f"/tickets/{query}").content.decode()
    assert words in html
    assert ("Show all tickets" in html) == bool(query)


def test_a_ticket_without_a_subject_has_a_link(agent):
    html = agent.get("/tickets/?status=").content.decode() + agent.get("/tickets/?cursor=NTA").content.decode()
    assert NULLS_ID in html
    assert "(no subject)" in html


def test_markup_in_a_subject_is_text(agent):
    html = agent.get("/tickets/").content.decode()
    row = html[html.index(f'id="row-{HOSTILE_ID}"') :].partition("</li>")[0]
    assert "&lt;script&gt;" in row
    assert "<script" not in row
    assert "\u202e" not in row


def test_a_status_that_hostup_calls_unknown_has_a_word(agent):
    html = agent.get(f"/tickets/{UNKNOWN_STATUS_ID}/").content.decode()
    assert ">Unknown<" in html


def test_what_a_later_hostup_may_call_things_shows_as_it_came_without_tricks(agent, sandbox):
    ticket = sandbox.tickets.find(SAMPLE_ID)
    ticket.status = ticket.priority = ticket.messages[0].sender = "\u202ereopened"
    for path in ("/tickets/", f"/tickets/{SAMPLE_ID}/"):
        html = agent.get(path).content.decode()
        assert ">\ufffdreopened<" in html
        assert "\u202e" not in re.sub('value="[^"]*"', "", html)  # a form returns the value unchanged


def test_a_stranger_sees_another_account(agent, stranger):
    assert not set(rows(agent.get("/tickets/").content.decode())) & set(
        rows(stranger.get("/tickets/").content.decode())
    )


def test_back_never_shows_a_bare_fragment(agent):
    for response in (agent.get("/tickets/"), agent.htmx_get("/tickets/")):
        assert "no-store" in response.headers["Cache-Control"]
        assert "HX-Request" in response.headers["Vary"]
    restored = agent.get("/tickets/", headers={"HX-Request": "true", "HX-Request-Type": "full"})
    assert "<html" in restored.content.decode()


def test_a_row_shown_before_has_the_token_of_this_page(agent, sandbox):
    tokens = []
    for _ in range(2):
        listed = agent.get("/tickets/").content.decode().partition('class="ticket-rows"')[2]
        of_rows = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', listed)
        assert len(of_rows) == 50
        tokens += set(of_rows)
    assert len(tokens) == len(set(tokens)) == 2


def test_a_row_shown_before_is_not_a_row_of_then(agent, sandbox, monkeypatch):
    def row(**headers):
        html = agent.get("/tickets/", **headers).content.decode()
        return html[html.index(f'id="row-{ticket.id}"') :].partition("</li>")[0]

    ticket = sandbox.tickets.find(SAMPLE_ID)
    now = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: now)
    ticket.last_message_at = now - timedelta(seconds=59)
    assert ">now<" in row()
    assert "nu<" in row(HTTP_ACCEPT_LANGUAGE="sv")
    agent.cookies["timezone"] = "Asia/Kathmandu"
    there = ticket.last_message_at.astimezone(ZoneInfo("Asia/Kathmandu"))
    assert f'title="{there:%Y-%m-%d %H:%M}"' in row()
    now += timedelta(seconds=1)
    assert ">1 min<" in row()
    ticket.subject = "Another subject <secret>"
    assert "Another subject &lt;secret&gt;<" in row()


def test_a_text_without_an_end_is_cut_in_the_list(agent, sandbox):
    ticket = sandbox.tickets.find(SAMPLE_ID)
    ticket.subject = ticket.requester_name = "'" * 100_000
    html = agent.get("/tickets/").content.decode()
    assert len(html) < 120_000
    assert f"<bdi>{'&#39;' * 300}…</bdi>" in html
    assert len(agent.get(f"/tickets/{SAMPLE_ID}/").content) > 500_000  # the ticket's page has all of it


def test_ages_are_short(agent, sandbox, monkeypatch):
    now = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: now)
    ticket = sandbox.tickets.find(SAMPLE_ID)
    ages = {0: "now", 59: "now", 61: "1 min", 3601: "1 h", 86_401: "1 d", 40_000_000: "1 y"}
    ages |= {-3600: "now"}  # HostUp's clock is ahead
    for seconds, said in ages.items():
        ticket.last_message_at = now - timedelta(seconds=seconds)
        html = agent.get("/tickets/?status=closed&department=billing").content.decode()
        row = html[html.index(f'id="row-{SAMPLE_ID}"') :].partition("</li>")[0]
        assert f">{said}</time>" in row
