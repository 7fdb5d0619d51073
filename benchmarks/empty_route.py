"""A server of the same libraries and settings as ``gars serve`` that does nothing: the floor of ``speed.py``.

python benchmarks/empty_route.py      # prints its address
"""

from __future__ import annotations

import asyncio
import sys

from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server
from litestar import Litestar, MediaType, get

from gars.entrypoints.api.server import free_port

BODY = b'{"items": []}'


@get("/{path:path}", media_type=MediaType.JSON, sync_to_thread=False)
def answer() -> bytes:
    """Return an empty list for every address."""
    return BODY


def main() -> None:
    """Serve on a free port of this machine until it is stopped."""
    port = free_port("127.0.0.1", 0)
    server = Server(
        Litestar([answer]),
        address="127.0.0.1",
        port=port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        websockets=False,
        log_enabled=False,
    )
    sys.stderr.write(f"http://127.0.0.1:{port}\n")
    sys.stderr.flush()
    asyncio.run(server.serve())


if __name__ == "__main__":
    main()
