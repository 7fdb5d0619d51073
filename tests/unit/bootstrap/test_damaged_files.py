"""Damaged pages of SQLite files are found after the start; then writes are refused and reads go on."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient

from gars.adapters.embedded import integrity
from gars.adapters.embedded.database import Database
from gars.adapters.embedded.integrity import FileChecks
from gars.bootstrap import Service, open_service
from gars.bootstrap.doctor import examine
from gars.config import Settings, from_environment
from gars.domain.errors import StorageError
from gars.entrypoints.api.app import create_app
from gars.testing.contracts.impression_log import impression
from gars.testing.engine import FakeEngine
from gars.testing.events import clicks

PAGE = 4096
USERS = 60


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with some dozen pages in every file."""
    home = tmp_path_factory.mktemp("filled")
    service = open_service(from_environment({}, home=home), FakeEngine())
    for number in range(USERS):
        service.writer.submit(clicks(20, user_id=f"user-{number:03}"))
    service.writer.submit(clicks(1)).result(30)
    service.impressions.append([impression(f"r{number}", f"user-{number % USERS:03}") for number in range(1000)])
    service.close()
    with closing(sqlite3.connect(home / "forgotten.sqlite")) as connection, connection:
        rows = [(number.to_bytes(16, "big"), 1, 1, 1) for number in range(3000)]
        connection.executemany("INSERT INTO tombstones VALUES (?, ?, ?, ?)", rows)
    return home


@pytest.fixture
def settings(filled: Path, tmp_path: Path) -> Settings:
    shutil.copytree(filled, tmp_path / "home")
    return from_environment({"GARS_BUSY_TIMEOUT_MS": "200", "GARS_RANK_BUDGET_MS": "0"}, home=tmp_path / "home")


def damage(path: Path, holds: bytes) -> int:
    """Overwrite every page but the first that holds some bytes. → how many pages"""
    data = bytearray(path.read_bytes())
    hit = [start for start in range(PAGE, len(data), PAGE) if holds in data[start : start + PAGE]]
    for start in hit:
        data[start : start + PAGE] = b"\xa5" * PAGE
    path.write_bytes(bytes(data))
    return len(hit)


def damage_middle(path: Path) -> int:
    """Overwrite three pages in the middle of a file."""
    data = bytearray(path.read_bytes())
    start = len(data) // PAGE // 2 * PAGE
    data[start : start + 3 * PAGE] = b"\xa5" * 3 * PAGE
    path.write_bytes(bytes(data))
    return 3


@contextmanager
def served(settings: Settings) -> Iterator[tuple[Service, Any]]:
    service = open_service(settings, FakeEngine())
    with TestClient(create_app(service), raise_server_exceptions=False) as client:
        yield service, client
    service.close()


def click(user_id: str) -> dict[str, object]:
    now = datetime.now(UTC).isoformat()
    return {"events": [{"user_id": user_id, "anime_id": 1, "kind": "click", "event_time": now}]}


def test_intact_files_have_no_findings(settings: Settings) -> None:
    with served(settings) as (_, client):
        ready = client.get("/api/v1/health/ready")
        assert (ready.status_code, ready.json()["warnings"]) == (200, {})
        assert client.post("/api/v1/interactions", json=click("user-001")).status_code == 202


@pytest.mark.parametrize("at_once", [integrity.CHECKED_AT_ONCE, 0], ids=["at the start", "in a thread"])
def test_damaged_events_refuse_writes_and_serve_reads(
    settings: Settings, at_once: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert damage(settings.home / "gars.sqlite", b"user-030-") >= 2  # leaves of the table and of an index
    monkeypatch.setattr(integrity, "CHECKED_AT_ONCE", at_once)
    with served(settings) as (service, client):
        assert service.checks.wait(60)
        ready = client.get("/api/v1/health/ready")
        assert ready.status_code == 503
        assert "gars.sqlite is damaged, so nothing is written to it" in ready.json()["checks"]["log"]
        assert "gars.sqlite is damaged" in ready.json()["checks"]["state"]
        for store in ("events", "states"):
            assert "gars.sqlite is damaged, writes to it are refused" in ready.json()["warnings"][store]
        refused = client.post("/api/v1/interactions", json=click("user-001"))
        assert refused.status_code == 503
        assert "is damaged" in refused.text
        assert client.get("/api/v1/users/user-001/recommendations").json()["fallback"] is None
    assert caplog.text.count("so writes to it are refused") == 1


def test_damaged_impressions_are_a_warning(settings: Settings) -> None:
    damage_middle(settings.home / "impressions.sqlite")
    with served(settings) as (service, client):
        ready = client.get("/api/v1/health/ready").json()
        assert ready["status"] == "ready"
        assert list(ready["warnings"]) == ["impressions"]
        assert "impressions.sqlite is damaged, writes to it are refused" in ready["warnings"]["impressions"]
        assert client.get("/api/v1/users/user-001/recommendations").json()["fallback"] is None
        service.recorder.flush()
        assert (service.recorder.recorded, service.recorder.dropped) == (0, 1)


def test_damage_that_the_start_meets_stops_it(settings: Settings) -> None:
    """Without the tombstones deleted users might come back, so nothing is served."""
    damage_middle(settings.home / "forgotten.sqlite")
    with pytest.raises(StorageError, match=r"forgotten\.sqlite: database disk image is malformed") as caught:
        open_service(settings, FakeEngine())
    assert "move it away and restore a copy" in (caught.value.hint or "")


def test_damage_met_in_use_refuses_later_writes(tmp_path: Path) -> None:
    path = tmp_path / "some.sqlite"
    database = Database(path, ["CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, text TEXT NOT NULL)"])
    with database.write() as connection:
        connection.executemany("INSERT INTO t (text) VALUES (?)", [("x" * 1000,) for _ in range(100)])
    database.close()
    damage_middle(path)
    database = Database(path, [])
    with database.write() as connection:
        connection.execute("UPDATE t SET text = 'intact' WHERE id = 1")
    with pytest.raises(StorageError, match="malformed"), database.read() as connection:
        connection.execute("SELECT sum(length(text)) FROM t").fetchall()
    with pytest.raises(StorageError, match="is damaged, so nothing is written to it") as caught, database.write():
        pass
    assert "restore a copy" in (caught.value.hint or "")
    with database.read() as connection:
        assert connection.execute("SELECT text FROM t WHERE id = 1").fetchone() == ("intact",)
    database.close()


def test_a_check_lets_go_of_the_file_while_deleted_rows_are_erased(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check of a large file runs for seconds; a deletion must not wait for it, and the check ends all the same."""
    monkeypatch.setattr(integrity, "_STEPS_PER_LOOK", 1)
    health = integrity.use(settings.home / "gars.sqlite")
    runs: list[str] = []
    plain: Callable[[threading.Event], None] = health._quick_check

    def counted(stop: threading.Event) -> None:
        runs.append("begins")
        if len(runs) == 1:  # somebody erases from the first moment of the first run on
            erasing.set()
            assert may_check.wait(30)
        try:
            plain(stop)
        except sqlite3.OperationalError:
            interrupted.set()
            raise
        runs.append("ends")

    erasing, may_check, interrupted = threading.Event(), threading.Event(), threading.Event()
    monkeypatch.setattr(health, "_quick_check", counted)
    thread = threading.Thread(target=health.check, args=(threading.Event(),))
    thread.start()
    assert erasing.wait(30)
    with health.without_check():
        may_check.set()
        database = Database(settings.home / "gars.sqlite", [], busy_timeout_s=30)
        with database.deletion("user-001") as connection:
            assert connection.execute("DELETE FROM events WHERE user_id = 'user-001'").rowcount
        database.erase_deleted()
        database.close()
        assert interrupted.wait(30)
    thread.join(60)
    assert not thread.is_alive()
    assert runs == ["begins", "begins", "ends"], "interrupted once, then run to its end"
    assert health.damage is None
    integrity.release(health)


def test_the_doctor_names_a_damaged_file(settings: Settings) -> None:
    damage(settings.home / "gars.sqlite", b"user-030-")
    found = {one.name: one for one in examine(settings)}
    assert found["event log"].problem is None
    assert "gars.sqlite is damaged" in (found["pages of the files"].problem or "")


def test_a_file_that_is_not_there_yet(tmp_path: Path) -> None:
    checks = FileChecks({"events": tmp_path / "none.sqlite"})
    assert checks.wait(30)
    assert checks.problems() == {}
    checks.close()
