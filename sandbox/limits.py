"""The rate limiter. HostUp documents the headers' names and the answer 429, but not the figures."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from .times import iso, utc_now

WINDOW = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Allowance:
    """What one key may still do in the current window."""

    limit: int
    used: int
    reset: datetime

    @property
    def exceeded(self) -> bool:
        return self.used > self.limit

    @property
    def retry_after(self) -> int:
        """Return the whole seconds until the window ends, at least 1."""
        return max(1, math.ceil((self.reset - utc_now()).total_seconds()))

    def headers(self) -> dict[str, str]:
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(max(0, self.limit - self.used)),
            "X-RateLimit-Reset": iso(self.reset),
        }


class RateLimiter:
    """Counts calls per key in windows of one minute, each starting with the key's first call."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._lock = Lock()
        self._windows: dict[str | None, Allowance] = {}

    def take(self, key: str | None) -> Allowance:
        with self._lock:
            now = utc_now()
            window = self._windows.get(key)
            if window is None or window.reset <= now:
                window = Allowance(self.limit, 0, now + WINDOW)
            self._windows[key] = Allowance(self.limit, window.used + 1, window.reset)
            return self._windows[key]

    def clear(self) -> None:
        with self._lock:
            self._windows.clear()
