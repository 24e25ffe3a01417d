"""The box below a ticket in which the agent writes a reply."""

import uuid
from datetime import datetime
from typing import NamedTuple

from django.utils.translation import gettext as _

from tickets import failures
from tickets.drafts import SAVED
from tickets.hostup.types import Message, Ticket
from tickets.models import Draft
from tickets.sending import same_words

LAST = 5  # messages that are searched for the text of a draft


class Composer(NamedTuple):
    """What the box shows."""

    ticket_id: str
    token: uuid.UUID
    is_closed: bool = False
    # The ticket as it stands above the box.
    seen_message: str = ""  # `mark` of its last message
    seen_count: str = ""  # of its messages
    seen_thread: str = ""  # its `thread_mark`
    seen_status: str = ""
    message: str = ""
    shown_draft: datetime | None = None  # when the message was kept as a draft
    is_encrypted: bool = False
    draft_hint: str = ""  # whether the message is kept
    failure: failures.Failure | None = None
    news: list[Message] = []  # what came while the agent was writing
    is_stale: bool = False  # held back because the ticket has changed, or the ticket already has this text
    attached: int = 0  # how many of the message's files, from the first, are already in the ticket

    @classmethod
    def fresh(cls, user, ticket: Ticket, drafts: set[str]) -> "Composer":
        """Return the box for a ticket that was just read, with the agent's draft in it. `drafts` are the ids of
        the tickets that have one."""
        draft = Draft.objects.of(user, ticket.id) if ticket.id in drafts else {}
        composer = cls(
            ticket_id=ticket.id,
            token=uuid.uuid4(),
            message=draft.get("message", ""),
            shown_draft=draft.get("shown_draft"),
            is_encrypted=bool(draft.get("encrypted")),
            draft_hint=SAVED if draft else "",
        )
        if draft and _has_words(ticket, composer.message):  # it may have been sent without anybody knowing
            hint = _("Draft saved. The ticket already has a message with this text.")
            composer = composer._replace(draft_hint=hint, is_stale=True)
        return composer.below(ticket)

    def below(self, ticket: Ticket) -> "Composer":
        """Return the box below the ticket as it is now."""
        thread = ticket.thread
        return self._replace(
            ticket_id=ticket.id,
            is_closed=ticket.is_closed,
            seen_message=thread[-1].mark if thread else "",
            seen_count=str(ticket.count),
            seen_thread=ticket.thread_mark,
            seen_status=ticket.status,
        )


def _has_words(ticket: Ticket, text: str) -> bool:
    """Tell whether one of the last messages is `text`."""
    return any(same_words(message.body, text) for message in ticket.thread[-LAST:])
