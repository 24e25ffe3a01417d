"""One ticket: everything that HostUp tells, and nothing of it as markup."""

import re
import time
from bisect import bisect_left
from datetime import UTC, datetime, timedelta

import pytest

from sandbox.special_tickets import (
    ATTACHMENTS_ID,
    ENCRYPTED_ID,
    HOSTILE_ID,
    LONG_THREAD_ID,
    LONG_THREAD_MESSAGES,
    NULLS_ID,
    SAMPLE_ID,
    SAMPLE_MESSAGE_ID,
    SAMPLE_NUMBER,
    SERVICES_ID,
)
from tickets.shown import flat, linked, plain


def page(agent, ticket_id):
    response = agent.get(f"/tickets/{ticket_id}/")
    assert response.status_code == 200
    return response.content.decode()


def test_a_ticket_is_one_call(agent, sandbox):
    page(agent, SAMPLE_ID)
    assert [(call.method, call.path) for call in sandbox.calls] == [
        ("GET", f"/api/v2/support/tickets/{SAMPLE_ID}")
    ]


def test_of_a_long_thread_the_newest_message_is_one_link_away(agent):
    html = page(agent, LONG_THREAD_ID)
    last = re.findall(r'id="(message-tmsg_\w+)"', html)[-1]
    assert f'<a href="#{last}">Newest message</a>' in html
    assert "Newest message" not in page(agent, SAMPLE_ID)


def test_it_shows_what_the_reference_s_sample_has(agent):
    html = page(agent, SAMPLE_ID)
    assert "<bdi>Question about my hosting account</bdi></h1>" in html
    for words in ("#149943", "Closed", "Low", "Billing", "Jane Example", "example-vps", "Active", "Reopen ticket"):
        assert words in html
    assert f'data-copy="{SAMPLE_ID}"' in html
    assert re.findall(r"<dt>(.*?)</dt>", html) == [
        "Department", "Requester", "Priority", "Updated", "Last message", "Created", "VPS", "ID"
    ]  # fmt: skip
    assert "<strong><bdi>Jane Example</bdi></strong> " in html[html.index('<ol class="thread"') :]


def test_its_number_is_an_address_too(agent):
    assert "Question about my hosting account" in page(agent, SAMPLE_NUMBER)


def test_another_ticket_does_not_show_at_its_address(agent, sandbox):
    """A cache on the way may mix up tickets: a reply would then go into the wrong one."""
    sandbox.fault(transform=lambda ticket: ticket | {"id": "tkt_another", "number": 1, "subject": "Another"})
    response = agent.get(f"/tickets/{SAMPLE_ID}/")
    assert response.status_code == 502
    assert "Another" not in response.content.decode()


def test_messages_come_in_order_by_sender(agent):
    html = page(agent, LONG_THREAD_ID)
    times = re.findall(r'<li class="message (?:customer|staff|automation).*?datetime="([^"]+)"', html, re.DOTALL)
    assert len(times) > 300
    assert times == sorted(times, key=datetime.fromisoformat)
    assert {"customer", "staff", "automation"} <= set(re.findall(r'class="message (\w+)', html))


def test_messages_come_oldest_first_whatever_order_hostup_sends(agent, sandbox):
    """HostUp's reference does not say which that is. If a time is missing, we can only keep HostUp's order."""
    sent = [message.id for message in sandbox.tickets.find(LONG_THREAD_ID).messages]
    newest_first = sent[::-1]
    for first, order in (({}, sent), ({"sentAt": None}, newest_first)):

        def newest_first_with(ticket, first=first):
            messages = ticket["messages"][::-1]
            return ticket | {"messages": [messages[0] | first, *messages[1:]]}

        sandbox.fault(transform=newest_first_with)
        assert re.findall(r'<li [^>]*id="message-(tmsg_\w+)"', page(agent, LONG_THREAD_ID)) == order


@pytest.mark.parametrize(("days", "age"), [(364, "364 days ago"), (365, "1 year ago"), (900, "2 years ago")])
def test_what_is_years_old_says_so_as_the_list_does(agent, sandbox, days, age):
    sandbox.tickets.find(SAMPLE_ID).messages[0].sent_at = datetime.now(UTC) - timedelta(days=days)
    assert f">{age}</time>" in page(agent, SAMPLE_ID)


def test_a_message_full_of_addresses_is_shown_fast_and_does_not_swell(agent, sandbox):
    """The whole text shows, but a link for every address would make the page forty megabytes."""
    sandbox.tickets.find(SAMPLE_ID).messages[0].body = "http://ab.example " * 200_000  # 3.6 MB
    began = time.process_time()
    html = page(agent, SAMPLE_ID)
    assert time.process_time() - began < 5  # seconds; a link for each takes 10
    assert (html.count('href="http://ab.example"'), len(html) < 4_000_000) == (500, True)
    assert html.count("http://ab.example") == 200_000 + 500


def test_an_opening_that_is_the_first_message_too_shows_once(agent):
    assert page(agent, SAMPLE_ID).count("Hello, I have a question about my hosting account.") == 1


def test_encrypted_messages_carry_a_lock_and_the_word(agent, sandbox):
    assert re.search(r'<span class="lock"><svg.*?</svg> Encrypted</span>', page(agent, ENCRYPTED_ID), re.DOTALL)
    sandbox.encrypted_body = "null"
    assert "Read it in HostUp&#39;s control panel." in page(agent, ENCRYPTED_ID)


def test_linked_services_show_what_they_are_and_their_details(agent):
    html = page(agent, SERVICES_ID)
    assert 'class="details"' in html
    for kind, name, identifier in (("Domain", "räksmörgås.example", "domain_3003"), ("VPS", "web-1", "vps_1001")):
        assert f"<dt>{kind}</dt><dd><bdi>{name}</bdi> <code>{identifier}</code>" in html


def test_who_else_is_written_to_is_shown(agent):
    html = page(agent, SERVICES_ID)
    copies = ("accounts@example.se", "anna@example.com")
    addresses = ", ".join(f'<bdi class="address">{address}</bdi>' for address in copies)
    assert f"<dt>CC</dt><dd>{addresses}</dd>" in html


def test_details_that_nest_too_deep_to_be_written_again_are_left_out(agent, sandbox):
    """Up to Python 3.11 the recursion limit counts callers too, and a template has more of them than the code that
    reads HostUp's answer. The limit depends on what calls the test, so it tries the depths right below it."""

    def ticket_as_deep_as(depth):
        services = f'[{{"details": {{"status": "Active", "deep": {"[" * depth + "]" * depth}}}}}]'
        ticket = f'{{"id": "tkt_1", "number": 1, "status": "open", "messages": [], "linkedServices": {services}}}'
        sandbox.fault(status=200, body=ticket)
        return agent.get("/tickets/tkt_1/")

    depths = range(800, 1000)
    too_deep = bisect_left(depths, 502, key=lambda depth: ticket_as_deep_as(depth).status_code)
    for depth in depths[max(too_deep - 40, 0) : too_deep]:
        html = ticket_as_deep_as(depth).content.decode()
        details = re.findall("<li><bdi>(.*?)</bdi>: <bdi>(.*?)</bdi></li>", html)
        nested = "[" * depth + "]" * depth
        assert details in ([("status", "Active"), ("deep", nested)], [("status", "Active"), ("deep", "…")])
    value = 1
    for _ in range(100_000):
        value = [value]
    assert flat({"status": "Active", "deep": value}) == [("status", "Active"), ("deep", "…")]


def test_a_ticket_of_nulls_says_what_it_does_not_have(agent):
    html = page(agent, NULLS_ID)
    for words in ("(no subject)", "(no text)", "(no name)"):
        assert words in html


def change_first_message(**fields):
    """Return a fault's `transform` that changes the first message of a ticket."""

    def transform(ticket):
        first, *others = ticket["messages"]
        return ticket | {"messages": [first | fields, *others]}

    return transform


@pytest.mark.parametrize("fields", [{"encrypted": None}, {"attachments": None}, {"sender": None}])
def test_a_null_in_a_message_hides_nothing(agent, sandbox, fields):
    sandbox.fault(transform=change_first_message(**fields))
    html = page(agent, LONG_THREAD_ID)
    assert html.count('id="message-tmsg_') == LONG_THREAD_MESSAGES
    assert "could not be read" not in html


def test_a_message_with_an_id_that_is_no_anchor_shows_without_one(agent, sandbox):
    sandbox.fault(transform=change_first_message(id='bad id!" onclick="alert(1)', body="Shown."))
    html = page(agent, LONG_THREAD_ID)
    assert html.count('id="message-tmsg_') == LONG_THREAD_MESSAGES - 1
    assert "Shown." in html
    assert "bad id!" not in html


@pytest.mark.parametrize(("language", "one", "two"), [
    ("en", "1 message from HostUp could not be read and is not shown.",
     "2 messages from HostUp could not be read and are not shown."),
    ("sv", "1 meddelande från HostUp gick inte att läsa och visas inte.",
     "2 meddelanden från HostUp gick inte att läsa och visas inte."),
])  # fmt: skip
def test_messages_that_cannot_be_read_are_counted_below_the_others(agent, sandbox, language, one, two):
    sandbox.fault(transform=lambda ticket: ticket | {"messages": [*ticket["messages"], None]})
    response = agent.get(f"/tickets/{SAMPLE_ID}/", headers={"Accept-Language": language})
    assert one in response.content.decode().partition("</ol>")[2].partition("</article>")[0]
    assert f'id="message-{SAMPLE_MESSAGE_ID}"' in response.content.decode()
    sandbox.fault(transform=lambda ticket: ticket | {"messages": [7, {}], "body": None})
    html = agent.get(f"/tickets/{SAMPLE_ID}/", headers={"Accept-Language": language}).content.decode()
    assert two in html
    assert "No messages yet." not in html
    assert "Inga meddelanden" not in html


def test_a_ticket_that_comes_without_its_thread_says_so(agent, sandbox):
    sandbox.fault(transform=lambda ticket: ticket | {"messages": None, "body": None})
    html = agent.get(f"/tickets/{SAMPLE_ID}/").content.decode()
    assert "HostUp sent this ticket without its messages. Reload the page." in html
    assert "No messages yet." not in html


def test_a_message_of_files_alone_does_not_say_that_it_has_no_text(agent, sandbox):
    ticket = sandbox.tickets.find(ATTACHMENTS_ID)
    for message in ticket.messages:
        message.body = ""
    assert page(agent, ATTACHMENTS_ID).count("(no text)") == sum(not each.attachments for each in ticket.messages)


def test_customer_text_is_text_and_only_http_links_are_links(agent):
    html = page(agent, HOSTILE_ID)
    article = html[html.index("<article") : html.index("</article>")]
    assert "<script" not in article
    assert "<img" not in article
    assert "onerror" not in re.sub(r"&lt;.*?&gt;", "", article)
    for link in re.findall(r"<a [^>]*>", article):
        href = re.search(r'href="([^"]*)"', link).group(1)
        assert href.startswith(("/", "http://", "https://", "#"))
        if href.startswith("http"):
            assert 'rel="noopener noreferrer nofollow"' in link
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00-\x08]", article)


@pytest.mark.parametrize(("text", "address"), [
    ("see https://sv.wikipedia.org/wiki/Uppsala_(stad).", "https://sv.wikipedia.org/wiki/Uppsala_(stad)"),
    ("(see https://example.com/a)", "https://example.com/a"),
    ("(https://example.com/a_(b)), and so on", "https://example.com/a_(b)"),
    ("[https://example.com/?b=[1]]!", "https://example.com/?b=[1]"),
    ("https://example.com/))))", "https://example.com/"),
    ("Se ”https://example.com/faktura”.", "https://example.com/faktura"),
    ("»https://example.com/a« eller ’https://example.com/b’", "https://example.com/a"),
    ("**https://example.com/a**", "https://example.com/a"),
])  # fmt: skip
def test_a_link_ends_where_its_address_does(text, address):
    assert linked(text).count(f'<a href="{address}" ') == 1


@pytest.mark.parametrize(("text", "shown"), [
    ("a\u061cb", "a\ufffdb"),  # the Arabic letter mark changes the direction, too
    ("\U000e0041\U000e007f", ""),  # tags, which are invisible
])  # fmt: skip
def test_what_is_invisible_is_shown_or_is_nothing(text, shown):
    assert plain(text) == shown


def test_a_fragment_is_the_ticket_alone_with_its_title(agent):
    html = agent.htmx_get(f"/tickets/{SAMPLE_ID}/").content.decode()
    assert html.lstrip().startswith("<title>Question about my hosting account")
    assert "<html" not in html
    assert 'tabindex="-1" autofocus' in html


@pytest.mark.parametrize("ticket_id", ["tkt_01hxdoesnotexist0000000000", "1"])
def test_an_unknown_ticket_is_404(agent, ticket_id):
    response = agent.get(f"/tickets/{ticket_id}/")
    assert response.status_code == 404
    assert "HostUp has no such ticket" in response.content.decode()


def test_another_account_s_ticket_is_404(stranger):
    assert stranger.get(f"/tickets/{SAMPLE_ID}/").status_code == 404


@pytest.mark.parametrize("ticket_id", ["..", "%2e%2e", "a%2Fb", "x" * 65, "a b", "a%00", "tkt_1%0d%0aX: y"])
def test_an_id_that_is_none_never_reaches_hostup(agent, sandbox, ticket_id):
    assert agent.get(f"/tickets/{ticket_id}/").status_code in (302, 404)
    assert sandbox.calls == []
