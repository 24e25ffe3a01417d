"""The departments that take tickets, as an agent's key sees them.

For a key with `read:account`, HostUp is asked for them again after ten minutes. Without that scope, the
departments of the tickets that the agent has seen have to do.
"""

from collections.abc import Iterable
from datetime import timedelta

from django.utils import timezone

from tickets import storage
from tickets.hostup import errors
from tickets.hostup.client import Client
from tickets.hostup.types import TicketSummary
from tickets.models import ApiKey

FRESH_FOR = timedelta(minutes=10)
TRY_AGAIN = timedelta(minutes=1)  # after a call that failed or returned none

FIELDS = ("can_read_departments", "departments", "department_descriptions", "departments_at")


def are_stale(api_key: ApiKey) -> bool:
    """Tell whether to ask HostUp: what is known is old, and the key may ask."""
    if api_key.can_read_departments is False:
        return False
    asked_at = api_key.departments_at
    return asked_at is None or timezone.now() - asked_at > FRESH_FOR


def ask(client: Client, api_key: ApiKey) -> None:
    """Ask HostUp, with one call, and put the answer into `api_key` (which still has to be saved). The known
    departments stay if the answer has none.

    The time of asking is set even if the call fails, so that a page does not ask again each time it is shown.
    """
    api_key.departments_at = timezone.now() - FRESH_FOR + TRY_AGAIN
    try:
        departments = client.departments()
    except errors.Forbidden as error:
        if not error.lacks_scope:
            raise
        api_key.can_read_departments = False
        return
    api_key.can_read_departments = True
    if not departments:
        return
    api_key.departments_at = timezone.now()
    api_key.departments = {department.slug: department.display_name for department in departments}
    api_key.department_descriptions = {
        department.slug: department.description for department in departments if department.description
    }


def refresh(client: Client, api_key: ApiKey) -> None:
    """Ask HostUp and save the answer. Raises a `HostUpError`; the known departments then stay."""
    try:
        ask(client, api_key)
    finally:
        _keep(api_key, *FIELDS)


def learn(user, tickets: Iterable[TicketSummary]) -> None:
    """Remember the departments of tickets being shown, for a key that cannot ask HostUp or got none from it."""
    api_key = user.api_key
    if api_key.can_read_departments and api_key.departments:
        return
    seen = {ticket.department_slug: ticket.department_name for ticket in tickets if ticket.department_slug}
    new = {slug: name or slug for slug, name in seen.items() if slug not in api_key.departments}
    if new:
        api_key.departments = api_key.departments | new
        _keep(api_key, "departments")


def _keep(api_key: ApiKey, *fields: str) -> None:
    with storage.if_possible("the departments"):
        api_key.keep(*fields)
