"""What the clicks service takes: events a second and time to the 202, over a Kafka of its own.

    python benchmarks/clicks_service.py --seconds 10 --clients 1 8 64

Starts a broker and the service by the launcher's code, in a folder that is deleted afterwards. Sender, service and
broker share the machine. Two floors are measured with it: the same requests to a server that does nothing
(``empty_route.py --bare``), and the same events to the broker by librdkafka alone, as many in flight as there are
clients.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import sys
import tempfile
import time
import uuid
from pathlib import Path

import msgspec
import numpy as np
from confluent_kafka import Producer

from gars.runtime.free_ports import free_ports
from gars.stack.kafka import Kafka
from gars.stack.running import Running
from gars.stack.services import Service
from gars_test_support.server import ServerProcess

EVENT = msgspec.json.encode({"user_id": "1", "anime_id": 1, "kind": "click", "event_id": uuid.uuid4().hex})
HEAD = (
    b"POST /api/v1/interactions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n"
)


async def send(port: int, clients: int, seconds: float, batch: int) -> tuple[int, list[float]]:
    """Each client sends its next batch when the last was acknowledged. → events accepted, seconds of each request.

    Plain sockets: an HTTP client of Python with 64 connections costs more than the service.
    """
    times: list[float] = []
    end = time.monotonic() + seconds

    async def one(number: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while time.monotonic() < end:
            events = [
                {"user_id": str(number), "anime_id": 1, "kind": "click", "event_id": uuid.uuid4().hex}
                for _ in range(batch)
            ]
            body = msgspec.json.encode({"events": events})
            began = time.perf_counter()
            writer.write(HEAD % len(body) + body)
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: (\d+)", head)
            if not head.startswith(b"HTTP/1.1 202") or length is None:
                raise SystemExit(f"not accepted: {head.decode()}")
            await reader.readexactly(int(length[1]))
            times.append(time.perf_counter() - began)
        writer.close()
        await writer.wait_closed()

    await asyncio.gather(*(one(number) for number in range(clients)))
    return len(times) * batch, times


def produce(broker: str, topic: str, in_flight: int, seconds: float) -> tuple[int, list[float]]:
    """Send events to the broker, the next when one is acknowledged by all replicas. → events, seconds of each"""
    producer = Producer(
        {"bootstrap.servers": broker, "acks": "all", "enable.idempotence": True, "linger.ms": 0, "log_level": 0}
    )
    times: list[float] = []
    end = time.monotonic() + seconds

    def send_next(began: float | None = None, error: object = None) -> None:
        if error is not None:
            raise SystemExit(f"librdkafka: {error}")
        now = time.perf_counter()
        if began is not None:
            times.append(now - began)
        if time.monotonic() < end:
            producer.produce(topic, EVENT, key=b"1", on_delivery=lambda error, _: send_next(now, error))

    for _ in range(in_flight):
        send_next()
    while time.monotonic() < end:
        producer.poll(0.1)
    producer.flush(10)
    return len(times), times


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
            asyncio.run(send(port, 8, 2, 10))  # warm
            for batch in given.batch:
                for clients in given.clients:
                    print_row(
                        clients, str(batch), asyncio.run(send(port, clients, given.seconds, batch)), given.seconds
                    )
            empty = ServerProcess([sys.executable, str(Path(__file__).with_name("empty_route.py")), "--bare"])
            try:
                empty_port = int(empty.address.rpartition(":")[2])
                for clients in given.clients:
                    sent = asyncio.run(send(empty_port, clients, given.seconds, 1))
                    print_row(clients, "1, a server that does nothing", sent, given.seconds)
            finally:
                empty.stop()
            for clients in given.clients:
                sent = produce(kafka.address.bootstrap_servers, kafka.address.interactions, clients, given.seconds)
                print_row(clients, "1, librdkafka alone", sent, given.seconds)
        finally:
            for part in reversed(parts):
                part.down()


def print_row(clients: int, what: str, sent: tuple[int, list[float]], seconds: float) -> None:
    """Print a row of the table."""
    count, times = sent
    median, late = np.percentile(times, [50, 99]) * 1000
    print(f"| {clients} | {what} | {count / seconds:,.0f} | {median:.1f} | {late:.1f} |", flush=True)


if __name__ == "__main__":
    main()
