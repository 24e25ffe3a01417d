"""Ways for a call to go wrong: what a fault is, which calls it applies to, and how it changes the answer.

What a fault does to the connection itself (delay, drip, drop, truncate, hang up) is in wire.py.
"""

import gzip
import io
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache
from threading import Lock
from typing import Any

from .answer import Answer, json_answer, problem_answer
from .named_faults import NAMED
from .problems import Problem

# A header's value: text, None to leave the header out, or a function of the sandbox's own address.
HeaderValue = str | None | Callable[[str], str]


@dataclass(slots=True)
class Fault:
    """One fault. Without `status` and `body`, the call is carried out and its true answer is spoilt.

    method, path    which calls; None means any. `path` is a regular expression to search the path for
    times           how many calls it applies to; None: until cleared
    skip            how many matching calls it lets pass first
    status, code    answer with this status instead; without `body`, with HostUp's problem body and this code
    body            bytes, text, or a value to send as JSON; `b""` or `""` for none at all
    headers         add these to the answer, in place of its own; None removes a header
    process         with `status` or `body`: carry out the call before giving that answer
    transform       a function that takes the answer's JSON value and returns what to send instead
    interim         send an answer of this status (1xx) and no body first, before the delay
    delay           seconds to wait before answering
    drip            "headers" or "body": send this part one byte at a time, every `drip_interval` seconds
    drop            "before": reset the connection instead of carrying the call out; "after": once it is done
    truncate        "headers" or "body": send only half of this part, as if the rest were to come, and close
    hang_up         answer correctly, then close the connection without having announced it
    broken_json     break the end of the answer, so that it is not JSON, and send it with the status 200
    gzip_bomb       answer with this many megabytes, compressed to about a kilobyte each
    """

    method: str | None = None
    path: str | None = None
    times: int | None = 1
    skip: int = 0
    status: int | None = None
    code: str | None = None
    body: Any = None
    headers: dict[str, HeaderValue] = field(default_factory=dict)
    process: bool = False
    transform: Callable[[Any], Any] | None = None
    interim: int | None = None
    delay: float = 0
    drip: str | None = None
    drip_interval: float = 0.1
    drop: str | None = None
    truncate: str | None = None
    hang_up: bool = False
    broken_json: bool = False
    gzip_bomb: int = 0

    def __post_init__(self) -> None:
        for name, allowed in (
            ("drip", ("headers", "body")),
            ("drop", ("before", "after")),
            ("truncate", ("headers", "body")),
        ):
            value = getattr(self, name)
            if value is not None and value not in allowed:
                raise ValueError(f"{name} must be one of: {', '.join(allowed)}")
        if self.path is not None:
            re.compile(self.path)

    @classmethod
    def named(cls, name: str | None = None, **arguments: Any) -> "Fault":
        """Return a fault from NAMED with `arguments` on top; without a name, one from the arguments alone."""
        if name is not None and name not in NAMED:
            raise ValueError(f"there is no fault named {name!r}; there are: {', '.join(NAMED)}")
        unknown = arguments.keys() - {each.name for each in fields(cls)}
        if unknown:
            raise ValueError(f"a fault has no {', '.join(sorted(unknown))}")
        return cls(**({} if name is None else NAMED[name]) | arguments)

    @property
    def replaces_answer(self) -> bool:
        return self.status is not None or self.body is not None

    @property
    def carries_out(self) -> bool:
        """Tell whether the call does its work although it goes wrong."""
        if self.drop == "before":
            return False
        return self.process or not self.replaces_answer

    def matches(self, method: str, path: str) -> bool:
        return self.method in (None, method) and (self.path is None or re.search(self.path, path) is not None)


class Faults:
    """The faults that wait for their calls, in the order in which they were added."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._waiting.append(fault)

    def clear(self) -> None:
        with self._lock:
            self._waiting.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """Return the first fault for this call. A fault that skips the call leaves it to the next one."""
        with self._lock:
            for fault in self._waiting:
                if not fault.matches(method, path):
                    continue
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times <= 0:
                        self._waiting.remove(fault)
                return fault
        return None


def apply_fault(fault: Fault, true_answer: Answer | None, path: str, url: str) -> Answer:
    """Return what to send. `true_answer` is None if the call was not carried out; `url` is the sandbox's own."""
    if fault.replaces_answer or true_answer is None:
        answer = _replacement(fault, path)
    else:
        answer = Answer(true_answer.status, true_answer.body, dict(true_answer.headers))
    if fault.transform is not None and "json" in answer.headers.get("Content-Type", ""):
        answer = replace(answer, body=json_answer(200, fault.transform(json.loads(answer.body))).body)
    if fault.broken_json:
        answer = replace(answer, status=200, body=answer.body[:-1] + b",")
    if fault.gzip_bomb:
        bomb = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
        answer = Answer(200, gzip_bomb(fault.gzip_bomb), answer.headers | bomb)
    for name, value in fault.headers.items():
        if value is None:
            answer.headers.pop(name, None)
        else:
            answer.headers[name] = value(url) if callable(value) else value
    return answer


def _replacement(fault: Fault, path: str) -> Answer:
    status = fault.status or 200
    if fault.body is None:
        return problem_answer(Problem(status, "The sandbox was asked to fail.", code=fault.code), path)
    if isinstance(fault.body, bytes):
        return Answer(status, fault.body)
    if isinstance(fault.body, str):
        return Answer(status, fault.body.encode())
    return json_answer(status, fault.body)


@lru_cache(maxsize=4)
def gzip_bomb(megabytes: int) -> bytes:
    """Return a valid JSON page of tickets that contains `megabytes` of spaces, compressed."""
    packed = io.BytesIO()
    space = b" " * 1024 * 1024
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as bomb:
        bomb.write(b'{"data": [], "nextCursor": null')
        for _ in range(megabytes):
            bomb.write(space)
        bomb.write(b"}")
    return packed.getvalue()
