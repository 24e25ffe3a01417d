"""What the sandbox stores: tickets and what belongs to them. shapes.py turns it into JSON."""

from dataclasses import dataclass, field
from datetime import datetime

STATUSES = ("open", "answered", "customer_reply", "in_progress", "on_hold", "closed", "unknown")
# API reference: a ticket can be `unknown`, but the list cannot be filtered by it.
FILTER_STATUSES = STATUSES[:-1]
PRIORITIES = ("low", "medium", "high", "urgent", "critical")
SENDERS = ("customer", "staff", "automation")
SERVICE_TYPES = ("domain", "hosting", "vps", "other")


@dataclass(frozen=True, slots=True)
class Department:
    slug: str
    display_name: str
    description: str | None = None
    email: str | None = None


DEPARTMENTS = (
    Department("technical", "Technical support", "Web hosting, e-mail, VPS", "technical@hostup.example"),
    Department("billing", "Billing", "Invoices and payments", "billing@hostup.example"),
    Department("domains", "Domains", "Registration, transfer and DNS", None),
    Department("sales", "Försäljning", None, None),
)


@dataclass(frozen=True, slots=True)
class Attachment:
    id: str
    filename: str | None
    content_type: str | None
    content: bytes


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was sent but is not on a ticket yet."""

    id: str
    key_name: str
    ticket_id: str | None
    filename: str
    content_type: str
    content: bytes
    uploaded_at: datetime


@dataclass(slots=True)
class Message:
    id: str
    ticket_id: str
    sent_at: datetime | None
    body: str | None
    sender: str
    sender_name: str | None
    encrypted: bool = False
    attachments: list[Attachment] = field(default_factory=list)


@dataclass(slots=True)
class Ticket:
    """`body` is the opening message; `messages` are what followed it.

    Not documented: whether HostUp repeats the opening message in `messages`. One seeded ticket does.
    """

    id: str
    number: int
    account: str
    subject: str | None
    status: str
    priority: str
    department_slug: str
    department_name: str | None
    created_at: datetime
    updated_at: datetime
    last_message_at: datetime
    requester_name: str | None
    body: str | None
    # Kept apart from len(messages): the reference's own sample says 3 and sends 1.
    message_count: int = 1
    cc_emails: list[str] = field(default_factory=list)
    linked_services: list[dict] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
