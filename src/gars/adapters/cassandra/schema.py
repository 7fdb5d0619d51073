"""The tables of Cassandra, and checks that it answers."""

from __future__ import annotations

import logging
from contextlib import closing

from cassandra import DriverException
from cassandra.cluster import NoHostAvailable

from gars.adapters.cassandra.address import CassandraAddress
from gars.adapters.cassandra.connection import Connection, open_cluster
from gars.domain.errors import StorageError

_PATIENCE_S = 60.0
_TABLES = (
    # Every event once by (event time, id); the offset is part of the key, so that one sent twice keeps both places in
    # the log, and the first one counts when it is read.
    """
    CREATE TABLE IF NOT EXISTS interactions_by_user (
      user_id text, event_time timestamp, event_id text, log_offset bigint, event blob,
      PRIMARY KEY ((user_id), event_time, event_id, log_offset)
    ) WITH compaction = {'class': 'UnifiedCompactionStrategy'} AND comment = 'Interaction as MessagePack'
    """,
    """
    CREATE TABLE IF NOT EXISTS interaction_limits (
      ttl_s int PRIMARY KEY, since timestamp
    ) WITH comment = 'Since when interactions are written that go after ttl_s: then a replay may miss some'
    """,
    """
    CREATE TABLE IF NOT EXISTS impressions_by_user (
      user_id text, time timestamp, number bigint, request_id text, impression blob,
      PRIMARY KEY ((user_id), time, number, request_id)
    ) WITH compaction = {'class': 'UnifiedCompactionStrategy'} AND comment = 'Impression as MessagePack'
    """,
    """
    CREATE TABLE IF NOT EXISTS tombstones (
      user_hash blob PRIMARY KEY, log_offset bigint, time_ms bigint, settled boolean
    ) WITH comment = 'Who was forgotten: a keyed hash of the id'
    """,
    "CREATE TABLE IF NOT EXISTS tombstone_key (id int PRIMARY KEY, key blob)",
)


def create_schema(address: CassandraAddress) -> None:
    """Create missing keyspace and tables.

    Raises:
        StorageError: Cassandra does not answer or refuses.
    """
    strategy = (
        f"{{'class': 'NetworkTopologyStrategy', '{address.datacenter}': {address.replication}}}"
        if address.datacenter
        else f"{{'class': 'SimpleStrategy', 'replication_factor': {address.replication}}}"
    )
    cluster = open_cluster(address, connect_s=_PATIENCE_S)  # a node that has just started has much to do
    try:
        with Connection(address).explained("create the tables in"):
            session = cluster.connect()
            session.execute(
                f"CREATE KEYSPACE IF NOT EXISTS {address.keyspace} WITH replication = {strategy}", timeout=_PATIENCE_S
            )
            session.set_keyspace(address.keyspace)
            for table in _TABLES:
                session.execute(table, timeout=_PATIENCE_S)
    finally:
        cluster.shutdown()


def problem(address: CassandraAddress) -> str | None:
    """Return the reason why Cassandra cannot be used; ``None`` if it answers."""
    cluster = open_cluster(address)
    logging.getLogger("cassandra").setLevel(logging.ERROR)  # errors of connection attempts are expected
    try:
        cluster.connect().execute("SELECT release_version FROM system.local")
    except (DriverException, NoHostAvailable, OSError) as error:
        return f"Cassandra at {address.shown} does not answer: {error}"
    finally:
        cluster.shutdown()
    return None


def missing_tables(address: CassandraAddress) -> str | None:
    """Return the error of reading the tables; ``None`` if all can be read."""
    with closing(Connection(address)) as connection:
        try:
            for table in ("interactions_by_user", "interaction_limits", "impressions_by_user", "tombstones"):
                list(connection.rows(f"SELECT * FROM {table} LIMIT 1"))
        except StorageError as error:
            return error.message
    return None
