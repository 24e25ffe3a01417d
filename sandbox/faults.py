"""Ways for a call to go wrong: what a fault is, which call it meets, and what it makes of the answer.

What a fault does to the connection itself (delay, drip, drop, truncate, hang up) is wire.py's.
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

# A header's value as text, None for a header to leave out, or a function of the sandbox's own address.
HeaderValue = str | None | Callable[[str], str]


@dataclass(slots=True)
class Fault:
    """One fault. Without `status` and `body` the call is carried out and its true answer is spoilt.

    method, path    which calls: None is any; `path` is a regular expression to be found in the path
    times           how many calls it meets; None: until cleared
    skip            how many matching calls it lets pass first
    status, code    answer this instead; without a `body`, with the contract's problem body (and this code)
    body            bytes, text, or a value to send as JSON; `b""` or `""` for none at all
    headers         added to the answer, or replacing or (None) removing what is there
    process         with `status` or `body`: carry the call out before answering this
    transform       a function of the true answer's JSON value, giving what to send instead
    interim         send an answer of this status (1xx) and no body first, before the delay
    delay           seconds to wait before answering
    drip            "headers" or "body": from there on, send one byte every `drip_interval` seconds
    drop            "before": reset the connection instead of carrying the call out; "after": once it is done
    truncate        "headers" or "body": promise the whole of it, send half of that, and close
    hang_up         answer well, then close the connection without having said so
    broken_json     cut the true answer so that it is no JSON any more
    gzip_bomb       answer with this many megabytes, packed into a few kilobytes
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
        """A fault from NAMED, with `arguments` on top of it; without a name, from the arguments alone."""
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
        """Whether the call does its work although it goes wrong."""
        if self.drop == "before":
            return False
        return self.process or not self.replaces_answer

    def matches(self, method: str, path: str) -> bool:
        return self.method in (None, method) and (self.path is None or re.search(self.path, path) is not None)


class Faults:
    """The faults that wait for their calls, first come first served."""

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
        """The first fault for this call. A fault that lets the call pass leaves it to the next one."""
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
    """What to send. `true_answer` is None when the call was not carried out; `url` is the sandbox's address."""
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
    """A valid JSON page of tickets with a great deal of space inside."""
    packed = io.BytesIO()
    space = b" " * 1024 * 1024
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as bomb:
        bomb.write(b'{"data": [], "nextCursor": null')
        for _ in range(megabytes):
            bomb.write(space)
        bomb.write(b"}")
    return packed.getvalue()
