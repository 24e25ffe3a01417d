"""How many calls to HostUp a piece of work made, and how long they took.

The tally is in a context variable, so that it need not be passed down to every call; threads do not share it.
"""

import time
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypedDict

from tickets.hostup.errors import HostUpError


class Tally(TypedDict):
    """`calls` counts every try that got as far as asking for a connection; `ms` is the time that they took, in
    milliseconds; `request_ids` are HostUp's, from the calls that it answered with an error."""

    calls: int
    ms: float
    request_ids: list[str]


_current: ContextVar[Tally | None] = ContextVar("tally", default=None)


@contextmanager
def counting():
    """Count the calls that are made inside the block."""
    tally = Tally(calls=0, ms=0.0, request_ids=[])
    token = _current.set(tally)
    try:
        yield tally
    finally:
        _current.reset(token)


@contextmanager
def counted():
    """Count what happens inside the block as one call, if anybody is counting."""
    tally = _current.get() or Tally(calls=0, ms=0.0, request_ids=[])
    tally["calls"] += 1
    began = time.perf_counter()
    try:
        yield
    except HostUpError as error:
        if error.request_id:
            tally["request_ids"].append(error.request_id[:100])
        raise
    finally:
        tally["ms"] = round(tally["ms"] + (time.perf_counter() - began) * 1000, 1)
