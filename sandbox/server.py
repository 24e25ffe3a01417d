"""The sandbox as a real HTTP server on the loopback interface, with its state and its journal."""

import itertools
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import SHUT_RDWR, socket
from threading import Event, Lock, Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from . import keys
from .answer import Answer, Request, problem_answer
from .api import MAX_UPLOAD, Api, bearer_key
from .control import PREFIX, control
from .faults import Fault, Faults, apply_fault
from .limits import RateLimiter
from .problems import Problem
from .seed import filled
from .store import Store
from .wire import Wire

HOST = "127.0.0.1"
# Up to this size, an upload that is too large is read to its end, so that the client gets to see the 413.
MAX_BODY = 4 * MAX_UPLOAD


@dataclass(slots=True)
class Call:
    """One line of the journal, written when a call comes in. Control calls are not in it.

    `status` is the answer's: None until there is one, and for good if the connection was dropped.
    `key_name` is the name from keys.py, None for no key or an unknown one. `connection` numbers the
    connections from 1. `headers` come without Authorization.
    """

    method: str
    path: str
    query: dict[str, str]
    key_name: str | None
    connection: int
    headers: dict[str, str] = field(repr=False)
    status: int | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "status": self.status,
            "keyName": self.key_name,
            "connection": self.connection,
        }


class Sandbox:
    """HostUp's support API with made-up tickets.

        with Sandbox() as sandbox:
            requests.get(sandbox.url + "/api/v2/support/tickets", headers=…)

    port          0 takes a free one; a stopped sandbox starts again on the same port
    seed          the same seed makes the same tickets
    rate_limit    calls per key and minute
    repeats       tickets that are created later get the same ids and numbers each time, too

    The attributes `already`, `close_answer` and `encrypted_body` are what the API reference leaves open (see
    api.Undocumented); they can be changed at any time, and `reset` sets them back.
    """

    def __init__(
        self,
        port: int = 0,
        seed: int = 1,
        *,
        rate_limit: int = 600,
        repeats: bool = True,
    ) -> None:
        self.port = port
        self.seed = seed
        self.repeats = repeats
        self._limiter = RateLimiter(rate_limit)
        self._faults = Faults()
        self._calls: list[Call] = []
        self._calls_lock = Lock()
        self._server: _Server | None = None
        self.reset()

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def tickets(self) -> Store:
        """Return the state. A reset makes a new one."""
        return self._api.store

    @property
    def calls(self) -> list[Call]:
        """Return a copy of the journal, oldest first."""
        with self._calls_lock:
            return list(self._calls)

    def start(self) -> "Sandbox":
        self._server = _Server(self)
        self.port = self._server.server_address[1]
        Thread(target=self._server.serve_forever, args=(0.05,), name="sandbox", daemon=True).start()
        return self

    def stop(self) -> None:
        """Stop the server and cut every connection. The state stays."""
        if self._server is not None:
            self._server.stop()
            self._server = None

    def __enter__(self) -> "Sandbox":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def reset(self) -> None:
        """Start over: fresh tickets, no faults, no calls, full rate limits, every switch as at first."""
        store = filled(self.seed)
        if not self.repeats:
            store.rng.seed()
        self.already, self.close_answer, self.encrypted_body = "unchanged", "ticket", "text"
        self._limiter.clear()
        self._faults.clear()
        self.clear_calls()
        self._api = Api(store, self._limiter, self)

    def clear_calls(self) -> None:
        with self._calls_lock:
            self._calls.clear()

    def fault(self, name: str | None = None, **arguments: Any) -> None:
        """Make a later call go wrong. Takes a name from named_faults.NAMED, fields of faults.Fault, or both."""
        self._faults.add(Fault.named(name, **arguments))

    def clear_faults(self) -> None:
        self._faults.clear()

    def handle(self, request: Request, wire: Wire, connection: int, *, close: bool) -> bool:
        """Answer one request on its connection; return True if the connection can be used again."""
        head_only = request.method == "HEAD"
        if request.path.startswith(PREFIX):
            return wire.send(control(self, request), None, head_only=head_only, close=close)
        call = self._note(request, connection)
        fault = self._faults.take(request.method, request.path)
        answer = self._api.answer(request) if fault is None or fault.carries_out else None
        if fault is not None:
            if fault.drop is not None:
                if fault.delay:
                    wire.stopping.wait(fault.delay)
                wire.reset()
                return False
            answer = apply_fault(fault, answer, request.path, self.url)
        # Before sending: a client that has its answer must find it in the journal.
        call.status = answer.status
        return wire.send(answer, fault, head_only=head_only, close=close)

    def _note(self, request: Request, connection: int) -> Call:
        holder = keys.HOLDERS.get(bearer_key(request))
        headers = {name: value for name, value in request.headers.items() if name.lower() != "authorization"}
        call = Call(
            method=request.method,
            path=request.path,
            query=dict(request.query),
            key_name=holder.key_name if holder else None,
            connection=connection,
            headers=headers,
        )
        with self._calls_lock:
            self._calls.append(call)
        return call


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.stopping = Event()
        self.connection_numbers = itertools.count(1)
        self._open: set[socket] = set()
        self._open_lock = Lock()
        super().__init__((HOST, sandbox.port), _Handler)

    def process_request(self, request: socket, client_address: Any) -> None:
        with self._open_lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: socket) -> None:
        with self._open_lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore a client that went away. Anything else is a mistake of ours and is shown."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    def stop(self) -> None:
        self.stopping.set()
        self.shutdown()
        self.server_close()
        with self._open_lock:
            for connection in self._open:
                with suppress(OSError):  # already gone
                    connection.shutdown(SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    """Reads requests off one connection and hands them to the sandbox."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server
    path = ""  # for a request line that cannot be read

    def setup(self) -> None:
        super().setup()
        self.number = next(self.server.connection_numbers)
        self.wire = Wire(self.connection, self.server.stopping)

    def handle_call(self) -> None:
        try:
            body = self._read_body()
        except Problem as problem:
            self.close_connection = True
            self._send_alone(problem_answer(problem, self.path))
            return
        url = urlsplit(self.path)
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        request = Request(self.command, url.path, query, self.headers, body)
        again = self.server.sandbox.handle(request, self.wire, self.number, close=self.close_connection)
        self.close_connection = not again

    def __getattr__(self, name: str) -> Any:
        """Return `handle_call` for any do_… that http.server looks for: the API answers unknown ones with 405."""
        if name.startswith("do_"):
            return self.handle_call
        raise AttributeError(name)

    def _read_body(self) -> bytes:
        if "Transfer-Encoding" in self.headers:
            raise Problem(411, "The sandbox needs a Content-Length.")
        length = self.headers.get("Content-Length", "0")
        if not (length.isascii() and length.isdigit()):
            raise Problem(400, "Content-Length is no number.")
        if int(length) > MAX_BODY:
            raise Problem(413, "The request is far too large.")
        return self.rfile.read(int(length))

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer in HostUp's form to a request that http.server cannot read."""
        self.close_connection = True
        self._send_alone(problem_answer(Problem(code, message or "The request is not HTTP."), self.path))

    def _send_alone(self, answer: Answer) -> None:
        self.wire.send(answer, None, head_only=self.command == "HEAD", close=True)

    def log_message(self, *_: object) -> None:
        """Write no access log: the journal (`calls`) knows more."""
