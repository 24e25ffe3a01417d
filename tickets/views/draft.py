"""Drafts, saved while their agent writes."""

from django.http import HttpResponse
from django.views.decorators.http import require_POST

from hostup_dashboard.errors import keeps_drafts
from tickets import drafts
from tickets.forms import turn_in
from tickets.models import Submission


@require_POST
@keeps_drafts
def draft(request, ticket_id=drafts.NEW):
    """Keep what has been written so far, unless it has been sent meanwhile."""
    save = turn_in(request.POST)
    if Submission.objects.went_out_with(request.user, form=save["form"], turn=save["turn"]):
        return HttpResponse()
    return HttpResponse(drafts.keep(request, ticket_id))
