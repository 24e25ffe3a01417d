"""Waiting for what happens in another process."""

import time


def until(is_so, step=lambda: time.sleep(0.05)) -> None:
    """Wait up to half a minute until `is_so()`, doing `step()` meanwhile."""
    ends_at = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < ends_at
        step()
