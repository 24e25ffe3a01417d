"""Faults that are worth a name: `sandbox.fault("lost_answer")`, or {"name": "lost_answer"} over HTTP.

One that makes sense for one call alone is bound to its method and path; add `method=` and `path=` to others.
"""

from collections.abc import Callable
from datetime import timedelta
from email.utils import format_datetime
from typing import Any

from . import transforms
from .times import iso, utc_now

LIST_PATH = r"/support/tickets$"
HTML = "<!doctype html><title>Just a moment</title><h1>Just a moment…</h1><script>alert(1)</script>"
HTML_HEADERS = {"Content-Type": "text/html; charset=utf-8"}

RETRY_AFTER = timedelta(seconds=7)
CLOCK_SKEW = timedelta(hours=5)


def _reset_at(_url: str) -> str:
    return iso(utc_now() + RETRY_AFTER)


# API reference: the headers of a rate-limited answer, besides Retry-After.
LIMIT_HEADERS = {"X-RateLimit-Limit": "600", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": _reset_at}


def _date(skew: timedelta) -> Callable[[str], str]:
    return lambda _url: format_datetime(utc_now() + skew, usegmt=True)


def _other_host(url: str) -> str:
    """Return an address of the sandbox under another name: its journal shows who followed, and with which key."""
    return url.replace("127.0.0.1", "localhost") + "/api/v2/support/departments"


def _problems() -> dict[str, dict[str, Any]]:
    """Return each error of the contract with HostUp's problem body, and as a proxy would give it."""
    codes = {404: "ticket_not_found", 409: "ticket_state_conflict"}  # the others' are in problems.CODES
    faults: dict[str, dict[str, Any]] = {}
    for status in (400, 401, 403, 404, 409, 429, 500, 502, 503, 504):
        faults[f"problem_{status}"] = {"status": status, "code": codes.get(status)}
        faults[f"empty_{status}"] = {"status": status, "body": b""}
        faults[f"html_{status}"] = {"status": status, "body": HTML, "headers": HTML_HEADERS}
    return faults


NAMED: dict[str, dict[str, Any]] = {
    **_problems(),
    "problem_with_extensions": {"status": 409, "transform": transforms.with_extensions},
    # 429, with and without saying when to try again.
    "rate_limited_seconds": {"status": 429, "headers": LIMIT_HEADERS | {"Retry-After": str(RETRY_AFTER.seconds)}},
    "rate_limited_http_date": {"status": 429, "headers": {"Retry-After": _date(RETRY_AFTER)}},
    "rate_limited_reset_only": {"status": 429, "headers": LIMIT_HEADERS},
    "rate_limited_silent": {"status": 429},
    "rate_limited_critical": {"status": 429, "code": "rate_limited", "headers": {"Retry-After": "3600"}},
    # Good status, bad content.
    "html_200": {"status": 200, "body": HTML, "headers": HTML_HEADERS},
    "empty_200": {"status": 200, "body": b""},
    "wrong_shape": {"status": 200, "body": ["not", {"what": "you"}, 4, None]},
    "broken_json": {"broken_json": True},
    "null_in_required": {"transform": transforms.null_in_required},
    "one_malformed_ticket": {
        "transform": transforms.one_malformed_ticket,
        "method": "GET",
        "path": LIST_PATH,
    },
    "unknown_values": {"transform": transforms.unknown_values},
    "odd_optional_values": {"transform": transforms.odd_optional_values},
    "half_characters": {"transform": transforms.half_characters},
    "cursor_loop": {
        "transform": transforms.cursor_loop,
        "method": "GET",
        "path": LIST_PATH,
        "times": None,
    },
    # Not documented: the answer to a cursor that HostUp does not know any more.
    "expired_cursor": {"status": 400, "code": "invalid_request", "method": "GET", "path": LIST_PATH},
    "repeated_ids": {"transform": transforms.repeated_ids, "method": "GET", "path": LIST_PATH},
    "oversize": {"transform": transforms.oversize},
    "gzip_bomb": {"gzip_bomb": 100},
    "set_cookie": {"headers": {"Set-Cookie": "hostup_session=someone-elses; Path=/"}},
    "redirect_same_host": {"status": 302, "body": b"", "headers": {"Location": "/api/v2/support/departments"}},
    "redirect_other_host": {"status": 302, "body": b"", "headers": {"Location": _other_host}},
    # The clock of the server that sends the headers is wrong; the tickets' times are right.
    "clock_ahead": {"headers": {"Date": _date(CLOCK_SKEW)}},
    "clock_behind": {"headers": {"Date": _date(-CLOCK_SKEW)}},
    # The connection. `drip` at its default speed takes minutes; the sandbox gives up after one.
    "slow": {"delay": 5},
    "dripping_headers": {"drip": "headers"},
    "dripping_body": {"drip": "body"},
    "truncated": {"truncate": "body"},
    "truncated_headers": {"truncate": "headers"},
    "reset": {"drop": "before"},
    "lost_answer": {"drop": "after"},
    "hang_up": {"hang_up": True},
    "early_hints": {"interim": 103, "delay": 0.1},
}
