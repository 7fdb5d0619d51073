"""TCP ports of this machine."""

from __future__ import annotations

import random
import socket
from itertools import islice

BUS = 10_000
"""How far above its port a node of a Redis Cluster listens for the others."""
_PORTS = range(10_000, 20_000)
"""Below those that systems give to outgoing connections (from 32,768 on Linux), also with ``BUS`` added: one of these
stays free until the engine that it was found for binds it."""


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody listens on now, nor ``BUS`` above; each different."""
    shuffled = random.Random().sample(_PORTS, len(_PORTS))  # not the module, which a test may have seeded
    return list(islice((port for port in shuffled if is_free(port) and is_free(port + BUS)), count))


def is_free(port: int) -> bool:
    """Whether it can be bound."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def answers(port: int) -> bool:
    """Whether somebody takes connections on it."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
