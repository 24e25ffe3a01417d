"""Sending a reply between two readings of the ticket: if only the second one has it, it was sent."""

from collections.abc import Sequence
from typing import NamedTuple

from django.utils import timezone
from msgspec.structs import replace

from tickets import changes, storage
from tickets.hostup import errors
from tickets.hostup.client import Client
from tickets.hostup.types import Message, Ticket
from tickets.models import Activity, ApiKey, Submission
from tickets.sending import STORED, State, digest_of, outcome_of, same_words, state_of
from tickets.upstream import NoKey, client_of


class Written(NamedTuple):
    """A reply as the agent wrote it, and the ticket as it was on the screen then."""

    text: str
    is_encrypted: bool
    seen_message: str  # `mark` of the last message, "" when there was none
    seen_count: int | None  # of the messages, None when the form does not say
    seen_status: str
    turn: int  # of the last change typed
    reopen_first: bool
    files: Sequence  # Django's uploaded files, which are sent first

    @property
    def digest(self) -> str:
        files = [f"{file.name}\0{file.size}" for file in self.files]
        return digest_of(self.text, str(self.is_encrypted), *files)


class Result(NamedTuple):
    """What became of a reply."""

    state: State
    ticket: Ticket | None = None  # as last read; None if it was not read, or may have changed since
    news: list[Message] = []  # its new messages
    error: Exception | None = None
    reopening: changes.Result | None = None  # what became of reopening it first, if that was asked for
    attached: Sequence[str] = ()  # names of files that are in the ticket, whatever became of the text
    failed_file: str = ""  # name of the file that stopped the rest
    was_looked_for: bool = True  # the ticket was read after the text had been sent
    is_in_clear: bool = False  # HostUp did not encrypt it, although it was asked to

    @property
    def was_reopened(self) -> bool:
        return bool(self.reopening and self.reopening.is_success)


def reply(user, token, ticket_id: str, written: Written) -> Result:
    """Send a reply with one call, after reading the ticket and before reading it again.

    Raises `storage.NothingSent` when neither the ticket nor the result of an earlier press can be read.
    """
    try:
        client = client_of(user)
        before = client.ticket(ticket_id)
        if not before.has_thread:  # it cannot tell what is new, now or later
            raise errors.Unreadable(status=200)
    except (errors.HostUpError, NoKey, ApiKey.Unreadable) as error:
        if pressed := Submission.objects.pressed(token, user):  # an earlier press may have sent it
            return Result(state_of(pressed, user, written.digest), was_looked_for=False)
        return Result(State.NOT_SENT, error=error)
    try:
        submission, taken = Submission.objects.claim(token, user, written.digest, written.turn)
    except storage.NothingSent as error:
        return Result(State.NOT_SENT, before, error=error)
    if not taken:
        return _pressed_again(submission, user, before, written)
    result = Result(State.UNKNOWN, before)  # the result if this process is stopped in the middle
    try:
        result = _send_unless_stale(client, user, before, written)
    except storage.NothingSent as error:
        result = Result(State.NOT_SENT, before, error=error)
    finally:
        submission.end(STORED[result.state])
    return result


def _pressed_again(submission: Submission, user, ticket: Ticket, written: Written) -> Result:
    state = state_of(submission, user, written.digest)
    news = _news(ticket, written) if state in (State.UNKNOWN, State.UNDER_WAY) else []
    if any(_is_ours(message, written) for message in news):
        submission.end(Submission.State.SENT)
        return Result(State.SENT, ticket)
    return Result(state, ticket, news)


def _send_unless_stale(client: Client, user, before: Ticket, written: Written) -> Result:
    news = _news(before, written)
    # A delayed e-mail can come in between messages that were already seen.
    as_seen = written.seen_count in (None, before.count) and before.status == written.seen_status
    if news or not as_seen:
        return Result(State.STALE, before, news)

    ready = Result(State.NOT_SENT, before)
    if written.reopen_first and before.is_closed:
        ready = _reopen(client, user, before)
        if not ready.was_reopened:
            return ready
    if written.files:
        ready = _attach(client, user, ready, written.files)
        if ready.error:
            return ready
    if news := [message for message in _added(before, ready.ticket) if message.sender == "staff"]:
        return ready._replace(state=State.STALE, news=news)
    return _send(client, user, ready, written)


def _reopen(client: Client, user, ticket: Ticket) -> Result:
    """Reopen the ticket for a reply that is still to be sent."""
    shown = changes.Shown(ticket.status, ticket.updated_at, timezone.now(), ticket.count)
    reopening = changes.carry_out(client, user, changes.REOPEN, ticket.id, shown)
    if not reopening.is_success:
        is_known = reopening.outcome != Activity.Outcome.UNKNOWN
        return Result(State.NOT_SENT, reopening.ticket or (ticket if is_known else None), reopening=reopening)
    # If the reply's answer is lost, the reply is looked for among new messages. Ones left out here would look new.
    if not reopening.has_thread:
        times = {name: getattr(reopening.ticket, name) for name in ("status", "updated_at", "last_message_at")}
        reopening = reopening._replace(ticket=replace(ticket, **times))
    return Result(State.NOT_SENT, reopening.ticket, reopening=reopening)


def _attach(client: Client, user, ready: Result, files: Sequence) -> Result:
    """Attach files for a reply that is still to be sent, which may take minutes, and read the ticket again."""
    for file in files:
        try:
            upload(client, user, ready.ticket.id, file)
        except (errors.HostUpError, storage.NothingSent) as error:
            return ready._replace(error=error, failed_file=file.name)
        ready = ready._replace(attached=[*ready.attached, file.name])
    try:
        return ready._replace(ticket=_with_thread(client.ticket(ready.ticket.id)) or ready.ticket)
    except errors.HostUpError as error:
        return ready._replace(error=error)


def _send(client: Client, user, ready: Result, written: Written) -> Result:
    """Send the reply and read the ticket again. That also tells what became of a reply that was refused or whose
    answer was lost."""
    before = ready.ticket
    try:
        activity = Activity.objects.begin(
            user,
            Activity.Action.REPLY,
            ticket_id=before.id,
            ticket_number=str(before.number),
            from_status=before.status,
        )
    except storage.NothingSent as error:
        return ready._replace(error=error)
    sent = error = None
    try:
        sent = client.reply(before.id, written.text, encrypted=written.is_encrypted)
        state = State.SENT
    except errors.OutcomeUnknown as lost:
        state, error = State.UNKNOWN, lost
    except errors.HostUpError as refused:
        state, error = State.NOT_SENT, refused

    after = _read_again(client, before.id)
    if error and after:
        state = _settled(before, after, written, error)
    if state == State.UNKNOWN and not isinstance(error, errors.OutcomeUnknown):  # the refusal may be wrong
        error = errors.OutcomeUnknown(status=error.status, code=error.code, request_id=error.request_id)
    activity.finish(outcome_of(state, error), ticket=after, error=error)
    news = _added(before, after) if after else []
    is_in_clear = bool(sent and written.is_encrypted and not _is_encrypted(sent, after))
    found = {"ticket": after or before, "news": news, "was_looked_for": bool(after)}
    return ready._replace(state=state, error=error, is_in_clear=is_in_clear, **found)


def _is_encrypted(sent: Message, after: Ticket | None) -> bool:
    """Tell whether HostUp encrypted a message. If its answer does not say so, the ticket may."""
    shown = [message for message in after.messages if message.id == sent.id] if after else []
    return any(message.encrypted for message in (sent, *shown))


def upload(client: Client, user, ticket_id: str, file) -> None:
    """Upload one of Django's uploaded files for a ticket, and log it. Raises a `HostUpError`, or
    `storage.NothingSent`.

    HostUp answers with a temporary id that can neither be downloaded nor named in a reply. Not documented: when
    the file appears in the ticket, by itself or with its sender's next reply.
    """
    activity = Activity.objects.begin(user, Activity.Action.UPLOAD, ticket_id=ticket_id)
    try:
        client.upload(ticket_id, file.name, file, file.size)
    except errors.HostUpError as error:
        activity.finish(Activity.Outcome.of(error), error=error)
        raise
    activity.finish(Activity.Outcome.DONE)


def _read_again(client: Client, ticket_id: str) -> Ticket | None:
    try:
        return _with_thread(client.ticket(ticket_id, tries=1))
    except errors.HostUpError:
        return None


def _with_thread(ticket: Ticket) -> Ticket | None:
    """Return a ticket that was read again, None if it came without its messages this time."""
    return ticket if ticket.has_thread else None


def _settled(before: Ticket, after: Ticket, written: Written, error: errors.HostUpError) -> State:
    """Find out whether our message was sent, by comparing the ticket before and after. A refusal is checked, too:
    something in between may have sent the request twice and passed on the answer to the second.

    After a lost answer, no new message from our side means "not sent", unless it may yet appear. The result is
    unknown if there is one in other words (a colleague's, or ours as HostUp rewrote it), if a new one cannot be
    read or told apart, or if the ticket's times show that HostUp left one out. After a refusal it is "not sent",
    unless a new encrypted message without its text may be ours.
    """
    new = _added(before, after)
    # A sender that the reference does not list, or none, may be us.
    ours = [message for message in new if message.sender not in ("staff", "automation")]
    if any(_is_ours(message, written) for message in ours):
        return State.SENT
    if not isinstance(error, errors.OutcomeUnknown):
        may_be_ours = written.is_encrypted and any(message.encrypted and not message.body for message in ours)
        return State.UNKNOWN if may_be_ours else State.NOT_SENT
    hidden = after.count - before.count - len(new)  # unreadable, with the id of another, or left out
    explained = (before.last_activity_at, *(message.sent_at for message in new))
    is_all_shown = hidden == 0 and after.last_activity_at in explained
    return State.UNKNOWN if ours or not is_all_shown or error.may_yet_show else State.NOT_SENT


def _added(before: Ticket, after: Ticket) -> list[Message]:
    """Return the messages that only the later of two readings has."""
    known = {message.id for message in before.messages}
    return [message for message in after.thread if message.id not in known]


def _is_ours(message: Message, written: Written) -> bool:
    """Tell whether a message is the reply. An encrypted one that comes without its text proves nothing."""
    return (
        message.sender == "customer"
        and message.encrypted == written.is_encrypted
        and same_words(message.body, written.text)
    )


def _news(ticket: Ticket, written: Written) -> list[Message]:
    """Return the messages that came after the last one that the agent had on the screen."""
    messages = ticket.thread
    seen = [place for place, message in enumerate(messages, 1) if message.mark == written.seen_message]
    return messages[max(seen, default=0) :]
