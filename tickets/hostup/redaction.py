"""Removing an API key from what HostUp sends, so that it is never shown, logged or stored. Pure."""

import json
import re
from urllib.parse import quote

import msgspec

from tickets.hostup.wire import NOT_JSON, as_text

LEAST_KEY_LENGTH = 8  # anything shorter is not a key, but may be a word in an answer


class Redaction:
    """Removes `api_key` from answers."""

    def __init__(self, api_key: str):
        self._echoes = _echoes_of(api_key)
        # JSON and URLs never escape these characters.
        self._may_be_escaped = not re.fullmatch("[A-Za-z0-9._-]*", api_key)

    def of_body(self, body: bytes) -> bytes:
        if self._may_be_escaped and b"\\" in body:
            body = _with_least_escapes(body)
        return self.of(body)

    def of(self, data: bytes) -> bytes:
        for echo in self._echoes:
            data = data.replace(echo, b"[removed]")
        return data


def _echoes_of(api_key: str) -> set[bytes]:
    """Return the key as HostUp may echo it: as it is, in JSON, in a URL. Empty for what cannot be a key."""
    if len(api_key) < LEAST_KEY_LENGTH:
        return set()
    in_address = quote(api_key, safe="")
    in_lower_case = re.sub("%..", lambda escape: escape.group().lower(), in_address)
    return {form.encode() for form in (api_key, json.dumps(api_key)[1:-1], in_address, in_lower_case)}


def _with_least_escapes(body: bytes) -> bytes:
    """Return JSON without needless escapes, such as PHP's of `/` and .NET's of `+`. What is not JSON is returned
    as it is."""
    try:
        return msgspec.json.encode(msgspec.json.decode(as_text(body)))
    except NOT_JSON:
        return body
