"""The linked services of the tickets that an agent has seen, to offer them in a new ticket.

HostUp has no call for them. They are kept only in the cache: losing them costs an agent no more than some typing.
"""

import json
from collections.abc import Iterable
from typing import NamedTuple

from django.core.cache import cache

from tickets import storage
from tickets.hostup.types import TicketSummary

KEPT_FOR = 12 * 60 * 60  # seconds: a working day
MOST_KEPT = 200
LONGEST = 255  # characters of an id or a name; the form of a new ticket takes no longer id


class Service(NamedTuple):
    """`type` is one of HostUp's, or the text that came instead; `name` may be ""."""

    type: str
    id: str
    name: str


def seen_by(user) -> list[Service]:
    """Return the services that the agent has seen, latest first."""
    with storage.if_possible("the services"):
        return _known(_cache_key(user))
    return []


def remember(user, tickets: Iterable[TicketSummary]) -> None:
    """Remember the services of tickets that are being shown."""
    shown = {
        Service(service.service_type or "", service.service_id, (service.service_name or "")[:LONGEST])
        for ticket in tickets
        for service in ticket.linked_services
        if service.service_id and len(service.service_id) <= LONGEST
    }
    if not shown:
        return
    cache_key = _cache_key(user)
    with storage.if_possible("the services"):
        known = _known(cache_key)
        if new := sorted(shown.difference(known)):
            cache.set(cache_key, json.dumps([*new, *known][:MOST_KEPT]), KEPT_FOR)


def _known(cache_key: str) -> list[Service]:
    return [Service(*entry) for entry in json.loads(cache.get(cache_key, "[]"))]


def _cache_key(user) -> str:
    """Return a cache key that belongs to this agent and to their present API key alone."""
    return f"services:{user.pk}:{user.api_key.saved_at.timestamp()}"
