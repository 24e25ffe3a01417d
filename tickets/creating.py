"""Creating a ticket at HostUp, once, and finding out what became of it."""

import json
import time
from datetime import datetime
from operator import attrgetter
from typing import NamedTuple

from django.utils import timezone

from tickets import sending, storage
from tickets.hostup import errors
from tickets.hostup.client import Client
from tickets.hostup.clock import on_hostups_clock
from tickets.hostup.types import Page, TicketSummary
from tickets.models import Activity, ApiKey, Submission
from tickets.sending import State
from tickets.upstream import NoKey, client_of

NEWEST = 100  # tickets to look through for one whose answer was lost
PATIENCE, PAUSE = 3.0, 0.2  # seconds


class Result(NamedTuple):
    """What became of a new ticket."""

    state: State
    ticket_id: str = ""  # when it was created
    error: Exception | None = None  # the error on the way, even if the ticket was created
    was_looked_for: bool = True  # False: the newest tickets had to be read, but could not be


def create(user, token, fields: dict, *, turn: int, shown_at: datetime | None) -> Result:
    """Create the ticket of the form `token`, which was first shown at `shown_at`. `turn` is that of the last
    change typed. `fields` has the names of HostUp's reference.

    The same draft may be open in another tab or on a phone: what was created there since is not created again.
    Raises `storage.NothingSent` when there is no usable key and the result of an earlier press cannot be read.
    """
    digest = sending.digest_of(json.dumps(fields, sort_keys=True))
    try:
        client = client_of(user)
    except (NoKey, ApiKey.Unreadable) as error:
        if pressed := Submission.objects.pressed(token, user):  # an earlier press may have sent it
            return Result(sending.state_of(pressed, user, digest), pressed.ticket_id)
        return Result(State.NOT_SENT, error=error)
    try:
        submission, taken = _claim(token, user, digest, turn)
    except storage.NothingSent as error:
        return Result(State.NOT_SENT, error=error)
    if not taken:
        ticket_id = submission.ticket_id if submission.user_id == user.pk else ""
        return Result(sending.state_of(submission, user, digest), ticket_id)
    try:
        if shown_at and (twin := Submission.objects.twin_of(submission, since=shown_at)):
            submission.end(Submission.State.NOT_SENT)
            state = sending.state_of(twin, user, digest)
            return Result(State.SENT_ELSEWHERE if state == State.SENT else state, twin.ticket_id)
        activity = Activity.objects.begin(user, Activity.Action.CREATE)
    except storage.NothingSent as error:
        submission.end(Submission.State.NOT_SENT)
        return Result(State.NOT_SENT, error=error)
    return _send(client, submission, activity, fields)


def _send(client: Client, submission: Submission, activity: Activity, fields: dict) -> Result:
    """Create the ticket with one call; when its answer is lost, look for it among the newest."""
    began_at = timezone.now()
    # The result if this process is stopped in the middle.
    state, ticket, error, was_looked_for = State.UNKNOWN, None, None, True
    try:
        ticket = client.create(fields)
        state = State.SENT
    except errors.OutcomeUnknown as lost:
        error = lost
        page = _newest(client)
        was_looked_for = page is not None
        if page:
            state, ticket = _settled(client, page, fields, began_at, lost)
    except errors.HostUpError as refused:
        state, error = State.NOT_SENT, refused
    finally:
        submission.end(sending.STORED[state], ticket_id=ticket.id if ticket else "")
    activity.finish(sending.outcome_of(state, error), ticket=ticket, error=error)
    return Result(state, ticket.id if ticket else "", error, was_looked_for)


def _claim(token, user, digest: str, turn: int) -> tuple[Submission, bool]:
    """Claim the form. If another press of it is being sent right now, wait a moment for that: without JavaScript,
    a browser shows only the answer to the last press."""
    ends_at = time.monotonic() + PATIENCE
    while True:
        submission, taken = Submission.objects.claim(token, user, digest, turn)
        is_under_way = submission.user_id == user.pk and submission.state == Submission.State.SENDING
        if taken or not is_under_way or time.monotonic() > ends_at:
            return submission, taken
        time.sleep(PAUSE)


def _newest(client: Client) -> Page | None:
    try:
        return client.tickets(limit=NEWEST)
    except errors.HostUpError:
        return None


def _settled(
    client: Client, page: Page, fields: dict, began_at: datetime, lost: errors.OutcomeUnknown
) -> tuple[State, TicketSummary | None]:
    """Look for our ticket among the newest.

    Not finding it means "not created", unless it may yet appear, or be where we did not look.
    """
    earliest, latest = on_hostups_clock(client, began_at)
    new = _new_ones(page.tickets, earliest)
    candidates = [ticket for ticket in new if _is_like_it(ticket, fields)]
    if len(candidates) == 1 and latest and candidates[0].created_at and candidates[0].created_at >= latest:
        is_ours = _has_its_text(client, candidates[0], fields)
        return (State.SENT, candidates[0]) if is_ours else (State.UNKNOWN, None)
    # A ticket that is certainly new but unlike ours may be ours as HostUp filed it.
    is_one_new = any(earliest and ticket.created_at for ticket in new)
    has_looked = _reaches_back_to(page, earliest) and not page.unreadable
    may_be_there = candidates or is_one_new or not has_looked or lost.may_yet_show
    return State.UNKNOWN if may_be_there else State.NOT_SENT, None


def _new_ones(tickets: list[TicketSummary], sent_at: datetime | None) -> list[TicketSummary]:
    """Return the tickets that may be the one just sent: not older, and not another form's."""
    new = [ticket for ticket in tickets if not (sent_at and ticket.created_at and ticket.created_at < sent_at)]
    made = Submission.objects.filter(ticket_id__in=[ticket.id for ticket in new])
    others = set(made.values_list("ticket_id", flat=True))
    return [ticket for ticket in new if ticket.id not in others]


def _is_like_it(ticket: TicketSummary, fields: dict) -> bool:
    is_its_subject = sending.same_words(ticket.subject, fields["subject"])
    return is_its_subject and ticket.department_slug == fields["departmentSlug"]


def _has_its_text(client: Client, ticket: TicketSummary, fields: dict) -> bool:
    """Tell whether a ticket begins with our text. In an outage, colleagues write under the same subject."""
    try:
        found = client.ticket(ticket.id, tries=1)
    except errors.HostUpError:
        return False
    texts = [found.body, *(message.body for message in found.thread[:1])]
    return any(sending.same_words(text, fields["message"]) for text in texts)


def _reaches_back_to(page: Page, moment: datetime | None) -> bool:
    """Tell whether this page has all tickets that are newer than `moment`: it is the only page, or it goes further
    back. Not documented: the order of the tickets."""
    if page.next_cursor is None:
        return True
    for time_of in (attrgetter("last_activity_at"), attrgetter("created_at")):
        times = [time_of(ticket) for ticket in page.tickets]
        if moment and times and None not in times and times == sorted(times, reverse=True) and times[-1] < moment:
            return True
    return False
