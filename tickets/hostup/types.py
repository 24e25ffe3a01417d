"""The values that HostUp's support API sends, under its own names. Fields that nothing here shows are dropped.

Only the fields without which a ticket cannot be shown or acted on are required. The reference's "may be null" is
taken to cover all others, so that an incomplete answer can still be shown: `wire` treats a null, and an unreadable
value where a null would do, as if the field was missing. A status, priority or sender that the reference does not
list stays as the text that came.
"""

import mimetypes
import re
from datetime import datetime
from hashlib import sha256
from pathlib import PurePath
from typing import Annotated, Any, ClassVar, TypeVar

import msgspec
from msgspec import Meta, Struct, field

ID_PATTERN = "[A-Za-z0-9_-]{1,64}"  # what may go into a path; HostUp's ids are `tkt_` and 26 characters

Id = Annotated[str, Meta(pattern=rf"^{ID_PATTERN}\Z")]
Number = Annotated[int, Meta(ge=0, lt=10**18)]  # bounded, because it may go into a URL, as an id may
Time = Annotated[datetime, Meta(tz=True)]
MOST_ENTRIES = 20_000  # in a list; five megabytes hold 1.7 million empty ones
Entry = TypeVar("Entry")
Entries = Annotated[list[Entry], Meta(max_length=MOST_ENTRIES)]

ANYTHING = "application/octet-stream"  # the type of a file of unknown type

STATUSES = ("open", "answered", "customer_reply", "in_progress", "on_hold", "closed")
CLOSED = "closed"


def type_by_name(filename: str) -> str:
    """Return the MIME type that the name's extension stands for, "" if it stands for none."""
    return mimetypes.types_map.get(PurePath(filename).suffix.lower(), "")


class _Value(Struct, rename="camel", frozen=True, kw_only=True):
    """A value as sent: camelCase there, snake_case here."""


class LinkedService(_Value):
    """A domain, hosting account or server that a ticket is about; `details` is free-form."""

    service_type: str | None = None
    service_id: str | None = None
    service_name: str | None = None
    details: dict[str, Any] | None = None


class Attachment(_Value):
    """A file in a ticket, downloaded by its id (`tatt_…`)."""

    id: Id
    filename: str | None = None
    extension: str | None = None
    mime_type: str | None = None

    @property
    def name(self) -> str:
        """Return the file's name; if HostUp gives none, the id with the extension, where known."""
        return self.filename or ".".join(filter(None, (self.id, (self.extension or "").lstrip("."))))

    @property
    def claimed_type(self) -> str:
        """Return the MIME type that HostUp gives, else the one that the name stands for, else ""."""
        said = self.mime_type if self.mime_type != ANYTHING else None
        return said or type_by_name(self.name)


class Message(_Value):
    """One message of a ticket's thread; `sender` is customer, staff or automation. No call takes a message's
    id, so it may be any text."""

    id: str
    ticket_id: str | None = None
    sent_at: Time | None = None
    body: str | None = None
    sender: str = ""
    sender_name: str | None = None
    encrypted: bool = False
    attachments: Entries[Attachment] = field(default_factory=list)

    @property
    def anchor(self) -> str:
        """Return the id if it can be an anchor in a page, else ""."""
        return self.id if re.fullmatch(ID_PATTERN, self.id) else ""

    @property
    def names_of_ticket(self) -> tuple[str, ...]:
        """Return the names that calls may use for its ticket."""
        return (self.ticket_id or "",)

    @property
    def mark(self) -> str:
        """Return what a form names the message by: up to 64 characters that come back unchanged."""
        return self.anchor or sha256(self.id.encode()).hexdigest()


class TicketSummary(_Value):
    """A ticket as the list has it."""

    id: Id
    number: Number
    status: str
    subject: str | None = None
    priority: str = ""
    department_slug: str | None = None
    department_name: str | None = None
    created_at: Time | None = None
    updated_at: Time | None = None
    last_message_at: Time | None = None
    cc_emails: Entries[str] = field(default_factory=list)
    requester_name: str | None = None
    linked_services: Entries[LinkedService] = field(default_factory=list)

    @property
    def names_of_ticket(self) -> tuple[str, ...]:
        """Return the names that calls may use for it: its id and its number."""
        return self.id, str(self.number)

    @property
    def is_closed(self) -> bool:
        return self.status == CLOSED

    @property
    def last_activity_at(self) -> datetime | None:
        return self.last_message_at or self.updated_at or self.created_at


class Ticket(TicketSummary, kw_only=True):
    """A ticket with its opening body, attachments and messages; a list entry has none of the three."""

    body: str | None = None
    attachments: Entries[Attachment] = field(default_factory=list)
    messages: Entries[Message]  # an answer without this field is a `PartialTicket`
    # Fields in `PartialTicket` alone, because HostUp might send fields with these names.
    has_thread: ClassVar[bool] = True
    unreadable: ClassVar[int] = 0

    @property
    def count(self) -> int:
        """Return how many messages HostUp sent, readable or not. Its own `messageCount` may differ."""
        return len(self.messages) + self.unreadable

    @property
    def thread_mark(self) -> str:
        """Return 32 characters that change when its messages or files do."""
        parts = self.body, self.attachments, self.messages, self.unreadable
        return sha256(msgspec.json.encode(parts)).hexdigest()[:32]

    @property
    def thread(self) -> list[Message]:
        """Return the messages, oldest first; as they came if a time is missing. Not documented: that order."""
        if any(message.sent_at is None for message in self.messages):
            return self.messages
        return sorted(self.messages, key=lambda message: message.sent_at)


class PartialTicket(Ticket):
    """A ticket without the messages that could not be read; `unreadable` is how many. `has_thread` is False when
    HostUp sent no list of messages, as in a list entry."""

    has_thread: bool = True
    unreadable: int = 0


class Page(Struct, frozen=True):
    """One page of tickets, the cursor of the next one, and how many entries could not be read."""

    tickets: list[TicketSummary]
    next_cursor: str | None
    unreadable: int


class Department(_Value):
    """A department that takes tickets; the slug is what calls use."""

    slug: str
    display_name: str
    description: str | None = None


class Upload(_Value):
    """A file that was uploaded and is not yet part of a message (`satt_…`)."""

    attachment_id: Id
