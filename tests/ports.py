"""Ports of loopback that nobody uses."""

import secrets
import socket
from contextlib import ExitStack, suppress

# Below those that systems give to whoever connects: one of these stays free until its server comes.
PORTS = range(20_000, 32_000)


def free_port() -> int:
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """Return so many, each another."""
    ports = []
    with ExitStack() as held:
        while len(ports) < count:
            port = secrets.choice(PORTS)
            with suppress(OSError):  # somebody has it
                held.enter_context(socket.socket()).bind(("127.0.0.1", port))
                ports.append(port)
    return ports
