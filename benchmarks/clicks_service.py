"""What the clicks service takes: events a second and time to the 202, over a Kafka of its own.

    python benchmarks/clicks_service.py --seconds 10 --clients 1 8 64

Starts a broker and the service by the launcher's code, in a folder that is deleted afterwards. Sender, service and
broker share the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
import uuid
from pathlib import Path

import httpx
import numpy as np

from gars.entrypoints.stack.kafka import Kafka
from gars.entrypoints.stack.ports import free_ports
from gars.entrypoints.stack.running import Running
from gars.entrypoints.stack.services import Service


async def send(address: str, clients: int, seconds: float, batch: int) -> tuple[int, list[float]]:
    """Each client sends its next batch when the last was acknowledged. → events accepted, seconds of each request."""
    times: list[float] = []
    end = time.monotonic() + seconds

    async def one(client: httpx.AsyncClient, number: int) -> None:
        while time.monotonic() < end:
            events = [
                {"user_id": str(number), "anime_id": 1, "kind": "click", "event_id": uuid.uuid4().hex}
                for _ in range(batch)
            ]
            began = time.perf_counter()
            answer = await client.post("/api/v1/interactions", json={"events": events})
            times.append(time.perf_counter() - began)
            answer.raise_for_status()

    limits = httpx.Limits(max_connections=clients)
    async with httpx.AsyncClient(base_url=address, limits=limits, timeout=60) as client:
        await asyncio.gather(*(one(client, number) for number in range(clients)))
    return len(times) * batch, times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8, 64])
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 100])
    parser.add_argument("--engines", type=Path, default=Path.home() / ".cache" / "gars" / "engines")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        kafka_port, controller, port = free_ports(3)
        kafka = Kafka(folder=folder / "kafka", engines=given.engines, port=kafka_port, controller_port=controller)
        clicks = Service(
            "clicks",
            folder=folder / "clicks",
            home=folder,
            environment={"GARS_EVENT_LOG": kafka.url},
            port=port,
            options=("--engine-factory", "gars.testing.engine:make"),
        )
        parts = [Running(kafka), Running(clicks)]
        try:
            for part in parts:
                part.up()
            print(f"{os.cpu_count()} cores, Python {sys.version.split()[0]}, load {os.getloadavg()[0]:.1f}")
            print("| clients | events a request | events/s | p50 ms | p99 ms |\n|---|---|---|---|---|")
            asyncio.run(send(clicks.url, 8, 2, 10))  # warm
            for batch in given.batch:
                for clients in given.clients:
                    count, times = asyncio.run(send(clicks.url, clients, given.seconds, batch))
                    median, late = np.percentile(times, [50, 99]) * 1000
                    print(f"| {clients} | {batch} | {count / given.seconds:,.0f} | {median:.1f} | {late:.1f} |")
        finally:
            for part in reversed(parts):
                part.down()


if __name__ == "__main__":
    main()
