"""TCP ports of this machine."""

from __future__ import annotations

import random
import socket
from itertools import islice

BUS = 10_000
"""Offset of the cluster bus port of a Redis Cluster node from its port."""
_PORTS = range(10_000, 20_000)
"""Below those that systems give to outgoing connections (from 32,768 on Linux), also with ``BUS`` added: one of these
stays free until the engine that it was found for binds it."""


def free_ports(count: int) -> list[int]:
    """Return distinct ports of 127.0.0.1 that are free, and whose ports ``BUS`` above are free."""
    shuffled = random.Random().sample(_PORTS, len(_PORTS))  # not the module, which a test may have seeded
    return list(islice((port for port in shuffled if is_free(port) and is_free(port + BUS)), count))


def is_free(port: int) -> bool:
    """Return true if the port can be bound."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def answers(port: int) -> bool:
    """Return true if the port accepts connections."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
