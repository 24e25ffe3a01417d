"""The circuit breaker and the remembered rate limits, with a fake clock: anything may happen, in any order."""

import threading
from contextlib import ExitStack
from itertools import pairwise

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tickets.hostup import errors
from tickets.hostup.circuit import FAILURES, PROBE_AFTER, Circuit, State
from tickets.hostup.limits import RateLimits

FAILED = [errors.Unavailable(), errors.TooSlow(), errors.Unavailable(status=500), errors.TooSlow(status=504)]
ANSWERED = [
    None,
    errors.BadKey(status=401),
    errors.NotFound(status=404),
    errors.Conflict(status=409),
    errors.RateLimited(status=429, retry_after=1),
    errors.Unreadable(status=200),
]
SAYS_NOTHING = [errors.Busy(), KeyboardInterrupt(), ZeroDivisionError(), GeneratorExit()]


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


class CallsInAnyOrder(RuleBasedStateMachine):
    """Calls begin and end in any order, die, and take their time; HostUp comes and goes."""

    @initialize()
    def begins(self):
        self.clock = Clock()
        self.told = [State.CLOSED]
        self.circuit = Circuit(self.clock, self.told.append)
        self.under_way = []
        self.failed = 0  # in a row, while the circuit is closed
        self.refused_until = 0.0  # 0: nothing is refused

    @rule()
    def a_call_begins(self):
        call = ExitStack()
        if self.clock.now < self.refused_until:
            with pytest.raises(errors.CircuitOpen) as refused:
                call.enter_context(self.circuit.calling())
            assert 0 <= refused.value.retry_after - (self.refused_until - self.clock.now) < 1
            return
        call.enter_context(self.circuit.calling())
        is_probe = self.refused_until > 0
        if is_probe:
            assert self.circuit.state == State.HALF_OPEN
            self.refused_until = self.clock.now + PROBE_AFTER
            self.probe = call
        self.under_way.append(call)

    @precondition(lambda self: self.under_way)
    @rule(which=st.integers(0, 9), error=st.sampled_from(ANSWERED) | st.sampled_from(FAILED + SAYS_NOTHING))
    def a_call_ends(self, which, error):
        self.end(self.under_way.pop(which % len(self.under_way)), error)

    @rule(error=st.sampled_from(FAILED))
    def hostup_is_down(self, error):
        while not self.refused_until:
            self.a_call_begins()
            self.end(self.under_way.pop(), error)

    def end(self, call, error):
        try:
            with call:
                if error:
                    raise error
        except BaseException as raised:
            assert raised is error
        is_the_probe = self.refused_until > 0 and call is self.probe
        if error in ANSWERED:
            self.failed, self.refused_until, self.probe = 0, 0.0, None
        elif error in FAILED:
            self.failed += self.refused_until == 0
            if is_the_probe or (self.refused_until == 0 and self.failed == FAILURES):
                self.refused_until, self.probe = self.clock.now + PROBE_AFTER, None
        elif is_the_probe:
            self.refused_until, self.probe = max(self.clock.now, 0.001), None

    @rule(seconds=st.sampled_from([0.25, 5.0, PROBE_AFTER]))
    def time_passes(self, seconds):
        self.clock.now += seconds

    @invariant()
    def it_tells_how_it_is(self):
        assert (self.circuit.state == State.CLOSED) == (self.refused_until == 0)
        assert self.told[-1] == self.circuit.state
        assert all(state != after for state, after in pairwise(self.told))


CallsInAnyOrder.TestCase.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
TestCallsInAnyOrder = CallsInAnyOrder.TestCase


def call(circuit, error=None):
    try:
        with circuit.calling():
            if error:
                raise error
    except BaseException as raised:
        assert raised is error


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def opened(clock):
    circuit = Circuit(clock)
    for _ in range(FAILURES):
        assert circuit.state == State.CLOSED
        call(circuit, errors.Unavailable())
    assert circuit.state == State.OPEN
    return circuit


def test_of_many_threads_one_is_the_probe(opened, clock):
    clock.now += PROBE_AFTER
    passed, together, all_tried = [], threading.Barrier(16), threading.Event()

    def tries():
        together.wait()
        try:
            with opened.calling():
                passed.append(1)
                all_tried.wait(5)
        except errors.CircuitOpen:
            pass

    threads = [threading.Thread(target=tries) for _ in range(16)]
    for thread in threads:
        thread.start()
    while sum(thread.is_alive() for thread in threads) > 1:
        pass
    all_tried.set()
    for thread in threads:
        thread.join()
    assert passed == [1]
    assert opened.state == State.CLOSED


def test_a_probe_that_fails_begins_the_wait_anew(opened, clock):
    clock.now += PROBE_AFTER
    probe = opened.calling()
    probe.__enter__()
    clock.now += 10
    probe.__exit__(errors.TooSlow, errors.TooSlow(), None)
    assert opened.state == State.OPEN
    clock.now += PROBE_AFTER - 1
    with pytest.raises(errors.CircuitOpen), opened.calling():
        pass


@pytest.mark.parametrize("error", SAYS_NOTHING)
def test_a_probe_that_dies_lets_the_next_call_probe(opened, clock, error):
    clock.now += PROBE_AFTER
    call(opened, error)
    assert opened.state == State.OPEN
    call(opened)
    assert opened.state == State.CLOSED


def test_a_probe_that_never_comes_back_is_given_up(opened, clock):
    clock.now += PROBE_AFTER
    lost = opened.calling()
    lost.__enter__()
    with pytest.raises(errors.CircuitOpen), opened.calling():
        pass
    clock.now += PROBE_AFTER
    call(opened)
    assert opened.state == State.CLOSED


def test_a_probe_that_was_given_up_does_not_count_when_it_fails(opened, clock):
    clock.now += PROBE_AFTER
    lost = opened.calling()
    lost.__enter__()
    clock.now += PROBE_AFTER
    with opened.calling():
        lost.__exit__(errors.TooSlow, errors.TooSlow(), None)
        assert opened.state == State.HALF_OPEN


def wait_of(rate_limits, key):
    try:
        rate_limits.check(key)
    except errors.RateLimited as error:
        return error.retry_after
    return 0


def test_a_limit_counts_down_for_its_key_alone(clock):
    rate_limits = RateLimits(clock)
    rate_limits.remember("one", 7)
    assert (wait_of(rate_limits, "one"), wait_of(rate_limits, "two")) == (7, 0)
    clock.now += 6.5
    assert wait_of(rate_limits, "one") == 1
    clock.now += 0.5
    assert wait_of(rate_limits, "one") == 0


def test_a_shorter_limit_does_not_end_a_longer_one(clock):
    """Of two calls under way, one may be told to wait two minutes, and the other to wait, but not how long."""
    rate_limits = RateLimits(clock)
    for seconds in (120, 30):
        rate_limits.remember("one", seconds)
    assert wait_of(rate_limits, "one") == 120


def test_the_memory_of_limits_holds_what_still_limits_and_no_key(clock):
    rate_limits = RateLimits(clock)
    for seconds in range(300):
        rate_limits.remember(f"key-{seconds}", seconds)
    clock.now += 298.5
    rate_limits.remember("one", 7)
    kept = repr(vars(rate_limits))
    assert len(kept) < 1000
    assert "key-" not in kept
