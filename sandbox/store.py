"""The sandbox's state and the operations on it. Knows nothing of HTTP, keys or JSON."""

from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random
from threading import RLock

from .ids import new_id
from .model import DEPARTMENTS, Attachment, Message, Ticket, Upload
from .times import utc_now

CRITICAL_INTERVAL = timedelta(hours=1)
FIRST_NUMBER = 149_000
MOST_BETWEEN = 9_999  # from one new ticket's number to the next: HostUp has other customers as well


class TicketNotFound(LookupError):
    """No such ticket, or it belongs to another account: the API does not tell which."""


class AttachmentNotFound(LookupError):
    """No such attachment on that ticket."""


class TicketClosed(Exception):
    """A closed ticket takes no reply."""


class CriticalTooSoon(Exception):
    """The account had a critical ticket less than an hour ago. `wait` is the time that is left."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__(wait)
        self.wait = wait


class Store:
    """Tickets of all accounts. Every operation is atomic; hold `lock` to make several of them one."""

    def __init__(self, seed: int = 1, now: Callable[[], datetime] = utc_now) -> None:
        self.rng = Random(seed)
        self.now = now
        self.lock = RLock()
        self.departments = DEPARTMENTS
        self._tickets: dict[str, Ticket] = {}
        self._uploads: list[Upload] = []
        self._last_critical: dict[str, datetime] = {}

    def add(self, ticket: Ticket) -> Ticket:
        """Put a ready-made ticket in, as the seed and tests do."""
        with self.lock:
            self._tickets[ticket.id] = ticket
        return ticket

    def all_tickets(self) -> list[Ticket]:
        """Return the tickets of all accounts, in no particular order."""
        with self.lock:
            return list(self._tickets.values())

    def find(self, reference: str) -> Ticket:
        """Return a ticket by public id or number, whatever its account."""
        with self.lock:
            ticket = self._tickets.get(reference)
            if ticket is None and reference.isascii() and reference.isdigit():
                ticket = next((t for t in self._tickets.values() if str(t.number) == reference), None)
        if ticket is None:
            raise TicketNotFound(reference)
        return ticket

    def get(self, account: str, reference: str) -> Ticket:
        """Return an account's own ticket. API reference: the number is accepted too, "during migration"."""
        ticket = self.find(reference)
        if ticket.account != account:
            raise TicketNotFound(reference)
        return ticket

    def tickets_of(self, account: str, status: str | None = None, department: str | None = None) -> list[Ticket]:
        """Return an account's tickets. Not documented: the order. HostUp's panel has the newest activity first."""
        with self.lock:
            wanted = [
                ticket
                for ticket in self._tickets.values()
                if ticket.account == account
                and status in (None, ticket.status)
                and department in (None, ticket.department_slug)
            ]
        return sorted(wanted, key=lambda ticket: (ticket.last_message_at, ticket.number), reverse=True)

    def create(
        self,
        account: str,
        *,
        department_slug: str,
        subject: str,
        body: str,
        requester_name: str,
        priority: str = "medium",
        cc_emails: tuple[str, ...] = (),
        linked_services: tuple[dict, ...] = (),
    ) -> Ticket:
        with self.lock:
            now = self.now()
            if priority == "critical":
                self._allow_critical(account, now)
            department = next(d for d in self.departments if d.slug == department_slug)
            latest = max((t.number for t in self._tickets.values()), default=FIRST_NUMBER)
            return self.add(
                Ticket(
                    id=new_id("tkt", self.rng),
                    number=latest + self.rng.randint(1, MOST_BETWEEN),
                    account=account,
                    subject=subject,
                    status="open",
                    priority=priority,
                    department_slug=department_slug,
                    department_name=department.display_name,
                    created_at=now,
                    updated_at=now,
                    last_message_at=now,
                    requester_name=requester_name,
                    body=body,
                    cc_emails=list(cc_emails),
                    linked_services=list(linked_services),
                )
            )

    def _allow_critical(self, account: str, now: datetime) -> None:
        """Note a critical ticket, or raise CriticalTooSoon. API reference: at most one critical alert an hour."""
        last = self._last_critical.get(account)
        if last is not None and now - last < CRITICAL_INTERVAL:
            raise CriticalTooSoon(CRITICAL_INTERVAL - (now - last))
        self._last_critical[account] = now

    def reply(
        self, account: str, reference: str, *, body: str, encrypted: bool, sender_name: str, key_name: str
    ) -> Message:
        """Add the customer's reply. API reference: refused on a closed ticket."""
        with self.lock:
            ticket = self.get(account, reference)
            if ticket.status == "closed":
                raise TicketClosed(ticket.id)
            message = self.add_message(
                ticket, sender="customer", body=body, sender_name=sender_name, encrypted=encrypted
            )
            message.attachments = self._finish_uploads(ticket, key_name)
            return message

    def add_message(
        self,
        ticket: Ticket,
        *,
        sender: str,
        body: str | None,
        sender_name: str | None,
        encrypted: bool = False,
    ) -> Message:
        """Add a message from anybody. Unless it is automatic, it decides whose turn it is."""
        with self.lock:
            now = self.now()
            message = Message(
                id=new_id("tmsg", self.rng),
                ticket_id=ticket.id,
                sent_at=now,
                body=body,
                sender=sender,
                sender_name=sender_name,
                encrypted=encrypted,
            )
            ticket.messages.append(message)
            ticket.message_count += 1
            ticket.last_message_at = ticket.updated_at = now
            if sender != "automation":
                ticket.status = "answered" if sender == "staff" else "customer_reply"
            return message

    def close(self, account: str, reference: str) -> Ticket:
        return self._change_status(account, reference, "closed")

    def reopen(self, account: str, reference: str) -> Ticket:
        return self._change_status(account, reference, "open")

    def _change_status(self, account: str, reference: str, status: str) -> Ticket:
        """Close or reopen the ticket. Closing a closed one, or reopening one that is not, changes nothing."""
        with self.lock:
            ticket = self.get(account, reference)
            if (ticket.status == "closed") != (status == "closed"):
                ticket.status = status
                ticket.updated_at = self.now()
            return ticket

    def upload(
        self,
        account: str,
        *,
        key_name: str,
        filename: str,
        content_type: str,
        content: bytes,
        reference: str | None = None,
    ) -> Upload:
        with self.lock:
            upload = Upload(
                id=new_id("satt", self.rng),
                key_name=key_name,
                ticket_id=None if reference is None else self.get(account, reference).id,
                filename=filename,
                content_type=content_type,
                content=content,
                uploaded_at=self.now(),
            )
            self._uploads.append(upload)
            return upload

    def _finish_uploads(self, ticket: Ticket, key_name: str) -> list[Attachment]:
        """Take a sender's uploads for a ticket and return them as attachments.

        Not documented: how an upload gets onto a ticket. Our reading: with its sender's next reply to it.
        """
        mine = [u for u in self._uploads if u.ticket_id == ticket.id and u.key_name == key_name]
        self._uploads = [u for u in self._uploads if u not in mine]
        return [Attachment(new_id("tatt", self.rng), u.filename, u.content_type, u.content) for u in mine]

    def download(self, account: str, attachment_id: str, reference: str) -> Attachment:
        with self.lock:
            ticket = self.get(account, reference)
            for holder in (ticket, *ticket.messages):
                for attachment in holder.attachments:
                    if attachment.id == attachment_id:
                        return attachment
        raise AttachmentNotFound(attachment_id)
