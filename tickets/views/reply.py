"""Reply: what an agent wrote goes out once, and is never lost on the way."""

import uuid

from django.contrib import messages
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from hostup_dashboard.htmx import lead_to, wants_fragment
from hostup_dashboard.uploads import lacks_room, takes_files
from tickets import changes, drafts, failures, replying, sending, storage, words
from tickets.answers import answer, is_on_screen
from tickets.composer import Composer
from tickets.filters import Filters
from tickets.forms import ReplyForm
from tickets.hostup import errors
from tickets.models import Draft
from tickets.replying import Written
from tickets.sending import State
from tickets.shown import word_in

NEWS_SHOWN = 5  # messages above the box; the ticket itself shows all of them


@require_POST
@takes_files
def reply(request, ticket_id):
    """Send the reply, after reopening the ticket if the agent asked for that."""
    form = ReplyForm(request.POST, request.FILES)
    if not form.is_valid():
        return _not_replied(request, _posted_composer(request, ticket_id), failure=_form_failure(form))
    fields = form.cleaned_data
    typed = drafts.typed_in(request.POST)
    written = Written(
        text=fields["message"],
        is_encrypted=fields["encrypted"],
        seen_message=fields["seen_message"],
        seen_count=fields["seen_count"],
        seen_status=fields["seen_status"],
        turn=typed["turn"],
        reopen_first="reopen" in request.POST,
        files=fields["files"],
    )
    composer = _posted_composer(request, ticket_id, token=fields["token"])
    if lacks_room(request):
        return _not_replied(request, composer, failure=_not_sent(failures.no_room()))
    result = replying.reply(request.user, fields["token"], ticket_id, written)
    if result.state == State.SENT:
        ticket_id = result.ticket.id if result.ticket else ticket_id  # the address may have its number
        with storage.if_possible("the draft's removal"):
            Draft.objects.forget(request.user, ticket_id, **typed)
        return _replied(request, ticket_id, result, is_encrypted=written.is_encrypted)
    failure = _failure(result, written)
    if result.attached:
        attached = _("When you try again, leave out what is already attached: %(names)s.")
        names = ", ".join(result.attached)
        failure = failure._replace(sentences=[*failure.sentences, attached % {"names": names}])
        composer = composer._replace(attached=len(result.attached))
    return _not_replied(request, composer, result=result, failure=failure)


def _posted_composer(request, ticket_id, *, token=None) -> Composer:
    """Return the reply box as it was posted, with the text in it."""
    return Composer(
        ticket_id=ticket_id,
        token=token or uuid.uuid4(),
        message=request.POST.get("message", ""),
        shown_draft=drafts.typed_in(request.POST)["shown_draft"],
        is_encrypted="encrypted" in request.POST,
        seen_message=request.POST.get("seen_message", "")[:64],
        seen_count=request.POST.get("seen_count", "")[:9],
        seen_thread=request.POST.get("seen_thread", "")[:32],
        seen_status=request.POST.get("seen_status", ""),
        is_closed="reopen" in request.POST,
    )


def _replied(request, ticket_id, result, *, is_encrypted):
    sentences = [_("Reopened and sent.") if result.was_reopened else _("Sent.")]
    if result.is_in_clear:
        sentences.append(
            _("But HostUp did not encrypt it. Any password or other secret in it should now be changed.")
        )
    if not result.ticket or not wants_fragment(request):
        say = messages.error if result.is_in_clear else messages.success
        say(request, " ".join(sentences))
        return lead_to(request, reverse("ticket", args=[ticket_id]) + Filters.of(request).query)
    if not result.was_looked_for:
        sentences.append(_("The ticket could not be reloaded: reload it yourself to see your reply."))
    # While the ticket stays on the screen, a message after an encrypted one starts out encrypted, too.
    context = _context(request, result.ticket) | {"toast": " ".join(sentences), "is_in_clear": result.is_in_clear}
    composer = Composer.fresh(request.user, result.ticket, context["drafts"])
    context["composer"] = composer._replace(is_encrypted=is_encrypted or composer.is_encrypted)
    return render(request, "tickets/_replied.html", context)


def _not_replied(request, composer, *, result=None, failure):
    """Answer that the reply was not sent (or may not have been), with its text still in the box."""
    ticket = result.ticket if result else None
    if ticket:
        news = result.news[-NEWS_SHOWN:]
        composer = composer.below(ticket)._replace(news=news, is_stale=result.state == State.STALE)
    if result and sending.needs_new_form(result):
        composer = composer._replace(token=uuid.uuid4())
    if composer.message.strip():  # a request that lost its text on the way must not delete the draft
        with storage.if_possible("the draft"):
            kept = drafts.keep(request, composer.ticket_id)
            composer = composer._replace(draft_hint=kept, shown_draft=timezone.now())
    context = _context(request, ticket) | {"composer": composer._replace(failure=failure)}
    # Offer a link to the ticket if the outcome is unknown. Also if HostUp refused because of its state, unless
    # that would lose chosen files.
    is_refused = result and result.state == State.NOT_SENT and failure.status == 409
    has_files = len(request.FILES.getlist("files")) > composer.attached
    if failure.is_unknown or (is_refused and not has_files):
        context["back_url"] = reverse("ticket", args=[composer.ticket_id]) + context["filters"].query
    if wants_fragment(request):
        template = "tickets/_not_replied.html"
    else:
        template = "tickets/ticket.html" if ticket else "tickets/reply.html"
    return answer(request, template, context, failure)


def _context(request, ticket) -> dict:
    return {
        "ticket": ticket,
        "tickets": [ticket] if ticket else [],
        "filters": Filters.of(request),
        "drafts": Draft.objects.ticket_ids(request.user),
        "is_shown": bool(ticket and wants_fragment(request) and is_on_screen(request, ticket)),
    }


def _failure(result, written: Written) -> failures.Failure:
    """Explain why a reply was not sent, or that nobody knows whether it was."""
    match result.state:
        case State.STALE:
            reopened = [_("The ticket was reopened, but your reply was not sent.")] if result.was_reopened else []
            advice = _("Read what is new, then send your reply if it still makes sense.")
            if not result.news and written.seen_count in (None, result.ticket.count):  # only the status is new
                status = word_in(result.ticket.status, words.STATUSES)
                advice = _("The ticket is now “%(status)s”. Send your reply if it still makes sense.") % {
                    "status": status
                }
            sentences = [*reopened, advice]
            return failures.Failure(409, _("Not sent: the ticket has changed since you saw it"), sentences)
        case State.UNDER_WAY:
            sentences = [
                _("You have already pressed the button. Check the ticket in a moment; nothing was sent twice.")
            ]
            return failures.Failure(409, _("Your reply is being sent"), sentences)
        case State.SENT_BEFORE:
            sentences = [_("Send it only if you want to send another message.")]
            return failures.Failure(409, _("You have already sent this and have changed it since"), sentences)
        case State.UNKNOWN:
            not_read = _("HostUp did not confirm it, and the ticket could not be reloaded.")
            sentences = [
                failures.not_shown_by_the_ticket() if result.was_looked_for else not_read,
                _("Check the ticket before you send your reply again. Your text is kept."),
            ]
            return failures.unknown(result.error, _("We do not know whether your reply was sent"), sentences)
    if result.reopening and not result.was_reopened:
        failure = failures.not_changed(changes.REOPEN, result.reopening)
        if failure.is_unknown:
            failure = failure._replace(heading=_("We do not know whether the ticket was reopened"))
        sentences = [*failure.sentences, _("Your reply was not sent."), _("Your text is kept.")]
        return failure._replace(sentences=sentences)
    if result.failed_file:
        return _not_sent(_file_failure(result), was_reopened=result.was_reopened)
    failure = failures.describe(result.error)
    if isinstance(result.error, errors.OutcomeUnknown):
        sentences = [
            _("HostUp did not confirm your reply, and the ticket shows that it did not arrive. Try again.")
        ]
        failure = failure._replace(heading=_("Not sent"), sentences=sentences, is_unknown=False)
        if not result.was_reopened:  # the heading already says what `_not_sent` would
            return failure._replace(sentences=[*sentences, _("Your text is kept.")])
    return _not_sent(failure, was_reopened=result.was_reopened)


def _file_failure(result) -> failures.Failure:
    if isinstance(result.error, errors.OutcomeUnknown):
        return failures.lost_file(result.error, result.failed_file)
    heading = _("The file %(name)s could not be attached") % {"name": result.failed_file}
    return failures.describe(result.error)._replace(heading=heading)


def _not_sent(failure: failures.Failure, *, was_reopened=False) -> failures.Failure:
    first = _("Your reply was not sent.")
    if was_reopened:
        first = _("The ticket was reopened, but your reply was not sent.")
    return failure._replace(sentences=[first, *failure.sentences, _("Your text is kept.")])


def _form_failure(form) -> failures.Failure:
    if "token" in form.errors:
        sentences = [_("This form is not one of ours. Reload the page; your text is kept.")]
    else:
        sentences = [error for field in form.errors.values() for error in field]
    return failures.Failure(422, _("Not sent"), sentences, is_todo=list(form.errors) == ["message"])
