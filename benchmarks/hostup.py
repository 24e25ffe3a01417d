"""A HostUp that costs next to nothing: the sandbox's answers, made once and then repeated.

The sandbox makes every answer anew, which takes longer than the dashboard's own work: a benchmark in front of it
would measure the sandbox. This one runs in a process of its own. It answers lists, tickets and changes after
`--delay` milliseconds, in the size that the address asks for: `departmentSlug=rows-50`, ticket `tkt_300` (300
messages). The department `new` has other subjects in each answer, so that none of its rows was rendered before.
"""

import argparse
import json
import re
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from functools import cache
from itertools import count

import requests

from sandbox import keys
from sandbox.server import Sandbox
from sandbox.special_tickets import LONG_THREAD_ID

LIST = "/api/v2/support/tickets"
COUNTS = "/counts"  # how many connections and calls there were, as JSON
ROWS = 50  # where the address does not say
MOST_ROWS = 100
NEW = b"new------"  # nine characters of a subject that differ in each answer


class HostUp:
    """Starts and stops the process; `url` is its address."""

    def __init__(self, delay_ms: float = 0):
        self._delay_ms = delay_ms

    def __enter__(self) -> "HostUp":
        command = [sys.executable, "-m", "benchmarks.hostup", "--delay", str(self._delay_ms)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.url = self._process.stdout.readline().strip()
        if not self.url:
            raise RuntimeError("The stand-in for HostUp did not start.")
        return self

    def __exit__(self, *_) -> None:
        self._process.terminate()
        self._process.wait()

    def counts(self) -> dict[str, int]:
        """Return how many `connections` were opened and `calls` made so far, not counting those of this method."""
        return requests.get(self.url + COUNTS, headers={"Connection": "close"}, timeout=10).json()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--delay", type=float, default=0, help="milliseconds before each answer")
    delay = parser.parse_args().delay / 1000
    answers = Answers()
    listener = socket.create_server(("127.0.0.1", 0), backlog=256)
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    while True:
        connection = listener.accept()[0]
        threading.Thread(target=serve, args=(connection, answers, delay), daemon=True).start()


def serve(connection: socket.socket, answers: "Answers", delay: float) -> None:
    """Answer one request after the other. Each arrives in one piece, because none that comes here has a body."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    is_new = True
    with suppress(ConnectionError), connection:
        while request := connection.recv(65536):
            address = request.split(b" ", 2)[1].decode()
            if address == COUNTS:
                connection.sendall(answers.counts())
                return
            answers.count(is_new)
            is_new = False
            if delay:
                time.sleep(delay)
            connection.sendall(answers.to(address))
            if b"\r\nConnection: close" in request:
                return


class Answers:
    """Whole answers, as bytes, by address."""

    def __init__(self):
        headers = {"Authorization": f"Bearer {keys.FULL}"}
        with Sandbox() as sandbox:
            listed = requests.get(f"{sandbox.url}{LIST}", {"limit": MOST_ROWS}, headers=headers, timeout=10).json()
            whole = requests.get(f"{sandbox.url}{LIST}/{LONG_THREAD_ID}", headers=headers, timeout=10).json()
        self._rows = listed["data"]
        self._ticket = whole
        self._connections, self._calls = count(1), count(1)
        self._counts = {"connections": 0, "calls": 0}
        self._answer = cache(self._answer_of)
        self._news = count(10**8)  # all of one length, because the answer's Content-Length is fixed

    def count(self, is_new: bool) -> None:
        if is_new:
            self._counts["connections"] = next(self._connections)
        self._counts["calls"] = next(self._calls)

    def counts(self) -> bytes:
        return _http(self._counts)

    def to(self, address: str) -> bytes:
        answer = self._answer(address)
        return answer.replace(NEW, b"%d" % next(self._news)) if "departmentSlug=new" in address else answer

    def _answer_of(self, address: str) -> bytes:
        if "departmentSlug=new" in address:
            new = [row | {"subject": f"{row['subject']} {NEW.decode()}"} for row in self._rows[:ROWS]]
            return _http({"data": new, "nextCursor": "NTA"})
        if ticket := re.match(rf"{LIST}/tkt_(\d+)", address):
            return _http(self._whole(int(ticket.group(1)), is_reopened=address.endswith("/reopen")))
        rows = re.search(r"departmentSlug=rows-(\d+)", address)
        return _http({"data": self._rows[: int(rows.group(1)) if rows else ROWS], "nextCursor": "NTA"})

    def _whole(self, messages: int, *, is_reopened: bool) -> dict:
        """Return a closed ticket, or the same one reopened, with this many messages."""
        thread = self._ticket["messages"]
        repeated = [thread[number % len(thread)] | {"id": f"tmsg_{number}"} for number in range(messages)]
        status = "open" if is_reopened else "closed"
        return self._ticket | {"id": f"tkt_{messages}", "status": status, "messages": repeated}


def _http(value: dict) -> bytes:
    body = json.dumps(value).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


if __name__ == "__main__":
    main()
