"""A circuit breaker: while HostUp is down, calls are refused at once instead of each waiting for its deadline.

Closed, calls pass. After `FAILURES` failed calls in a row it opens and refuses them. `PROBE_AFTER` seconds later
one call passes as a probe: when HostUp answers it, the circuit closes; when that fails too, the wait begins anew.

What counts is a call as the agent sees it, not each of its tries: those are there to get over a blip, and
counting them would let two page views during one open the circuit. Pure: no network, the clock can be given.
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
    """One for all threads of a process.

    `clock` gives seconds and never goes back; `changed` is told each new state, one after the other.
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
        """Make a call inside the block; how the block ends tells how HostUp is.

        That a file does not come (`of_file`) says nothing of the rest: HostUp may keep files elsewhere, and one
        page has its browser ask for many, its pictures.

        Raises `CircuitOpen` instead of entering it while calls are refused.
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
        except errors.HostUpError:  # a refusal, or an answer that cannot be read, is an answer
            self._answered()
            raise
        except BaseException:  # a mistake of ours, or the thread is being ended
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
        """Hold the lock, and tell of the state that the block leaves, if it is another."""
        with self._lock:
            before = self.state
            yield
            if self.state != before:
                self._changed(self.state)

    def _enter(self) -> object | None:
        """Return the probe that this call is, None for an ordinary call."""
        with self._changing():
            if self._probe_at is None:
                return None
            now = self._clock()
            if now < self._probe_at:
                raise errors.CircuitOpen(retry_after=math.ceil(self._probe_at - now))
            # A probe that is not back by then (a large file on its way, or lost with its thread) is given up,
            # and the next call probes instead.
            self._probe_at = now + PROBE_AFTER
            self._probe = object()
            return self._probe

    def _answered(self) -> None:
        """Close, whichever call it was: HostUp answers."""
        with self._changing():
            self._failures = 0
            self._probe_at = self._probe = None

    def _failed(self, probe: object | None) -> None:
        with self._changing():
            if self._probe_at is None:
                self._failures += 1
                opens = self._failures >= FAILURES
            else:  # calls that were under way when it opened say nothing new
                opens = probe is not None and probe is self._probe
            if opens:
                self._probe_at = self._clock() + PROBE_AFTER
                self._probe = None

    def _let_go(self, probe: object | None) -> None:
        with self._changing():
            if probe is not None and probe is self._probe:
                self._probe_at = self._clock()
                self._probe = None
