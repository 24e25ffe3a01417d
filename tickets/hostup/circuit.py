"""A circuit breaker: while HostUp is down, calls are refused at once instead of each waiting for its deadline.

While it is closed, calls pass. After `FAILURES` failed calls in a row it opens and refuses them. `PROBE_AFTER`
seconds later one call passes as a probe: if HostUp answers it, the circuit closes; if not, the wait starts over.

A call counts once, as the agent sees it, however often it was tried. Retries are there to get over a blip: if each
of them counted, two page views during a blip would open the circuit. Pure: no network, and the clock can be given.
"""

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum

from tickets.hostup import errors

FAILURES = 5
PROBE_AFTER = 15.0  # seconds


class State(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"  # a probe is under way


class Circuit:
    """The circuit breaker, shared by all threads of a process.

    `clock` returns seconds and never goes back; `changed` is called with each new state, one call at a time.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        changed: Callable[[State], None] = lambda state: None,
    ):
        self._clock = clock
        self._changed = changed
        self._lock = threading.Lock()
        self._failures = 0  # in a row
        self._probe_at: float | None = None  # when the next call may pass; None while closed
        self._probe: object | None = None  # the probe under way

    @contextmanager
    def calling(self, *, of_file: bool = False) -> Iterator[None]:
        """Run one call inside the block; how the block ends tells whether HostUp is up.

        A download that fails (`of_file`) does not count as a failure: HostUp may keep files elsewhere, and the
        pictures on a single page are many downloads.

        Raises `CircuitOpen` instead of entering the block while calls are refused.
        """
        probe = self._enter()
        try:
            yield
        except errors.Busy:  # HostUp was not asked
            self._let_go(probe)
            raise
        except errors.Unavailable:
            if of_file:
                self._let_go(probe)
            else:
                self._failed(probe)
            raise
        except errors.HostUpError:  # a refusal or an unreadable answer is an answer, too
            self._answered()
            raise
        except BaseException:  # a bug of ours, or the thread is being stopped
            self._let_go(probe)
            raise
        self._answered()

    @property
    def state(self) -> State:
        if self._probe_at is None:
            return State.CLOSED
        return State.HALF_OPEN if self._probe else State.OPEN

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Hold the lock inside the block; if the state is another afterwards, report it."""
        with self._lock:
            before = self.state
            yield
            if self.state != before:
                self._changed(self.state)

    def _enter(self) -> object | None:
        """Let a call in: return what marks it as the probe, or None for an ordinary call."""
        with self._changing():
            if self._probe_at is None:
                return None
            now = self._clock()
            if now < self._probe_at:
                raise errors.CircuitOpen(retry_after=math.ceil(self._probe_at - now))
            # If the probe has not ended by then (a large file is still coming, or its thread is gone), the next
            # call probes instead.
            self._probe_at = now + PROBE_AFTER
            self._probe = object()
            return self._probe

    def _answered(self) -> None:
        """Close the circuit, whichever call it was: HostUp answers."""
        with self._changing():
            self._failures = 0
            self._probe_at = self._probe = None

    def _failed(self, probe: object | None) -> None:
        with self._changing():
            if self._probe_at is None:
                self._failures += 1
                opens = self._failures >= FAILURES
            else:  # calls that were under way when the circuit opened say nothing new
                opens = probe is not None and probe is self._probe
            if opens:
                self._probe_at = self._clock() + PROBE_AFTER
                self._probe = None

    def _let_go(self, probe: object | None) -> None:
        with self._changing():
            if probe is not None and probe is self._probe:
                self._probe_at = self._clock()
                self._probe = None
