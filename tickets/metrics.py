"""What Prometheus is told about the calls to HostUp."""

import time
from contextlib import contextmanager

from prometheus_client import Counter, Gauge, Histogram

from hostup_dashboard import metrics as frame  # noqa: F401  (says where this process counts, before it does)
from tickets.hostup import errors
from tickets.hostup.circuit import State
from tickets.hostup.watcher import Watcher

STATES = {State.CLOSED: 0, State.HALF_OPEN: 1, State.OPEN: 2}

CALL_SECONDS = Histogram(
    "hostup_dashboard_hostup_call_seconds",
    "Time that a call to HostUp took, its retries included, by what became of it",
    ["endpoint", "outcome"],
    buckets=(0.03, 0.1, 0.3, 1, 3, 10, 30),
)
REFUSED = Counter(
    "hostup_dashboard_hostup_calls_refused",
    "Calls that were not made: too many were under way, or HostUp was known not to take them",
    ["reason"],
)
UNDER_WAY = Gauge(
    "hostup_dashboard_hostup_calls_under_way", "Calls to HostUp under way", multiprocess_mode="livesum"
)
CALLS_AT_ONCE = Gauge(
    "hostup_dashboard_hostup_calls_limit",
    "Calls that may be under way, in all processes",
    multiprocess_mode="livesum",
)
CIRCUIT_STATE = Gauge(
    "hostup_dashboard_hostup_circuit_state",
    "Of the process that is worst off: 0 calls pass, 1 one is trying, 2 they are refused",
    multiprocess_mode="livemax",
)
CIRCUIT_OPENINGS = Counter("hostup_dashboard_hostup_circuit_openings", "How often calls began to be refused")


class Metrics(Watcher):
    """Counts what a `Pool` reports. The outcome of a call is `ok`, the name of one of `errors`, or `broken_off` if
    it ended in any other way."""

    def __init__(self):
        self.circuit_changed(State.CLOSED)

    @contextmanager
    def calling(self, endpoint):
        began, outcome = time.perf_counter(), "ok"
        try:
            yield
        except errors.HostUpError as error:
            outcome = type(error).__name__
            if isinstance(error, errors.Busy | errors.CircuitOpen) or _is_remembered(error):
                REFUSED.labels(outcome).inc()
                outcome = None
            raise
        except BaseException:  # a bug of ours, or the thread is being stopped
            outcome = "broken_off"
            raise
        finally:
            if outcome:
                CALL_SECONDS.labels(endpoint, outcome).observe(time.perf_counter() - began)

    def under_way(self):
        return UNDER_WAY.track_inprogress()

    def circuit_changed(self, state):
        if state is State.OPEN and self._state is State.CLOSED:  # not when a probe failed
            CIRCUIT_OPENINGS.inc()
        self._state = state
        CIRCUIT_STATE.set(STATES[state])


def _is_remembered(error: errors.HostUpError) -> bool:
    """Tell whether the reason was a limit remembered from earlier, rather than HostUp's answer now."""
    return isinstance(error, errors.RateLimited) and error.status is None
