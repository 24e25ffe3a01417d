"""The template filters that show HostUp's terms, times and texts to an agent."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import islice
from typing import NamedTuple

import msgspec
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from markupsafe import Markup, escape

from hostup_dashboard import templating
from tickets import words
from tickets.hostup.client import ATTACHMENT_MOST_BYTES
from tickets.hostup.types import CLOSED, Message, TicketSummary

MINUTE, HOUR, DAY, YEAR = 60, 3600, 86_400, 31_536_000  # seconds

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PRESSING = ("urgent", "critical")  # the priorities that a row shows
LONGEST_IN_A_ROW = 300  # characters of a text; the ticket itself shows all of it

_URL = re.compile(r"https?://[^\s<>\"'`\\\u00a0]{1,2000}", re.IGNORECASE)
_LINK = '<a href="{0}" rel="noopener noreferrer nofollow" target="_blank">{0}</a>'
MOST_LINKS = 500  # in a text: five megabytes of short ones would become forty and take ten seconds
_AFTER_URL = ".,;:!?)]}…”“’‘»«*"  # punctuation that ends the sentence, or the quotation, rather than the address
_BRACKETS = ["()", "[]", "{}"]
# Control characters, and those that change the direction of what follows: shown as a box, so that a text cannot
# look like something else.
_INVISIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
# Not visible either: spaces (Braille's and Korean's, too), and what joins, breaks or varies other characters.
_BLANK = re.compile(
    "[\\s\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200d\u2060-\u206f"
    "\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e007f]*"
)


def word_in(value, known):
    """Return the word for HostUp's value in `known`, a dictionary of `words`, else the value as it came."""
    return known.get(value) or plain(value)


def class_in(value, known):
    """Return a CSS class: the value if it is in `known`, else "unknown", so that no other text becomes one."""
    return value if value in known else "unknown"


def whose_turn(status):
    """Say whose turn it is, or nothing."""
    return words.TURNS.get(status, "")


def is_our_turn(status):
    return words.TURNS.get(status) is words.ON_US


def plain(text):
    """Return a text with its control and direction characters made visible; the template escapes it. "" if there
    would be nothing to see."""
    text = _INVISIBLE.sub("\ufffd", text or "")
    return "" if _BLANK.fullmatch(text) else text


def linked(text):
    """Escape a customer's text and make its first http(s) addresses links; nothing else in it becomes markup."""
    text = _INVISIBLE.sub("\ufffd", (text or "").replace("\r\n", "\n"))
    parts, end = [], 0
    for match in islice(_URL.finditer(text), MOST_LINKS):
        url = match.group()[: _end_of(match.group())]
        parts += [escape(text[end : match.start()]), _LINK.format(escape(url))]
        end = match.start() + len(url)
    return Markup("".join([*parts, escape(text[end:])]))  # noqa: S704  (each part is escaped)


def _end_of(url: str) -> int:
    """Return where an address ends: before punctuation that may follow it, but after a bracket that it opened."""
    end = len(url.rstrip(_AFTER_URL))
    unclosed = {close: url.count(opening, 0, end) - url.count(close, 0, end) for opening, close in _BRACKETS}
    for place, character in enumerate(url[end:], end + 1):
        if unclosed.get(character, 0) > 0:
            unclosed[character] -= 1
            end = place
    return end


def ago(moment: datetime | None):
    """Say how long ago in words: "3 hours ago"."""
    return _ago(*_in_largest_unit(timezone.now() - moment)) if moment else ""


def _in_largest_unit(age: timedelta) -> tuple[int, int]:
    """Return an age as a count of whole minutes, hours, days or years, and how many seconds one of those has."""
    seconds = int(age.total_seconds())
    unit = MINUTE if seconds < HOUR else HOUR if seconds < DAY else DAY if seconds < YEAR else YEAR
    return seconds // unit, unit


def _ago(count: int, unit: int) -> str:
    if count < 1:  # also where HostUp's clock is ahead of ours
        return _("just now")
    if unit == MINUTE:
        return ngettext("%d minute ago", "%d minutes ago", count) % count
    if unit == HOUR:
        return ngettext("%d hour ago", "%d hours ago", count) % count
    if unit == DAY:
        return ngettext("%d day ago", "%d days ago", count) % count
    return ngettext("%d year ago", "%d years ago", count) % count


def stamp(moment: datetime | None) -> str:
    """Return a moment exactly, as forms carry it: in microseconds since 1970, which is shorter than a date."""
    return str((moment - EPOCH) // timedelta(microseconds=1)) if moment else ""


def from_stamp(text: str) -> datetime | None:
    """Return the moment that a `stamp` stands for, None if it is not one."""
    return EPOCH + timedelta(microseconds=int(text)) if re.fullmatch("[0-9]{1,16}", text) else None


def in_thread(messages: list[Message]) -> Iterator[tuple[Message, str, str]]:
    """Yield each message, its time in the agent's zone ("2026-11-24 16:30+01:00"), and how long ago in words."""
    # Looked up once, not for each of what may be thousands of messages.
    zone, now, said = timezone.get_current_timezone(), timezone.now(), cache(_ago)
    for message in messages:
        if sent_at := message.sent_at:
            yield message, templating.in_zone(sent_at, zone), said(*_in_largest_unit(now - sent_at))
        else:
            yield message, "", ""


def flat(details):
    """Return the free-form details of a service as pairs of texts. What is nested becomes JSON."""
    return [
        (name, value if isinstance(value, str) else _as_json(value))
        for name, value in details.items()
        if value is not None
    ]


def _as_json(value) -> str:
    try:
        return msgspec.json.encode(value).decode()
    except RecursionError:  # up to Python 3.11 the limit counts callers, too, and decoding had fewer
        return "…"


def is_picture(mime_type):
    """Tell whether a file claims to be a picture that browsers show. Its first bytes later tell what it is."""
    return mime_type in ("image/png", "image/jpeg", "image/gif")


class Row(NamedTuple):
    """What a row of the list shows of a ticket."""

    id: str
    number: int
    status: str
    status_word: str
    whose_turn: str
    priority: str
    subject: str | None
    department: str | None
    requester: str | None
    updated_at: datetime | None
    active_at: datetime | None
    age: str

    @property
    def is_closed(self) -> bool:
        return self.status == CLOSED


def in_rows(tickets: list[TicketSummary]) -> list[Row]:
    """Return the row of each ticket, in the agent's language."""
    # Looked up once, not for each of fifty rows.
    statuses, turns, now = translated(words.STATUSES), translated(words.TURNS), timezone.now()
    ages = {0: _("now"), MINUTE: _("%d min"), HOUR: _("%d h"), DAY: _("%d d"), YEAR: _("%d y")}
    return [
        Row(
            ticket.id,
            ticket.number,
            status := _short(ticket.status),
            word_in(status, statuses),
            turns.get(status, ""),
            ticket.priority if ticket.priority in PRESSING else "",
            _short(ticket.subject),
            _short(ticket.department_name or ticket.department_slug),
            _short(ticket.requester_name),
            ticket.updated_at,
            ticket.last_activity_at,
            _age(ticket.last_activity_at, now, ages),
        )
        for ticket in tickets
    ]


def _age(moment: datetime | None, now: datetime, ages: dict[int, str]) -> str:
    """Say how long ago, in the largest unit that fits: "now", "5 min", "3 h", "12 d", "2 y". `ages` maps the
    seconds of each unit to its words, and 0 to "now"."""
    if moment is None:
        return ""
    count, unit = _in_largest_unit(now - moment)
    return ages[unit] % count if count > 0 else ages[0]


def _short(text: str | None) -> str | None:
    return text if not text or len(text) <= LONGEST_IN_A_ROW else text[:LONGEST_IN_A_ROW] + "…"


def translated(texts: dict) -> dict[str, str]:
    """Translate once what a loop uses over and over."""
    return {name: str(text) for name, text in texts.items()}


FILTERS = [
    word_in,
    class_in,
    whose_turn,
    is_our_turn,
    plain,
    linked,
    ago,
    flat,
    in_rows,
    in_thread,
    is_picture,
    stamp,
    translated,
]


def environment(**options):
    """Return the environment of every template, with the words and filters for tickets."""
    env = templating.environment(**options)
    env.globals |= {"words": words, "ATTACHMENT_MOST_BYTES": ATTACHMENT_MOST_BYTES}
    env.filters |= {shown.__name__: shown for shown in FILTERS}
    return env
