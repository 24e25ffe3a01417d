"""Sockets that hold a whole call to its time.

A socket's own timeout begins anew with every read: measured, `timeout=1` let a server that drips one byte at a
time go on for 11 s, in the headers as in the body. These sockets set the timeout before each read and write to
what is left of the call, and note whether anything was written: a call that failed before that never left.

What is not held: looking up HostUp's name, which the operating system times by itself, and connecting, which may
take `CONNECT_SECONDS` for each of HostUp's addresses.
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
    """One call's clock. `sent` tells whether any of the request may have left this machine; `status` is that of
    the answer, when as much of one came; `certificate` is the server's, as `ssl` decodes it, when the call made a
    new connection over TLS."""

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
        """Hold what this thread reads and writes inside the block to this call's time."""
        _thread.call = self
        try:
            yield
        finally:
            _thread.call = None


class _Timed:
    """What a plain and a TLS socket have in common here."""

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
    """The lines before an answer's body; `last` is the one read last, b"" where they broke off."""

    def __init__(self, fp):
        self._fp = fp
        self.close = fp.close
        self.last = b""

    def readline(self, limit: int) -> bytes:
        self.last = self._fp.readline(limit)
        return self.last


class _FinalResponse(HTTPResponse):
    """The answer itself, with all its headers.

    Python takes what may come before it (102, 103), but for 100, as the answer, and who is next to call over the
    connection would get this one's. And it takes headers that break off as all there are: without their length a
    body that never came would be a whole one of nothing.
    """

    def begin(self):
        fp = self.fp
        self.fp = head = _Head(fp)
        try:
            super().begin()
            while self.status < 200:
                self.headers = None  # else it counts as begun
                super().begin()
        finally:
            self.fp = self.fp and fp  # None: closed, since what came is no HTTP
        if not head.last:
            raise IncompleteRead(b"")


class _TimedConnection(HTTPConnection):
    response_class = _FinalResponse

    def _new_conn(self):
        connected = super()._new_conn()
        timed = _TimedSocket(connected.family, connected.type, connected.proto, connected.detach())
        timed.settimeout(min(self.timeout, _thread.call.remaining()))  # of a handshake, too
        return timed


class _TimedTLSConnection(_TimedConnection, HTTPSConnection):
    def connect(self):
        sent = _thread.call.sent
        try:
            super().connect()
        finally:
            _thread.call.sent = sent  # a proxy may have been asked for the way: that is nothing of the request
        if not isinstance(self.sock, _Timed):  # else a change that was sent would count as one that never left
            raise ssl.SSLError("a socket that does not tell what was sent")
        _thread.call.certificate = self.sock.getpeercert()


class _TimedPool(HTTPConnectionPool):
    ConnectionCls = _TimedConnection


class _TimedTLSPool(HTTPSConnectionPool):
    ConnectionCls = _TimedTLSConnection


POOL_CLASSES = {"http": _TimedPool, "https": _TimedTLSPool}


def tls_context() -> ssl.SSLContext:
    """Return a context whose sockets keep to the call's time.

    Certificates are checked for their name, their signatures and their dates, as browsers do. Python 3.13 would
    ask for more (`VERIFY_X509_STRICT`), which many a company's own authority has not.
    """
    context = create_urllib3_context(verify_flags=ssl.VERIFY_X509_PARTIAL_CHAIN)
    context.sslsocket_class = _TimedTLSSocket
    return context
