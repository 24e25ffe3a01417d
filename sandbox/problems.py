"""Error answers: RFC 7807 bodies with HostUp's additions (`code`, `requestId`, `timestamp`, `errors`)."""

import uuid
from http import HTTPStatus

from .times import iso, utc_now

# The code that HostUp's reference gives for a status, or for those without one (404, 409, 5xx) one in its style.
CODES: dict[int, str] = {
    400: "invalid_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    409: "conflict",
    411: "length_required",
    413: "payload_too_large",
    429: "rate_limit_exceeded",
    500: "internal_error",
    502: "upstream_error",
    503: "upstream_unavailable",
    504: "upstream_timeout",
}


def phrase(status: int) -> str:
    """Return a status's usual phrase. Proxies answer with statuses of their own, such as 520."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown Error"


class Problem(Exception):
    """An error as the answer. Branch on `code`; `detail` is for people.

    `errors` are the field errors of `invalid_request`: {"pointer": "/subject", "detail": …, "code": …}.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        code: str | None = None,
        errors: list[dict] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code or CODES.get(status, "error")
        self.detail = detail
        self.errors = errors
        self.headers = headers or {}

    def body(self, instance: str) -> dict:
        """Return the problem body. `instance` is the path of the request."""
        body = {
            "type": f"https://developer.hostup.se/errors/{self.code}",
            "title": phrase(self.status),
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            "instance": instance,
            "requestId": f"req_{uuid.uuid4().hex[:20]}",
            "timestamp": iso(utc_now()),
        }
        if self.errors is not None:
            body["errors"] = self.errors
        return body


def field_error(pointer: str, detail: str, code: str) -> dict:
    return {"pointer": pointer, "detail": detail, "code": code}


def invalid(*errors: dict) -> Problem:
    return Problem(400, "The request is not valid. See errors.", errors=list(errors))
