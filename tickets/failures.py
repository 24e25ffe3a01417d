"""What an agent is told when HostUp did not do what was asked, and the status that we answer with.

Every failure says what happened, what it means for the ticket, and what to do next.
"""

from typing import NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tickets import changes, storage
from tickets.hostup import errors
from tickets.models import Activity, ApiKey, SecondStep
from tickets.shown import plain
from tickets.upstream import NoKey

HANDLED = (
    errors.HostUpError,
    NoKey,
    ApiKey.Unreadable,
    SecondStep.Unreadable,
    storage.NothingSent,
)


class Failure(NamedTuple):
    """`status` is ours, `retry_after` in seconds; `detail` and `request_id` are HostUp's words, or empty."""

    status: int
    heading: str
    sentences: list[str]
    needs_key: bool = False
    is_todo: bool = False  # nothing went wrong: something is still to be done
    is_unknown: bool = False  # the change may have been made
    retry_after: int | None = None
    detail: str = ""
    request_id: str = ""


def describe(error: Exception, *, changing: bool = False) -> Failure:
    """Return the failure to show for one of `HANDLED`. `changing` tells that the call was meant to change the
    ticket, so that the failure can say that it was not changed."""
    unchanged = [_("The ticket was not changed.")] if changing else []
    failure = _describe(error, unchanged)
    if isinstance(error, errors.HostUpError):
        failure = failure._replace(detail=plain(error.detail), request_id=plain(error.request_id))
    return failure


def _describe(error: Exception, unchanged: list[str]) -> Failure:
    match error:
        case NoKey():
            return Failure(
                403,
                _("Add your API key"),
                [_("The dashboard shows what your own HostUp API key gives access to. Save it to get started.")],
                needs_key=True,
                is_todo=True,
            )
        case ApiKey.Unreadable():
            return Failure(
                403,
                _("Your saved API key cannot be read"),
                [
                    _("The encryption keys have changed since you saved your API key; HostUp was not asked."),
                    _("Save your API key again."),
                ],
                needs_key=True,
            )
        case SecondStep.Unreadable():
            return Failure(
                403,
                _("Your second step cannot be checked"),
                [
                    _("The dashboard's encryption keys have changed since you set it up."),
                    _("Ask an administrator to reset your second step."),
                ],
            )
        case storage.NothingSent():
            return Failure(
                503,
                _("The dashboard cannot write to its log"),
                [
                    *unchanged,
                    _("Nothing is sent to HostUp before it is in the log."),
                    _("Try again in a moment. If it keeps happening, tell the person who runs this dashboard."),
                ],
                retry_after=10,
            )
        case errors.BadKey():
            return Failure(
                403,
                _("HostUp does not accept your API key"),
                [*unchanged, _("The API key is wrong, has expired or was revoked. Save another one.")],
                needs_key=True,
            )
        case errors.Forbidden(lacks_scope=False):
            return Failure(
                403,
                _("HostUp, or something between it and the dashboard, does not allow that"),
                [
                    *unchanged,
                    _("The refusal does not say that your API key lacks a scope. Check the key."),
                    _("If HostUp accepts it, tell the person who runs this dashboard."),
                ],
                needs_key=True,
            )
        case errors.Forbidden():
            return Failure(
                403,
                _("Your API key does not allow this"),
                [
                    *unchanged,
                    _("The API key lacks a scope. Ask the owner of your HostUp account for a key that has it."),
                ],
                needs_key=True,
            )
        case errors.NoSuchCall():
            return Failure(
                404,
                _("There is no such address at HostUp"),
                [
                    _("The dashboard's settings may name a server that is not HostUp's."),
                    _("Tell the person who runs this dashboard."),
                ],
            )
        case errors.NotFound():
            return Failure(
                404,
                _("HostUp has no such ticket"),
                [
                    *unchanged,
                    _("The ticket may belong to a different account than your API key. Check the number."),
                ],
            )
        case errors.Conflict():
            return Failure(
                409,
                _("The ticket's state does not allow that"),
                [*unchanged, _("The ticket may have a different status by now. Check it before you try again.")],
            )
        case errors.TooLarge():
            sentences = [_("Larger than 25 MB."), _("Download it in HostUp's control panel.")]
            return Failure(502, _("The file is too large"), sentences)
        case errors.NoRoom():
            return no_room()
        case errors.Invalid():
            advice = [*filter(None, map(plain, error.fields.values()))] or [
                _("Check what you tried to do. If it is right, do it in HostUp's control panel.")
            ]
            return Failure(422, _("HostUp did not accept that"), [*unchanged, *advice])
        case errors.RateLimited():
            return Failure(
                429,
                _("HostUp asked the dashboard to slow down"),
                [*unchanged, _("HostUp is not accepting more requests for now."), _wait(error.retry_after)],
                retry_after=error.retry_after,
            )
        case errors.OutcomeUnknown():
            is_unreadable = error.status is not None and error.status < 500
            return Failure(
                504 if error.too_slow else 502 if is_unreadable else 503,
                _("We do not know whether the change went through"),
                [
                    _("The change was sent, but HostUp did not confirm it and the ticket could not be reloaded."),
                    _("Check the ticket before you try again."),
                ],
                is_unknown=True,
            )
        case errors.TooSlow():
            return Failure(504, _("HostUp took too long to respond"), [*unchanged, _("Try again in a moment.")])
        case errors.CircuitOpen():
            return Failure(
                503,
                _("HostUp is not responding right now"),
                [
                    *unchanged,
                    _("Several requests have failed in a row: the dashboard waits a little before it asks again."),
                    _("This request was not sent."),
                    _wait(error.retry_after),
                ],
                retry_after=error.retry_after,
            )
        case errors.Busy():
            return Failure(
                503,
                _("The dashboard is busy"),
                [*unchanged, _("Many requests to HostUp are under way. Try again in a few seconds.")],
                retry_after=5,
            )
        case errors.Unsafe():
            return Failure(
                503,
                _("The connection to HostUp is not safe"),
                [
                    *unchanged,
                    _("The server that answered could not prove that it is HostUp, so your key was not sent."),
                    _("Tell the person who runs this dashboard."),
                ],
            )
        case errors.Unavailable():
            heading = _("HostUp returned an error") if error.status else _("HostUp cannot be reached")
            return Failure(503, heading, [*unchanged, _("Try again in a moment.")], retry_after=10)
        case errors.Unreadable():
            return Failure(
                502,
                _("HostUp sent a response the dashboard cannot read"),
                [_("Try again. If it keeps happening, use HostUp's control panel.")],
            )


def no_room() -> Failure:
    """Return the failure for a file, uploaded or downloaded, that does not fit on our disk."""
    sentences = [
        _("The dashboard's disk for files on their way is full."),
        _("Try again in a moment. If it keeps happening, tell the person who runs this dashboard."),
    ]
    return Failure(503, _("There is no room for the file"), sentences, retry_after=10)


def lost_file(error: errors.OutcomeUnknown, name: str) -> Failure:
    """Return the failure for a file whose outcome is unknown. Files are sent before their reply."""
    heading = _("We do not know whether %(name)s was attached") % {"name": name}
    sentences = [
        _("HostUp did not confirm the file, and may not show it until you send your next reply."),
        _("Send your reply without the file, then check whether it is in the ticket."),
    ]
    return describe(error)._replace(heading=heading, sentences=sentences)


def unknown(error: errors.OutcomeUnknown | None, heading: str, sentences: list[str]) -> Failure:
    """Return the failure for a form whose outcome is unknown. Without an `error`, this press sent nothing to
    HostUp, but an earlier press of the form did."""
    failure = describe(error or errors.OutcomeUnknown())._replace(heading=heading, sentences=sentences)
    return failure if error else failure._replace(status=409)


def not_changed(change: changes.Change, result: changes.Result) -> Failure:
    """Return the failure for a change that did not happen, or may not have."""
    if result.outcome == Activity.Outcome.UNKNOWN and result.ticket:
        sentences = [not_shown_by_the_ticket(), _("Check the ticket before you try again.")]
        return describe(result.error)._replace(sentences=sentences)
    if result.outcome != Activity.Outcome.NOT_DONE or not result.ticket:
        return describe(result.error, changing=True)
    if result.error:
        failure = describe(result.error)
        what_came = _("HostUp did not confirm the change, so the ticket was reloaded.")
    else:
        failure = Failure(502, change.not_done, [])
        what_came = _("HostUp answered with the ticket unchanged.")
    may_yet_happen = [_("It may still happen: check again in a moment.")] if result.may_yet_happen else []
    sentences = [what_came, *may_yet_happen, _("You can try again.")]
    return failure._replace(heading=change.not_done, sentences=sentences, is_unknown=False)


def not_shown_by_the_ticket() -> str:
    """Say why nobody knows, although the ticket could be read again."""
    return _("HostUp did not confirm it, and the ticket does not show what happened.")


def _wait(seconds: int) -> str:
    return ngettext("Try again in %(seconds)s second.", "Try again in %(seconds)s seconds.", seconds) % {
        "seconds": seconds
    }
