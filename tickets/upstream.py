"""HostUp as the signed-in agent sees it: the process's connections and the agent's key, brought together."""

import threading
from functools import cache

from django.conf import settings

from tickets import metrics
from tickets.hostup.client import Client, Pool
from tickets.models import ApiKey

CALLS_AT_ONCE = 20  # of gunicorn's 24 threads: the rest answer requests that do not wait for HostUp

# With `cache` alone, threads that come first at the same time would get a pool each, with its own slots for calls.
_one_at_a_time = threading.Lock()


class NoKey(Exception):
    """The agent has not saved an API key yet."""


def key_of(user) -> ApiKey:
    """Return the agent's key, or an empty one."""
    return getattr(user, "api_key", None) or ApiKey()


def client_of(user) -> Client:
    """Return the client for the agent's key. Raises `NoKey` or `ApiKey.Unreadable`; makes no call."""
    try:
        api_key = user.api_key
    except ApiKey.DoesNotExist:
        raise NoKey from None
    return client_for(api_key.decrypt())


def client_for(clear_key: str) -> Client:
    """Return the client for a key in clear, which need not be saved."""
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
