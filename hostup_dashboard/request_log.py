"""One line in the log for every request. It never holds bodies, keys, or addresses with their queries."""

import logging
import secrets
import time
from functools import partial

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured, PermissionDenied

from hostup_dashboard import logs, metrics

logger = logging.getLogger("hostup_dashboard.request")

HEALTH_CHECKS = ("healthz", "readyz")  # asked every few seconds


def request_log(get_response):
    """Give the request an id (`request.id`, `X-Request-Id`) and write its line when the answer is done.

    An id that the client sends is ignored. An app puts what it knows about the request into the dict
    `request.log`. A streamed answer is done when its last byte is sent, or its reader is gone.
    """

    def middleware(request):
        began = time.perf_counter()
        request.id, request.log = secrets.token_hex(8), {}
        logs.request_id.set(request.id)
        response = get_response(request)
        response.headers["X-Request-Id"] = request.id
        end = partial(_end, request, response, began)
        if response.streaming and logger.isEnabledFor(_level(request, response)):
            response.streaming_content = _Streamed(response.streaming_content, end)
        else:
            end()
        return response

    return middleware


def client_address(request) -> str | None:
    """Return the address that the request came from, None if it cannot be known."""
    try:
        return get_adapter().get_client_ip(request)
    except (PermissionDenied, ImproperlyConfigured):
        return None


class _Streamed:
    """The chunks of an answer. `end` is called when they are done with, even if none of them was read."""

    def __init__(self, chunks, end):
        self._chunks = chunks
        self._end = end
        self._is_whole = False

    def __iter__(self):
        yield from self._chunks
        self._is_whole = True

    def close(self):
        self._end(is_whole=self._is_whole)


def _end(request, response, began: float, *, is_whole: bool = True) -> None:
    seconds = time.perf_counter() - began
    metrics.request_answered(request.method, _route(request), response.status_code, seconds)
    level = _level(request, response)
    if logger.isEnabledFor(level):
        fields = {
            "agent": _agent(request),
            "client": client_address(request),
            "method": request.method,
            "route": _route(request),
            "status": response.status_code,
            "ms": round(seconds * 1000, 1),
            "outcome": _outcome(response.status_code) if is_whole else "broken_off",
            **request.log,
        }
        logger.log(level, "request", extra={"fields": fields})
    logs.request_id.set("")


def _level(request, response) -> int:
    if response.status_code >= 500:
        return logging.WARNING
    view = request.resolver_match and request.resolver_match.func
    is_quiet = (
        _route(request) in HEALTH_CHECKS
        or request.path_info.startswith(settings.STATIC_URL)
        or getattr(view, "keeps_drafts", False)  # nobody needs a line for each pause in typing
    )
    return logging.DEBUG if is_quiet and response.status_code < 400 else logging.INFO


def _route(request) -> str | None:
    """Return the name of the address in `urls.py`, None if there is no such address or it was not resolved."""
    return request.resolver_match and request.resolver_match.view_name


def _agent(request) -> str | None:
    """Return who is signed in, if that was looked up already: the line must not cost a query of its own."""
    is_known = hasattr(request, "_cached_user")
    return (request.user.get_username() or None) if is_known else None


def _outcome(status: int) -> str:
    """Return "ok", "refused" (4xx), "error" (500, our mistake) or "unavailable" (what we depend on failed)."""
    if status < 400:
        return "ok"
    if status < 500:
        return "refused"
    return "error" if status == 500 else "unavailable"
