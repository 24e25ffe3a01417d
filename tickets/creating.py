"""Creating a ticket at HostUp, once, and finding out what became of it."""

import json
import time
from datetime import datetime
from typing import NamedTuple

from django.utils import timezone

from tickets import sending, storage
from tickets.changes import sent_between
from tickets.hostup import errors
from tickets.hostup.client import Client
from tickets.hostup.types import TicketSummary
from tickets.models import Activity, Submission
from tickets.sending import State

NEWEST = 100  # tickets to look through for one whose answer was lost
PATIENCE, PAUSE = 3.0, 0.2  # seconds


class Result(NamedTuple):
    """What became of a new ticket: its id when it was created, the error on the way, if any."""

    state: State
    ticket_id: str = ""
    error: errors.HostUpError | storage.NothingSent | None = None


def create(client: Client, user, token, fields: dict) -> Result:
    """Create the ticket that the form `token` asks for. `fields` are named as HostUp's reference does."""
    digest = sending.digest_of(json.dumps(fields, sort_keys=True))
    try:
        submission, taken = _claim(token, user, digest)
    except storage.NothingSent as error:
        return Result(State.NOT_SENT, error=error)
    if not taken:
        return Result(sending.pressed_before(submission, user, digest), submission.ticket_id)
    try:
        activity = Activity.objects.begin(user, Activity.Action.CREATE)
    except storage.NothingSent as error:
        submission.end(Submission.State.NOT_SENT)
        return Result(State.NOT_SENT, error=error)
    began_at = timezone.now()
    state, ticket, error = State.UNKNOWN, None, None  # what holds if this process is ended in the middle
    try:
        state, ticket = State.SENT, client.create(fields)
    except errors.OutcomeUnknown as lost:
        error = lost
        state, ticket = _settle(client, fields, began_at, lost)
    except errors.HostUpError as refused:
        state, error = State.NOT_SENT, refused
    finally:
        submission.end(sending.STORED[state], ticket_id=ticket.id if ticket else "")
    activity.finish(sending.OUTCOMES[state], ticket=ticket, error=error)
    return Result(state, ticket.id if ticket else "", error)


def _claim(token, user, digest: str) -> tuple[Submission, bool]:
    """Claim the form, after waiting a moment for another press of it that is being sent right now: without
    JavaScript a browser shows the answer to the last press only."""
    ends_at = time.monotonic() + PATIENCE
    while True:
        submission, taken = Submission.objects.claim(token, user, digest)
        is_under_way = submission.user_id == user.pk and submission.state == Submission.State.SENDING
        if taken or not is_under_way or time.monotonic() > ends_at:
            return submission, taken
        time.sleep(PAUSE)


def _settle(
    client: Client, fields: dict, began_at: datetime, lost: errors.OutcomeUnknown
) -> tuple[State, TicketSummary | None]:
    """Look through the newest tickets: is ours among them?

    Not finding it means "not created", unless it may yet show.
    """
    try:
        page = client.tickets(limit=NEWEST)
    except errors.HostUpError:
        return State.UNKNOWN, None
    earliest, latest = sent_between(client, began_at)
    new = _new_ones(page.tickets, earliest)
    candidates = [ticket for ticket in new if _is_like_it(ticket, fields)]
    if len(candidates) == 1 and latest and candidates[0].created_at and candidates[0].created_at >= latest:
        return State.SENT, candidates[0]
    # One that is surely new and not like it may be ours as HostUp filed it.
    is_one_new = any(earliest and ticket.created_at for ticket in new)
    may_be_there = candidates or is_one_new or page.unreadable or lost.may_yet_show
    return State.UNKNOWN if may_be_there else State.NOT_SENT, None


def _new_ones(tickets: list[TicketSummary], sent_at: datetime | None) -> list[TicketSummary]:
    """Return the tickets that may be the one just sent: not older, and not another form's."""
    new = [ticket for ticket in tickets if not (sent_at and ticket.created_at and ticket.created_at < sent_at)]
    made = Submission.objects.filter(ticket_id__in=[ticket.id for ticket in new])
    others = set(made.values_list("ticket_id", flat=True))
    return [ticket for ticket in new if ticket.id not in others]


def _is_like_it(ticket: TicketSummary, fields: dict) -> bool:
    is_its_subject = (ticket.subject or "").split() == fields["subject"].split()
    return is_its_subject and ticket.department_slug == fields["departmentSlug"]
