"""What an agent's API key may do, found out on HostUp: no call tells a key's scopes."""

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
    try:
        departments.ask(client, api_key)
    except errors.HostUpError:  # of no weight beside the tickets: known next time
        api_key.can_read_departments = None
    api_key.can_write = client.can_write()
    api_key.checked_at = timezone.now()
