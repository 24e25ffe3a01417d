"""The list of tickets."""

import re
from hashlib import sha256

from django.shortcuts import render
from django.urls import resolve, reverse
from django.urls.exceptions import Resolver404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from django_htmx.http import push_url

from hostup_dashboard.htmx import asking_page, wants_fragment
from tickets import departments, linked_services
from tickets.answers import failure_answer
from tickets.failures import Failure, describe
from tickets.filters import Filters
from tickets.hostup import errors
from tickets.models import Draft
from tickets.upstream import client_of

# How much of the earlier pages an address may carry: more would be too long for some servers.
MOST_SEEN = 200  # tickets
MOST_USED = 100  # cursors


@require_safe
def tickets(request):
    """Show a page of tickets; for htmx, the tickets alone, to replace or follow those on the screen."""
    client = client_of(request.user)
    filters = Filters.of(request)
    cursor = request.GET.get("cursor", "")
    seen = re.findall(r"[0-9]{1,18}", request.GET.get("seen", ""))[:MOST_SEEN]
    used = [*re.findall(r"[0-9a-f]{8}", request.GET.get("used", "")), _mark(cursor)][-MOST_USED:]
    is_filtering = wants_fragment(request) and request.htmx.source == "form#filters"
    try:
        page = client.tickets(status=filters.status, department=filters.department, cursor=cursor)
    except errors.HostUpError as error:
        if cursor and isinstance(error, errors.Invalid | errors.NotFound):
            # Not documented: how long a cursor lives, and what HostUp answers after that.
            return _start_again(request, filters, describe(error))
        if not is_filtering:
            raise
        # The address names the chosen filters, as the select boxes do, even if the call failed.
        return push_url(failure_answer(request, describe(error)), _address(request, filters))
    departments.learn(request.user, page.tickets)
    linked_services.remember(request.user, page.tickets)
    fresh = [ticket for ticket in page.tickets if str(ticket.number) not in seen]
    is_last = page.next_cursor is None or _mark(page.next_cursor) in used  # a used cursor leads in a circle
    if page.tickets and not fresh and not is_last:  # so many tickets have moved to the top
        return _start_again(request, filters, describe(errors.Conflict()))
    seen += [str(ticket.number) for ticket in fresh]
    context = {
        "tickets": fresh,
        "unreadable": page.unreadable,
        "filters": filters,
        "drafts": Draft.objects.ticket_ids(request.user),
        "is_first_page": not cursor,
        "more_url": "" if is_last else _more_url(filters, page.next_cursor, seen, used),
    }
    if not wants_fragment(request):
        return render(request, "tickets/list.html", context)
    # The pressed link to more tickets is gone, so the first of these tickets takes its focus.
    context |= {"focus_first": bool(cursor), "is_filtering": is_filtering}
    response = render(request, "tickets/_list.html", context)
    return push_url(response, _address(request, filters)) if is_filtering else response


def _more_url(filters, cursor, seen, used) -> str:
    """Return the address of the next page.

    HostUp's cursor is an offset, so a page can repeat tickets of the one before. The address carries the numbers
    of the tickets shown, so that none shows twice, and marks of the cursors used, so that no page comes twice.
    """
    query = {
        "status": filters.status,
        "department": filters.department,
        "cursor": cursor,
        "seen": "-".join(seen[-MOST_SEEN:]),
        "used": "-".join(used),
    }
    return reverse("tickets", query=query)


def _mark(cursor: str) -> str:
    return sha256(cursor.encode(errors="replace")).hexdigest()[:8]


def _start_again(request, filters, failure: Failure):
    """Answer that a cursor no longer works, with a link to the first page."""
    sentences = [_("The list has changed too much since you began to read it.")]
    heading = _("This part of the list is no longer there")
    failure = failure._replace(heading=heading, sentences=sentences)
    return failure_answer(request, failure, top_url=reverse("tickets") + filters.query)


def _address(request, filters) -> str:
    """Return the address after filtering: still that of the ticket beside the list, if one is open."""
    path = (asking_page(request) or "").partition("?")[0]
    try:
        is_at_a_ticket = resolve(path).url_name == "ticket"
    except Resolver404:
        is_at_a_ticket = False
    return (path if is_at_a_ticket else reverse("tickets")) + filters.query
