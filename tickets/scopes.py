"""What an agent's API key may do, found out on HostUp: no call tells a key's scopes."""

from contextlib import suppress

from django.utils import timezone

from tickets import departments
from tickets.hostup import errors
from tickets.hostup.client import Client
from tickets.models import ApiKey


def try_out(client: Client, api_key: ApiKey) -> None:
    """Find out on HostUp what the key may do, and note it in `api_key` (which still has to be saved).

    Raises an error of HostUp's when the key cannot even read tickets.
    """
    client.tickets(limit=1)
    with suppress(errors.HostUpError):  # of no weight beside the tickets: what was known stays
        departments.ask(client, api_key)
    can_write = client.can_write()
    if can_write is not None:
        api_key.can_write = can_write
    api_key.checked_at = timezone.now()
