"""Sockets that hold a whole call to its deadline.

A socket's own timeout starts over with every read: measured, a server that sent one byte at a time kept a call
with `timeout=1` going for 11 s, in the headers as well as in the body. Before each read and write, these sockets
set the timeout to what is left of the call. They also note whether anything was written: if not, the call never
left.

The deadline does not cover looking up HostUp's name, which the operating system times by itself, nor connecting,
which may take `CONNECT_SECONDS` for each of HostUp's addresses.
"""

import socket
import ssl
import threading
import time
from contextlib import contextmanager
from http.client import HTTPResponse, IncompleteRead

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util.ssl_ import create_urllib3_context

_thread = threading.local()  # its `call` is the one under way


class Call:
    """The deadline of one call. `sent` tells whether any of the request may have left this machine. `status` is
    the answer's, if that much of it came. `certificate` is the server's, as `ssl` decodes it, if the call opened a
    new TLS connection."""

    def __init__(self, seconds: float):
        self.ends_at = time.monotonic() + seconds
        self.sent = False
        self.status: int | None = None
        self.certificate: dict | None = None

    def remaining(self) -> float:
        """Return the seconds left. Raises `TimeoutError` when there are none."""
        seconds = self.ends_at - time.monotonic()
        if seconds <= 0:
            raise TimeoutError("the call's time is up")
        return seconds

    @contextmanager
    def timed(self):
        """Hold what this thread reads and writes inside the block to this call's deadline."""
        _thread.call = self
        try:
            yield
        finally:
            _thread.call = None


class _Timed:
    """What the plain and the TLS socket have in common."""

    def recv_into(self, *args, **kwargs):
        self.settimeout(_thread.call.remaining())
        return super().recv_into(*args, **kwargs)

    def send(self, *args, **kwargs):
        self.settimeout(_thread.call.remaining())
        _thread.call.sent = True
        return super().send(*args, **kwargs)

    def sendall(self, *args, **kwargs):
        self.settimeout(_thread.call.remaining())
        _thread.call.sent = True
        return super().sendall(*args, **kwargs)


class _TimedSocket(_Timed, socket.socket):
    pass


class _TimedTLSSocket(_Timed, ssl.SSLSocket):
    pass


class _Head:
    """The lines before an answer's body; `last` is the last one read, b"" if they broke off."""

    def __init__(self, fp):
        self._fp = fp
        self.close = fp.close
        self.last = b""

    def readline(self, limit: int) -> bytes:
        self.last = self._fp.readline(limit)
        return self.last


class _FinalResponse(HTTPResponse):
    """The final answer, with all its headers.

    Python skips an interim answer only if it is a 100. It takes others (102, 103) for the final one, and the next
    call over the connection would get the answer to this call. It also takes headers that break off for all of
    them: without a length among them, a body that never came would count as complete and empty.
    """

    def begin(self):
        fp = self.fp
        self.fp = head = _Head(fp)
        try:
            super().begin()
            while self.status < 200:
                self.headers = None  # else `begin` returns at once
                super().begin()
        finally:
            self.fp = self.fp and fp  # None: it was closed, because what came is not HTTP
        if not head.last:
            raise IncompleteRead(b"")


class _TimedConnection(HTTPConnection):
    response_class = _FinalResponse

    def _new_conn(self):
        connected = super()._new_conn()
        timed = _TimedSocket(connected.family, connected.type, connected.proto, connected.detach())
        timed.settimeout(min(self.timeout, _thread.call.remaining()))  # for a TLS handshake, too
        return timed


class _TimedTLSConnection(_TimedConnection, HTTPSConnection):
    def connect(self):
        sent = _thread.call.sent
        try:
            super().connect()
        finally:
            _thread.call.sent = sent  # a CONNECT to a proxy is no part of the request
        if not isinstance(self.sock, _Timed):  # else a change that was sent would count as one that never left
            raise ssl.SSLError("a socket that does not tell what was sent")
        _thread.call.certificate = self.sock.getpeercert()


class _TimedPool(HTTPConnectionPool):
    ConnectionCls = _TimedConnection


class _TimedTLSPool(HTTPSConnectionPool):
    ConnectionCls = _TimedTLSConnection


POOL_CLASSES = {"http": _TimedPool, "https": _TimedTLSPool}


def tls_context() -> ssl.SSLContext:
    """Return a context whose sockets keep to the call's deadline.

    A certificate's name, signatures and dates are checked, as browsers do. Python 3.13 would check more
    (`VERIFY_X509_STRICT`), which the certificates of many companies' own authorities do not pass.
    """
    context = create_urllib3_context(verify_flags=ssl.VERIFY_X509_PARTIAL_CHAIN)
    context.sslsocket_class = _TimedTLSSocket
    return context
