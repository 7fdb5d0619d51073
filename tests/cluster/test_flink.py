"""The feature job on a real Flink: states as the embedded service and a batch make them, whatever is killed."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer

from gars.adapters.embedded.change_feed import MemoryChangeFeed
from gars.adapters.embedded.event_log import SqliteEventLog
from gars.adapters.embedded.state_store import SqliteStateStore
from gars.adapters.kafka.address import KafkaAddress
from gars.adapters.kafka.event_log import KafkaEventLog
from gars.adapters.redis.state_store import RedisStateStore
from gars.adapters.redis.trends import RedisTrends
from gars.application.events.ingest import Ingest
from gars.domain import trending, user_state
from gars.domain.interaction import Interaction, Kind, Status
from gars.domain.user_state import Row, UserState
from gars.stack.flink import Flink
from gars.stack.kafka import Kafka
from gars.stack.running import Running
from gars.testing.clock import FakeClock
from gars.testing.events import START, clicks, event
from gars_test_support import patience

ANIME = (1, 5, 1535, 5114)
PREFIX = "features"


until = partial(patience.until, within_s=240)
"""Engines that start again on a busy machine take their time."""


@pytest.fixture
def flink(flink_running: Running) -> Flink:
    assert isinstance(flink_running.engine, Flink)
    return flink_running.engine


@pytest.fixture
def log(kafka: Kafka) -> Iterator[KafkaEventLog]:
    with closing(KafkaEventLog(KafkaAddress(kafka.address.bootstrap_servers, PREFIX), timeout_s=30)) as log:
        yield log


@pytest.fixture
def states(redis_address: str) -> Iterator[RedisStateStore]:
    with closing(RedisStateStore(redis_address, prefix=PREFIX)) as states:
        yield states


def a_day(seed: int, users: Sequence[str]) -> list[Interaction]:
    """A few hundred events of a few users, every kind, some undone, some sent twice, out of order."""
    rng = random.Random(seed)
    events = [one for user in users for one in clicks(60, user_id=user, anime_ids=ANIME)]
    for number in range(60 * len(users)):
        kind = rng.choice([Kind.RATE, Kind.STATUS, Kind.LIKE, Kind.DISLIKE, Kind.SEEN, Kind.DISMISS, Kind.CLICK])
        undo = rng.random() < 0.2
        values: dict[Kind, int | Status] = {Kind.RATE: rng.randint(1, 10), Kind.STATUS: rng.choice(list(Status))}
        value = None if undo else values.get(kind)
        events.append(event(rng.choice(users), rng.choice(ANIME), kind, value, event_id=f"{seed}-{number}", undo=undo))
    with_duplicates = events + rng.sample(events, len(events) // 3)
    rng.shuffle(with_duplicates)
    return with_duplicates


def folded(events: Sequence[Interaction], user_id: str) -> UserState:
    """The state as a batch makes it."""
    return user_state.fold(UserState(user_id=user_id), [one for one in events if one.user_id == user_id])


def arrived(states: RedisStateStore, expected: Sequence[UserState]) -> Callable[[], bool]:
    def all_there() -> bool:
        held = states.get_many([one.user_id for one in expected])
        return all(held.get(one.user_id, UserState(user_id="")).version >= one.version for one in expected)

    return all_there


def same(states: RedisStateStore, expected: Sequence[UserState]) -> None:
    """Byte for byte, which is more than equal."""
    until(arrived(states, expected), "states in Redis")
    for one in expected:
        held = states.get(one.user_id)
        assert held is not None
        assert user_state.encode(held) == user_state.encode(one)


def test_stream_is_embedded_is_batch(
    flink_running: Running, log: KafkaEventLog, states: RedisStateStore, tmp_path: Path, redis_address: str
) -> None:
    users = ["parity-a", "parity-b", "parity-c"]
    events = a_day(1, users)
    local, kept = SqliteEventLog(tmp_path / "log.sqlite"), SqliteStateStore(tmp_path / "states.sqlite")
    with closing(local), closing(kept):
        ingest = Ingest(log=local, states=kept, feed=MemoryChangeFeed(), clock=FakeClock(), known_anime=set(ANIME))
        for start in range(0, len(events), 37):
            ingest(events[start : start + 37])
            log.append(events[start : start + 37])
        embedded = [kept.get(user) for user in users]
    batch = [folded([one for _, one in log.read()], user) for user in users]
    assert embedded == batch
    same(states, batch)

    expected: dict[int, dict[int, float]] = {}
    for state in batch:
        for anime_id in ANIME:
            for bucket, by in trending.moves(UserState(user_id=""), state, anime_id).items():
                expected.setdefault(bucket, {}).setdefault(anime_id, 0.0)
                expected[bucket][anime_id] += by
    with closing(RedisTrends(redis_address, prefix=PREFIX)) as trends:
        until(lambda: trends.read(list(expected)) == expected, f"trending counters to stand at {expected}")


def test_a_history_from_a_data_set_is_what_events_build_on(
    flink_running: Running, log: KafkaEventLog, states: RedisStateStore
) -> None:
    history = user_state.initial("history-a", [Row(1, 8), Row(5114)])
    states.put_initial([history])
    rated = event("history-a", 1, Kind.RATE, 3, at=START)
    log.append([rated])
    same(states, [user_state.apply(history, rated)])


def test_forgotten_and_back(flink_running: Running, log: KafkaEventLog, states: RedisStateStore) -> None:
    log.append(clicks(5, user_id="forgotten-a"))
    until(arrived(states, [folded(clicks(5, user_id="forgotten-a"), "forgotten-a")]), "the state")
    log.mark_forgotten("forgotten-a")
    until(lambda: states.get("forgotten-a") is None, "the state to go")
    again = event("forgotten-a", 5)
    log.append([again])
    same(states, [folded([again], "forgotten-a")])


def test_what_cannot_be_read_goes_to_the_dead_letters(
    flink_running: Running, flink: Flink, kafka: Kafka, log: KafkaEventLog, states: RedisStateStore
) -> None:
    address = KafkaAddress(kafka.address.bootstrap_servers, PREFIX)
    producer = Producer({"bootstrap.servers": address.bootstrap_servers})
    producer.produce(address.interactions, key=b"bad-a", value=b"no interaction", headers=[("kind", b"event")])
    producer.flush()
    log.append([good := event("bad-a", 1)])  # what comes after it is not held up
    same(states, [folded([good], "bad-a")])

    found: list[tuple[bytes | None, dict[str, bytes]]] = []
    consumer = Consumer(
        {"bootstrap.servers": address.bootstrap_servers, "group.id": "reader", "auto.offset.reset": "earliest"}
    )
    with closing(consumer):
        consumer.subscribe([address.dead_letters])

        def got_it() -> bool:
            message = consumer.poll(1)
            if message is not None and message.error() is None and message.key() == b"bad-a":
                headers = dict(message.headers() or [])
                found.append(
                    (
                        message.value(),
                        {name: content if isinstance(content, bytes) else b"" for name, content in headers.items()},
                    )
                )
            return bool(found)

        until(got_it, "a dead letter")
    value, headers = found[0]
    assert value == b"no interaction"
    assert headers["reason"].startswith(b"the value is no interaction: ")
    assert headers["where"] == b"feature job"
    assert headers["from"].startswith(b"features.interactions/")


def test_a_killed_taskmanager_loses_and_doubles_nothing(
    flink_running: Running, flink: Flink, log: KafkaEventLog, states: RedisStateStore
) -> None:
    users = ["killed-a", "killed-b", "killed-c"]
    events = a_day(2, users)
    half = len(events) // 2
    (job,) = flink.rest.live_jobs()
    taken = flink.rest.checkpoints(job)
    log.append(events[:half])
    until(lambda: flink.rest.checkpoints(job) > taken, "a checkpoint")
    log.append(events[half : half + 50])
    killed_ms = time.time() * 1000
    flink_running.daemon("taskmanager").kill()
    log.append(events[half + 50 :])
    flink_running.up()
    assert flink.rest.live_jobs() == [job]  # the same job, restarted by Flink
    started_ms = [one["start-time"] for one in flink.rest.ask(f"/jobs/{job}")["vertices"]]
    assert min(started_ms) > killed_ms  # it runs in the new process; the job did not just miss the kill
    same(states, [folded(events, user) for user in users])


def test_an_upgrade_goes_by_savepoint_and_may_scale(
    flink_running: Running, flink: Flink, log: KafkaEventLog, states: RedisStateStore
) -> None:
    users = [f"upgrade-{number}" for number in range(6)]
    events = a_day(3, users)
    half = len(events) // 2
    log.append(events[:half])
    same(states, [folded(events[:half], user) for user in users])
    assert flink_running.down()
    log.append(events[half:])
    snapshot = flink.newest_snapshot()
    assert snapshot is not None
    assert "savepoints" in snapshot.parts
    flink.parallelism = 2
    flink_running.up()
    same(states, [folded(events, user) for user in users])
    (job,) = flink.rest.live_jobs()
    assert flink.rest.ask(f"/jobs/{job}/checkpoints")["latest"]["restored"]["is_savepoint"]
    vertices = {one["name"]: one["parallelism"] for one in flink.rest.ask(f"/jobs/{job}")["vertices"]}
    assert set(vertices.values()) == {2}, vertices


def test_a_job_that_failed_starts_again_in_the_same_taskmanager(
    flink_running: Running, flink: Flink, log: KafkaEventLog, states: RedisStateStore
) -> None:
    (job,) = flink.rest.live_jobs()
    flink.rest.stop(job, (flink.data / "savepoints").as_uri(), within_s=240)
    flink.submit(flink.newest_snapshot())
    until(lambda: flink.rest.job_problem() is None, "the job to run")
    log.append(clicks(3, user_id="again-a"))
    same(states, [folded(clicks(3, user_id="again-a"), "again-a")])


def test_a_job_that_runs_is_not_submitted_again(flink_running: Running, flink: Flink) -> None:
    before = flink.rest.live_jobs()
    flink_running.up()
    assert flink.rest.live_jobs() == before
    assert flink_running.problem() is None
