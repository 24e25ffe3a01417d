"""The calls themselves: the only module that speaks HTTP with HostUp.

A `Pool` is shared by the whole process and keeps connections alive. A `Client` is HostUp as one API key sees it,
made for one request to the dashboard and thrown away afterwards. Each of its methods makes one call of the
reference and raises the exceptions of `errors`.
"""

import random
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from datetime import UTC, datetime
from email.message import Message as Headers
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, NamedTuple, TypeVar

import requests
import urllib3.exceptions
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection

from tickets.hostup import deadline, errors, tally, wire
from tickets.hostup.circuit import Circuit
from tickets.hostup.limits import RateLimits
from tickets.hostup.multipart import FileForm
from tickets.hostup.redaction import Redaction
from tickets.hostup.types import ID_PATTERN, Department, Message, Page, Ticket, Upload
from tickets.hostup.watcher import Watcher

Value = TypeVar("Value")

USER_AGENT = "HostUp-Dashboard/1.0"
JSON_MOST_BYTES = 5 * 1024 * 1024
ATTACHMENT_MOST_BYTES = 25 * 1024 * 1024
IN_MEMORY_MOST_BYTES = 1024 * 1024  # of a file being passed on; a larger one is kept on the disk
CHUNK_BYTES = 64 * 1024
LONGEST_DISPOSITION = 8192  # characters; Python takes 4 s to parse one of 64 KB, the most that it reads
CONNECT_SECONDS = 3.0  # for each of HostUp's addresses
READ_TRIES = 3
BACKOFF_SECONDS = 0.2  # doubled with every try; the pause is a random part of it ("full jitter")
RETRIED_STATUSES = (502, 503, 504)
HUNG_UP = (
    ssl.SSLEOFError,
    ssl.SSLZeroReturnError,
)  # in a handshake: no proof that it is not HostUp, so not `Unsafe`
# A firewall may silently forget a connection. The next call over it would wait until its deadline, and if that is
# a change, nobody would know whether it arrived. So the system probes idle connections and closes dead ones.
KEEPALIVE = {"TCP_KEEPIDLE": 15, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 2}  # seconds, seconds, probes
SOCKET_OPTIONS = [
    *HTTPConnection.default_socket_options,
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    # Where a system lacks an option, its own default applies.
    *((socket.IPPROTO_TCP, getattr(socket, name), KEEPALIVE[name]) for name in KEEPALIVE if hasattr(socket, name)),
]
BROKEN = (requests.RequestException, urllib3.exceptions.HTTPError, OSError)


class Download:
    """A file that has arrived completely: iterate over its chunks, then (or instead) close it.

    Until then it holds its slots, because passing it on takes one of the server's threads, as a call does. The
    connection to HostUp is no longer in use.

    `content_length` is in bytes; `beginning` is the first few, which tell the file's type; `filename` is as HostUp
    sent it, unchecked.
    """

    def __init__(self, content: BinaryIO, filename: str | None, held: ExitStack):
        self.filename = filename
        self.content_length = content.tell()
        content.seek(0)
        self.beginning = content.read(16)
        content.seek(0)
        self._content = content
        self._held = held

    def __iter__(self) -> Iterator[bytes]:
        with self._held:
            while chunk := self._content.read(CHUNK_BYTES):
                yield chunk

    def close(self) -> None:
        self._held.close()


class Reached(NamedTuple):
    """The answer to `Pool.reach`: its `status`, the server's clock (None if it sent no time), and when its
    certificate expires (None if no TLS connection was opened for it)."""

    status: int
    answered_at: datetime | None
    certificate_ends_at: datetime | None


class Pool:
    """The process's connections to HostUp.

    Arguments:
        base_url: such as `https://cloud.hostup.se`; nothing else is ever called.
        call_seconds: how long one call may take in all, retries included.
        file_seconds: the same for transferring a file between HostUp and this process.
        most_at_once: how many calls may be under way. One more is refused at once, so that a hanging HostUp does
            not tie up every thread of the server. At most half of them may be files; a download counts until the
            agent's browser has all of it, however slow its connection is.
        ca_bundle: path of the certificates to trust instead of the usual ones.
        proxy: address of a proxy to go through.
        watcher: is told about the calls.

    `circuit` tells whether HostUp answers, `rate_limits` which keys have to wait.
    """

    def __init__(
        self,
        base_url: str,
        *,
        call_seconds: float,
        file_seconds: float,
        most_at_once: int,
        ca_bundle: str | None = None,
        proxy: str | None = None,
        watcher: Watcher | None = None,
    ):
        self.base_url = base_url
        self.call_seconds = call_seconds
        self.file_seconds = file_seconds
        self._verify = ca_bundle or True
        self._proxies = {"http": proxy, "https": proxy} if proxy else {}
        self._slots = threading.BoundedSemaphore(most_at_once)
        self._file_slots = threading.BoundedSemaphore(max(1, most_at_once // 2))
        self.watcher = watcher or Watcher()
        self.circuit = Circuit(changed=self.watcher.circuit_changed)
        self.rate_limits = RateLimits()
        self._adapter = _Adapter(pool_connections=1, pool_maxsize=most_at_once)

    def client(self, api_key: str) -> "Client":
        """Return the client that calls with `api_key`."""
        return Client(self, api_key)

    @contextmanager
    def slot(self):
        """Hold one of the slots for calls under way. Raises `Busy` when none is free."""
        with _held(self._slots), self.watcher.under_way():
            yield

    def file_slot(self):
        """Hold one of the slots for files under way, besides the call's own. Raises `Busy` when none is free."""
        return _held(self._file_slots)

    @contextmanager
    def exchange(self, request: requests.PreparedRequest, call: deadline.Call):
        """Send one request and yield its answer, with the body still to be read.

        The adapter is used without a session: no cookies, no redirects, no netrc or proxy from the environment.
        """
        response = self._adapter.send(
            request,
            stream=True,
            timeout=min(CONNECT_SECONDS, call.remaining()),
            verify=self._verify,
            proxies=self._proxies,
        )
        call.status = response.status_code
        try:
            yield response
        finally:
            response.close()  # returns the connection to the pool if the body was read to its end

    def reach(self) -> Reached:
        """Find out whether HostUp can be reached: ask for tickets without a key, which it refuses with 401.

        Raises `Unavailable`, `TooSlow` or `Unsafe`, with the system's own message as `detail`.
        """
        headers = {"Accept": "application/json", "User-Agent": USER_AGENT}
        request = requests.Request("GET", f"{self.base_url}/api/v2/support/tickets", headers=headers).prepare()
        call = deadline.Call(self.call_seconds)
        try:
            with call.timed(), self.exchange(request, call) as response:
                answered_at = wire.http_date(response.headers.get("date", ""))
                return Reached(response.status_code, answered_at, call.certificate and _end_of(call.certificate))
        except BROKEN as error:
            raise _kind_of(error, call)(detail=str(_root_of(error))) from None


class Client:
    """HostUp as one API key sees it.

    `answered_at` is the time of the last answer on HostUp's clock, None if it sent no time.
    """

    answered_at: datetime | None = None

    def __init__(self, pool: Pool, api_key: str):
        self._pool = pool
        self._api_key = api_key
        self._redaction = Redaction(api_key)

    # https://developer.hostup.se: GET /api/v2/support/tickets
    def tickets(self, *, status: str = "", department: str = "", cursor: str = "", limit: int = 50) -> Page:
        """Return one page of tickets. `limit` is 1 to 100; the others apply only when given.

        Not documented: the order. HostUp's panel shows the newest activity first.
        """
        filters = {"status": status, "departmentSlug": department, "cursor": cursor}
        params = {"limit": str(limit)} | {name: value for name, value in filters.items() if value}
        with _naming_no_ticket():
            return self._read("/tickets", wire.read_page, params=params)

    # https://developer.hostup.se: GET /api/v2/support/tickets/{id}
    def ticket(self, ticket_id: str, *, tries: int = READ_TRIES) -> Ticket:
        """Return the ticket with its thread. `ticket_id` is a public id or a number."""
        read = _about(ticket_id, wire.read_ticket)
        return self._read(f"/tickets/{_checked(ticket_id)}", read, tries=tries)

    # https://developer.hostup.se: POST /api/v2/support/tickets/{id}/actions/reopen
    def reopen(self, ticket_id: str) -> Ticket:
        """Reopen the ticket and return it as it is now."""
        return self._change(f"/tickets/{_checked(ticket_id)}/actions/reopen", _about(ticket_id, wire.read_ticket))

    # https://developer.hostup.se: POST /api/v2/support/tickets/{id}/actions/close
    def close(self, ticket_id: str) -> Ticket:
        """Close the ticket and return it as it is now.

        Not documented: what this call answers. Anything but a ticket raises `OutcomeUnknown`.
        """
        return self._change(f"/tickets/{_checked(ticket_id)}/actions/close", _about(ticket_id, wire.read_ticket))

    # https://developer.hostup.se: POST /api/v2/support/tickets/{id}/messages
    def reply(self, ticket_id: str, message: str, *, encrypted: bool = False) -> Message:
        """Add a message to the ticket, which must not be closed. `ticket_id` is a public id."""
        body = {"message": message, "encrypted": encrypted}
        read = _about(ticket_id, wire.read_message)
        return self._change(f"/tickets/{_checked(ticket_id)}/messages", read, json=body)

    # https://developer.hostup.se: POST /api/v2/support/tickets
    def create(self, fields: dict) -> Ticket:
        """Create a ticket and return it. `fields` has the reference's names: `departmentSlug`, `subject`, …"""
        return self._change("/tickets", wire.read_ticket, json=fields)

    # https://developer.hostup.se: GET /api/v2/support/departments
    def departments(self) -> list[Department]:
        """Return the departments that take tickets; needs the scope `read:account`."""
        with _naming_no_ticket():
            return self._read("/departments", wire.read_departments)

    # https://developer.hostup.se: POST /api/v2/support/attachments
    def upload(self, ticket_id: str, filename: str, content: BinaryIO, size: int) -> Upload:
        """Upload a file of `size` bytes for a ticket. It is read in chunks."""
        form = FileForm(filename, content, size, {"ticketId": _checked(ticket_id)})
        headers = {"Content-Type": form.content_type}
        call = deadline.Call(self._pool.file_seconds)
        slot = self._pool.file_slot()
        return self._change("/attachments", wire.read_upload, call=call, slot=slot, data=form, headers=headers)

    # https://developer.hostup.se: GET /api/v2/support/attachments/{id}
    def download(self, ticket_id: str, attachment_id: str) -> Download:
        """Return a file of a ticket once all of it has arrived, so that a slow browser is not taken for a slow
        HostUp.

        Raises `TooLarge` or `NoRoom`, besides the usual errors.
        """
        call = deadline.Call(self._pool.file_seconds)
        path, params = f"/attachments/{_checked(attachment_id)}", {"ticketId": _checked(ticket_id)}
        with self._calling("GET", path, of_file=True), ExitStack() as held:
            held.enter_context(self._pool.file_slot())
            held.enter_context(self._pool.slot())
            content = held.enter_context(SpooledTemporaryFile(IN_MEMORY_MOST_BYTES))
            with self._exchange("GET", path, call, params=params) as response:
                if response.status_code != 200:
                    answer = self._complete(response)
                    wire.raise_for_status(answer)
                    raise errors.Unreadable(status=answer.status)
                if _said_length(response) > ATTACHMENT_MOST_BYTES:
                    raise errors.TooLarge(status=200)
                for chunk in _limited(response, ATTACHMENT_MOST_BYTES, errors.TooLarge):
                    with _room():
                        content.write(chunk)
                filename = _filename(self._headers(response).get("content-disposition", "")[:LONGEST_DISPOSITION])
            with _room():
                return Download(content, filename, held.pop_all())

    def can_write(self) -> bool | None:
        """Tell whether the key has `write:support`; None when HostUp's answer does not say.

        No call returns a key's scopes. An upload without a file is the only write call that cannot change
        anything: a key without the scope gets 403, and any other key has its form refused. Not documented: that
        HostUp checks the key before the form. If it does not, a read-only key is found out by the first change
        made with it.
        """
        try:
            call = deadline.Call(self._pool.call_seconds)
            with self._calling("POST", "/attachments"):
                self._send("POST", "/attachments", call, files={"none": (None, "")})
        except errors.Forbidden as error:
            return False if error.lacks_scope else None
        except errors.Invalid as error:
            return True if error.code == "invalid_request" else None
        except errors.HostUpError:
            return None
        return None

    def _read(
        self, path: str, read: Callable[[wire.Answer], Value], *, params=None, tries: int = READ_TRIES
    ) -> Value:
        """Make a read-only call. Retry it while time is left if the connection or HostUp failed."""
        call = deadline.Call(self._pool.call_seconds)
        tried = 0
        with self._calling("GET", path):
            while True:
                tried += 1
                try:
                    return read(self._send("GET", path, call, params=params))
                except errors.Busy:  # waiting for a slot would take the threads that slots are meant to keep free
                    raise
                except errors.Unavailable as error:
                    pause = random.uniform(0, BACKOFF_SECONDS * 2**tried)  # noqa: S311  (no secret)
                    may_pass = error.status is None or error.status in RETRIED_STATUSES
                    if tried == tries or not may_pass or time.monotonic() + pause >= call.ends_at:
                        raise
                    time.sleep(pause)

    def _change(self, path: str, read: Callable[[wire.Answer], Value], *, call=None, slot=None, **body) -> Value:
        """Make a call that changes something. Send it once more only if it provably never left.

        Raises `OutcomeUnknown` when it may have left and no answer tells what became of it. HostUp documents no
        idempotency key, so only reading can settle that.
        """
        call = call or deadline.Call(self._pool.call_seconds)
        try:
            with self._calling("POST", path), slot or nullcontext():
                try:
                    return read(self._send("POST", path, call, **body))
                except errors.Unavailable:
                    if call.sent:
                        raise
                # Outside the except block, or `_root_of` would find the first try's error behind this one's.
                return read(self._send("POST", path, call, **body))
        except (errors.Unavailable, errors.Unreadable) as error:
            if not call.sent:
                raise
            raise errors.OutcomeUnknown(
                too_slow=isinstance(error, errors.TooSlow),
                status=error.status or call.status,
                code=error.code,
                detail=error.detail,
                request_id=error.request_id,
            ) from None

    @contextmanager
    def _calling(self, method: str, path: str, *, of_file: bool = False):
        """Run a call, with all its tries, inside the block.

        Raises `RateLimited` or `CircuitOpen`, without asking HostUp, while the key has to wait or HostUp is down.
        """
        with self._pool.watcher.calling(_endpoint(method, path)):
            self._pool.rate_limits.check(self._api_key)
            with self._pool.circuit.calling(of_file=of_file):
                try:
                    yield
                except errors.RateLimited as error:
                    # `rate_limited` in answer to a new ticket may mean "one critical alert an hour", which does
                    # not affect other calls. If it does mean all calls, the next one gets the same answer.
                    may_be_critical = (method, path, error.code) == ("POST", "/tickets", "rate_limited")
                    if not may_be_critical:
                        self._pool.rate_limits.remember(self._api_key, error.retry_after)
                    raise

    def _send(self, method: str, path: str, call: deadline.Call, **request) -> wire.Answer:
        """Make one call and return its complete, successful answer."""
        with self._pool.slot(), self._exchange(method, path, call, **request) as response:
            answer = self._complete(response)
            self.answered_at = wire.http_date(answer.headers.get("date", ""))
            wire.raise_for_status(answer)
        return answer

    def _complete(self, response: requests.Response) -> wire.Answer:
        body = b"".join(_limited(response, JSON_MOST_BYTES))
        return wire.Answer(response.status_code, self._headers(response), self._redaction.of_body(body))

    def _headers(self, response: requests.Response) -> dict[str, str]:
        """Return the headers by lower-case name."""
        headers = {name.lower(): value.encode("latin-1", "replace") for name, value in response.headers.items()}
        return {name: self._redaction.of(value).decode("latin-1") for name, value in headers.items()}

    @contextmanager
    def _exchange(self, method: str, path: str, call: deadline.Call, *, headers=None, **request):
        """Hold one exchange to the call's deadline, and turn what goes wrong on the network into `errors`."""
        prepared = requests.Request(
            method,
            f"{self._pool.base_url}/api/v2/support{path}",
            headers={
                "Authorization": f"Bearer {self._api_key}",
                "Accept": "application/json",
                "Accept-Encoding": "gzip",
                "User-Agent": USER_AGENT,
                **(headers or {}),
            },
            **request,
        ).prepare()
        with call.timed(), tally.counted():
            try:
                with self._pool.exchange(prepared, call) as response:
                    yield response
            except BROKEN as error:
                raise _kind_of(error, call)() from None


class _Adapter(HTTPAdapter):
    """Requests' adapter over sockets that keep to the call's deadline."""

    def init_poolmanager(self, *args, **kwargs):
        context = deadline.tls_context()
        super().init_poolmanager(*args, ssl_context=context, socket_options=SOCKET_OPTIONS, **kwargs)
        self.poolmanager.pool_classes_by_scheme = deadline.POOL_CLASSES

    def proxy_manager_for(self, proxy, **kwargs):
        context = deadline.tls_context()
        manager = super().proxy_manager_for(proxy, ssl_context=context, socket_options=SOCKET_OPTIONS, **kwargs)
        manager.pool_classes_by_scheme = deadline.POOL_CLASSES
        return manager


@contextmanager
def _held(slots: threading.BoundedSemaphore):
    if not slots.acquire(blocking=False):
        raise errors.Busy()
    try:
        yield
    finally:
        slots.release()


@contextmanager
def _room():
    """Raise `NoRoom` when the disk fails, so that it does not pass for a broken connection to HostUp."""
    try:
        yield
    except OSError:
        raise errors.NoRoom() from None


def _said_length(response: requests.Response) -> int:
    """Return how many bytes HostUp says will come, 0 if it does not say."""
    said = response.headers.get("content-length", "")
    return int(said) if re.fullmatch(r"[0-9]{1,12}", said) else 0


def _limited(
    response: requests.Response, most_bytes: int, too_large: type[errors.Unreadable] = errors.Unreadable
) -> Iterator[bytes]:
    """Yield the decoded body, at most `most_bytes` of it: 300 KB of gzip can hold 300 MB. Raises `too_large` for
    more."""
    total = 0
    try:
        for chunk in response.raw.stream(CHUNK_BYTES, decode_content=True):
            total += len(chunk)
            if total > most_bytes:
                raise too_large(status=response.status_code)
            yield chunk
    except (ValueError, OverflowError):  # a chunk with a negative length
        raise errors.Unreadable(status=response.status_code) from None


def _kind_of(error: BaseException, call: deadline.Call) -> type[errors.HostUpError]:
    """Return the error to raise when the network failed or the answer could not be decompressed."""
    match error:
        case requests.Timeout() | urllib3.exceptions.TimeoutError() | TimeoutError():
            return errors.TooSlow
        case requests.exceptions.SSLError() if not (call.sent or isinstance(_root_of(error), HUNG_UP)):
            return errors.Unsafe
        case urllib3.exceptions.DecodeError():
            return errors.Unreadable
    # A time-out while sending is reported as a broken connection.
    return errors.TooSlow if time.monotonic() >= call.ends_at else errors.Unavailable


def _end_of(certificate: dict) -> datetime:
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(certificate["notAfter"]), UTC)


def _root_of(error: BaseException) -> BaseException:
    """Return the innermost error: the system's own, inside those that wrap it."""
    while error.__context__:
        error = error.__context__
    return error


def _endpoint(method: str, path: str) -> str:
    """Return the reference's name for the call, with `{id}` in place of the id."""
    return f"{method} {re.sub('(?<=^/tickets/)[^/]+|(?<=^/attachments/)[^/]+', '{id}', path)}"


def _checked(identifier: str) -> str:
    """Return the id if it may go into a path. Raises `NotFound` for one that HostUp cannot have."""
    if not re.fullmatch(ID_PATTERN, identifier):
        raise errors.NotFound()
    return identifier


@contextmanager
def _naming_no_ticket():
    """Turn `NotFound` into `NoSuchCall` for a call that names nothing that could be missing."""
    try:
        yield
    except errors.NotFound as error:
        problem = {name: getattr(error, name) for name in ("status", "code", "detail", "request_id")}
        raise errors.NoSuchCall(**problem) from None


def _about(ticket_id: str, read: Callable[[wire.Answer], Value]) -> Callable[[wire.Answer], Value]:
    """Make `read` raise `Unreadable` for an answer about another ticket: it proves nothing about this one."""

    def read_own(answer: wire.Answer) -> Value:
        value = read(answer)
        if ticket_id not in value.names_of_ticket:
            raise errors.Unreadable(status=answer.status)
        return value

    return read_own


def _filename(content_disposition: str) -> str | None:
    headers = Headers()
    headers["Content-Disposition"] = content_disposition
    try:
        filename = headers.get_filename()
        return filename and filename.encode(errors="replace").decode()
    except (ValueError, TypeError):  # an unknown encoding, or two names that Python cannot sort
        return None
