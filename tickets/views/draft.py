"""Drafts, saved while the agent writes."""

from functools import partial

from django.http import HttpResponse
from django.views.decorators.http import require_POST

from hostup_dashboard.errors import keeps_drafts
from tickets import drafts
from tickets.models import Draft, Submission


@require_POST
@keeps_drafts
def draft(request, ticket_id=drafts.NEW):
    """Keep what has been written so far, unless it has been sent meanwhile."""
    typed = drafts.typed_in(request.POST)
    went_out = partial(Submission.objects.went_out_with, request.user, form=typed["form"], turn=typed["turn"])
    if went_out():
        return HttpResponse()
    said = drafts.keep(request, ticket_id)
    if went_out():  # while this request waited to write
        Draft.objects.forget(request.user, ticket_id, form=typed["form"], turn=typed["turn"])
        said = ""
    return HttpResponse(said)
