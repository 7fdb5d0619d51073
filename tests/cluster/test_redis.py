"""The Redis adapters keep the contracts of their ports on a real server."""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import Iterator

import pytest
import redis

from gars.adapters.redis.change_feed import MISSED, RedisChangeFeed
from gars.adapters.redis.connection import connect
from gars.adapters.redis.keys import Keys
from gars.adapters.redis.state_store import RedisStateStore
from gars.adapters.redis.state_writer import StateWrite, StateWriter
from gars.adapters.redis.tombstones import RedisTombstones
from gars.adapters.redis.trends import RedisTrends
from gars.application.ports import ChangeFeed, StateStore, Tombstone, Tombstones
from gars.domain import user_state
from gars.domain.errors import StorageError
from gars.domain.user_state import Row
from gars.testing.contracts.change_feed import ChangeFeedContract, change
from gars.testing.contracts.state_store import StateStoreContract, state_after
from gars.testing.contracts.tombstones import TombstonesContract
from gars_test_support.patience import until

pytestmark = pytest.mark.cluster


def _new_prefix() -> str:
    return f"test-{uuid.uuid4().hex}"


class _OwnPrefix:
    """Keys of its own for each check, and everything closed afterwards."""

    address: str
    prefix: str
    opened: list[StateStore | ChangeFeed | Tombstones]

    @pytest.fixture(autouse=True)
    def _keys(self, redis_address: str) -> Iterator[None]:
        self.address, self.prefix, self.opened = redis_address, _new_prefix(), []
        yield
        for adapter in self.opened:
            adapter.close()
            adapter.close()


class TestRedisStateStore(_OwnPrefix, StateStoreContract):
    def open(self) -> StateStore:
        store = RedisStateStore(self.address, prefix=self.prefix)
        self.opened.append(store)
        return store


class TestRedisTombstones(_OwnPrefix, TombstonesContract):
    def open(self) -> Tombstones:
        stones = RedisTombstones(self.address, prefix=self.prefix)
        self.opened.append(stones)
        return stones


class TestRedisChangeFeed(_OwnPrefix, ChangeFeedContract):
    def open(self) -> ChangeFeed:
        feed = RedisChangeFeed(self.address, prefix=self.prefix)
        self.opened.append(feed)
        return feed


@pytest.fixture
def prefix() -> str:
    return _new_prefix()


@pytest.fixture
def store(redis_address: str, prefix: str) -> Iterator[RedisStateStore]:
    store = RedisStateStore(redis_address, prefix=prefix)
    yield store
    store.close()


@pytest.fixture
def writer(redis_address: str, prefix: str) -> Iterator[StateWriter]:
    client = connect(redis_address)
    yield StateWriter(client, redis_address, keys=Keys(prefix))
    client.close()


def _write(version: int, *, offset: int | None = None, user_id: str = "7") -> StateWrite:
    state = state_after(version, user_id)
    return StateWrite(user_id, version, user_state.encode(state), [change(version, user_id)], offset=offset)


def test_states_come_in_one_round_trip(store: RedisStateStore) -> None:
    store.put([state_after(1, "a"), state_after(2, "b")])
    assert store.get_many(["a", "unknown-user", "b"]) == {"a": state_after(1, "a"), "b": state_after(2, "b")}
    assert store.get_many([]) == {}


def test_state_is_published_in_the_step_that_writes_it(redis_address: str, prefix: str, writer: StateWriter) -> None:
    async def scene() -> list[int]:
        async with feed.listen("7") as next_change:
            await asyncio.to_thread(writer.write, [_write(1), _write(3), _write(2), _write(4)])
            changes = [await asyncio.wait_for(next_change(), 30) for _ in range(3)]
            return [change.version for change in changes if change]

    feed = RedisChangeFeed(redis_address, prefix=prefix)
    assert asyncio.run(scene()) == [1, 3, 4]
    feed.close()


def test_many_writers_never_move_a_version_back(store: RedisStateStore, writer: StateWriter) -> None:
    threads = [
        threading.Thread(target=writer.write, args=([_write(version) for version in range(start, 200, 4)],))
        for start in (4, 3, 2, 1)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.get("7") == state_after(199)


def test_what_is_from_before_a_tombstone_stays_out(store: RedisStateStore, writer: StateWriter) -> None:
    writer.write([_write(2, offset=10)])
    assert writer.forget("7", offset=11)
    assert writer.write([_write(3, offset=10), _write(4, offset=11)]) == 0
    assert store.get("7") is None
    assert writer.write([_write(1, offset=12)]) == 1
    assert store.get("7") == state_after(1)


def test_deleted_and_met_again_in_one_call(store: RedisStateStore, writer: StateWriter) -> None:
    assert writer.write([_write(3, offset=3), StateWrite("7", 0, None, offset=4), _write(1, offset=5)]) == 3
    assert writer.read("7") == user_state.encode(state_after(1))
    assert store.user_ids(limit=10) == ["7"]
    assert writer.write([StateWrite("7", 0, None, offset=6), StateWrite("7", 0, None, offset=6)]) == 1
    assert store.user_ids(limit=10) == []


def test_a_tombstone_of_the_port_bars_the_writer(redis_address: str, prefix: str, writer: StateWriter) -> None:
    stones = RedisTombstones(redis_address, prefix=prefix)
    stones.put("7", Tombstone(offset=5, time_ms=1))
    assert writer.write([_write(1, offset=5)]) == 0
    assert writer.write_initial([("7", user_state.encode(user_state.initial("7", [Row(1)])))]) == 0
    stones.close()


def test_a_forgotten_user_is_in_no_key_and_no_value(redis_address: str, prefix: str, store: RedisStateStore) -> None:
    user_id = "somebody-to-be-forgotten"
    stones = RedisTombstones(redis_address, prefix=prefix)
    store.put([state_after(3, user_id), state_after(1, "another")])
    stones.put(user_id, Tombstone(offset=5, time_ms=1))
    store.forget(user_id)
    client = connect(redis_address)
    kept = b""
    for key in client.scan_iter(f"{prefix}:*"):
        kept += key + (client.dump(key) or b"")
        if client.type(key) == b"zset":
            kept += b"".join(client.zrange(key, 0, -1))
    assert b"another" in kept
    assert user_id.encode() not in kept
    stones.close()
    client.close()


def test_seconds_to_live_count_from_the_last_change(redis_address: str, prefix: str) -> None:
    store = RedisStateStore(redis_address, prefix=prefix, ttl_s=1000)
    store.put([state_after(1)])
    client = connect(redis_address)
    assert 0 < client.ttl(Keys(prefix).state("7")) <= 1000
    client.close()
    store.close()


def test_error_of_a_damaged_state_has_the_repair(redis_address: str, prefix: str, store: RedisStateStore) -> None:
    client = connect(redis_address)
    client.hset(Keys(prefix).state("7"), mapping={"version": 1, "state": b"\xc1"})
    with pytest.raises(StorageError, match=r"the state of user '7' in Redis at .* cannot be read") as caught:
        store.get("7")
    assert "gars replay --from kafka --to redis" in (caught.value.hint or "")
    client.close()


def test_no_service_answers() -> None:
    store = RedisStateStore("redis://127.0.0.1:1/0")
    with pytest.raises(StorageError, match=r"cannot read from Redis at redis://127.0.0.1:1/0") as caught:
        store.get("7")
    assert "is it running? gars doctor" in (caught.value.hint or "")
    with pytest.raises(StorageError, match="cannot write to Redis"):
        store.check()
    store.close()


def test_listener_gets_the_version_after_a_break(redis_address: str, prefix: str, store: RedisStateStore) -> None:
    """A change while the connection was cut is lost; on reconnection the current version is sent."""

    async def scene() -> tuple[str, int]:
        async with feed.listen("7") as next_change:
            await asyncio.to_thread(cut)
            change = await asyncio.wait_for(next_change(), 30)
            assert change is not None
            return change.kind, change.version

    def cut() -> None:
        store.put([state_after(3)])
        client = redis.Redis.from_url(redis_address)
        killed = client.client_kill_filter(_type="pubsub")
        assert killed >= 1
        client.close()

    feed = RedisChangeFeed(redis_address, prefix=prefix)
    assert asyncio.run(scene()) == (MISSED, 3)
    until(lambda: feed.listening == 0)
    feed.close()


def test_a_feed_without_redis_neither_blocks_nor_fails() -> None:
    async def scene() -> None:
        async with feed.listen("7") as next_change:
            feed.publish([change(1)])
            feed.close()
            assert await asyncio.wait_for(next_change(), 30) is None

    feed = RedisChangeFeed("redis://127.0.0.1:1/0")
    asyncio.run(scene())


def test_trending_counters_are_absolute(redis_address: str, prefix: str) -> None:
    trends = RedisTrends(redis_address, prefix=prefix)
    trends.write({(3, 1): 2.5, (3, 5): 1.0, (4, 1): 1.0})
    trends.write({(3, 1): 2.5, (3, 5): 0.0})
    assert trends.read([2, 3, 4]) == {3: {1: 2.5}, 4: {1: 1.0}}
    trends.close()
