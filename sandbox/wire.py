"""Put an answer on the socket, correctly or as badly as a fault asks for."""

import socket
import struct
import time
from dataclasses import dataclass
from email.utils import formatdate
from threading import Event

from .answer import Answer
from .faults import Fault
from .problems import phrase

MAX_DRIP_SECONDS = 60
# Statuses that never have a body (RFC 9110).
BODILESS = (204, 304)


@dataclass(frozen=True, slots=True)
class Wire:
    """One client's connection. `stopping` ends every wait when the sandbox stops."""

    connection: socket.socket
    stopping: Event

    def send(self, answer: Answer, fault: Fault | None, *, head_only: bool, close: bool) -> bool:
        """Send the answer; return True if the connection can be used again."""
        head, body = encode(answer, head_only=head_only, close=close)
        if fault is None:
            self.connection.sendall(head + body)
            return not close
        if fault.interim:
            status_line = f"HTTP/1.1 {fault.interim} {phrase(fault.interim)}"
            self.connection.sendall(f"{status_line}\r\nLink: </>\r\n\r\n".encode())
        if fault.delay and self.stopping.wait(fault.delay):
            return False
        if fault.truncate:
            cut_in_body, cut_in_headers = head + body[: len(body) // 2], head[: len(head) // 2]
            self.connection.sendall(cut_in_body if fault.truncate == "body" else cut_in_headers)
            return False
        if fault.drip == "headers":
            if not self._drip(head, fault.drip_interval):
                return False
            self.connection.sendall(body)
            return not close
        if fault.drip == "body":
            self.connection.sendall(head)
            return self._drip(body, fault.drip_interval) and not close
        self.connection.sendall(head + body)
        return not (close or fault.hang_up)

    def _drip(self, data: bytes, interval: float) -> bool:
        """Return True if all of the data was sent. Raise OSError if the client has gone."""
        end = time.monotonic() + MAX_DRIP_SECONDS
        for index in range(len(data)):
            if time.monotonic() > end or self.stopping.wait(interval):
                return False
            self.connection.sendall(data[index : index + 1])
        return True

    def reset(self) -> None:
        """End the connection with RST instead of FIN: the client gets ECONNRESET."""
        linger_zero = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_zero)
        self.connection.close()


def encode(answer: Answer, *, head_only: bool, close: bool) -> tuple[bytes, bytes]:
    """Return the status line with the headers, and the body."""
    headers = {"Date": formatdate(usegmt=True), **answer.headers}
    if answer.status not in BODILESS:
        headers["Content-Length"] = str(len(answer.body))
    if close:
        headers["Connection"] = "close"
    lines = [f"HTTP/1.1 {answer.status} {phrase(answer.status)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    head = "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n"
    return head, b"" if head_only or answer.status in BODILESS else answer.body
