"""What a `Pool` reports about its calls while they happen, for metrics."""

from contextlib import AbstractContextManager, nullcontext

from tickets.hostup.circuit import State


class Watcher:
    """The base class, which ignores what it is told. Threads call it concurrently."""

    def calling(self, endpoint: str) -> AbstractContextManager:
        """Return a context manager to wrap a call and all its tries. `endpoint` is the reference's name for it,
        such as `GET /tickets/{id}`. An error raised inside is one of `errors`, unless the call was broken off."""
        return nullcontext()

    def under_way(self) -> AbstractContextManager:
        """Return a context manager to wrap a try while it holds a slot: a download does until its last byte."""
        return nullcontext()

    def circuit_changed(self, state: State) -> None:
        """Take note that the circuit has changed to `state`."""
