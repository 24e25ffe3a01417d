"""A request and an answer as values, between the socket and the API."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .problems import Problem


@dataclass(frozen=True, slots=True)
class Request:
    """`query` holds the last value of each parameter; `headers` finds names in any case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


def json_answer(status: int, value: Any, content_type: str = "application/json") -> Answer:
    # Half a surrogate pair, which a JSON request can contain, goes out as it came in: as a JSON escape.
    body = json.dumps(value, ensure_ascii=False).encode("utf-8", "backslashreplace")
    return Answer(status, body, {"Content-Type": content_type})


def problem_answer(problem: Problem, path: str) -> Answer:
    answer = json_answer(problem.status, problem.body(path), "application/problem+json")
    answer.headers.update(problem.headers)
    return answer
