"""List cursors. The API calls them opaque; the reference's sample decodes to an offset, and so do ours.

That is why a page can repeat or skip a ticket when others arrive between two calls.
"""

import base64
import json

# Larger than any list; keeps a made-up cursor from becoming an absurd slice.
MAX_OFFSET = 1_000_000


def encode_cursor(offset: int) -> str:
    text = json.dumps({"offset": offset}, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> int:
    """Return the offset. Raise ValueError for anything that `encode_cursor` would not have made."""
    padded = cursor + "=" * (-len(cursor) % 4)
    try:
        offset = json.loads(base64.urlsafe_b64decode(padded))["offset"]
    except (KeyError, TypeError, ValueError, RecursionError):
        raise ValueError("not a cursor") from None
    if type(offset) is not int or not 0 <= offset <= MAX_OFFSET or encode_cursor(offset) != cursor:
        raise ValueError("not a cursor")
    return offset
