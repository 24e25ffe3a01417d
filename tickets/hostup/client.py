"""The calls themselves: the only module that speaks HTTP with HostUp.

A `Pool` is shared by the whole process and keeps connections alive; a `Client` is one API key's view of HostUp,
made for one request of ours and thrown away after it. Each method is one call of the reference and raises an
error of `errors`.
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
IN_MEMORY_MOST_BYTES = 1024 * 1024  # of a file on its way; a larger one waits on the disk
CHUNK_BYTES = 64 * 1024
LONGEST_DISPOSITION = 8192  # characters; Python takes 4 s for one of 64 KB, and longer ones do not come
CONNECT_SECONDS = 3.0  # per address of HostUp's
READ_TRIES = 3
BACKOFF_SECONDS = 0.2  # doubled with every try, and a random share of it waited ("full jitter")
RETRIED_STATUSES = (502, 503, 504)
HUNG_UP = (ssl.SSLEOFError, ssl.SSLZeroReturnError)  # in a handshake: who that was, nobody knows
# A firewall that forgets a connection says nothing: a call over it would wait for all its time, and of a change
# nobody would know whether it arrived. So the system asks now and then, and closes it when nobody answers.
KEEPALIVE = {"TCP_KEEPIDLE": 15, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 2}  # in seconds, and how often
SOCKET_OPTIONS = [
    *HTTPConnection.default_socket_options,
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    # A system that has none of these does it in its own way.
    *((socket.IPPROTO_TCP, getattr(socket, name), KEEPALIVE[name]) for name in KEEPALIVE if hasattr(socket, name)),
]
BROKEN = (requests.RequestException, urllib3.exceptions.HTTPError, OSError)


class Download:
    """A file that is here, whole: iterate over its chunks, then (or instead) close it.

    Until then it keeps its places among the calls under way, because passing it on takes one of the server's
    threads as a call does; HostUp's connection is given back by now.

    `content_length` is in bytes; `beginning` are the first few, which tell what it is; `filename` is HostUp's
    word, unchecked.
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
    """What answered: its `status`, its clock (None when it did not say), when its certificate ends (None without
    TLS)."""

    status: int
    answered_at: datetime | None
    certificate_ends_at: datetime | None


class Pool:
    """The process's connections to HostUp.

    Arguments:
        base_url: such as `https://cloud.hostup.se`; nothing else is ever called.
        call_seconds: how long one call may take in all, retries included.
        file_seconds: the same for a file, between HostUp and here.
        most_at_once: calls under way at a time; one more is refused at once, so that a hanging HostUp does
            not take every thread of the server with it. Of these half may be files, which stay among them while
            they are passed on, for as long as the slow line of whoever downloads them takes.
        ca_bundle: path of the certificates to trust instead of the usual ones.
        proxy: address of a proxy to go through.
        watcher: is told what the calls do.

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
        """Hold one of the places for calls under way. Raises `Busy` when there is none."""
        with _held(self._slots), self.watcher.under_way():
            yield

    def file_slot(self):
        """Hold one of the places for files under way, beside the call's own. Raises `Busy` when there is none."""
        return _held(self._file_slots)

    @contextmanager
    def exchange(self, request: requests.PreparedRequest, call: deadline.Call):
        """Send one request and give its answer with the body still to be read.

        The adapter is used without a session: no cookies, no redirects, no netrc or proxy of the process's.
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
            response.close()  # gives the connection back when the body was read to its end

    def reach(self) -> Reached:
        """Ask for tickets without a key, which HostUp refuses with 401: for finding out whether it can be reached.

        Raises `Unavailable`, `TooSlow` or `Unsafe`, with what the system said of it as `detail`.
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

    `answered_at` is the time of the last answer on HostUp's clock, None when it did not say.
    """

    answered_at: datetime | None = None

    def __init__(self, pool: Pool, api_key: str):
        self._pool = pool
        self._api_key = api_key
        self._redaction = Redaction(api_key)

    # https://developer.hostup.se: GET /api/v2/support/tickets
    def tickets(self, *, status: str = "", department: str = "", cursor: str = "", limit: int = 50) -> Page:
        """Return one page of tickets. `limit` is 1 to 100; the rest filter when given.

        Not documented: their order. Newest activity first is what HostUp's panel shows.
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

        What this call answers is not documented: anything but a ticket raises `OutcomeUnknown`.
        """
        return self._change(f"/tickets/{_checked(ticket_id)}/actions/close", _about(ticket_id, wire.read_ticket))

    # https://developer.hostup.se: POST /api/v2/support/tickets/{id}/messages
    def reply(self, ticket_id: str, message: str, *, encrypted: bool = False) -> Message:
        """Write into the ticket, which must not be closed. `ticket_id` is a public id."""
        body = {"message": message, "encrypted": encrypted}
        read = _about(ticket_id, wire.read_message)
        return self._change(f"/tickets/{_checked(ticket_id)}/messages", read, json=body)

    # https://developer.hostup.se: POST /api/v2/support/tickets
    def create(self, fields: dict) -> Ticket:
        """Open a new ticket. `fields` are named as the reference does: `departmentSlug`, `subject`, …"""
        return self._change("/tickets", wire.read_ticket, json=fields)

    # https://developer.hostup.se: GET /api/v2/support/departments
    def departments(self) -> list[Department]:
        """Return the departments that take tickets; needs the scope `read:account`."""
        with _naming_no_ticket():
            return self._read("/departments", wire.read_departments)

    # https://developer.hostup.se: POST /api/v2/support/attachments
    def upload(self, ticket_id: str, filename: str, content: BinaryIO, size: int) -> Upload:
        """Upload a file of `size` bytes for a ticket. It is read piece by piece."""
        form = FileForm(filename, content, size, {"ticketId": _checked(ticket_id)})
        headers = {"Content-Type": form.content_type}
        call = deadline.Call(self._pool.file_seconds)
        slot = self._pool.file_slot()
        return self._change("/attachments", wire.read_upload, call=call, slot=slot, data=form, headers=headers)

    # https://developer.hostup.se: GET /api/v2/support/attachments/{id}
    def download(self, ticket_id: str, attachment_id: str) -> Download:
        """Return a file of a ticket, once it is here whole: how slowly it is passed on is not HostUp's doing.

        Raises `TooLarge` or `NoRoom`, beside the usual.
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

        No call tells a key's scopes. An upload without a file is the one writing call that can change nothing:
        a key without the scope gets 403, any other key gets its form refused. Not documented: that HostUp looks at
        the key first. If it did not, the first change of a key that may only read would tell.
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
        """Make a call that changes nothing, again when the connection or HostUp broke and time is left."""
        call = deadline.Call(self._pool.call_seconds)
        tried = 0
        with self._calling("GET", path):
            while True:
                tried += 1
                try:
                    return read(self._send("GET", path, call, params=params))
                except errors.Busy:  # to wait for a slot would take the threads that slots are to leave free
                    raise
                except errors.Unavailable as error:
                    pause = random.uniform(0, BACKOFF_SECONDS * 2**tried)  # noqa: S311  (no secret)
                    may_pass = error.status is None or error.status in RETRIED_STATUSES
                    if tried == tries or not may_pass or time.monotonic() + pause >= call.ends_at:
                        raise
                    time.sleep(pause)

    def _change(self, path: str, read: Callable[[wire.Answer], Value], *, call=None, slot=None, **body) -> Value:
        """Make a call that changes something: once, unless the request provably never left.

        Raises `OutcomeUnknown` when it may have left and HostUp did not answer in a way that says what became
        of it. HostUp documents no idempotency key, so only reading can settle that.
        """
        call = call or deadline.Call(self._pool.call_seconds)
        try:
            with self._calling("POST", path), slot or nullcontext():
                try:
                    return read(self._send("POST", path, call, **body))
                except errors.Unavailable:
                    if call.sent:
                        raise
                # Not inside the except: `_root_of` would find the first try's error behind this one's.
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
        """Make a call, with all its tries, inside the block.

        Raises `RateLimited` or `CircuitOpen`, without asking HostUp, when it is known what HostUp would do.
        """
        with self._pool.watcher.calling(_endpoint(method, path)):
            self._pool.rate_limits.check(self._api_key)
            with self._pool.circuit.calling(of_file=of_file):
                try:
                    yield
                except errors.RateLimited as error:
                    # `rate_limited` in answer to a new ticket may mean "one critical alert an hour" and then says
                    # nothing of other calls. If it does mean all calls, the next one will hear it.
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
        """Hold the clock around one exchange, and turn what the network does into our errors."""
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
    """Requests' adapter over sockets that keep to the call's time."""

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
    """Tell a disk that is full from a HostUp that breaks off."""
    try:
        yield
    except OSError:
        raise errors.NoRoom() from None


def _said_length(response: requests.Response) -> int:
    """Return how many bytes are to come, 0 when HostUp does not say."""
    said = response.headers.get("content-length", "")
    return int(said) if re.fullmatch(r"[0-9]{1,12}", said) else 0


def _limited(
    response: requests.Response, most_bytes: int, too_large: type[errors.Unreadable] = errors.Unreadable
) -> Iterator[bytes]:
    """Give the decoded body, and no more than `most_bytes` of it: 300 KB of gzip can hold 300 MB. Raises
    `too_large` for more."""
    total = 0
    try:
        for chunk in response.raw.stream(CHUNK_BYTES, decode_content=True):
            total += len(chunk)
            if total > most_bytes:
                raise too_large(status=response.status_code)
            yield chunk
    except (ValueError, OverflowError):  # a chunk of a negative length
        raise errors.Unreadable(status=response.status_code) from None


def _kind_of(error: BaseException, call: deadline.Call) -> type[errors.HostUpError]:
    """Return what it means for the call that the network, or the answer's packing, broke."""
    match error:
        case requests.Timeout() | urllib3.exceptions.TimeoutError() | TimeoutError():
            return errors.TooSlow
        case requests.exceptions.SSLError() if not (call.sent or isinstance(_root_of(error), HUNG_UP)):
            return errors.Unsafe
        case urllib3.exceptions.DecodeError():
            return errors.Unreadable
    # A time-out while sending comes as a broken connection.
    return errors.TooSlow if time.monotonic() >= call.ends_at else errors.Unavailable


def _end_of(certificate: dict) -> datetime:
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(certificate["notAfter"]), UTC)


def _root_of(error: BaseException) -> BaseException:
    """Return what the system said, out of all that was wrapped around it."""
    while error.__context__:
        error = error.__context__
    return error


def _endpoint(method: str, path: str) -> str:
    """Return the call as the reference names it, without the id that it is about."""
    return f"{method} {re.sub('(?<=^/tickets/)[^/]+|(?<=^/attachments/)[^/]+', '{id}', path)}"


def _checked(identifier: str) -> str:
    """Return the id when it may go into a path. Raises `NotFound` for one that HostUp cannot have."""
    if not re.fullmatch(ID_PATTERN, identifier):
        raise errors.NotFound()
    return identifier


@contextmanager
def _naming_no_ticket():
    """Say what "not found" means where nothing was named that could be missing. Raises `NoSuchCall`."""
    try:
        yield
    except errors.NotFound as error:
        problem = {name: getattr(error, name) for name in ("status", "code", "detail", "request_id")}
        raise errors.NoSuchCall(**problem) from None


def _about(ticket_id: str, read: Callable[[wire.Answer], Value]) -> Callable[[wire.Answer], Value]:
    """Return `read`, which raises `Unreadable` for what is about another ticket: it proves nothing of this one."""

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
    except (ValueError, TypeError):  # it names an encoding that is none, or two names that Python cannot sort
        return None
