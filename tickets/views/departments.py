"""The departments to filter the list by, requested separately so that the list itself needs only one call."""

from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from hostup_dashboard.htmx import wants_fragment
from tickets import departments as known
from tickets import failures
from tickets.filters import Filters
from tickets.hostup import errors
from tickets.upstream import client_of


@require_safe
def departments(request):
    """Give htmx the options of the department filter, after asking HostUp if the known ones are stale."""
    if not wants_fragment(request):
        return redirect("tickets")
    client = client_of(request.user)
    status = 200
    if known.are_stale(request.user.api_key):
        try:
            known.refresh(client, request.user.api_key)
        except errors.HostUpError as error:  # the known ones stay; the list says what is wrong, if anything
            status = failures.describe(error).status
    return render(request, "tickets/_departments.html", {"filters": Filters.of(request)}, status=status)
