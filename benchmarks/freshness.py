"""How long until a click changes the list: POST a click, then GET the list again.

    gars data build && gars train --home var
    python benchmarks/freshness.py --home var

One connection, one user of the data set after the other, each clicking on a title of their own list; the click is on
the disk (fsync) before it is acknowledged. Measured over both requests, and over each. Only lists that did change
count; how many did not is printed.
"""

from __future__ import annotations

import argparse
import http.client
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from gars import Recommender
from gars_test_support.server import ServerProcess, serve_command, stores_in


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--home", type=Path, required=True, help="folder of the data set and the promoted model")
    options.add_argument("--clicks", type=int, default=500)
    args = options.parse_args()
    users = [str(user) for user in Recommender.load(args.home / "models" / "current").user_ids.tolist()]
    with tempfile.TemporaryDirectory() as folder:
        server = ServerProcess(serve_command(args.home), environment={**stores_in(folder), "GARS_RATE_PER_S": "0"})
        try:
            click(server.address, users, args.clicks)
        finally:
            server.stop()


def click(address: str, users: list[str], clicks: int) -> None:
    """Click and ask, again and again."""
    connection = http.client.HTTPConnection(address.removeprefix("http://"))
    posted, fetched = [], []
    unchanged = 0
    for turn in range(clicks):
        user = users[turn % len(users)]
        path = f"/api/v1/users/{user}/recommendations?k=20"
        before = ids(ask(connection, "GET", path))
        body = msgspec.json.encode({"user_id": user, "anime_id": before[turn % len(before)], "kind": "click"})
        started = time.perf_counter()
        ask(connection, "POST", "/api/v1/interactions", body)
        acknowledged = time.perf_counter()
        after = ids(ask(connection, "GET", path))
        answered = time.perf_counter()
        if after == before:
            unchanged += 1
            continue
        posted.append((acknowledged - started) * 1e3)
        fetched.append((answered - acknowledged) * 1e3)
    print(f"{len(posted)} clicks changed the list at once, {unchanged} left its 20 places as they were\n")
    print("| | p50 ms | p95 | p99 |\n|---|---|---|---|")
    both = np.array(posted) + np.array(fetched)
    for name, milliseconds in (("POST, durable", posted), ("GET, made anew", fetched), ("both", both)):
        print(f"| {name} | " + " | ".join(f"{value:.1f}" for value in np.percentile(milliseconds, [50, 95, 99])) + " |")


def ask(connection: http.client.HTTPConnection, method: str, path: str, body: bytes | None = None) -> Any:
    """A JSON answer; fails on anything but success."""
    connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
    answer = connection.getresponse()
    content = answer.read()
    if answer.status >= 300:
        raise SystemExit(f"{method} {path}: {answer.status} {content.decode()}")
    return msgspec.json.decode(content)


def ids(body: Any) -> list[int]:
    """The anime of a list, in order."""
    return [int(item["anime"]["anime_id"]) for item in body["items"]]


if __name__ == "__main__":
    main()
