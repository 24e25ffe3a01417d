"""A new ticket: created once, and what was written for it is never lost."""

import uuid
from datetime import datetime

from django.contrib import messages
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from hostup_dashboard.htmx import lead_to, wants_fragment
from tickets import creating, departments, drafts, failures, linked_services, sending, storage, words
from tickets.answers import answer
from tickets.forms import NewTicketForm
from tickets.hostup import errors
from tickets.hostup.wire import RETRY_AFTER_MOST
from tickets.models import ApiKey, Draft
from tickets.sending import State
from tickets.shown import from_stamp
from tickets.upstream import client_of, key_of


@require_http_methods(["GET", "HEAD", "POST"])
def create(request):
    """Show the form for a new ticket with the agent's draft in it, and create the ticket when it is posted."""
    if request.method != "POST":
        _look_up_departments(client_of(request.user), request.user)
        return _page(request, _form(request.user, initial=Draft.objects.of(request.user, drafts.NEW)))
    form = _form(request.user, request.POST)
    if not form.is_valid():
        return _page(request, form, failure=_form_failure(form))
    token = form.cleaned_data["token"]
    typed = drafts.typed_in(request.POST)
    shown_at = _shown_at(request)
    result = creating.create(request.user, token, form.for_hostup, turn=typed["turn"], shown_at=shown_at)
    if result.state in (State.SENT, State.SENT_ELSEWHERE):
        with storage.if_possible("the draft's removal"):
            Draft.objects.forget(request.user, drafts.NEW, **typed)
    if result.state == State.SENT:
        return _created(request, result.ticket_id)
    return _page(request, form, failure=_failure(result, form), result=result)


def _look_up_departments(client, user) -> None:
    """Refresh the departments if they are stale. If none are known after that, learn them from the tickets. That
    is at most one call, unless the first one brings none: there are none, or the key may not read them."""
    api_key = user.api_key
    try:
        if departments.are_stale(api_key):
            departments.refresh(client, api_key)
        if not api_key.departments:
            tickets = client.tickets().tickets
            departments.learn(user, tickets)
            linked_services.remember(user, tickets)
    except errors.BadKey:
        raise
    except errors.HostUpError:
        if not api_key.departments:
            raise


def _form(user, *args, **kwargs) -> NewTicketForm:
    """Return the form with the choices that this agent has, which are none without an API key."""
    api_key = key_of(user)
    seen = linked_services.seen_by(user) if api_key.pk else []
    known = [service for service in seen if service.type in words.SERVICES]
    return NewTicketForm(*args, departments=api_key.departments, services=known, **kwargs)


def _page(request, form, *, failure=None, result=None):
    """Answer with the form, and with the `failure` above it, if any."""
    token, shown_at = uuid.uuid4(), timezone.now()
    if form.is_bound and "token" not in form.errors and not (result and sending.needs_new_form(result)):
        token, shown_at = form["token"].value(), _shown_at(request)
    if form.is_bound:
        draft_hint, shown_draft = _keep_draft(request, result)
    else:
        draft_hint, shown_draft = drafts.SAVED if form.initial else "", form.initial.get("shown_draft")
    context = {
        "form": form,
        "token": token,
        "shown_at": shown_at,
        "shown_draft": shown_draft,
        "failure": failure,
        "focus_failure": failure and not form.mark_first_error(),
        "back_url": reverse("ticket", args=[result.ticket_id]) if result and result.ticket_id else "",
        "departments": _described_departments(key_of(request.user)),
        "may_read_departments": key_of(request.user).can_read_departments is not False,
        "priorities": [(words.PRIORITIES[name], words.PRIORITY_ADVICE[name]) for name in words.PRIORITIES],
        "draft_hint": draft_hint,
    }
    template = "tickets/_create.html" if wants_fragment(request) else "tickets/create.html"
    return answer(request, template, context, failure)


def _keep_draft(request, result) -> tuple[str, datetime | None]:
    """Keep what was written, unless another form has sent it. Return the hint to show for it, and when the draft
    that the page shows was kept."""
    if not (result and result.state == State.SENT_ELSEWHERE):
        with storage.if_possible("the draft"):
            return drafts.keep(request, drafts.NEW), timezone.now()
    return "", drafts.typed_in(request.POST)["shown_draft"]


def _shown_at(request) -> datetime | None:
    """Return when the posted form was first shown."""
    return from_stamp(request.POST.get("shown_at", ""))


def _described_departments(api_key: ApiKey) -> list[tuple[str, str]]:
    """Return the name and description of each department that has a description."""
    described = api_key.department_descriptions
    return [(name, described[slug]) for slug, name in api_key.departments.items() if slug in described]


def _created(request, ticket_id):
    said = _("Ticket created.")
    waiting = messages.get_messages(request)
    if said not in [message.message for message in waiting]:  # else an earlier press has already said so
        messages.success(request, said)
    waiting.used = False  # nobody has seen them yet
    return lead_to(request, reverse("ticket", args=[ticket_id]))


def _failure(result, form) -> failures.Failure:
    """Explain why no ticket was created, or that nobody knows whether it was."""
    match result.state:
        case State.UNDER_WAY:
            sentences = [
                _("You have already pressed the button. Check your tickets in a moment; nothing was sent twice.")
            ]
            return failures.Failure(409, _("Your ticket is being created"), sentences)
        case State.SENT_BEFORE:
            sentences = [_("Send it only if you want to create another ticket.")]
            return failures.Failure(409, _("You have already sent this and have changed it since"), sentences)
        case State.SENT_ELSEWHERE:
            sentences = [_("Press the button again only if you want to create another ticket.")]
            return failures.Failure(409, _("You have already created this ticket"), sentences)
        case State.UNKNOWN:
            looked = _("HostUp did not confirm it, and the newest tickets do not show what happened.")
            not_looked = _("HostUp did not confirm it, and the tickets could not be read.")
            sentences = [
                looked if result.was_looked_for else not_looked,
                _("Check your tickets before you try again. Your text is still here."),
            ]
            return failures.unknown(result.error, _("We do not know whether the ticket was created"), sentences)
    failure = failures.describe(result.error)
    match result.error:
        case errors.OutcomeUnknown():
            sentences = [
                _("HostUp did not confirm your ticket, and it is not among the newest tickets. Try again.")
            ]
            return failure._replace(heading=_("Not created"), sentences=sentences, is_unknown=False)
        case errors.Invalid(fields=fields):
            failure = failure._replace(sentences=form.add_hostup_errors(fields))
        case errors.RateLimited(code="rate_limited") if form.cleaned_data["priority"] == "critical":
            sentences = [_("HostUp accepts one critical ticket an hour. Choose “Urgent”, or wait.")]
            if result.error.retry_after < RETRY_AFTER_MOST:  # so about all calls (same code): an hour would be cut
                sentences = [
                    *failure.sentences,
                    _("Or choose “Urgent”: HostUp accepts one critical ticket an hour."),
                ]
            failure = failure._replace(sentences=sentences)
        case errors.NotFound() | errors.Conflict():  # their words are about a ticket that exists
            failure = failure._replace(heading=_("HostUp did not accept that"), sentences=[])
    sentences = [_("The ticket was not created."), *failure.sentences, _("Your text is still here.")]
    return failure._replace(sentences=sentences)


def _form_failure(form) -> failures.Failure:
    if "token" in form.errors:
        sentences = [_("This form is not one of ours. Check what is in it, then press the button again.")]
    else:
        sentences = [_("Check the fields that are marked.")]
    return failures.Failure(422, _("Not created"), sentences)
