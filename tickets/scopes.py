"""What an agent's API key may do, found out by trying it: no call returns a key's scopes."""

from contextlib import suppress

from django.utils import timezone

from tickets import departments
from tickets.hostup import errors
from tickets.hostup.client import Client
from tickets.models import ApiKey


def try_out(client: Client, api_key: ApiKey) -> None:
    """Find out at HostUp what the key may do, and put it into `api_key` (which still has to be saved).

    Raises a `HostUpError` if the key cannot even read tickets.
    """
    client.tickets(limit=1)
    with suppress(errors.HostUpError):  # less important than the tickets: what was known stays
        departments.ask(client, api_key)
    can_write = client.can_write()
    if can_write is not None:
        api_key.can_write = can_write
    api_key.checked_at = timezone.now()
