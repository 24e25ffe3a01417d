"""Any bytes in: a typed value or a typed error out, nothing else."""

import json
import re
import subprocess
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tickets.hostup import errors, wire
from tickets.hostup.redaction import Redaction
from tickets.hostup.types import MOST_ENTRIES, Page, Ticket

BASE_DIR = Path(__file__).resolve().parents[1]
READERS = [wire.read_page, wire.read_ticket, wire.read_departments, wire.read_message, wire.read_upload]

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
TICKET = {
    "id": "tkt_01hxa3b4c5d6e7f8g9h0j1k2m3",
    "number": 149943,
    "status": "open",
    "subject": None,
    "priority": "low",
    "departmentSlug": None,
    "departmentName": None,
    "createdAt": "2026-04-27T11:45:00.000Z",
    "updatedAt": None,
    "lastMessageAt": None,
    "ccEmails": [],
    "requesterName": None,
    "messageCount": 3,
    "linkedServices": [{"serviceType": "vps", "serviceId": None, "serviceName": "x", "details": {"a": [1]}}],
    "body": None,
    "attachments": [{"id": "tatt_1", "filename": None, "extension": None, "mimeType": None, "downloadUrl": "/x"}],
    "messages": [{"id": "tmsg_1", "ticketId": "x", "sentAt": None, "body": None, "sender": "customer",
                  "senderName": None, "encrypted": False, "attachments": []}],
}  # fmt: skip
MESSAGE, ATTACHMENT = TICKET["messages"][0], TICKET["attachments"][0]
paths = st.sampled_from([*((name,) for name in TICKET), ("messages", 0, "body"), ("messages", 0, "id"),
                         ("messages", 0, "attachments"), ("attachments", 0, "id"),
                         ("linkedServices", 0, "details")])  # fmt: skip


def answer(body, status=200, headers=None):
    return wire.Answer(status, headers or {}, body)


def dump(value):
    return json.dumps(value).encode()


@given(body=st.binary() | json_values.map(dump))
@example(body=b"[" * 100_000)
@example(body=b'{"data": [' + b"[" * 2000 + b"]" * 2000 + b"]}")
@pytest.mark.parametrize("read", READERS)
def test_any_bytes_are_read_or_refused(read, body):
    try:
        read(answer(body))
    except errors.HostUpError as error:
        assert isinstance(error, errors.Unreadable)


@given(path=paths, value=json_values)
def test_any_value_in_any_field_is_read_or_refused(path, value):
    ticket = json.loads(json.dumps(TICKET))
    *way, last = path
    place = ticket
    for step in way:
        place = place[step]
    place[last] = value
    with suppress(errors.Unreadable):
        assert isinstance(wire.read_ticket(answer(dump(ticket))), Ticket)
    page = wire.read_page(answer(dump({"data": [ticket, TICKET], "nextCursor": None})))
    assert isinstance(page, Page)
    assert page.tickets[-1].number == 149943  # the good one is read, whatever the other is


@given(status=st.integers(100, 999), body=st.binary() | json_values.map(dump), headers=st.dictionaries(
    st.sampled_from(["retry-after", "x-ratelimit-reset", "date"]), st.text()))  # fmt: skip
def test_any_error_answer_has_a_meaning(status, body, headers):
    try:
        wire.raise_for_status(answer(body, status, headers))
    except errors.HostUpError as error:
        assert error.status == status
        assert isinstance(error.code + error.detail + error.request_id, str)
    else:
        assert 200 <= status < 300


@pytest.mark.parametrize("odd", [None, "three", -1, {}])
def test_what_no_page_shows_hides_no_ticket_and_no_file(odd):
    assert wire.read_ticket(answer(dump(TICKET | {"messageCount": odd}))).number == 149943
    sent = {"attachmentId": "satt_1", "filename": odd, "byteLength": odd, "contentType": odd}
    assert wire.read_upload(answer(dump(sent))).attachment_id == "satt_1"


@pytest.mark.parametrize("name", ["ccEmails", "linkedServices", "attachments", "messages", "priority"])
def test_a_null_in_a_ticket_reads_as_the_empty_value(name):
    empty, null = TICKET | {name: type(TICKET[name])()}, TICKET | {name: None}
    null_read, empty_read = [wire.read_ticket(answer(dump(sent))) for sent in (null, empty)]
    for field in Ticket.__struct_fields__:
        assert getattr(null_read, field) == getattr(empty_read, field)
    assert null_read.unreadable == 0
    pages = [wire.read_page(answer(dump({"data": [listed]}))) for listed in (null, empty)]
    assert pages[0] == pages[1]
    assert len(pages[0].tickets) == 1


@pytest.mark.parametrize("name", ["encrypted", "attachments", "sender"])
def test_a_null_in_a_message_reads_as_the_empty_value(name):
    empty = wire.read_message(answer(dump(MESSAGE | {name: type(MESSAGE[name])()})))
    with_null = MESSAGE | {name: None}
    assert wire.read_message(answer(dump(with_null))) == empty
    ticket = wire.read_ticket(answer(dump(TICKET | {"messages": [with_null, MESSAGE]})))
    assert (ticket.messages[0], len(ticket.messages), ticket.unreadable) == (empty, 2, 0)


@pytest.mark.parametrize("odd", [{}, "a@b.example", 7])
@pytest.mark.parametrize("name", ["ccEmails", "linkedServices", "attachments"])
def test_a_list_that_is_none_reads_as_an_empty_one(name, odd):
    ticket = wire.read_ticket(answer(dump(TICKET | {name: odd})))
    assert getattr(ticket, re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", name)) == []
    assert (ticket.unreadable, ticket.has_thread) == (0, True)
    assert wire.read_message(answer(dump(MESSAGE | {"attachments": odd}))).attachments == []


@pytest.mark.parametrize("odd", ["Hello.", 7])
def test_messages_that_are_no_list_are_not_taken_for_none(odd):
    with pytest.raises(errors.Unreadable):
        wire.read_ticket(answer(dump(TICKET | {"messages": odd})))


def test_lists_are_read_as_php_writes_them_too():
    """PHP may write an empty list as `{}`, and one with gaps as `{"1": …}`."""
    ticket = wire.read_ticket(answer(dump(TICKET | {"messages": {"0": MESSAGE, "2": MESSAGE}, "ccEmails": {}})))
    assert (len(ticket.messages), ticket.unreadable, ticket.has_thread, ticket.cc_emails) == (2, 0, True, [])
    assert wire.read_ticket(answer(dump(TICKET | {"messages": {}}))).thread == []
    assert len(wire.read_page(answer(dump({"data": {"1": TICKET}}))).tickets) == 1
    assert wire.read_page(answer(b'{"data": {}}')).tickets == []
    assert wire.read_departments(answer(b'{"departments": {}}')) == []


def test_a_priority_that_is_none_hides_no_ticket():
    assert wire.read_ticket(answer(dump(TICKET | {"priority": 5}))).priority == ""


@pytest.mark.parametrize(("sent", "name"), [
    ({"filename": "notes.txt", "extension": "pdf"}, "notes.txt"),
    ({"filename": None, "extension": "pdf"}, "tatt_1.pdf"),
    ({"filename": None, "extension": ".pdf"}, "tatt_1.pdf"),
    ({"filename": None, "extension": None}, "tatt_1"),
])  # fmt: skip
def test_a_file_without_a_name_has_the_ending_that_hostup_says(sent, name):
    ticket = wire.read_ticket(answer(dump(TICKET | {"attachments": [ATTACHMENT | sent]})))
    assert ticket.attachments[0].name == name


@pytest.mark.parametrize("odd", [None, 7, "text", {}, [], MESSAGE | {"id": None}, MESSAGE | {"body": 7}])
def test_a_message_that_cannot_be_read_hides_no_other(odd):
    ticket = wire.read_ticket(answer(dump(TICKET | {"messages": [MESSAGE, odd, MESSAGE], "unreadable": 7})))
    assert (len(ticket.messages), ticket.unreadable, ticket.count) == (2, 1, 3)
    assert ticket.subject == wire.read_ticket(answer(dump(TICKET))).subject


ODD_TIMES = ["2026-04-27T11:45:00", "2026-04-27", "soon", "", 5, 1e300, {}, False]  # the first has no zone


@pytest.mark.parametrize("odd", ODD_TIMES)
@pytest.mark.parametrize("name", ["createdAt", "updatedAt", "lastMessageAt", "sentAt"])
def test_a_time_that_is_none_reads_as_null(name, odd):
    thread = {"messages": [MESSAGE | {name: odd}]}
    ticket = wire.read_ticket(answer(dump(TICKET | {name: odd} | thread)))
    null = wire.read_ticket(answer(dump(TICKET | {name: None})))
    assert (ticket.unreadable, ticket.messages) == (0, null.messages)
    assert [getattr(ticket, each) for each in ("created_at", "updated_at", "last_message_at")] == [
        getattr(null, each) for each in ("created_at", "updated_at", "last_message_at")
    ]
    assert wire.read_page(answer(dump({"data": [TICKET | {name: odd}]}))).unreadable == 0


@pytest.mark.parametrize("name", ["subject", "departmentSlug", "departmentName", "requesterName"])
def test_a_text_of_a_ticket_that_is_none_reads_as_null(name):
    null, odd = [wire.read_page(answer(dump({"data": [TICKET | {name: value}]}))) for value in (None, {"x": 7})]
    assert odd == null
    assert odd.unreadable == 0


def test_what_is_odd_about_a_file_a_service_or_a_department_does_not_hide_it():
    odd = {
        "filename": 7,
        "mimeType": [],
        "serviceId": 7,
        "serviceName": {},
        "details": "text",
        "serviceType": "vps",
    }
    sent = TICKET | {"attachments": [ATTACHMENT | odd], "linkedServices": [odd]}
    ticket = wire.read_ticket(answer(dump(sent)))
    assert (ticket.attachments[0].id, ticket.attachments[0].filename) == ("tatt_1", None)
    assert (ticket.linked_services[0].service_type, ticket.linked_services[0].details) == ("vps", None)
    departments = {"departments": [{"slug": "a", "displayName": "A", "description": 7}]}
    assert wire.read_departments(answer(dump(departments)))[0].display_name == "A"


@pytest.mark.parametrize("odd", [5, True, {}, ["x"]])
def test_a_cursor_that_is_none_leads_nowhere(odd):
    page = wire.read_page(answer(dump({"data": [TICKET], "nextCursor": odd})))
    assert (len(page.tickets), page.next_cursor) == (1, None)


@pytest.mark.parametrize(("name", "odd"), [("id", 7), ("status", {}), ("number", "many"), ("body", 7)])
def test_what_a_ticket_cannot_do_without_is_not_made_up(name, odd):
    """Nor is a text that cannot be read shown as no text."""
    with pytest.raises(errors.Unreadable):
        wire.read_ticket(answer(dump(TICKET | {name: odd})))


def test_a_field_of_hostup_s_is_no_count_of_ours():
    ticket = wire.read_ticket(answer(dump(TICKET | {"unreadable": "x", "count": 7, "hasThread": 7})))
    assert (ticket.unreadable, ticket.count, ticket.has_thread) == (0, 1, True)


def test_a_ticket_that_is_a_list_entry_says_that_it_has_no_thread():
    for lacking in ({"messages": None}, {"messages": None, "hasThread": True}):
        ticket = wire.read_ticket(answer(dump(TICKET | lacking)))
        assert (ticket.messages, ticket.has_thread) == ([], False)
    whole = wire.read_ticket(answer(dump(TICKET | {"messages": [], "ccEmails": None, "hasThread": False})))
    assert whole.has_thread


@pytest.mark.parametrize("odd", [None, 7, ATTACHMENT | {"id": "../x"}, ATTACHMENT | {"id": None}])
def test_a_file_that_cannot_be_read_hides_itself_alone(odd):
    files = [odd, ATTACHMENT]
    ticket = wire.read_ticket(
        answer(dump(TICKET | {"attachments": files, "messages": [MESSAGE | {"attachments": files}]}))
    )
    assert [each.id for each in ticket.attachments + ticket.messages[0].attachments] == ["tatt_1"] * 2
    assert ticket.unreadable == 0


@pytest.mark.parametrize("identifier", ["bad id!", "", "a/b", "å", "x" * 6000, '"><b>', "\n"])
def test_the_id_of_a_message_is_any_text_and_an_anchor_only_when_it_is_safe(identifier):
    message = wire.read_message(answer(dump(MESSAGE | {"id": identifier})))
    assert (message.id, message.anchor) == (identifier, "")
    assert message.mark != wire.read_message(answer(dump(MESSAGE | {"id": identifier + "x"}))).mark
    assert re.fullmatch("[0-9a-f]{64}", message.mark)  # safe in a form
    safe = wire.read_message(answer(dump(MESSAGE)))
    assert (safe.id, safe.anchor, safe.mark) == ("tmsg_1", "tmsg_1", "tmsg_1")


def test_an_unknown_field_is_dropped_and_an_unknown_word_kept():
    ticket = wire.read_ticket(answer(dump(TICKET | {"status": "escalated", "mood": "good"})))
    assert ticket.status == "escalated"


@pytest.mark.parametrize("identifier", ["../x", "", "a/b", "tkt_1\n", "å", "x" * 65])
def test_an_id_that_could_climb_a_path_is_refused(identifier):
    with pytest.raises(errors.Unreadable):
        wire.read_ticket(answer(dump(TICKET | {"id": identifier})))


@pytest.mark.parametrize("number", [-1, 10**18, 10**70, 10**4000, 1.5, "1"])
def test_a_number_that_could_be_in_no_address_is_refused(number):
    with pytest.raises(errors.Unreadable):
        wire.read_ticket(answer(dump(TICKET | {"number": number})))


@pytest.mark.parametrize(("sent", "read"), [
    (rb"a\u0000b", "a\ufffdb"),
    (rb"\u0000\u0000", "\ufffd\ufffd"),
    (rb"\\\u0000", "\\\ufffd"),
    (rb"\\u0000", r"\u0000"),  # somebody wrote about the escape
    (rb"\\\\u0000", r"\\u0000"),
])  # fmt: skip
def test_the_character_that_postgresql_refuses_is_replaced(sent, read):
    body = dump(TICKET | {"subject": "…"}).replace(rb"\u2026", sent)
    assert wire.read_ticket(answer(body)).subject == read
    with pytest.raises(errors.NotFound) as caught:
        wire.raise_for_status(answer(b'{"requestId": "%s"}' % sent, 404))
    assert caught.value.request_id == read


escapes = st.lists(
    st.sampled_from(
        ["\\\\", r"\ud83d", r"\uD800", r"\udbff", r"\ude00", r"\uDC00", r"\udFFF", r"\ud7ff", r"\ue000"]
    )
    | st.sampled_from([r"\u0000", r"\u00e5", r"\n", r"\"", r"\/", "ud83d", "u0000", "d83d", "u", "å"])
).map("".join)


@given(sent=escapes)
@example(sent=r"x\ud83d")
@example(sent=r"\ud83d\ud83d\ude00")
@example(sent=r"\\ud83d\ude00")
@example(sent="\\\\" * 100_000 + r"\udE00")
def test_half_a_character_is_replaced_and_a_whole_one_is_kept(sent):
    """JavaScript may cut a text in the middle of an emoji: the rest is valid JSON, but not valid text."""
    text = json.loads(f'"{sent}"').replace("\0", "\ufffd")
    whole = re.sub("[\ud800-\udfff]", "\ufffd", text)
    listed = dump(TICKET | {"subject": "…"}).replace(rb"\u2026", sent.encode())
    assert wire.read_ticket(answer(listed)).subject == whole
    odd = {"linkedServices": [{"details": {"…": "…"}}], "mood": "…"}
    listed = dump(TICKET | odd).replace(rb"\u2026", sent.encode())
    (ticket,) = wire.read_page(answer(b'{"data": [%s]}' % listed)).tickets
    assert ticket.linked_services[0].details == {whole: whole}
    with pytest.raises(errors.NotFound) as caught:
        wire.raise_for_status(answer(b'{"requestId": "req_1", "detail": "%s"}' % sent.encode(), 404))
    assert (caught.value.request_id, caught.value.detail) == ("req_1", whole[: wire.LONGEST_TEXT])
    assert json.loads(Redaction("key/1234").of_body(b'["%s\\/"]' % sent.encode())) == [whole + "/"]


ODD_KEY = 'a/key+with "odd" characters'
IN_JSON = json.dumps(ODD_KEY)[1:-1]
IN_ADDRESS = quote(ODD_KEY, safe="")
IN_LOWER_CASE = re.sub("%..", lambda escape: escape.group().lower(), IN_ADDRESS)


@pytest.mark.parametrize(
    "echo", [IN_JSON, IN_JSON.replace("/", r"\/"), IN_JSON.replace("+", r"\u002B"), IN_ADDRESS, IN_LOWER_CASE]
)
def test_a_key_is_removed_however_it_is_echoed(echo):
    body = Redaction(ODD_KEY).of_body(b'{"detail": "Your key is %s."}' % echo.encode())
    assert json.loads(body) == {"detail": "Your key is [removed]."}


@pytest.mark.parametrize("echo", [ODD_KEY, IN_ADDRESS, IN_LOWER_CASE])
def test_a_key_is_removed_from_what_is_no_json(echo):
    assert Redaction(ODD_KEY).of(b"/tickets?key=%s" % echo.encode()) == b"/tickets?key=[removed]"


def test_what_is_too_short_for_a_key_is_a_word():
    assert Redaction("1234567").of(b"1234567") == b"1234567"
    assert Redaction("12345678").of(b"12345678") == b"[removed]"


def test_half_a_character_in_one_department_hides_none():
    sent = {"departments": [{"slug": "a", "displayName": "x\ud83d"}, {"slug": "b", "displayName": "B"}]}
    assert [each.display_name for each in wire.read_departments(answer(dump(sent)))] == ["x\ufffd", "B"]


PROBLEM = {
    "code": "invalid_request",
    "detail": "Bad.",
    "requestId": "req_1",
    "errors": [
        {"pointer": "/subject", "detail": "Too short.", "code": "x"},
        "odd",
        {"pointer": "/subject", "detail": "No emoji."},
    ],
}


def test_an_error_carries_code_words_request_id_and_fields():
    with pytest.raises(errors.Invalid) as caught:
        wire.raise_for_status(answer(dump(PROBLEM), 400))
    error = caught.value
    assert (error.status, error.code, error.detail, error.request_id) == (400, "invalid_request", "Bad.", "req_1")
    assert error.fields == {"/subject": "Too short. No emoji."}


DATE = "Mon, 27 Apr 2026 11:45:00 GMT"


@pytest.mark.parametrize(("headers", "seconds"), [
    ({"retry-after": "7"}, 7),
    ({"retry-after": "0"}, 1),
    ({"retry-after": "86400"}, 300),
    ({"retry-after": "Mon, 27 Apr 2026 11:45:40 GMT", "date": DATE}, 40),
    ({"retry-after": "Mon, 27 Apr 2026 11:44:00 GMT", "date": DATE}, 1),
    ({"retry-after": "soon"}, 30),
    ({"retry-after": "-5"}, 30),
    ({"x-ratelimit-reset": "2026-04-27T11:45:20.000Z", "date": DATE}, 20),
    ({}, 30),
])  # fmt: skip
def test_how_long_to_wait_after_too_many_calls(headers, seconds):
    assert wire.retry_after(headers) == seconds


ANSWERS = {
    200: None, 204: None, 299: None,
    300: errors.Unreadable, 302: errors.Unreadable, 402: errors.Unreadable, 405: errors.Unreadable,
    400: errors.Invalid, 413: errors.Invalid, 415: errors.Invalid, 422: errors.Invalid,
    401: errors.BadKey, 403: errors.Forbidden, 404: errors.NotFound, 410: errors.NotFound, 409: errors.Conflict,
    429: errors.RateLimited, 500: errors.Unavailable, 503: errors.Unavailable, 504: errors.TooSlow,
}  # fmt: skip


@pytest.mark.parametrize(("status", "kind"), ANSWERS.items())
def test_each_status_means_what_the_reference_says(status, kind):
    told = {"title": "Told.", "code": "x", "requestId": "req_1"}
    try:
        wire.raise_for_status(answer(dump(told), status, {"retry-after": "7"}))
        error = None
    except errors.HostUpError as raised:
        error = raised
    assert type(error) is (kind or type(None))
    if error:
        assert (error.status, error.code, error.detail, error.request_id) == (status, "x", "Told.", "req_1")
    if kind is errors.RateLimited:
        assert error.retry_after == 7


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_time_out_behind_hostup_is_one_whatever_its_status(status):
    with pytest.raises(errors.TooSlow):
        wire.raise_for_status(answer(dump({"code": "upstream_timeout"}), status))


def test_a_page_says_what_is_missing_and_where_the_next_one_is():
    page = wire.read_page(answer(dump({"data": [TICKET, TICKET, {"id": 1}], "nextCursor": "more"})))
    assert (len(page.tickets), page.unreadable, page.next_cursor) == (1, 1, "more")
    assert wire.read_page(answer(dump({"data": [], "nextCursor": ""}))).next_cursor is None


def test_an_unreadable_success_keeps_its_status():
    with pytest.raises(errors.Unreadable) as caught:
        wire.read_ticket(answer(b"{}", 201))
    assert caught.value.status == 201


@pytest.mark.parametrize("value", [None, 7, ["x"], {"x": 1}])
def test_words_that_are_none_are_left_out(value):
    with pytest.raises(errors.NotFound) as caught:
        wire.raise_for_status(answer(dump({"code": value, "detail": value, "requestId": value}), 404))
    assert (caught.value.code, caught.value.detail, caught.value.request_id) == ("", "", "")


def test_a_time_without_a_zone_is_utc():
    zoned = wire.http_date("Mon, 27 Apr 2026 13:45:00 +0200")
    assert zoned == wire.http_date("Mon, 27 Apr 2026 11:45:00 -0000") == wire.http_date(DATE)
    assert zoned.utcoffset()


def test_a_limit_without_a_date_counts_from_now():
    until = datetime.now(UTC) + timedelta(seconds=60)
    assert 50 <= wire.retry_after({"x-ratelimit-reset": until.isoformat()}) <= 60


THREADS_THAT_ALL_READ_THEIR_FIRST = """
import sys
from threading import Barrier, Thread
from tickets.hostup import wire

sys.setswitchinterval(1e-6)
barrier = Barrier(24)
answer = wire.Answer(200, {}, sys.stdin.buffer.read())

def read():
    barrier.wait()
    wire.read_ticket(answer)

threads = [Thread(target=read) for _ in range(24)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


def test_the_first_tickets_are_read_by_many_threads_at_once():
    command = [sys.executable, "-c", THREADS_THAT_ALL_READ_THEIR_FIRST]
    assert subprocess.run(command, input=dump(TICKET), cwd=BASE_DIR, timeout=30).returncode == 0


def test_more_messages_than_anybody_reads_are_not_shown():
    """Each of them can be read, but a page of them all would be 70 megabytes."""
    messages = [{"id": str(number)} for number in range(MOST_ENTRIES + 1)]
    assert wire.read_ticket(answer(dump(TICKET | {"messages": messages[1:]}))).count == MOST_ENTRIES
    with pytest.raises(errors.Unreadable):
        wire.read_ticket(answer(dump(TICKET | {"messages": messages})))


@pytest.mark.parametrize(("read", "body"), [
    (wire.read_page, b'{"data": [%s]}'),
    (wire.read_ticket, json.dumps(TICKET)[:-1].encode().replace(b"%", b"%%") + b', "messages": [%s]}'),
])  # fmt: skip
def test_millions_of_entries_are_not_read_one_by_one(read, body):
    began = time.process_time()
    with pytest.raises(errors.Unreadable):
        read(answer(body % b",".join([b"{}"] * 1_600_000)))
    assert time.process_time() - began < 2  # seconds; one by one took seven
