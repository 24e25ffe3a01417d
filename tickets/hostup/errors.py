"""What can go wrong with a call to HostUp, split by what the person who made it can do about it."""


class HostUpError(Exception):
    """A call that did not give what was asked for.

    `status` is HostUp's (None when there was no answer), `code` is what programs branch on, `detail` HostUp's
    own sentence for people, `request_id` what HostUp's support asks for. The last three are "" when HostUp
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
    """HostUp, or what is in between, does not allow it: mostly because the API key lacks the scope."""

    @property
    def lacks_scope(self) -> bool:
        """Tell whether HostUp itself says so: what is in between refuses with 403 too, and knows of no scopes."""
        return self.code == "forbidden"


class NotFound(HostUpError):
    """No such ticket or file in this key's account."""


class NoSuchCall(NotFound):
    """The call itself is not known; it names no ticket or file that could be missing. Another server, perhaps."""


class Conflict(HostUpError):
    """The ticket's state does not allow it. Look at the ticket again."""


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
    """The call was not made: as many as we allow are under way."""


class CircuitOpen(Unavailable):
    """The call was not made: those before it failed. HostUp is asked again in `retry_after` whole seconds."""

    def __init__(self, *, retry_after: int):
        super().__init__()
        self.retry_after = retry_after


class Unsafe(Unavailable):
    """What answered could not prove by its certificate that it is HostUp, or speaks no TLS: nothing was sent."""


class Unreadable(HostUpError):
    """HostUp answered something that is not what its reference says."""


class TooLarge(Unreadable):
    """The file is larger than we pass on."""


class NoRoom(HostUpError):
    """HostUp sent the file, but there is no room here to keep it while it is passed on."""


class OutcomeUnknown(HostUpError):
    """A change was sent and its answer got lost: it may have happened. Read before sending again.

    `too_slow` tells that the time ran out, rather than the connection or HostUp itself breaking.
    """

    def __init__(self, *, too_slow: bool = False, **problem):
        super().__init__(**problem)
        self.too_slow = too_slow

    @property
    def may_yet_show(self) -> bool:
        """Tell whether not finding the change at HostUp proves nothing: after a time-out HostUp may still be at
        it, and a success that cannot be read is a success."""
        return self.too_slow or self.status in range(200, 300)
