"""The table in tests/faults.md, parsed for the tests that hold the dashboard to it."""

import re
from pathlib import Path
from typing import NamedTuple

ROW = re.compile(r"^\| (`.*) \| (.*) \| (.*) \| (.*) \| (.*)\|$", re.MULTILINE)


class Line(NamedTuple):
    """A line of the table for one fault and one action. `calls` are the methods of the calls that arrive at
    HostUp, None where they are not counted; `status` is None where there is no answer."""

    fault: str
    action: str
    calls: list[str] | None
    status: int | None
    words: list[str]

    def __str__(self):
        return f"{self.fault}-{self.action}"


def _lines():
    for faults, actions, calls, status, words in ROW.findall(Path(__file__).with_name("faults.md").read_text()):
        for fault in re.findall(r"`(\w+)`", faults):
            for action in actions.split(", "):
                yield Line(
                    fault,
                    action,
                    None if calls in ("–", "any") else _methods(calls),
                    int(status) if status.isdigit() else None,
                    [phrase for phrase in words.strip().split(" · ") if phrase],
                )


def _methods(calls: str) -> list[str]:
    """Return the methods named in a cell such as "POST, GET ×3"; in "nothing" there are none."""
    named = re.findall(r"(GET|POST)(?: ×(\d))?", calls)
    return [method for method, times in named for _ in range(int(times or 1))]


TABLE = list(_lines())
