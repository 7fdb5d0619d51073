"""The service with Kafka, Redis and Cassandra: the same answers over other stores.

The feature job is a double here, a thread that folds what Kafka has; the real one has tests of its own.
"""

from __future__ import annotations

import asyncio
import json
import random
import threading
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from litestar.testing import TestClient
from typer.testing import CliRunner

from gars.adapters.cassandra.connection import Connection
from gars.adapters.cassandra.schema import create_schema
from gars.adapters.kafka.address import KafkaAddress
from gars.adapters.kafka.stream import KafkaStream
from gars.adapters.kafka.topics import create_topics
from gars.adapters.redis.connection import connect
from gars.adapters.redis.state_writer import StateWrite, StateWriter
from gars.adapters.redis.trends import RedisTrends
from gars.application.ports import Change
from gars.application.recommend.list_request import ListRequest
from gars.bootstrap import Service, open_service
from gars.bootstrap.cluster import HistoryWorker, history_worker
from gars.config import Settings, from_environment
from gars.datasets import schema
from gars.domain import trending, user_state
from gars.domain.errors import StorageError
from gars.domain.interaction import Interaction, Kind
from gars.domain.user_state import UserState
from gars.entrypoints.api.app import create_app
from gars.entrypoints.cli.app import app as cli
from gars.stack.cassandra import Cassandra
from gars.stack.kafka import Kafka
from gars.stack.running import Running
from gars.testing.engine import FakeEngine
from gars.testing.events import clicks, event
from gars_test_support.patience import until

SOMEBODY = "a-very-particular-person"
Client = TestClient[Any]


class Job:
    """What the feature job does, in a thread of the test."""

    def __init__(self, kafka: KafkaAddress, redis: str) -> None:
        self._client = connect(redis)
        self._writer = StateWriter(self._client, redis)
        self._trends = RedisTrends(redis)
        self._kafka = kafka
        self._states: dict[str, UserState] = {}
        self._weights: defaultdict[tuple[int, int], float] = defaultdict(float)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()
        self._client.close()
        self._trends.close()

    def _run(self) -> None:
        with closing(KafkaStream(self._kafka, "job")) as stream:
            while not self._stop.is_set():
                for record in stream.poll(timeout_s=0.2)[0]:
                    self._apply(record.user_id, record.event, record.offset)

    def _apply(self, user_id: str, event: Interaction | None, offset: int) -> None:
        if event is None:
            self._states.pop(user_id, None)
            self._insist(lambda: self._writer.write([StateWrite(user_id, 0, None, offset=offset)]))
            return
        before = self._states.get(user_id) or UserState(user_id=user_id)
        state = self._states[user_id] = user_state.apply(before, event)
        change = Change(user_id, state.version, event.event_id, event.kind.value, event.anime_id, 1)
        write = StateWrite(user_id, state.version, user_state.encode(state), [change], offset=offset)
        self._insist(lambda: self._writer.write([write]))
        for bucket, by in trending.moves(before, state, event.anime_id).items():
            self._weights[bucket, event.anime_id] += by
            weights = {(bucket, event.anime_id): self._weights[bucket, event.anime_id]}
            self._insist(partial(self._trends.write, weights))

    def _insist(self, write: Callable[[], object]) -> None:
        """Write again while Redis is away: what is written is absolute."""
        while not self._stop.is_set():
            try:
                write()
            except StorageError:
                self._stop.wait(0.1)
            else:
                return


@pytest.fixture
def environment(kafka: Kafka, redis_address: str, cassandra: Cassandra) -> dict[str, str]:
    """The addresses of a cluster that nothing is in."""
    name = f"t{uuid.uuid4().hex[:12]}"
    create_topics(KafkaAddress(kafka.address.bootstrap_servers, name))
    redis = f"{redis_address.rpartition('/')[0]}/1"
    with closing(connect(redis)) as client:
        client.flushdb()
    history = f"cassandra://127.0.0.1:{cassandra.port}/{name}"
    create_schema(_cassandra(history))
    log = f"kafka://{kafka.address.bootstrap_servers}/{name}"
    return {
        "GARS_EVENT_LOG": log,
        "GARS_IMPRESSIONS": log,
        "GARS_STATE_STORE": redis,
        "GARS_CHANGE_FEED": redis,
        "GARS_HISTORY": history,
        "GARS_TOMBSTONES": history,
    }


def _cassandra(address: str) -> Any:
    from gars.adapters.cassandra.address import parse

    return parse("GARS_HISTORY", address)


@pytest.fixture
def settings(environment: dict[str, str], tmp_path: Path) -> Settings:
    return from_environment(environment, home=tmp_path)


@pytest.fixture
def opened() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def job(environment: dict[str, str], opened: ExitStack) -> Job:
    address = environment["GARS_EVENT_LOG"]
    kafka = KafkaAddress(address.removeprefix("kafka://").partition("/")[0], address.rpartition("/")[2])
    running = Job(kafka, environment["GARS_STATE_STORE"])
    opened.callback(running.stop)
    return running


@pytest.fixture
def start(settings: Settings, opened: ExitStack) -> Callable[[], tuple[Client, Service]]:
    """Starts one more api."""

    def one_more() -> tuple[Client, Service]:
        service = open_service(settings, FakeEngine())
        opened.callback(service.close)
        return opened.enter_context(TestClient(create_app(service), raise_server_exceptions=False)), service

    return one_more


@pytest.fixture
def worker(settings: Settings, opened: ExitStack) -> HistoryWorker:
    return opened.enter_context(history_worker(settings))


def _say(client: Client, user_id: str, anime_id: int, kind: str = "click", **more: Any) -> dict[str, Any]:
    answer = client.post("/api/v1/interactions", json={"user_id": user_id, "anime_id": anime_id, "kind": kind, **more})
    assert answer.status_code == 202, answer.text
    body: dict[str, Any] = answer.json()
    return body


def _ids(client: Client, user_id: str) -> list[int]:
    answer = client.get(f"/api/v1/users/{user_id}/recommendations")
    assert answer.status_code == 200, answer.text
    return [one["anime"]["anime_id"] for one in answer.json()["items"]]


def _version(service: Service, user_id: str) -> int:
    state = service.states.get(user_id)
    return state.version if state else 0


def test_a_click_changes_the_list_in_every_api(job: Job, start: Callable[[], tuple[Client, Service]]) -> None:
    here, service = start()
    there, other = start()
    before = _ids(there, SOMEBODY)
    body = _say(here, SOMEBODY, 1, "rate", value=9)
    assert (body["duplicates"], body["versions"]) == (0, {})
    until(lambda: _version(other, SOMEBODY) == 1)
    after = _ids(there, SOMEBODY)
    assert after != before
    assert after == _ids(here, SOMEBODY)
    assert 1 not in after
    until(lambda: list(service.trending.heat()) == [1])
    assert here.get("/api/v1/health/ready").json() == {"status": "ready", "checks": {"model": "ok"}, "warnings": {}}


def test_page_is_notified_of_events_at_another_api(job: Job, start: Callable[[], tuple[Client, Service]]) -> None:
    here, _ = start()
    _, other = start()

    async def scene() -> Change | None:
        async with other.feed.listen(SOMEBODY) as next_change:
            await asyncio.to_thread(_say, here, SOMEBODY, 5, event_id="the-click")
            return await asyncio.wait_for(next_change(), 60)

    change = asyncio.run(scene())
    assert change is not None
    assert (change.version, change.event_id, change.anime_id) == (1, "the-click", 5)


def test_history_and_export_come_from_cassandra(
    job: Job, worker: HistoryWorker, start: Callable[[], tuple[Client, Service]]
) -> None:
    client, service = start()
    for anime_id in (1, 5, 1535):
        _say(client, SOMEBODY, anime_id, event_id=f"e{anime_id}")
    _say(client, SOMEBODY, 1, event_id="e1")  # a duplicate
    shown = client.get(f"/api/v1/users/{SOMEBODY}/recommendations").json()["request_id"]
    service.recorder.flush()
    until(lambda: worker.keep.step() >= 0 and worker.keep.kept >= 5)
    until(lambda: _version(service, SOMEBODY) == 3)
    body = client.get(f"/api/v1/users/{SOMEBODY}/export").json()
    assert [one["event_id"] for one in body["interactions"]] == ["e1", "e5", "e1535"]
    assert [one["request_id"] for one in body["impressions"]] == [shown]
    assert (body["earlier"], body["state"]["version"]) == ([], 3)


def test_forgotten_means_gone_from_every_store(
    job: Job, worker: HistoryWorker, start: Callable[[], tuple[Client, Service]], environment: dict[str, str]
) -> None:
    client, service = start()
    for user_id in (SOMEBODY, "another"):
        for anime_id in (1, 5):
            _say(client, user_id, anime_id)
        _ids(client, user_id)
    service.recorder.flush()
    until(lambda: worker.keep.step() >= 0 and worker.keep.kept >= 6)
    until(lambda: _version(service, SOMEBODY) == 2)
    _ids(client, SOMEBODY)  # on its way to the history when they are forgotten
    _say(client, SOMEBODY, 1535)
    service.recorder.flush()
    gone = client.delete(f"/api/v1/users/{SOMEBODY}")
    assert gone.status_code == 200, gone.text
    _say(client, "another", 5114)  # behind everything: when it is there, so is the rest
    until(lambda: _version(service, "another") == 3)
    until(lambda: worker.keep.step() == 0 and worker.is_done() and worker.keep.kept >= 10)
    everything = _everything_in_redis(environment["GARS_STATE_STORE"])
    everything += _everything_in_cassandra(environment["GARS_HISTORY"])
    assert b"another" in everything
    assert SOMEBODY.encode() not in everything
    assert client.get(f"/api/v1/users/{SOMEBODY}/recommendations").json()["cold"]
    assert client.get(f"/api/v1/users/{SOMEBODY}/export").json()["interactions"] == []
    _say(client, SOMEBODY, 5)  # may come back, as somebody new
    until(lambda: _version(service, SOMEBODY) == 1)


def _everything_in_redis(address: str) -> bytes:
    found = b""
    with closing(connect(address)) as client:
        for key in client.scan_iter("*"):
            kind = client.type(key)
            found += key
            found += b"".join(client.zrange(key, 0, -1)) if kind == b"zset" else b""
            found += b"".join(b"".join(pair) for pair in client.hgetall(key).items()) if kind == b"hash" else b""
            found += client.get(key) if kind == b"string" else b""
    return found


def _everything_in_cassandra(address: str) -> bytes:
    with closing(Connection(_cassandra(address))) as connection:
        tables = ("interactions_by_user", "impressions_by_user", "tombstones", "tombstone_key")
        rows = [repr(tuple(row)) for table in tables for row in list(connection.rows(f"SELECT * FROM {table}"))]
    return "\n".join(rows).encode()


def _recorded() -> list[Interaction]:
    """A log with duplicates and disorder."""
    chance = random.Random(7)
    events = [one for user in range(20) for one in clicks(chance.randrange(1, 9), user_id=f"user-{user}")]
    events += [event(f"user-{user}", 5, Kind.RATE, chance.randrange(1, 11)) for user in range(20)]
    events += chance.sample(events, 15)
    chance.shuffle(events)
    return events


def test_replayed_the_states_are_the_same_to_the_last_bit(
    job: Job,
    worker: HistoryWorker,
    start: Callable[[], tuple[Client, Service]],
    environment: dict[str, str],
    tmp_path: Path,
) -> None:
    _, service = start()
    sent = _recorded()
    for begin in range(0, len(sent), 10):
        service.writer.submit(sent[begin : begin + 10]).result(60)
    service.forget_user("user-3")
    service.writer.submit([event("user-3", 5, event_id="back again")]).result(60)
    service.writer.submit([event("last")]).result(60)
    until(lambda: _version(service, "last") == 1 and _version(service, "user-3") == 1)
    wanted = {user_id: len({one.event_id for one in sent if one.user_id == user_id}) for user_id in _users(sent)}
    until(lambda: all(_version(service, user) == count for user, count in wanted.items() if user != "user-3"))
    until(lambda: worker.keep.step() == 0 and worker.is_done() and worker.keep.kept > len(sent))
    live = _states(environment["GARS_STATE_STORE"])
    assert len(live) == 21
    recorded = tmp_path / "log.jsonl"
    _gars(environment, tmp_path, "replay", "--from", "kafka", "--to", str(recorded))
    for source in ("kafka", "cassandra", str(recorded)):
        _gars(environment, tmp_path, "replay", "--from", source, "--check")
        with closing(connect(environment["GARS_STATE_STORE"])) as client:
            client.delete(*client.keys("gars:state:*"))
        output = _gars(environment, tmp_path, "replay", "--from", source, "--check", fails=True)
        assert "are not what the events say" in output
        _gars(environment, tmp_path, "replay", "--from", source)
        assert _states(environment["GARS_STATE_STORE"]) == live, source


def test_a_data_sets_users_have_their_histories_before_and_after_a_loss(
    job: Job, start: Callable[[], tuple[Client, Service]], environment: dict[str, str], tmp_path: Path
) -> None:
    client, service = start()
    data = str(_data_set(tmp_path))
    _say(client, "1", 1535)  # before: the live event stays, the history waits for a replay
    until(lambda: _version(service, "1") == 1)
    assert client.delete("/api/v1/users/2").status_code == 200
    assert "1 of 3" in _gars(
        environment, tmp_path, "backfill", "--data", data
    )  # neither the live user nor the forgotten
    assert "0 of 3" in _gars(environment, tmp_path, "backfill", "--data", data)
    assert _known(service, "1") == {1535}
    assert _known(service, "2") == set()
    assert _known(service, "3") == {5114}
    with closing(connect(environment["GARS_STATE_STORE"])) as redis:
        redis.flushdb()
    assert "1 of 3" not in _gars(environment, tmp_path, "backfill", "--data", data)  # an empty Redis has no live users
    _gars(environment, tmp_path, "replay", "--from", "kafka", "--data", data)
    assert _known(service, "1") == {1, 5, 1535}
    assert _known(service, "2") == set()
    assert _known(service, "3") == {5114}
    assert list(service.trending.heat()) == [1535]


def _known(service: Service, user_id: str) -> set[int]:
    state = service.states.get(user_id) or UserState(user_id=user_id)
    return {*state.opinions, *(click.anime_id for click in state.clicks)}


def _data_set(home: Path) -> Path:
    folder = home / "data" / "mine"
    (folder / "interactions").mkdir(parents=True)
    rows = {"user_id": [1, 1, 2, 3], "anime_id": [1, 5, 5, 5114], "rating": [9, None, 3, 8]}
    frame = pl.DataFrame({**rows, "status": None, "time": None}, schema=schema.INTERACTIONS)
    frame.write_parquet(folder / "interactions" / "part-0.parquet")
    catalogue = schema.conform_catalogue(pl.DataFrame({"anime_id": [1], "title": ["x"]}))
    catalogue.write_parquet(folder / "catalogue.parquet")
    facts = {"dialect": "x", "simulated": True, "sources": [], "rows": 4, "users": 3, "anime": 3, "duplicates": 0}
    (folder / "dataset.json").write_text(json.dumps({"name": "mine", "content_hash": "abc", **facts}))
    return folder


def _users(events: list[Interaction]) -> set[str]:
    return {one.user_id for one in events}


def _states(address: str) -> dict[bytes, bytes]:
    with closing(connect(address)) as client:
        return {key: client.hget(key, "state") for key in client.scan_iter("gars:state:*")}


def _gars(environment: dict[str, str], home: Path, *arguments: str, fails: bool = False) -> str:
    done = CliRunner().invoke(cli, [*arguments, "--home", str(home)], env=environment)
    assert (done.exit_code != 0) == fails, f"{done.output}{done.exception!r}"
    return f"{done.output}{done.exception}"


def test_lists_are_those_of_one_machine(
    job: Job, start: Callable[[], tuple[Client, Service]], tmp_path: Path, opened: ExitStack
) -> None:
    """200 users say the same in both profiles, some of it twice; every list is the same, with scores and reasons."""
    _, cluster = start()
    alone = open_service(from_environment({}, home=tmp_path / "alone"), FakeEngine())
    opened.callback(alone.close)
    chance = random.Random(11)
    known = [anime.anime_id for anime in alone.catalogue.anime]
    for user in range(200):
        own = [_anything(f"user-{user}", number, chance, known) for number in range(chance.randrange(1, 12))]
        batch = [*own, *own[:2]]
        for service in (alone, cluster):
            service.writer.submit(batch).result(60)
    users = [f"user-{user}" for user in range(200)]
    until(lambda: all(_version(cluster, user) == _version(alone, user) for user in users))
    assert cluster.states.get_many(users) == alone.states.get_many(users)
    for name in [*users, "unknown-user"]:
        here, there = alone.recommend(ListRequest(user_id=name)), cluster.recommend(ListRequest(user_id=name))
        assert (here.items, here.version, here.cold) == (there.items, there.version, there.cold), name


def _anything(user_id: str, number: int, chance: random.Random, known: list[int]) -> Interaction:
    kind = chance.choice([Kind.CLICK, Kind.RATE, Kind.LIKE, Kind.SEEN])
    value = chance.randrange(1, 11) if kind is Kind.RATE else None
    return event(user_id, chance.choice(known), kind, value, event_id=f"{user_id}-{number}")


def test_doctor_finds_what_is_away(environment: dict[str, str], tmp_path: Path) -> None:
    output = _gars(environment, tmp_path, "doctor", fails=True)  # there is no model
    assert [line[0] for line in output.splitlines() if line[:1] in "✓✗"] == list("✓✗✓✓✓✓✓✓")
    assert "→ train one with: gars train" in output
    away = {"GARS_STATE_STORE": "redis://127.0.0.1:1/0", "GARS_HISTORY": "cassandra://127.0.0.1:1/gars"}
    output = _gars({**environment, **away}, tmp_path, "doctor", fails=True)
    assert [line[0] for line in output.splitlines() if line[:1] in "✓✗"] == list("✓✗✓✗✗✓✓✓")
    assert "start it with: gars stack up cassandra" in output


def test_reads_go_on_while_redis_is_away(
    redis_running: Running, job: Job, start: Callable[[], tuple[Client, Service]]
) -> None:
    client, service = start()
    _say(client, SOMEBODY, 1, "rate", value=9)
    until(lambda: _version(service, SOMEBODY) == 1)
    mine = _ids(client, SOMEBODY)
    redis_running.daemon("redis").kill()
    try:
        assert _ids(client, SOMEBODY) == mine  # as last known
        assert client.get("/api/v1/users/stranger/recommendations").json()["cold"]
        for path in ("/api/v1/users", f"/api/v1/users/{SOMEBODY}", "/api/v1/anime/1/similar", "/api/v1/health/ready"):
            assert client.get(path).status_code == 200, path
        assert "Redis" in client.get("/api/v1/health/ready").json()["warnings"]["state"]
    finally:
        redis_running.up()
    until(lambda: _ids(client, SOMEBODY) == mine and not client.get("/api/v1/health/ready").json()["warnings"])


def test_cassandra_killed_and_back_the_history_has_everything_once(
    cassandra_running: Running, worker: HistoryWorker, start: Callable[[], tuple[Client, Service]]
) -> None:
    """What was acknowledged survives its SIGKILL, and events that arrived while it was down are stored afterwards."""
    client, service = start()
    before = [_say(client, SOMEBODY, 1, event_id=f"before-{number}")["accepted"][0] for number in range(20)]
    until(lambda: worker.keep.step() >= 0 and worker.keep.kept >= 20)
    cassandra_running.daemon("cassandra").kill()
    try:
        during = [_say(client, SOMEBODY, 5, event_id=f"during-{number}")["accepted"][0] for number in range(20)]
        with pytest.raises(StorageError, match="cannot write to Cassandra"):
            until(lambda: worker.keep.step() > 0)
        assert _ids(client, "somebody else")  # lists do not need it
        assert client.get(f"/api/v1/users/{SOMEBODY}/export").status_code == 503
    finally:
        cassandra_running.up()
    until(lambda: _stepped(worker) and worker.keep.kept >= 40)
    found = [one.event_id for _, one in service.stores.history.read_user(SOMEBODY)]
    assert found == [*before, *during]


def _stepped(worker: HistoryWorker) -> bool:
    try:
        worker.keep.step()
    except StorageError:
        return False
    return True
