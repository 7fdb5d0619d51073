"""A server of the same libraries and settings as ``gars serve`` that does nothing: the floor of ``speed.py``.

python benchmarks/empty_route.py            # prints its address
python benchmarks/empty_route.py --bare     # without the framework: a body is read, the answer is 202
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server
from litestar import Litestar, MediaType, get

from gars.entrypoints.api.server import free_port

BODY = b'{"items": []}'


@get("/{path:path}", media_type=MediaType.JSON, sync_to_thread=False)
def answer() -> bytes:
    """Return an empty list for every address."""
    return BODY


async def accept(scope: Any, receive: Any, send: Any) -> None:
    """Read a body and answer 202, as an application of ASGI without a framework."""
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(BODY))]
    await send({"type": "http.response.start", "status": 202, "headers": headers})
    await send({"type": "http.response.body", "body": BODY, "more_body": False})


def main() -> None:
    """Serve on a free port of this machine until it is stopped."""
    port = free_port("127.0.0.1", 0)
    server = Server(
        accept if "--bare" in sys.argv[1:] else Litestar([answer]),
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
