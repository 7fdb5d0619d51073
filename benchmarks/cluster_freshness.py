"""How fresh a cluster is: click accepted → state in Redis → list changed; how much the feature job takes; recovery.

    gars data build && gars train --home var
    python benchmarks/cluster_freshness.py --home var

Starts Kafka, Redis, Cassandra, Flink and the api of the stack on free ports, in a folder of its own with links to the
model. Clicks come at a fixed rate, whether or not the answers are there (an open loop), each of another user. The state
is in Redis when the change arrives, as both happen in one step. Every fiftieth click is of a user whose list is asked
for before, and again as soon as the change arrives.
"""

from __future__ import annotations

import argparse
import os
import queue
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import httpx
import msgspec
import numpy as np
import redis
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from gars import Recommender
from gars.adapters.kafka.event_log import KafkaEventLog
from gars.application.ports import Change
from gars.config import from_environment
from gars.domain.interaction import Interaction, Kind
from gars.stack import plan
from gars.stack.kafka import Kafka
from gars.stack.redis import Redis
from gars.stack.running import Running

PARTS = ["kafka", "redis", "cassandra", "flink", "api"]
LISTED = 50
"""Of how many clicks one is followed to the list."""
DEADLINE_S = 300


class ChangeTimes:
    """When each event's change was published, by its id."""

    def __init__(self, address: str) -> None:
        self.times: dict[str, float] = {}
        self._client = cast(Any, redis.Redis.from_url(address))
        self._subscription = self._client.pubsub(ignore_subscribe_messages=True)
        self._subscription.psubscribe("gars:changes:*")
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def close(self) -> None:
        self._ended.set()
        self._thread.join()
        self._subscription.close()
        self._client.close()

    def wait(self, event_ids: Sequence[str], seconds: float = DEADLINE_S) -> int:
        """Wait until all changes arrived or the time is over; return how many did not."""
        end = time.perf_counter() + seconds
        while (missing := sum(one not in self.times for one in event_ids)) and time.perf_counter() < end:
            time.sleep(0.002 if len(event_ids) < 10 else 0.2)
        return missing

    def _listen(self) -> None:
        while not self._ended.is_set():
            message = self._subscription.get_message(timeout=0.5)
            if message is not None:
                change = msgspec.msgpack.decode(message["data"], type=Change)
                self.times.setdefault(change.event_id, time.perf_counter())


def main() -> None:
    """Print the tables."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--home", type=Path, required=True, help="folder of the data set and the promoted model")
    options.add_argument("--rate", type=float, default=200, help="clicks a second")
    options.add_argument("--seconds", type=float, default=30)
    options.add_argument("--burst", type=int, default=20_000, help="events of the throughput")
    args = options.parse_args()
    users = [str(user) for user in Recommender.load(args.home / "models" / "current").user_ids.tolist()]
    with tempfile.TemporaryDirectory() as folder:
        for part in ("data", "models"):
            (Path(folder) / part).symlink_to((args.home / part).resolve())
        settings = from_environment({}, home=Path(folder))
        ports = plan.ports_of(settings, free=True)
        stack = plan.stack_of(settings, ports)
        running = {part.name: Running(part) for part in stack.chosen(PARTS)}
        try:
            for one in running.values():
                one.up()
            measure(running, ports.api, users, args)
        finally:
            for one in reversed(running.values()):
                one.down()


def measure(running: dict[str, Running], port: int, users: list[str], args: argparse.Namespace) -> None:
    """The three of them."""
    kafka, store = running["kafka"].engine, running["redis"].engine
    assert isinstance(kafka, Kafka)
    assert isinstance(store, Redis)
    trips = round_trips(kafka.address.bootstrap_servers)
    changes, log = ChangeTimes(store.url), KafkaEventLog(kafka.address, timeout_s=60)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            freshness(client, changes, users, rate=args.rate, seconds=5, show=False)  # warm
            freshness(client, changes, users, rate=args.rate, seconds=args.seconds, show=True)
            row("empty Kafka round trip", trips)
        throughput(log, changes, args.burst)
        recovery(running["flink"], log, changes)
    finally:
        log.close()
        changes.close()


def round_trips(broker: str, count: int = 200) -> list[float]:
    """Send empty records to a topic of their own and read each back. → seconds of each"""
    topic = "round-trips"
    admin = AdminClient({"bootstrap.servers": broker})
    admin.create_topics([NewTopic(topic, 1, 1)])[topic].result(30)
    producer = Producer({"bootstrap.servers": broker, "acks": "all", "linger.ms": 0})
    consumer = Consumer({"bootstrap.servers": broker, "group.id": topic, "enable.auto.commit": False})
    consumer.assign([TopicPartition(topic, 0, 0)])
    seconds = []
    try:
        for _ in range(count + 1):
            began = time.perf_counter()
            producer.produce(topic, b"")
            producer.poll(0)
            while consumer.poll(10) is None:
                pass
            seconds.append(time.perf_counter() - began)
    finally:
        producer.flush(10)
        consumer.close()
    return seconds[1:]  # the first one connects


def freshness(
    client: httpx.Client, changes: ChangeTimes, users: list[str], *, rate: float, seconds: float, show: bool
) -> None:
    """Clicks at a fixed rate."""
    rng = np.random.default_rng(0)
    count = int(rate * seconds)
    chosen = rng.permutation(users)[:count] if count <= len(users) else rng.choice(users, count)
    accepted: dict[str, tuple[float, float]] = {}
    shown: queue.Queue[tuple[str, float, bool]] = queue.Queue()

    def click(number: int, due: float) -> None:
        user, event_id = str(chosen[number]), uuid.uuid4().hex
        path = f"/api/v1/users/{user}/recommendations?k=20"
        followed = number % LISTED == 0
        before = ids(client, path) if followed else []
        anime_id = before[number % len(before)] if before else int(popular[number % len(popular)])
        sent = time.perf_counter() if followed else due
        body = {"event_id": event_id, "user_id": user, "anime_id": anime_id, "kind": "click"}
        client.post("/api/v1/interactions", json=body).raise_for_status()
        accepted[event_id] = (sent, time.perf_counter())
        if followed:
            changes.wait([event_id])
            after = ids(client, path)
            shown.put((event_id, time.perf_counter(), after != before))

    popular = ids(client, "/api/v1/users/unknown-user/recommendations?k=100")
    start = time.perf_counter() + 0.1
    with ThreadPoolExecutor(32) as pool:
        for number in range(count):
            due = start + number / rate
            time.sleep(max(0.0, due - time.perf_counter()))
            pool.submit(click, number, due).add_done_callback(lambda done: done.result())
    missing = changes.wait(list(accepted))
    if not show:
        return
    in_redis = [changes.times[one] - accepted[one][1] for one in accepted if one in changes.times]
    lists = [(at - accepted[one][1], changed) for one, at, changed in shown.queue]
    moved = sum(changed for _, changed in lists)
    print(
        f"{len(accepted)} clicks at {rate:.0f}/s, {missing} without a change; {moved} of {len(lists)} lists changed\n"
    )
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n")
    print("| ms | p50 | p95 | p99 |\n|---|---|---|---|")
    row("click sent → accepted (202)", [done - sent for sent, done in accepted.values()])
    row("accepted → state in Redis", [max(0.0, one) for one in in_redis])
    row("accepted → list changed", [at for at, changed in lists if changed])


def throughput(log: KafkaEventLog, changes: ChangeTimes, count: int) -> None:
    """A burst; the rate is that of the middle four fifths."""
    events = clicks(count)
    for start in range(0, count, 1000):
        log.append(events[start : start + 1000])
    missing = changes.wait([one.event_id for one in events])
    times = np.sort([changes.times[one.event_id] for one in events if one.event_id in changes.times])
    tenth = len(times) // 10
    rate = 8 * tenth / (times[9 * tenth] - times[tenth])
    print(f"\nthroughput of the job: {rate:.0f} events/s ({count} at once, {missing} without a change)")


def recovery(flink: Running, log: KafkaEventLog, changes: ChangeTimes) -> None:
    """SIGKILL of the TaskManager under load, and up again at once."""
    ended = threading.Event()
    sent: list[tuple[str, float]] = []

    def send() -> None:
        while not ended.is_set():
            (event,) = clicks(1)
            log.append([event])
            sent.append((event.event_id, time.perf_counter()))
            ended.wait(0.02)

    thread = threading.Thread(target=send)
    thread.start()
    time.sleep(10)  # a checkpoint or two
    killed = time.perf_counter()
    flink.daemon("taskmanager").kill()
    flink.up()
    until(lambda: any(one in changes.times for one, at in sent if at > killed))
    first = min(changes.times[one] for one, at in sent if at > killed and one in changes.times)
    time.sleep(5)
    ended.set()
    thread.join()
    missing = changes.wait([one for one, _ in sent])
    print(f"TaskManager killed and started again: first new state after {first - killed:.1f} s; ", end="")
    print(f"{missing} of {len(sent)} events lost")


def clicks(count: int) -> list[Interaction]:
    now = datetime.now(UTC)
    return [
        Interaction(
            event_id=uuid.uuid4().hex, user_id=f"b{n % 2000}", anime_id=n % 500 + 1, kind=Kind.CLICK, event_time=now
        )
        for n in range(count)
    ]


def until(condition: Callable[[], bool]) -> None:
    end = time.perf_counter() + DEADLINE_S
    while not condition() and time.perf_counter() < end:
        time.sleep(0.05)


def row(name: str, seconds: Sequence[float]) -> None:
    print(f"| {name} | " + " | ".join(f"{1e3 * one:.1f}" for one in np.percentile(seconds, [50, 95, 99])) + " |")


def ids(client: httpx.Client, path: str) -> list[int]:
    """The anime of a list, in order."""
    return [int(item["anime"]["anime_id"]) for item in client.get(path).raise_for_status().json()["items"]]


if __name__ == "__main__":
    main()
