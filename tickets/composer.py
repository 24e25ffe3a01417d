"""The box below a ticket in which its agent writes a reply."""

import uuid
from typing import NamedTuple

from django.utils.translation import gettext as _

from tickets import failures
from tickets.drafts import SAVED
from tickets.hostup.types import Message, Ticket
from tickets.models import Draft

LAST = 5  # messages among which the words of a draft are looked for


class Composer(NamedTuple):
    """What the box shows. `seen_message`, `seen_count` and `seen_status` are the ticket as it stands
    above it; `news` is what came while the agent was writing, `is_stale` that the text was held back for it;
    `draft_hint` tells whether the message is kept, `shown_draft` is the form that it was kept as a draft from;
    of the files that came with it, the first `attached` are in the ticket."""

    ticket_id: str
    token: uuid.UUID
    is_closed: bool = False
    seen_message: str = ""
    seen_count: str = ""
    seen_status: str = ""
    message: str = ""
    shown_draft: uuid.UUID | str | None = None
    is_encrypted: bool = False
    draft_hint: str = ""
    failure: failures.Failure | None = None
    news: list[Message] = []
    is_stale: bool = False
    attached: int = 0

    @classmethod
    def fresh(cls, user, ticket: Ticket, drafts: set[str]) -> "Composer":
        """Return the box for a ticket as it was just read, with the agent's draft in it; `drafts` are the tickets
        that there is one for."""
        draft = Draft.objects.of(user, ticket.id) if ticket.id in drafts else {}
        composer = cls(
            ticket_id=ticket.id,
            token=uuid.uuid4(),
            message=draft.get("message", ""),
            shown_draft=draft.get("shown_draft"),
            is_encrypted=draft.get("encrypted", False),
            draft_hint=SAVED if draft else "",
        )
        if draft and _has_words(ticket, composer.message):  # it may have arrived although nobody knew
            composer = composer._replace(draft_hint=_("Draft saved. The ticket has a message with these words."))
        return composer.below(ticket)

    def below(self, ticket: Ticket) -> "Composer":
        """Return the box below the ticket as it is now."""
        thread = ticket.thread
        return self._replace(
            ticket_id=ticket.id,
            is_closed=ticket.is_closed,
            seen_message=thread[-1].mark if thread else "",
            seen_count=str(ticket.count),
            seen_status=ticket.status,
        )


def _has_words(ticket: Ticket, text: str) -> bool:
    """Tell whether one of the last messages is `text`."""
    return any((message.body or "").split() == text.split() for message in ticket.thread[-LAST:])
