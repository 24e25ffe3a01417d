"""One ticket."""

from django.shortcuts import render
from django.views.decorators.http import require_safe

from hostup_dashboard.htmx import wants_fragment
from tickets import departments, linked_services
from tickets.composer import Composer
from tickets.filters import Filters
from tickets.models import Draft
from tickets.upstream import client_of


@require_safe
def show(request, ticket_id):
    """Show a ticket with its thread; for htmx, only the ticket and its row. The list beside it loads itself."""
    ticket = client_of(request.user).ticket(ticket_id)
    departments.learn(request.user, [ticket])
    linked_services.remember(request.user, [ticket])
    drafts = Draft.objects.ticket_ids(request.user)
    context = {
        "ticket": ticket,
        "filters": Filters.of(request),
        "drafts": drafts,
        "composer": Composer.fresh(request.user, ticket, drafts),
    }
    if wants_fragment(request):
        return render(request, "tickets/_pane.html", context | {"focus": True, "tickets": [ticket]})
    return render(request, "tickets/ticket.html", context)
