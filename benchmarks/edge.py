"""What the edge (``entrypoints/edge``) adds to a list that is sent again, in process: microseconds of the processor.

    python benchmarks/edge.py

The answers are those of a small double of the model. The same application is called without and with the edge around
it, in turns; medians of the pairs, so that other work on the machine disturbs both alike. "program" sends the headers
of wrk, "browser" those of a page.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from gars.bootstrap import open_service
from gars.config import from_environment
from gars.entrypoints.api.app import create_app
from gars.entrypoints.edge.app import Edge
from gars.testing.engine import FakeEngine

PATH = "/api/v1/users/7/recommendations"
HOST = (b"host", b"127.0.0.1:8000")
CLIENTS = {
    "program": [HOST],
    "browser": [
        HOST,
        (b"connection", b"keep-alive"),
        (b"sec-ch-ua-platform", b'"Linux"'),
        (b"user-agent", b"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0"),
        (b"accept", b"application/json"),
        (b"sec-fetch-site", b"same-origin"),
        (b"sec-fetch-mode", b"cors"),
        (b"sec-fetch-dest", b"empty"),
        (b"referer", b"http://127.0.0.1:8000/"),
        (b"accept-encoding", b"gzip, deflate, br"),
        (b"accept-language", b"en"),
    ],
}


async def send(_message: Any) -> None:
    """Take a part of an answer and drop it."""


async def receive() -> dict[str, object]:
    """Return an empty body."""
    return {"type": "http.request", "body": b"", "more_body": False}


def scope_of(
    headers: list[tuple[bytes, bytes]], method: str = "GET", path: str = PATH, query: bytes = b"k=20"
) -> dict[str, Any]:
    """Return what the server gives the application for one request."""
    return {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
        "path": path, "raw_path": path.encode(), "query_string": query, "root_path": "",
        "headers": headers, "client": ("127.0.0.1", 50000), "server": ("127.0.0.1", 8000), "state": {},
    }  # fmt: skip


async def spent(app: Any, headers: list[tuple[bytes, bytes]], requests: int) -> float:
    """Return processor seconds of one request, the mean of some."""
    scopes = [scope_of(headers) for _ in range(requests)]
    started = time.thread_time()
    for scope in scopes:
        await app(scope, receive, send)
    return (time.thread_time() - started) / requests


async def compare(app: Any, edge: Any, *, rounds: int, requests: int) -> None:
    """Print a line for each kind of client."""
    for name, headers in CLIENTS.items():
        await edge(scope_of(headers), receive, send)  # made, and kept from now on
        pairs = [(await spent(app, headers, requests), await spent(edge, headers, requests)) for _ in range(rounds)]
        if app.state.response_cache.hits < rounds * requests:
            raise SystemExit("the list was made anew: there is nothing to compare")
        without = median(one for one, _ in pairs)
        added = median(around - one for one, around in pairs)
        share = median((around - one) / around for one, around in pairs)
        print(f"| {name} | {1e6 * without:.2f} | {1e6 * added:.2f} | {share:.0%} |")


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=1_000)
    options.add_argument("--requests", type=int, default=50)
    args = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        settings = from_environment({}, home=Path(folder))
        service = open_service(settings, FakeEngine())
        app = create_app(service)
        edge = Edge(app, settings, count=app.state.metrics.count)
        try:
            asyncio.run(run(app, edge, rounds=args.rounds, requests=args.requests))
        finally:
            service.close()


async def run(app: Any, edge: Any, *, rounds: int, requests: int) -> None:
    """Let the user click, then compare."""
    clicked = b'{"user_id":"7","anime_id":1,"kind":"click"}'

    async def click() -> dict[str, object]:
        return {"type": "http.request", "body": clicked, "more_body": False}

    headers = [HOST, (b"content-type", b"application/json"), (b"content-length", str(len(clicked)).encode())]
    await app(scope_of(headers, "POST", "/clicks", b""), click, send)
    print("| client | list us | edge us | share of both |\n|---|---|---|---|")
    await compare(app, edge, rounds=rounds, requests=requests)


if __name__ == "__main__":
    main()
