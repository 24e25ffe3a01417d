"""When each API key may call again: HostUp's 429 is remembered, so that no key is used again too early."""

import hashlib
import math
import threading
import time
from collections.abc import Callable

from tickets.hostup import errors


class RateLimits:
    """The waits of all keys, shared by all threads of a process. `clock` returns seconds and never goes back.

    Digests are stored instead of keys: an API key is a long random text, which cannot be guessed from its digest.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self._clock = clock
        self._lock = threading.Lock()
        self._not_before: dict[bytes, float] = {}

    def check(self, api_key: str) -> None:
        """Raise `RateLimited` if HostUp has told this key to wait and the time is not up."""
        with self._lock:
            now = self._clock()
            seconds = self._not_before.get(_digest(api_key), now) - now
        if seconds > 0:
            raise errors.RateLimited(retry_after=math.ceil(seconds))

    def remember(self, api_key: str, retry_after: int) -> None:
        """Make this key wait for at least `retry_after` seconds from now."""
        with self._lock:
            now = self._clock()
            self._not_before = {digest: end for digest, end in self._not_before.items() if end > now}
            digest = _digest(api_key)
            self._not_before[digest] = max(now + retry_after, self._not_before.get(digest, now))


def _digest(api_key: str) -> bytes:
    return hashlib.sha256(api_key.encode()).digest()
