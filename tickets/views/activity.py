"""The activity log: who did what."""

from django.contrib.auth import get_user_model
from django.core.paginator import Paginator
from django.db.models import Exists, OuterRef, Q
from django.shortcuts import render
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from tickets.models import Activity

ENTRIES_A_PAGE = 50


@require_safe
def activity(request):
    """Show the entries that this agent may see, newest first; if asked, only those of one agent or ticket."""
    # No name contains NUL, and PostgreSQL refuses to search for it.
    agent = request.GET.get("agent", "").replace("\0", "")
    ticket = request.GET.get("ticket", "").replace("\0", "").strip().lstrip("#")
    visible = Activity.objects.visible_to(request.user)
    entries = visible.about_ticket(ticket) if ticket else visible
    if agent:
        entries = entries.filter(Q(user__username=agent) | Q(about__username=agent))
    entries = entries.select_related("user", "about")
    page = Paginator(entries, ENTRIES_A_PAGE).get_page(request.GET.get("page"))
    involving = visible.filter(Q(user=OuterRef("pk")) | Q(about=OuterRef("pk")))
    agents = get_user_model().objects.filter(Exists(involving)).order_by("username")
    context = {
        "page": page,
        "numbers": visible.ticket_numbers({entry.ticket_id for entry in page}),
        "agents": agents,
        "agent": agent,
        "ticket_filter": ticket,
        "query": urlencode({"agent": agent, "ticket": ticket}),
    }
    return render(request, "tickets/activity.html", context)
