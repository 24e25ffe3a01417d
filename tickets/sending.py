"""What sending a reply and creating a ticket share: each goes out once, with the truth about what became of it.

HostUp documents no idempotency key. So a form is claimed before it is sent (`Submission`), and when an answer is
lost HostUp is asked for what is there: what was not there before is what was sent.
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

# A form that is longer under way belongs to a process that was ended. Each at its deadline: every file, and
# reading, reopening, reading, reading after the files, replying, reading.
LONGEST_SEND = timedelta(seconds=MOST_FILES * settings.HOSTUP_FILE_DEADLINE + 6 * settings.HOSTUP_DEADLINE)


class State(StrEnum):
    """What became of a form."""

    SENT = "sent"
    NOT_SENT = "not_sent"  # known: may be tried again
    UNKNOWN = "unknown"
    STALE = "stale"  # not sent, because the ticket has changed since it was shown
    UNDER_WAY = "under_way"  # another press of the same form is being sent right now
    SENT_BEFORE = "sent_before"  # this form was sent, and has been changed since
    SENT_ELSEWHERE = "sent_elsewhere"  # another form with the same words was sent after this one had been shown


# What a submission remembers: all that was not sent may be tried again.
STORED = {
    State.SENT: Submission.State.SENT,
    State.NOT_SENT: Submission.State.NOT_SENT,
    State.STALE: Submission.State.NOT_SENT,
    State.UNKNOWN: Submission.State.UNKNOWN,
}


def outcome_of(state: State, error: errors.HostUpError | None) -> Activity.Outcome:
    """Return what the log says of a text that was sent, with the error on the way, if any."""
    match state:
        case State.SENT:
            return Activity.Outcome.DONE
        case State.NOT_SENT if isinstance(error, errors.OutcomeUnknown):  # it was looked for, and is not there
            return Activity.Outcome.NOT_DONE
    return Activity.Outcome.of(error)


def needs_new_form(result) -> bool:
    """Tell whether a text may be sent once more only by another form, after this `result` of a reply or a new
    ticket: because that is a decision of its own, or because this form's end may not have been written."""
    decisions = (State.UNKNOWN, State.SENT_BEFORE, State.SENT_ELSEWHERE)
    return result.state in decisions or isinstance(result.error, storage.NothingSent)


def same_words(one: str | None, other: str) -> bool:
    """Tell whether two texts differ in white space at most, which HostUp may change."""
    return (one or "").split() == other.split()


def digest_of(*parts: str) -> str:
    """Return a digest that tells texts apart and gives nothing of them away."""
    return salted_hmac("submission", "\0".join(parts), algorithm="sha256").hexdigest()


def state_of(submission: Submission, user, digest: str) -> State:
    """Tell what a form that was pressed before has become. Another agent's token is nobody's."""
    if submission.user_id != user.pk:
        return State.UNKNOWN
    match submission.state:
        case Submission.State.SENT:
            return State.SENT if submission.digest == digest else State.SENT_BEFORE
        case Submission.State.SENDING if timezone.now() - submission.started_at < LONGEST_SEND:
            return State.UNDER_WAY
        case _:
            return State.UNKNOWN
