"""HostUp as the signed-in agent sees it: the process's connections and the agent's key, brought together."""

import threading
from functools import cache

from django.conf import settings
from django.utils import timezone

from tickets import departments, metrics
from tickets.hostup import errors
from tickets.hostup.client import Client, Pool
from tickets.models import ApiKey

CALLS_AT_ONCE = 20  # of gunicorn's 24 threads: the rest answer those who do not wait for HostUp

# `cache` alone gives threads that come first together a pool each, and each of those its own places for calls.
_one_at_a_time = threading.Lock()


class NoKey(Exception):
    """The agent has not saved an API key yet."""


def client_of(user) -> Client:
    """Return the client for the agent's key. Raises `NoKey` or `ApiKey.Unreadable`; makes no call."""
    try:
        api_key = user.api_key
    except ApiKey.DoesNotExist:
        raise NoKey from None
    return client_for(api_key.decrypt())


def client_for(clear_key: str) -> Client:
    """Return the client for a key that is not saved (yet)."""
    return pool().client(clear_key)


def pool() -> Pool:
    """Return the process's connections to HostUp."""
    with _one_at_a_time:
        return pool_for(
            settings.HOSTUP_API_URL,
            settings.HOSTUP_DEADLINE,
            settings.HOSTUP_FILE_DEADLINE,
            settings.HOSTUP_CA_BUNDLE,
            settings.HOSTUP_PROXY,
        )


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


@cache
def pool_for(base_url, call_seconds, file_seconds, ca_bundle, proxy) -> Pool:
    metrics.CALLS_AT_ONCE.set(CALLS_AT_ONCE)
    return Pool(
        base_url,
        call_seconds=call_seconds,
        file_seconds=file_seconds,
        most_at_once=CALLS_AT_ONCE,
        ca_bundle=ca_bundle,
        proxy=proxy,
        watcher=metrics.Metrics(),
    )
