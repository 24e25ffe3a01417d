"""Unused ports on loopback."""

import secrets
import socket
from contextlib import ExitStack, suppress

# Below the ports that systems give to outgoing connections: one of these stays free until its server starts.
PORTS = range(20_000, 32_000)


def free_port() -> int:
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """Return `count` different ports."""
    ports = []
    with ExitStack() as held:
        while len(ports) < count:
            port = secrets.choice(PORTS)
            with suppress(OSError):  # it is taken
                held.enter_context(socket.socket()).bind(("127.0.0.1", port))
                ports.append(port)
    return ports
