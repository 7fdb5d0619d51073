"""The file of impressions: bytes a list, older files, a cap in bytes, and space that is given back."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import msgspec
import numpy as np
import pytest
from msgspec.structs import replace

from gars.adapters.embedded.impression_log import SqliteImpressionLog
from gars.application.impressions.recorder import ImpressionRecorder
from gars.domain import features
from gars.domain.impression import Impression, ShownItem
from gars.testing.clock import FakeClock
from gars.testing.contracts.impression_log import impression
from gars.testing.events import START

CHANNELS = ("edlae", "deepwalk", "item_knn", "content", "ials", "user_knn", "popularity")
NAMES = features.names(CHANNELS)
OLD_SCHEMA = """
PRAGMA journal_mode=WAL;
CREATE TABLE impressions (number INTEGER PRIMARY KEY, user_id TEXT NOT NULL, time_ms INTEGER NOT NULL,
                          impression BLOB NOT NULL);
CREATE INDEX impressions_of_user ON impressions (user_id, time_ms);
CREATE INDEX impressions_by_time ON impressions (time_ms);
"""


def lists(count: int, *, titles: int = 500, seed: int = 0) -> list[Impression]:
    """Lists of 20 titles with as many features as a model of the sample has, no two values of a list the same."""
    rng = np.random.default_rng(seed)
    alone = features.title_columns(len(NAMES))
    of_titles = rng.normal(size=(titles, alone.sum())).astype(np.float32)
    places = np.array([name.endswith("_place") for name in NAMES])
    of_user = np.array([name.startswith("user_") and name not in CHANNELS for name in NAMES])
    found = []
    for number in range(count):
        ids = rng.choice(titles, 20, replace=False)
        values = rng.normal(3, 2, size=(20, len(NAMES))).astype(np.float32)
        values[:, alone] = of_titles[ids]
        values[:, places] = np.log1p(rng.integers(0, 600, size=(20, places.sum())).astype(np.float32))
        values[:, of_user & ~places] = values[0, of_user & ~places]
        scores = np.sort(rng.normal(size=20).astype(np.float32))[::-1]
        items = tuple(
            ShownItem(int(one) + 1, place, float(scores[place]), CHANNELS[: 1 + place % 7], values[place].tobytes())
            for place, one in enumerate(ids)
        )
        one = impression(f"{rng.integers(2**62):032x}", f"user-{number % 50}", at=START + timedelta(seconds=number))
        found.append(replace(one, model_version="0123456789ab", items=items))
    return found


def on_disk(path: Path) -> int:
    return sum(one.stat().st_size for one in path.parent.glob(f"{path.name}*"))


def test_a_list_takes_a_quarter_of_its_bytes(tmp_path: Path) -> None:
    path, shown = tmp_path / "i.sqlite", lists(600, titles=100)
    log = SqliteImpressionLog(path)
    for start in range(0, len(shown), 20):
        log.append(shown[start : start + 20])
    log.close()
    plain = sum(len(msgspec.msgpack.encode(one)) for one in shown) / len(shown)
    each = path.stat().st_size / len(shown)
    print(f"\n{each:.0f} bytes a list in the file; as MessagePack {plain:.0f}")
    assert each < plain / 3.7, "random numbers: lists of the real sample take 1,500 bytes of 7,760"


def test_titles_are_read_back_after_a_restart_and_by_another_process(tmp_path: Path) -> None:
    shown = lists(30)
    log, other = SqliteImpressionLog(tmp_path / "i.sqlite"), SqliteImpressionLog(tmp_path / "i.sqlite")
    log.append(shown[:10])
    assert len(list(other.read())) == 10
    log.append(shown[10:])
    first, second = list(log.read()), list(other.read())
    assert first == second
    alone = features.title_columns(len(NAMES))
    for one, got in zip(shown, first, strict=True):
        for item, read in zip(one.items, got.items, strict=True):
            exact, rounded = (np.frombuffer(each.features, np.float32) for each in (item, read))
            assert np.array_equal(exact[alone], rounded[alone])
        stripped = [
            replace(each, items=tuple(replace(item, features=b"") for item in each.items)) for each in (one, got)
        ]
        assert stripped[0] == stripped[1]
    log.close()
    other.close()


def test_a_write_that_fails_leaves_no_title_that_is_not_there(tmp_path: Path) -> None:
    shown = lists(3)
    log = SqliteImpressionLog(tmp_path / "i.sqlite")
    with closing(sqlite3.connect(tmp_path / "i.sqlite")) as connection, connection:
        connection.execute("CREATE TRIGGER full BEFORE INSERT ON impressions BEGIN SELECT RAISE(ABORT, 'full'); END")
    with pytest.raises(Exception, match="full"):
        log.append(shown)
    with closing(sqlite3.connect(tmp_path / "i.sqlite")) as connection, connection:
        assert connection.execute("SELECT count(*) FROM titles").fetchone() == (0,)
        connection.execute("DROP TRIGGER full")
    log.append(shown)
    assert len(list(log.read())) == 3
    log.close()


def test_a_file_from_before_is_read_and_gives_its_space_back(tmp_path: Path) -> None:
    path, shown = tmp_path / "i.sqlite", lists(200)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(OLD_SCHEMA)
        rows = [(one.user_id, one.time_ms, msgspec.msgpack.encode(one)) for one in shown[:150]]
        with connection:
            connection.executemany("INSERT INTO impressions (user_id, time_ms, impression) VALUES (?, ?, ?)", rows)
    log = SqliteImpressionLog(path)
    assert list(log.read()) == shown[:150], "exactly as they were"
    log.append(shown[150:])
    assert [one.request_id for one in log.read()] == [one.request_id for one in shown]
    assert log.forget("user-7") == 4
    before = on_disk(path)
    assert log.expire(before=START + timedelta(seconds=140)) == 137
    assert on_disk(path) < before / 3
    log.close()


def test_the_oldest_go_when_the_file_is_too_large(tmp_path: Path) -> None:
    path, shown = tmp_path / "i.sqlite", lists(1200)
    log, clock = SqliteImpressionLog(path), FakeClock()
    log.append(shown)
    before = on_disk(path)
    recorder = ImpressionRecorder(log, clock, max_bytes=600_000, keep=timedelta(days=10_000))
    recorder.record(replace(shown[0], time=clock.now()))
    recorder.close()
    left = list(log.read())
    assert on_disk(path) <= 600_000 + 64_000 < before
    assert 200 < len(left) < 500
    assert [one.request_id for one in left[:-1]] == [one.request_id for one in shown[-len(left) + 1 :]], (
        "the newest stay"
    )
    assert log.trim(to_bytes=1, at_most=10) == 10, "no more than was asked for at a time"
    assert log.trim(to_bytes=10**9, at_most=10) == 0
    log.close()


def test_titles_of_models_that_serve_no_more_go(tmp_path: Path) -> None:
    log = SqliteImpressionLog(tmp_path / "i.sqlite")
    old, new = lists(2)
    later = START + timedelta(days=2)
    log.append([old, replace(new, model_version="next", time=later)])
    log.expire(before=later)
    with closing(sqlite3.connect(tmp_path / "i.sqlite")) as connection:
        assert connection.execute("SELECT version FROM models").fetchall() == [("next",)]
        assert connection.execute("SELECT count(*) FROM titles").fetchone() == (20,)
    log.append([replace(old, time=later)])
    assert [one.model_version for one in log.read()] == ["next", "0123456789ab"]
    log.close()
