"""Blanking an API key out of what HostUp says, so that nothing shows, logs or keeps it. Pure."""

import json
import re
from urllib.parse import quote

import msgspec

from tickets.hostup.wire import NOT_JSON, as_text

LEAST_KEY_LENGTH = 8  # what is shorter is no key, but may be any word in an answer


class Redaction:
    """Answers without `api_key`."""

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
    """Return the key as HostUp may echo it: as it is, in JSON, in an address. Nothing for what can be no key."""
    if len(api_key) < LEAST_KEY_LENGTH:
        return set()
    in_address = quote(api_key, safe="")
    in_lower_case = re.sub("%..", lambda escape: escape.group().lower(), in_address)
    return {form.encode() for form in (api_key, json.dumps(api_key)[1:-1], in_address, in_lower_case)}


def _with_least_escapes(body: bytes) -> bytes:
    """Return JSON with nothing in it escaped that need not be, as PHP escapes `/` and .NET `+`. What is no JSON
    comes back as it is."""
    try:
        return msgspec.json.encode(msgspec.json.decode(as_text(body)))
    except NOT_JSON:
        return body
