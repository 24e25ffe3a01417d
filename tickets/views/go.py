"""The box that leads to a ticket by its number."""

import re

from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from django_htmx.http import push_url, retarget

from hostup_dashboard.htmx import wants_fragment
from tickets.answers import answer
from tickets.failures import Failure
from tickets.filters import Filters
from tickets.upstream import client_of


@require_safe
def go(request):
    """Redirect to the ticket whose number or ID was typed: 149943, #149943 or tkt_…

    For htmx, a typing error is reported among the alerts, with the field still beside it. Otherwise it is reported
    on a page that has the field, too.
    """
    client_of(request.user)  # a missing key is reported before a typing error
    typed = request.GET.get("number", "")
    filters = Filters.of(request)
    ticket_id = "".join(typed.split()).removeprefix("#").lower()
    if re.fullmatch(r"[0-9]{1,18}|tkt_[a-z0-9]{1,60}", ticket_id):
        return redirect(reverse("ticket", args=[ticket_id]) + filters.query)
    sentences = [_("Type a number such as 149943, or an ID that begins with tkt_.")]
    failure = Failure(422, _("That is not a ticket number"), sentences)
    template = "_error.html" if wants_fragment(request) else "tickets/go.html"
    context = {"typed": typed, "filters": filters, "failure": failure}
    return push_url(retarget(answer(request, template, context, failure), "#alerts"), False)
