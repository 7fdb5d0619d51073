"""Ping a Redis server of this machine in its own protocol: the launcher needs no client library."""

from __future__ import annotations

import socket


def problem(port: int) -> str | None:
    """Return a fault, or ``None`` if the server answers PING with PONG: its data are loaded."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            connection.sendall(b"PING\r\n")
            reply = connection.recv(200).decode(errors="replace").strip()
    except OSError as error:
        return f"port {port}: {error.strerror or error}"
    return None if reply == "+PONG" else f"it says {reply!r}"  # -LOADING while it reads its file
