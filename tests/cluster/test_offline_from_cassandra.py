"""``gars offline spark`` on events in a real Cassandra, by its command."""

from __future__ import annotations

import dataclasses
import os
import subprocess
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import msgspec
import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from gars.adapters.cassandra import ring
from gars.adapters.cassandra.connection import Connection
from gars.adapters.cassandra.history import CassandraHistory
from gars.adapters.cassandra.schema import create_schema
from gars.domain.errors import InvalidInputError
from gars.domain.interaction import Interaction, Kind, Status
from gars.entrypoints.cli.app import app as cli
from gars.library.offline import ABOUT, ITEM_IDS, Made, read_graph
from gars.stack.cassandra import Cassandra
from gars.stack.services import GARS
from gars.testing.events import START, event

USERS = 40


@pytest.fixture(scope="module")
def connection(cassandra: Cassandra) -> Connection:
    address = dataclasses.replace(cassandra.address, keyspace="offline")
    create_schema(address)
    return Connection(address)


def _events_of(user: int) -> list[Interaction]:
    """Return one user's events of every kind, with a duplicate and an undo."""
    name = f"fan {user}"
    rated = [event(name, anime_id, Kind.RATE, 1 + (user + anime_id) % 10) for anime_id in (1, 2, 3)]
    later = START + timedelta(minutes=1)
    return [
        *rated,
        rated[0],
        event(name, 4, Kind.STATUS, Status.COMPLETED),
        event(name, 5, Kind.LIKE),
        event(name, 6, Kind.DISMISS),
        event(name, 7, Kind.SEEN),
        event(name, 8),
        event(name, 9, Kind.RATE, 7),
        event(name, 9, Kind.RATE, at=later, undo=True),
    ]


def test_the_lists_are_what_the_events_add_up_to(connection: Connection, tmp_path: Path) -> None:
    address = connection.address
    with closing(CassandraHistory(connection)) as events:
        events.keep(list(enumerate((one for user in range(USERS) for one in _events_of(user)), 1)))
        pieces = [dict(events.read_between(*between)) for between in ring.pieces(5)]
        assert sum(map(len, pieces)) == len(set().union(*pieces)) == USERS  # each user in one piece of the ring
        assert sum(map(bool, pieces)) > 1
        for user_id, own in (one for piece in pieces for one in piece.items()):
            assert own == list(events.read_user(user_id))
    target = tmp_path / "offline"
    where = f"cassandra://{address.hosts[0]}:{address.port}/{address.keyspace}"
    words = ["offline", "spark", "--interactions", where, "--out", str(target), "--pieces", "4"]
    done = subprocess.run(
        [*GARS, *words, "--memory", "1g", "--home", str(tmp_path)],
        env=dict(os.environ), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr

    made = msgspec.json.decode((target / ABOUT).read_bytes(), type=Made)
    assert (made.users, made.items, made.rows, made.data) == (USERS, 5, 5 * USERS, "")
    assert np.load(target / ITEM_IDS).tolist() == [1, 2, 3, 4, 5]
    assert read_graph(target, content_hash="of any data set").edges.nnz == made.edges > 0
    users = pl.read_parquet(target / "users.parquet" / "*.parquet")
    assert set(users["user_id"]) == {f"fan {user}" for user in range(USERS)}
    assert set(users.select("titles", "raters").rows()) == {(5, 4)}
    items = {row["anime_id"]: row for row in pl.read_parquet(target / "items.parquet" / "*.parquet").to_dicts()}
    assert {anime_id: row["raters"] for anime_id, row in items.items()} == {1: 40, 2: 40, 3: 40, 4: 0, 5: 40}
    assert (items[1]["rating_mean"], items[4]["rating_mean"], items[5]["rating_mean"]) == (5.5, None, 9.0)


def test_two_sources_are_one_too_many(tmp_path: Path) -> None:
    words = ["offline", "spark", "--data", "mine", "--interactions", "cassandra://127.0.0.1:9/gars"]
    refused = CliRunner().invoke(cli, [*words, "--home", str(tmp_path)]).exception
    assert isinstance(refused, InvalidInputError)
    assert refused.message == "--data and --interactions both say what to read"
