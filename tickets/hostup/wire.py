"""Bytes in, values or errors out. Pure: no network, no requests, no Django.

Everything that HostUp sends is untrusted here: whatever the bytes, a function of this module returns a value
of `types` or raises one of `errors`.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple, TypeVar

import msgspec

from tickets.hostup import errors
from tickets.hostup.types import (
    MOST_ENTRIES,
    Attachment,
    Department,
    LinkedService,
    Message,
    Page,
    PartialTicket,
    Ticket,
    TicketSummary,
    Upload,
)

Value = TypeVar("Value")

LONGEST_TEXT = 500  # characters of HostUp's own words that we keep
# Escapes that JSON allows but no text contains: the character NUL, which PostgreSQL cannot store, and half of a
# surrogate pair, which JavaScript leaves when it cuts an emoji. `_NO_TEXT` also matches what only looks like one
# (a `u` after an escaped backslash, and whole pairs), without capturing it.
_MAY_BE_NO_TEXT = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
_NO_TEXT = re.compile(rb"\\(?:\\|u[dD][89abAB]..\\u[dD][c-fC-F]..|(u0000|u[dD][89a-fA-F][0-9a-fA-F]{2}))")
NOT_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)  # or, decoded to a type, not of its shape
RETRY_AFTER_DEFAULT, RETRY_AFTER_LEAST, RETRY_AFTER_MOST = 30, 1, 300  # seconds


class Answer(NamedTuple):
    """An answer from HostUp: `headers` by lower-case name, `body` complete and decompressed."""

    status: int
    headers: Mapping[str, str]
    body: bytes


# PHP may write an empty list as {}, and one with gaps as {"0": …, "2": …}.
RawEntries = list[msgspec.Raw] | dict[str, msgspec.Raw]


class _List(msgspec.Struct, rename="camel"):
    data: RawEntries
    next_cursor: Any = None


class _Departments(msgspec.Struct):
    departments: RawEntries


class _Problem(msgspec.Struct, rename="camel"):
    """An RFC 7807 problem. Any field may hold anything, since the body may come from something in between."""

    code: Any = ""
    detail: Any = ""
    title: Any = ""
    request_id: Any = ""
    errors: Any = ()


_FIELDS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ENTRIES = msgspec.json.Decoder(RawEntries)
# The types that can be read in pieces: which of their fields are lists, and of what.
_LISTS = {
    **dict.fromkeys((Department, Attachment, LinkedService), {}),
    TicketSummary: {"ccEmails": str, "linkedServices": LinkedService},
    Ticket: {
        "ccEmails": str,
        "linkedServices": LinkedService,
        "attachments": Attachment,
        "messages": Message,
    },
    Message: {"attachments": Attachment},
}
# Made on import, before there are threads: if two have msgspec inspect the same type at once, the process crashes.
_DECODERS = {
    type_: msgspec.json.Decoder(type_)
    for type_ in (_List, _Departments, _Problem, Upload, PartialTicket, str, *_LISTS)
}
# The fields that each type can do without. Bodies and messages are not among them: a text that cannot be read
# would be shown as no text.
_DISPENSABLE = {
    type_: {
        field.encode_name: msgspec.json.Decoder(field.type)
        for field in msgspec.structs.fields(type_)
        if field.default in (None, "") and field.name != "body"
    }
    | {name: _ENTRIES for name in lists if name != "messages"}
    for type_, lists in _LISTS.items()
}


def read_page(answer: Answer) -> Page:
    """Read a list of tickets. An entry that cannot be read is left out and counted, not fatal."""
    page = _read(answer, _List)
    tickets, unreadable = _each(page.data, TicketSummary)
    cursor = page.next_cursor if isinstance(page.next_cursor, str) else None
    # HostUp's cursor is an offset, so a ticket can come twice when others arrive.
    unique = {ticket.id: ticket for ticket in tickets}
    return Page(tickets=list(unique.values()), next_cursor=cursor or None, unreadable=unreadable)


def read_departments(answer: Answer) -> list[Department]:
    """Read the departments, leaving out those that cannot be read. Raises `Unreadable` when none can."""
    departments, unreadable = _each(_read(answer, _Departments).departments, Department)
    if unreadable and not departments:
        raise errors.Unreadable(status=answer.status)
    return departments


def read_ticket(answer: Answer) -> Ticket:
    """Read a ticket. Messages, files and services that cannot be read are left out; the messages are counted."""
    return _read(answer, Ticket)


def read_message(answer: Answer) -> Message:
    return _read(answer, Message)


def read_upload(answer: Answer) -> Upload:
    return _read(answer, Upload)


def raise_for_status(answer: Answer) -> None:
    """Return when the call succeeded, else raise the error that its status and `code` stand for."""
    if 200 <= answer.status < 300:
        return
    sent = _decode_problem(answer.body)
    problem = {
        "status": answer.status,
        "code": _text(sent.code),
        "detail": _text(sent.detail) or _text(sent.title),
        "request_id": _text(sent.request_id),
    }
    match answer.status:
        case 400 | 413 | 415 | 422:
            raise errors.Invalid(fields=_field_errors(sent.errors), **problem)
        case 401:
            raise errors.BadKey(**problem)
        case 403:
            raise errors.Forbidden(**problem)
        case 404 | 410:
            raise errors.NotFound(**problem)
        case 409:
            raise errors.Conflict(**problem)
        case 429:
            raise errors.RateLimited(retry_after=retry_after(answer.headers), **problem)
        case status if status == 504 or (status >= 500 and problem["code"].endswith("timeout")):
            raise errors.TooSlow(**problem)  # what is behind HostUp may still be working on it
        case status if status >= 500:
            raise errors.Unavailable(**problem)
        case _:  # a redirect, which we never follow, or a status that the reference does not have
            raise errors.Unreadable(**problem)


def retry_after(headers: Mapping[str, str]) -> int:
    """Return how many seconds to wait after a 429: from `Retry-After` (seconds or date), else from
    `X-RateLimit-Reset` (ISO time), else a guess; never less than a second nor more than five minutes.

    Dates are compared with the answer's own `Date`, so that a skewed clock here does not matter.
    """
    value = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,9}", value):
        seconds = int(value)
    else:
        until = http_date(value) or _iso_time(headers.get("x-ratelimit-reset", ""))
        now = http_date(headers.get("date", "")) or datetime.now(UTC)
        seconds = int((until - now).total_seconds()) if until else RETRY_AFTER_DEFAULT
    return max(RETRY_AFTER_LEAST, min(seconds, RETRY_AFTER_MOST))


def http_date(value: str) -> datetime | None:
    """Return the time that an HTTP header gives, None if it is not a date."""
    try:
        return _aware(parsedate_to_datetime(value))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _read(answer: Answer, type_: type[Value]) -> Value:
    try:
        return _decode(as_text(answer.body), type_)
    except NOT_JSON:
        raise errors.Unreadable(status=answer.status) from None


def _decode(body: bytes | msgspec.Raw, type_: type[Value]) -> Value:
    try:
        return _DECODERS[type_].decode(body)
    except NOT_JSON:
        if type_ not in _LISTS:
            raise
    return _decode_in_pieces(body, type_)


def _decode_in_pieces(body: bytes | msgspec.Raw, type_: type[Value]) -> Value:
    """Decode a value, leaving out its nulls and any dispensable fields that cannot be read."""
    fields = {name: value for name, value in _FIELDS.decode(body).items() if bytes(value) != b"null"}
    for name in _DISPENSABLE[type_].keys() & fields:
        try:
            _DISPENSABLE[type_][name].decode(fields[name])
        except NOT_JSON:
            del fields[name]
    has_thread = "messages" in fields
    left_out = {}
    for name, entry_type in _LISTS[type_].items():
        fields[name], left_out[name] = _each(_ENTRIES.decode(fields.get(name, b"[]")), entry_type)
    if type_ is Ticket:
        type_ = PartialTicket
        fields |= {"hasThread": has_thread, "unreadable": left_out["messages"]}
    return _DECODERS[type_].decode(msgspec.json.encode(fields))


def as_text(body: bytes) -> bytes:
    """Return JSON with a replacement character for each escape that is not text (see `_NO_TEXT`)."""
    if not _MAY_BE_NO_TEXT.search(body):  # without this, five megabytes of backslashes take a second
        return body
    return _NO_TEXT.sub(lambda found: rb"\ufffd" if found[1] else found[0], body)


def _each(entries: RawEntries, type_: type[Value]) -> tuple[list[Value], int]:
    """Return the entries that can be read, and how many cannot. Raises `Unreadable` for too many."""
    if len(entries) > MOST_ENTRIES:
        raise errors.Unreadable()
    values = []
    for entry in entries.values() if isinstance(entries, dict) else entries:
        try:
            values.append(_decode(entry, type_))
        except NOT_JSON:
            continue
    return values, len(entries) - len(values)


def _field_errors(entries: Any) -> dict[str, str]:
    sentences: dict[str, str] = {}
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict):
            pointer = _text(entry.get("pointer"))
            sentences[pointer] = f"{sentences.get(pointer, '')} {_text(entry.get('detail'))}".strip()
    return sentences


def _decode_problem(body: bytes) -> _Problem:
    try:
        return _DECODERS[_Problem].decode(as_text(body))
    except NOT_JSON:
        return _Problem()


def _text(value: Any) -> str:
    return value[:LONGEST_TEXT] if isinstance(value, str) else ""


def _iso_time(value: str) -> datetime | None:
    try:
        return _aware(datetime.fromisoformat(value))
    except ValueError:
        return None


def _aware(time: datetime) -> datetime:
    return time if time.tzinfo else time.replace(tzinfo=UTC)
