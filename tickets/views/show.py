"""One ticket."""

from django.shortcuts import render
from django.views.decorators.http import require_safe

from tickets.filters import Filters
from tickets.upstream import client_of


@require_safe
def show(request, ticket_id):
    """Show a ticket with its thread; for htmx the ticket alone. The list beside it loads itself."""
    ticket = client_of(request.user).ticket(ticket_id)
    context = {"ticket": ticket, "filters": Filters.of(request)}
    if request.htmx.request_type == "partial":
        return render(request, "tickets/_pane.html", context | {"focus": True})
    return render(request, "tickets/ticket.html", context)
