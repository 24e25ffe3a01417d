"""Put a made-up ticket together: ids, times and names, so that the seed only has to tell the story."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from .ids import new_id
from .model import Attachment, Message, Ticket
from .store import Store

REQUESTERS = ("Jane Example", "Anna Exempel", "Erik Testsson", "Sven Låtsas", "Maria Påhittad", "Kim Sample")
STAFF_NAMES = ("Sam Sandbox", "Stina Supportexempel", "Ola Demo")
ROBOT = "Automatic message"
NO_REQUESTER = ""


@dataclass(frozen=True, slots=True)
class File:
    name: str | None
    content_type: str | None
    content: bytes


@dataclass(frozen=True, slots=True)
class Turn:
    sender: str
    body: str | None
    encrypted: bool = False
    files: Sequence[File] = ()


class Maker:
    """Makes tickets for a store, with ages as of `now`. It draws from the store's `rng`, and so is repeatable."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.rng = store.rng
        self.now: datetime = store.now()

    def ticket(
        self,
        account: str,
        age: timedelta,
        *,
        subject: str | None,
        body: str | None,
        turns: Sequence[Turn] = (),
        files: Sequence[File] = (),
        status: str = "open",
        priority: str = "medium",
        department: str = "technical",
        ticket_id: str | None = None,
        requester: str | None = None,
        services: Sequence[dict] = (),
        cc_emails: Sequence[str] = (),
        pace: timedelta | None = None,
    ) -> Ticket:
        """Add a ticket. `age` is the time since its last message, `pace` that between two, by default random."""
        ticket_id = ticket_id or new_id("tkt", self.rng)
        requester = self.rng.choice(REQUESTERS) if requester is None else requester
        pace = pace or timedelta(minutes=self.rng.randint(7, 900))
        last = self.now - age
        created = last - pace * len(turns)
        names = {d.slug: d.display_name for d in self.store.departments}
        return self.store.add(
            Ticket(
                id=ticket_id,
                number=0,  # given when all tickets are there, in the order of their creation
                account=account,
                subject=subject,
                status=status,
                priority=priority,
                department_slug=department,
                department_name=names.get(department),
                created_at=created,
                updated_at=last,
                last_message_at=last,
                requester_name=requester or None,
                body=body,
                message_count=1 + len(turns),
                cc_emails=list(cc_emails),
                linked_services=list(services),
                attachments=[self._attachment(file) for file in files],
                messages=[
                    self._message(ticket_id, turn, created + pace * index, requester or None)
                    for index, turn in enumerate(turns, start=1)
                ],
            )
        )

    def _message(self, ticket_id: str, turn: Turn, sent_at: datetime, requester: str | None) -> Message:
        names = {"customer": requester, "staff": self.rng.choice(STAFF_NAMES), "automation": ROBOT}
        return Message(
            id=new_id("tmsg", self.rng),
            ticket_id=ticket_id,
            sent_at=sent_at,
            body=turn.body,
            sender=turn.sender,
            sender_name=names[turn.sender],
            encrypted=turn.encrypted,
            attachments=[self._attachment(file) for file in turn.files],
        )

    def _attachment(self, file: File) -> Attachment:
        return Attachment(new_id("tatt", self.rng), file.name, file.content_type, file.content)
