"""What a `Pool` tells of its calls while they happen, for whoever measures them."""

from contextlib import AbstractContextManager, nullcontext

from tickets.hostup.circuit import State


class Watcher:
    """Does nothing with what it is told. Threads call it at the same time."""

    def calling(self, endpoint: str) -> AbstractContextManager:
        """Give what goes around a call, all its tries included. `endpoint` is the reference's name for it, such as
        `GET /tickets/{id}`. The block ends well, or with an error: of `errors`, unless the call was broken off."""
        return nullcontext()

    def under_way(self) -> AbstractContextManager:
        """Give what goes around a try, which holds a place for calls; a download's until its last byte."""
        return nullcontext()

    def circuit_changed(self, state: State) -> None:
        """The circuit is in another state than before."""
