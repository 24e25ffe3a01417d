"""What sending a reply and creating a ticket share: each is sent once, and the agent is told what became of it.

HostUp documents no idempotency key. So a form is claimed before it is sent (`Submission`). If an answer is lost,
HostUp is asked for what is there: what was sent is among what was not there before.
"""

from datetime import timedelta
from enum import StrEnum

from django.conf import settings
from django.utils import timezone
from django.utils.crypto import salted_hmac

from tickets import storage
from tickets.hostup import errors
from tickets.models import Activity, Submission

MOST_FILES = 10  # with one reply

# A form that is under way for longer belongs to a process that was stopped. The sum of all deadlines: one for each
# file, and six for reading, reopening, reading, reading after the files, replying and reading.
LONGEST_SEND = timedelta(seconds=MOST_FILES * settings.HOSTUP_FILE_DEADLINE + 6 * settings.HOSTUP_DEADLINE)


class State(StrEnum):
    """What became of a form."""

    SENT = "sent"
    NOT_SENT = "not_sent"  # for certain: may be tried again
    UNKNOWN = "unknown"
    STALE = "stale"  # not sent, because the ticket has changed since it was shown
    UNDER_WAY = "under_way"  # another press of the same form is being sent right now
    SENT_BEFORE = "sent_before"  # this form was sent, and has been changed since
    SENT_ELSEWHERE = "sent_elsewhere"  # another form with the same words was sent after this one had been shown


# What a submission stores: whatever was not sent may be tried again.
STORED = {
    State.SENT: Submission.State.SENT,
    State.NOT_SENT: Submission.State.NOT_SENT,
    State.STALE: Submission.State.NOT_SENT,
    State.UNKNOWN: Submission.State.UNKNOWN,
}


def outcome_of(state: State, error: errors.HostUpError | None) -> Activity.Outcome:
    """Return what to log for a text in this `state`, given the error on the way, if any."""
    match state:
        case State.SENT:
            return Activity.Outcome.DONE
        case State.NOT_SENT if isinstance(error, errors.OutcomeUnknown):  # it was looked for, and is not there
            return Activity.Outcome.NOT_DONE
    return Activity.Outcome.of(error)


def needs_new_form(result) -> bool:
    """Tell whether, after this `result` of a reply or a new ticket, the text may be sent again only by a new form:
    because that is a decision of its own, or because this form's end may not have been saved."""
    decisions = (State.UNKNOWN, State.SENT_BEFORE, State.SENT_ELSEWHERE)
    return result.state in decisions or isinstance(result.error, storage.NothingSent)


def same_words(one: str | None, other: str) -> bool:
    """Tell whether two texts differ at most in white space, which HostUp may change."""
    return (one or "").split() == other.split()


def digest_of(*parts: str) -> str:
    """Return a digest that tells texts apart without giving anything of them away."""
    return salted_hmac("submission", "\0".join(parts), algorithm="sha256").hexdigest()


def state_of(submission: Submission, user, digest: str) -> State:
    """Return what became of a form that was pressed before: `UNKNOWN` if another agent pressed it."""
    if submission.user_id != user.pk:
        return State.UNKNOWN
    match submission.state:
        case Submission.State.SENT:
            return State.SENT if submission.digest == digest else State.SENT_BEFORE
        case Submission.State.SENDING if timezone.now() - submission.started_at < LONGEST_SEND:
            return State.UNDER_WAY
        case _:
            return State.UNKNOWN
