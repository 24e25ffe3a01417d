"""Reopen and close. The answer to the one call redraws the ticket and its row."""

import re

from django.contrib import messages
from django.http import HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_POST

from hostup_dashboard.htmx import wants_fragment
from tickets import changes, failures
from tickets.answers import answer, failure_answer, is_on_screen
from tickets.composer import Composer
from tickets.filters import Filters
from tickets.hostup.types import STATUSES
from tickets.models import Activity, Draft
from tickets.shown import from_stamp
from tickets.upstream import client_of

Outcome = Activity.Outcome


@require_POST
def reopen(request, ticket_id):
    return _change(request, ticket_id, changes.REOPEN)


@require_POST
def close(request, ticket_id):
    return _change(request, ticket_id, changes.CLOSE)


def _change(request, ticket_id, change):
    client = client_of(request.user)
    result = changes.carry_out(client, request.user, change, ticket_id, _shown(request))
    failure = None if result.is_success else failures.not_changed(change, result)
    if failure and not (result.ticket and wants_fragment(request)):
        return failure_answer(request, failure, **_ways_on(request, change, ticket_id, result.outcome))

    is_shown = is_on_screen(request, result.ticket)
    context = {
        "ticket": result.ticket,
        "is_shown": is_shown,
        "change": change,
        "failure": failure,
        "is_done": result.outcome == Outcome.DONE,
        "has_thread": result.has_thread,
        "filters": Filters.of(request),
        "drafts": Draft.objects.ticket_ids(request.user),
    }
    if not wants_fragment(request):
        toast = render_to_string("tickets/_toast.html", context, request)
        messages.success(request, mark_safe(toast))  # noqa: S308  (the template has escaped what is in it)
        return HttpResponseRedirect(_next(request, ticket_id))
    if is_shown:
        composer = context["composer"] = Composer.fresh(request.user, result.ticket, context["drafts"])
        is_as_seen = request.POST.get("seen_thread") == composer.seen_thread
        context["redraws_thread"] = result.has_thread and not is_as_seen
    context |= {"focus": is_shown, "tickets": [result.ticket]}
    if failure:
        context |= _ways_on(request, change, ticket_id, result.outcome)
    return answer(request, "tickets/_changed.html", context, failure)


def _shown(request) -> changes.Shown:
    status = request.POST.get("status", "")
    count = request.POST.get("seen_count", "")  # "" where the ticket is shown without its thread, as in the list
    return changes.Shown(
        status=status if status in STATUSES else "",
        updated_at=from_stamp(request.POST.get("updated_at", "")),
        read_at=from_stamp(request.POST.get("read_at", "")),
        count=int(count) if re.fullmatch("[0-9]{1,9}", count) else 0,
    )


def _ways_on(request, change, ticket_id, outcome) -> dict[str, str]:
    """Return what the agent can do now: try again if that is known to be safe, else look at the ticket."""
    query = Filters.of(request).query
    if outcome == Outcome.NOT_DONE:
        shown = {name: request.POST.get(name, "") for name in ("status", "updated_at", "read_at", "next")}
        return {"retry_change_url": reverse(change.action, args=[ticket_id]) + query, "shown": shown}
    return {"back_url": reverse("ticket", args=[ticket_id]) + query}


def _next(request, ticket_id) -> str:
    """Return the page that the form says it was on, if that is an address of ours, else the ticket's."""
    address = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(address, allowed_hosts=None):
        return address
    return reverse("ticket", args=[ticket_id])
