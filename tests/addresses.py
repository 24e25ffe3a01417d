"""Every address of the site, from the URLconf, so that nobody has to remember to test a new one."""

from collections.abc import Iterator

from django.urls import get_resolver, resolve
from django.utils.regex_helper import normalize

from sandbox.special_tickets import SAMPLE_ID

EXAMPLES = {  # any other parameter gets "1"
    "ticket_id": SAMPLE_ID,
    "attachment_id": "tatt_1",
    "provider_id": "company",
    "key": "no-such-key",
}


def every_address() -> dict[str, str]:
    """Return an example of each address, keyed by its name, or by the example where it has no name."""
    addresses = {}
    for name, route in _routes(get_resolver(), "/"):
        path = route % _Examples(EXAMPLES)
        resolve(path)  # raises for an example that does not fit, with which nothing would test the address
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
