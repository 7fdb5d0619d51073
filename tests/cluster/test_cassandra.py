"""The Cassandra adapters keep the contracts of their ports on a real node."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gars.adapters.cassandra.address import CassandraAddress
from gars.adapters.cassandra.connection import Connection, shared
from gars.adapters.cassandra.history import CassandraHistory
from gars.adapters.cassandra.impression_log import CassandraImpressionLog
from gars.adapters.cassandra.schema import create_schema, missing_tables, problem
from gars.adapters.cassandra.tombstones import CassandraTombstones
from gars.adapters.redis.state_store import RedisStateStore
from gars.application.ports import Tombstone
from gars.domain.errors import StorageError
from gars.domain.interaction import Interaction
from gars.entrypoints.cli.app import app as cli
from gars.stack.cassandra import Cassandra
from gars.testing.contracts.event_history import EventHistoryContract
from gars.testing.contracts.impression_log import ImpressionLogContract, impression
from gars.testing.contracts.tombstones import TombstonesContract
from gars.testing.events import START, clicks, event
from gars_test_support.patience import until


@pytest.fixture(scope="session")
def tables(cassandra: Cassandra) -> Iterator[Connection]:
    """Tables for this file alone."""
    address = dataclasses.replace(cassandra.address, keyspace="contracts")
    create_schema(address)
    connection = Connection(address)
    yield connection
    connection.close()


@pytest.fixture
def empty(tables: Connection) -> Connection:
    """The tables with nothing in them. Deleted by key: emptying a table whole takes a second each."""
    for table in ("interactions_by_user", "impressions_by_user"):
        users = [(row.user_id,) for row in tables.rows(f"SELECT DISTINCT user_id FROM {table}")]
        tables.run_many(f"DELETE FROM {table} WHERE user_id = ?", users)
    for limit in list(tables.rows("SELECT ttl_s FROM interaction_limits")):
        tables.run("DELETE FROM interaction_limits WHERE ttl_s = ? IF EXISTS", limit.ttl_s)
    for stone in list(tables.rows("SELECT user_hash FROM tombstones")):
        tables.run("DELETE FROM tombstones WHERE user_hash = ? IF EXISTS", stone.user_hash)
    return tables


class _OnTables:
    connection: Connection

    @pytest.fixture(autouse=True)
    def _empty(self, empty: Connection) -> None:
        self.connection = empty


class TestCassandraHistory(_OnTables, EventHistoryContract):
    last = 0

    def open(self) -> CassandraHistory:
        return CassandraHistory(self.connection.share())

    def add(self, history: CassandraHistory, events: Sequence[Interaction]) -> list[int]:
        offsets = list(range(self.last + 1, self.last + 1 + len(events)))
        self.last = offsets[-1]
        history.keep(list(zip(offsets, events, strict=True)))
        return offsets


class TestCassandraImpressionLog(_OnTables, ImpressionLogContract):
    def open(self) -> CassandraImpressionLog:
        return CassandraImpressionLog(self.connection.share())


class TestCassandraTombstones(_OnTables, TombstonesContract):
    def open(self) -> CassandraTombstones:
        return CassandraTombstones(self.connection.share())


def test_written_again_an_event_is_there_once(empty: Connection) -> None:
    history = CassandraHistory(empty)
    entries = list(enumerate(clicks(3), 1))
    history.keep(entries)
    history.keep(entries)
    assert list(history.read_user("7")) == entries


def test_sent_twice_an_event_is_at_its_first_place(empty: Connection) -> None:
    first, second = clicks(2)
    history = CassandraHistory(empty)
    history.keep([(4, first), (1, first), (2, second), (7, first)])
    assert list(history.read_user("7")) == [(1, first), (2, second)]
    assert history.forget("7") == 2


def test_an_event_may_go_by_itself(empty: Connection) -> None:
    history = CassandraHistory(empty, ttl_s=1000)
    history.keep([(1, event())])
    (row,) = empty.rows("SELECT TTL(event) AS left FROM interactions_by_user WHERE user_id = '7'")
    assert 0 < row.left <= 1000
    CassandraHistory(empty).keep([(1, event("8"))])
    (row,) = empty.rows("SELECT TTL(event) AS left FROM interactions_by_user WHERE user_id = '8'")
    assert row.left is None


def test_it_knows_since_when_events_are_missing(empty: Connection) -> None:
    history = CassandraHistory(empty)
    history.keep([(1, event())])
    assert history.incomplete_since() is None
    CassandraHistory(empty, ttl_s=1000).keep([(2, event(event_id="later"))])
    assert history.incomplete_since() is None  # nothing is gone yet
    brief = CassandraHistory(empty, ttl_s=1)
    brief.keep([(3, event(event_id="soon"))])
    until(lambda: history.incomplete_since() is not None, "an event to go")
    first = history.incomplete_since()
    assert first is not None
    assert abs(first - datetime.now(UTC)) < timedelta(hours=1)
    CassandraHistory(empty, ttl_s=1).keep([(4, event(event_id="soon, too"))])
    assert history.incomplete_since() == first
    assert "later" in {one.event_id for _, one in history.read_user("7")}


def test_a_replay_without_what_it_let_go_of_is_refused(empty: Connection, redis_address: str, tmp_path: Path) -> None:
    history = CassandraHistory(empty)
    history.keep([(1, event("half", event_id="kept"))])
    CassandraHistory(empty, ttl_s=1).keep([(2, event("half", 5, event_id="gone"))])
    until(lambda: history.incomplete_since() is not None, "an event to go")
    redis = f"{redis_address.rpartition('/')[0]}/3"
    environment = {
        "GARS_EVENT_LOG": "kafka://127.0.0.1:9/gars",
        "GARS_STATE_STORE": redis,
        "GARS_TOMBSTONES": f"sqlite:{tmp_path / 'forgotten.sqlite'}",
        "GARS_HISTORY": f"cassandra://127.0.0.1:{empty.address.port}/{empty.address.keyspace}",
    }

    def replay(*words: str) -> Result:
        return CliRunner().invoke(
            cli, ["replay", "--from", "cassandra", "--home", str(tmp_path), *words], env=environment
        )

    with closing(RedisStateStore(redis)) as states:
        for words in ((), ("--check",)):
            refused = replay(*words).exception
            assert isinstance(refused, StorageError)
            assert "events are gone from Cassandra since 20" in refused.message
            assert "GARS_HISTORY_DAYS: states without them would be wrong" in refused.message
            assert "gars replay --from kafka" in (refused.hint or "")
        assert states.get("half") is None
        assert replay("--partial").exit_code == 0
        state = states.get("half")
        assert state is not None
        assert state.recent_event_ids == ("kept",)


def test_impressions_written_again_are_there_once(empty: Connection) -> None:
    log = CassandraImpressionLog(empty)
    log.keep([(5, impression("a")), (6, impression("b", at=START + timedelta(hours=1)))])
    log.keep([(5, impression("a"))])
    assert [one.request_id for one in log.read(user_id="7")] == ["a", "b"]


def test_a_tombstone_does_not_name_the_user(empty: Connection) -> None:
    CassandraTombstones(empty).put("somebody-to-be-forgotten", Tombstone(offset=1, time_ms=1))
    (row,) = empty.rows("SELECT JSON * FROM tombstones")
    assert "somebody" not in row.json


def test_error_of_a_damaged_event_has_the_repair(empty: Connection) -> None:
    empty.run(
        "INSERT INTO interactions_by_user (user_id, event_time, event_id, log_offset, event) "
        "VALUES ('7', 1, 'e', 1, ?)",
        b"\xc1",
    )
    with pytest.raises(StorageError, match=r"event 1 of user '7' in Cassandra cannot be read") as caught:
        list(CassandraHistory(empty).read_user("7"))
    assert "gars worker history --from-start" in (caught.value.hint or "")


def test_tables_that_are_not_there(cassandra: Cassandra) -> None:
    assert missing_tables(cassandra.address) is None
    problem = missing_tables(dataclasses.replace(cassandra.address, keyspace="nothing_here"))
    assert problem is not None
    assert "nothing_here" in problem


def test_a_process_has_one_connection(cassandra: Cassandra) -> None:
    one, two = shared(cassandra.address), shared(cassandra.address)
    assert one is two
    one.close()
    assert len(list(two.rows("SELECT user_hash FROM tombstones"))) == 0  # still open
    two.close()
    three = shared(cassandra.address)
    assert three is not one
    three.close()


def test_no_service_answers() -> None:
    nowhere = CassandraAddress(("127.0.0.1",), 1)
    assert "does not answer" in (problem(nowhere) or "")
    history = CassandraHistory(Connection(nowhere))
    with pytest.raises(StorageError, match=r"cannot read from Cassandra at cassandra://127.0.0.1:1/gars") as caught:
        list(history.read_user("7"))
    assert "is it running? gars doctor" in (caught.value.hint or "")
    with pytest.raises(StorageError, match="cannot create the tables in Cassandra"):
        create_schema(nowhere)
