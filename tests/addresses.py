"""Every address of the site, found in the URLconf: a new one is tested without anybody thinking of it."""

from collections.abc import Iterator

from django.urls import get_resolver, resolve
from django.utils.regex_helper import normalize

from sandbox.special_tickets import SAMPLE_ID

EXAMPLES = {  # for a parameter without one: "1"
    "ticket_id": SAMPLE_ID,
    "attachment_id": "tatt_1",
    "provider_id": "company",
    "key": "no-such-key",
}


def every_address() -> dict[str, str]:
    """Return an example of each address by its name (by itself, where it has no name)."""
    addresses = {}
    for name, route in _routes(get_resolver(), "/"):
        path = route % _Examples(EXAMPLES)
        resolve(path)  # an example that does not fit is an address that nothing tests
        addresses[name or path] = path
    return addresses


class _Examples(dict):
    def __missing__(self, name):
        return "1"


def _routes(resolver, before: str) -> Iterator[tuple[str | None, str]]:
    for pattern in resolver.url_patterns:
        (route, _), *_ = normalize(pattern.pattern.regex.pattern)
        if hasattr(pattern, "url_patterns"):
            yield from _routes(pattern, before + route)
        else:
            yield pattern.name, before + route
