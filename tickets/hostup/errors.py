"""What can go wrong with a call to HostUp, split by what the person who made it can do about it."""


class HostUpError(Exception):
    """A call that did not return what was asked for.

    `status` is HostUp's (None when there was no answer), `code` is what programs branch on, `detail` is HostUp's
    own sentence for people, and `request_id` is what HostUp's support asks for. The last three are "" when HostUp
    sent none.
    """

    def __init__(self, *, status: int | None = None, code: str = "", detail: str = "", request_id: str = ""):
        super().__init__(f"{type(self).__name__} {status or ''} {code} {request_id}".strip())
        self.status = status
        self.code = code
        self.detail = detail
        self.request_id = request_id


class BadKey(HostUpError):
    """HostUp does not know the API key: wrong, expired or revoked. Save another one."""


class Forbidden(HostUpError):
    """HostUp, or something in between, does not allow the call: usually because the API key lacks the scope."""

    @property
    def lacks_scope(self) -> bool:
        """Tell whether HostUp itself says so. What is in between also refuses with 403, but knows of no scopes."""
        return self.code == "forbidden"


class NotFound(HostUpError):
    """No such ticket or file in this key's account."""


class NoSuchCall(NotFound):
    """The call itself is unknown: it names no ticket or file that could be missing. Perhaps a wrong server."""


class Conflict(HostUpError):
    """The ticket's state does not allow the call. Look at the ticket again."""


class Invalid(HostUpError):
    """HostUp refuses what was sent. `fields` maps JSON pointers such as `/subject` to sentences."""

    def __init__(self, *, fields: dict[str, str] | None = None, **problem):
        super().__init__(**problem)
        self.fields = fields or {}


class RateLimited(HostUpError):
    """Too many calls with this key. `retry_after` is in seconds."""

    def __init__(self, *, retry_after: int, **problem):
        super().__init__(**problem)
        self.retry_after = retry_after


class Unavailable(HostUpError):
    """HostUp could not be reached or failed; nothing was changed there."""


class TooSlow(Unavailable):
    """HostUp took longer than a call may take."""


class Busy(Unavailable):
    """The call was not made: as many calls as we allow are under way."""


class CircuitOpen(Unavailable):
    """The call was not made, because those before it failed. Try again in `retry_after` whole seconds."""

    def __init__(self, *, retry_after: int):
        super().__init__()
        self.retry_after = retry_after


class Unsafe(Unavailable):
    """The server could not prove by its certificate that it is HostUp, or does not speak TLS. Nothing was sent."""


class Unreadable(HostUpError):
    """HostUp's answer is not what its reference says."""


class TooLarge(Unreadable):
    """The file is larger than we pass on."""


class NoRoom(HostUpError):
    """HostUp sent the file, but there is no room on our disk to keep it while it is passed on."""


class OutcomeUnknown(HostUpError):
    """A change was sent, but its answer was lost: it may have happened. Read before sending again.

    `too_slow` tells that time ran out, as opposed to the connection or HostUp itself failing.
    """

    def __init__(self, *, too_slow: bool = False, **problem):
        super().__init__(**problem)
        self.too_slow = too_slow

    @property
    def may_yet_show(self) -> bool:
        """Tell whether the change may still appear, so that not finding it proves nothing: after a time-out HostUp
        may still be working on it, and a success that cannot be read is a success."""
        return self.too_slow or self.status in range(200, 300)
