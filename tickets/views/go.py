"""The box that leads to a ticket by its number."""

import re

from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from tickets.answers import failure_answer
from tickets.failures import Failure


@require_safe
def go(request):
    """Lead to the ticket that was typed: 149943, #149943 or tkt_…"""
    typed = "".join(request.GET.get("number", "").split()).removeprefix("#").lower()
    if re.fullmatch(r"[0-9]{1,18}|tkt_[a-z0-9]{1,60}", typed):
        return redirect("ticket", typed)
    sentences = [_("Type a number such as 149943, or an id that begins with tkt_.")]
    return failure_answer(request, Failure(422, _("That is not a ticket number"), sentences))
