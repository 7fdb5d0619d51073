"""The Redis adapters keep their contracts on a Redis Cluster of three nodes, where keys lie on different machines.

With replicas, a primary may die.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from typing import Any

import pytest
import redis

from gars.adapters.redis.change_feed import RedisChangeFeed
from gars.adapters.redis.connection import connect
from gars.adapters.redis.keys import SLOTS, slot_tag
from gars.adapters.redis.state_store import RedisStateStore
from gars.adapters.redis.tombstones import RedisTombstones
from gars.adapters.redis.trends import RedisTrends
from gars.application.ports import ChangeFeed, StateStore, Tombstone, Tombstones
from gars.domain.errors import StorageError
from gars.runtime.free_ports import free_ports
from gars.stack.daemon import Daemon
from gars.stack.engine import environment
from gars.stack.redis import ping_problem, server
from gars.testing.contracts.change_feed import ChangeFeedContract
from gars.testing.contracts.state_store import StateStoreContract, state_after
from gars.testing.contracts.tombstones import TombstonesContract
from gars_test_support.patience import until

_NODES = 3


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of one of three nodes that share the slots."""
    with _started(tmp_path_factory, _NODES) as nodes:
        _join(list(nodes))
        yield f"redis-cluster://127.0.0.1:{next(iter(nodes))}"


@contextmanager
def _started(folders: pytest.TempPathFactory, count: int) -> Iterator[dict[int, Daemon]]:
    """Start nodes that do not know each other, by port."""
    command = server()
    assert command is not None
    nodes = {port: Daemon(f"node-{port}", folders.mktemp(f"node-{port}")) for port in free_ports(count)}
    try:
        for port, node in nodes.items():
            node.start(
                [command, "--port", str(port), "--bind", "127.0.0.1", "--cluster-enabled", "yes", "--save", "",
                 "--cluster-node-timeout", "5000", "--repl-diskless-sync-delay", "0", "--dir", str(node.folder)],
                environment=environment(),
            )  # fmt: skip
        for port, node in nodes.items():
            until(lambda port=port, node=node: node.pid is None or ping_problem(port) is None)  # type: ignore[misc]
            assert node.pid is not None, node.last_lines()
        yield nodes
    finally:
        for node in nodes.values():
            node.stop(patience_s=10)


def _join(ports: list[int]) -> None:
    clients = [redis.Redis(port=port) for port in ports]
    share = SLOTS // _NODES
    for number, client in enumerate(clients):
        last = SLOTS - 1 if number == _NODES - 1 else (number + 1) * share - 1
        client.execute_command("CLUSTER", "ADDSLOTSRANGE", number * share, last)  # type: ignore[no-untyped-call]
        client.execute_command("CLUSTER", "MEET", "127.0.0.1", ports[0])  # type: ignore[no-untyped-call]
    for client in clients:
        until(lambda client=client: "cluster_state:ok" in _about(client))  # type: ignore[misc]
        client.close()


def _about(client: redis.Redis) -> str:
    """Return what a node reports of its cluster: ``name:value`` lines."""
    reply = client.execute_command("CLUSTER", "INFO")  # type: ignore[no-untyped-call]
    return reply.decode() if isinstance(reply, bytes) else "\n".join(f"{name}:{value}" for name, value in reply.items())


class _OwnPrefix:
    address: str
    prefix: str
    opened: list[StateStore | ChangeFeed | Tombstones]

    @pytest.fixture(autouse=True)
    def _keys(self, cluster: str) -> Iterator[None]:
        self.address, self.prefix, self.opened = cluster, f"test-{uuid.uuid4().hex}", []
        yield
        for adapter in self.opened:
            adapter.close()


class TestStatesInAClusterOfRedis(_OwnPrefix, StateStoreContract):
    def open(self) -> StateStore:
        self.opened.append(store := RedisStateStore(self.address, prefix=self.prefix))
        return store


class TestTombstonesInAClusterOfRedis(_OwnPrefix, TombstonesContract):
    def open(self) -> Tombstones:
        self.opened.append(stones := RedisTombstones(self.address, prefix=self.prefix))
        return stones


class TestChangesInAClusterOfRedis(_OwnPrefix, ChangeFeedContract):
    def open(self) -> ChangeFeed:
        self.opened.append(feed := RedisChangeFeed(self.address, prefix=self.prefix))
        return feed


def test_keys_lie_on_every_node(cluster: str) -> None:
    store = RedisStateStore(cluster, prefix="spread")
    users = [f"user-{number}" for number in range(60)]
    store.put([state_after(1, user_id) for user_id in users])
    assert len(store.get_many(users)) == 60
    trends = RedisTrends(cluster, prefix="spread")
    trends.write({(bucket, 1): 1.0 for bucket in range(20)})
    assert len(trends.read(range(20))) == 20
    client = connect(cluster)
    sizes = [client.dbsize(target_nodes=node) for node in client.get_primaries()]
    assert min(sizes) > 5
    for one in (store, trends, client):
        one.close()


def test_tombstones_with_unkeyed_names_are_renamed_on_every_node(cluster: str) -> None:
    users = [f"user-{number}" for number in range(60)]
    hashes = [hashlib.blake2b(one.encode(), digest_size=16, person=b"gars.forgotten").hexdigest() for one in users]
    client = connect(cluster)
    for user_id, user_hash in zip(users, hashes, strict=True):
        name = f"old:tombstone:{{{slot_tag(user_id)}}}:{user_hash}"
        client.hset(name, mapping={"offset": 7, "time_ms": 5, "settled": 1, "forgotten": 1})
        client.zadd("old:tombstones", {name: 7})
    with closing(RedisTombstones(cluster, prefix="old")) as stones:
        assert [stones.find(one) for one in users] == [Tombstone(offset=7, time_ms=5, settled=True)] * len(users)
        assert stones.newest_offset() == 7
    names = b" ".join([*client.scan_iter("old:*"), *client.zrange("old:tombstones", 0, -1)])
    assert not [one for one in hashes if one.encode() in names]
    with closing(RedisStateStore(cluster, prefix="old")) as states:
        assert states.put_initial([state_after(0, users[0]), state_after(0, "another")]) == 1
    client.close()


def test_a_primary_is_killed_and_its_replica_takes_its_place(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Nothing is lost, and a store that was open before writes again without being opened anew."""
    with _started(tmp_path_factory, 2 * _NODES) as nodes:
        ports = list(nodes)
        primaries, replicas = ports[:_NODES], ports[_NODES:]
        _join(primaries)
        for primary, replica in zip(primaries, replicas, strict=True):
            _replicate(primary, replica)
        # a primary votes only for a replica that it knows
        for port in ports:
            with redis.Redis(port=port) as client:
                until(lambda client=client: f"cluster_known_nodes:{2 * _NODES}" in _about(client))  # type: ignore[misc]
        users = [f"user-{number}" for number in range(60)]
        killed = primaries[0]
        with closing(RedisStateStore(f"redis-cluster://127.0.0.1:{primaries[1]}")) as store:
            store.put([state_after(1, user_id) for user_id in users])
            with redis.Redis(port=killed) as client:
                assert client.dbsize()
                client.execute_command("WAIT", 1, 60_000)
            nodes[killed].kill()
            until(lambda: _versions(store, users) == {1}, "states of the killed primary at its replica")
            until(lambda: _is_written(store, users), "writes after the failover")
            assert _versions(store, users) == {2}


def _replicate(primary: int, replica: int) -> None:
    """Make a node hold a copy of a primary's data, and wait until it does."""
    source: Any = redis.Redis(port=primary, decode_responses=True)
    client: Any = redis.Redis(port=replica, decode_responses=True)
    with source, client:
        name = source.execute_command("CLUSTER", "MYID")
        client.execute_command("CLUSTER", "MEET", "127.0.0.1", primary)

        def is_known() -> bool:
            with suppress(redis.ResponseError):
                client.execute_command("CLUSTER", "REPLICATE", name)
                return True
            return False

        until(is_known, "the primary to be known", pause_s=0.1)
        until(lambda: client.info("replication")["master_link_status"] == "up", "a replica", pause_s=0.1)


def _versions(store: RedisStateStore, users: list[str]) -> set[int]:
    """Return the versions of all states; empty while one cannot be read or is not there."""
    with suppress(StorageError):
        found = store.get_many(users)
        return {state.version for state in found.values()} if len(found) == len(users) else set()
    return set()


def _is_written(store: RedisStateStore, users: list[str]) -> bool:
    with suppress(StorageError):
        store.put([state_after(2, user_id) for user_id in users])
        return True
    return False


def test_no_node_answers() -> None:
    with pytest.raises(StorageError, match=r"cannot reach Redis at redis-cluster://127.0.0.1:1"):
        connect("redis-cluster://127.0.0.1:1")
