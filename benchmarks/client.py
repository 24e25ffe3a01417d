"""Request one address over and over, in a process of its own, so that its work is not part of what it measures.

Every request is the same bytes over a connection of its own (`Connection: close`).
"""

import json
import socket
import subprocess
import sys
import threading
import time
from typing import NamedTuple


class Load(NamedTuple):
    """What was measured: the time of each request in milliseconds, the time of all together in seconds, and how
    often each status came."""

    ms: list[float]
    seconds: float
    statuses: dict[str, int]

    @property
    def per_second(self) -> float:
        return len(self.ms) / self.seconds


def ask(address: tuple[str, int], request: bytes, *, at_once: int = 1, seconds: float = 0, times: int = 0) -> Load:
    """Send `request` for `seconds`, or `times` in all, from `at_once` visitors at once."""
    job = {"address": address, "request": request.decode(), "at_once": at_once, "seconds": seconds, "times": times}
    command = [sys.executable, "-m", "benchmarks.client"]
    done = subprocess.run(command, input=json.dumps(job), stdout=subprocess.PIPE, text=True, check=True)
    return Load(*json.loads(done.stdout))


def main() -> None:
    job = json.load(sys.stdin)
    load = Load([], 0.0, {})
    visitors = [threading.Thread(target=visit, args=(job, load)) for _ in range(job["at_once"])]
    began = time.perf_counter()
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join()
    print(json.dumps(load._replace(seconds=time.perf_counter() - began)))


def visit(job: dict, load: Load) -> None:
    address, request = tuple(job["address"]), job["request"].encode()
    ends_at = time.perf_counter() + job["seconds"] if job["seconds"] else float("inf")
    left = job["times"] // job["at_once"] if job["times"] else float("inf")
    while left > 0 and (began := time.perf_counter()) < ends_at:
        answer = whole_answer(address, request)
        load.ms.append((time.perf_counter() - began) * 1000)
        status = answer[9:12].decode()
        load.statuses[status] = load.statuses.get(status, 0) + 1
        left -= 1


def whole_answer(address: tuple[str, int], request: bytes) -> bytes:
    parts = []
    with socket.create_connection(address, timeout=30) as connection:
        connection.sendall(request)
        while part := connection.recv(262_144):
            parts.append(part)
    return b"".join(parts)


if __name__ == "__main__":
    main()
