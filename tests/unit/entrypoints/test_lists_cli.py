"""``gars lists``: on a folder, on the service that holds it, and what it says when neither can be reached."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from gars.bootstrap import lock_home, open_service
from gars.config import from_environment
from gars.entrypoints.cli import app as cli
from gars.testing.engine import FakeEngine
from gars_test_support.server import ServerProcess

LISTS = Path(__file__).parents[2] / "fixtures" / "lists"
FAKE = ["--engine-factory", "gars.testing.engine:make"]
SERVE = [sys.executable, "-c", "from gars.entrypoints.cli.app import main; main()", "serve", *FAKE]


@pytest.fixture(autouse=True)
def _no_service(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("GARS_PORT", str(free.getsockname()[1]))
    monkeypatch.setenv("COLUMNS", "160")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    running = ServerProcess([*SERVE, "--home", str(tmp_path), "--port", "0"])
    yield running
    assert running.stop() == 0, running.output


def gars(monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    """Run ``gars lists …`` in this process; the exit code."""
    monkeypatch.setattr("sys.argv", ["gars", "lists", *map(str, words)])
    try:
        cli.main()
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


def test_import_into_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["import", LISTS / "myanimelist.xml", "--user", "me", "--home", tmp_path, *FAKE]
    assert gars(monkeypatch, *words) == 0
    stdout = capsys.readouterr().out
    assert "4 of 6 titles taken for me from this MyAnimeList XML export (6 events)" in stdout
    assert "1 not in the catalogue: A Title of Next Year" in stdout
    assert "skipped No Id at All: it has no MyAnimeList id" in stdout
    assert gars(monkeypatch, *words) == 0
    stdout = capsys.readouterr().out
    assert "0 of 6 titles taken" in stdout
    assert "4 known already" in stdout
    service = open_service(from_environment({}, home=tmp_path), FakeEngine())
    state = service.states.get("me")
    service.close()
    assert state is not None
    assert state.version == 6


def test_import_into_a_running_service(
    tmp_path: Path, server: ServerProcess, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["import", LISTS / "plain.csv", "--user", "me", "--home", tmp_path]
    assert gars(monkeypatch, *words) == 1
    stderr = capsys.readouterr().err
    assert f"another gars serve (process {server.process.pid}) uses {tmp_path}, and no GARS answers at" in stderr
    assert "--server http://127.0.0.1:PORT" in stderr
    monkeypatch.setenv("GARS_PORT", server.address.rpartition(":")[2])
    assert gars(monkeypatch, *words) == 0
    assert "4 of 5 titles taken for me from this CSV table" in capsys.readouterr().out
    assert gars(monkeypatch, "import", LISTS / "anilist.json", "--user", "you", "--server", server.address) == 0
    stdout = capsys.readouterr().out
    assert "2 of 5 titles taken for you from this AniList list" in stdout
    assert "2 repeated in the list" in stdout
    assert httpx.get(f"{server.address}/api/v1/users/me").json()["titles"] == 4
    assert gars(monkeypatch, "import", LISTS / "myanimelist-manga.xml", "--user", "me", "--server", server.address) == 1
    stderr = capsys.readouterr().err
    assert f"{server.address} refused: this MyAnimeList XML export is a list of manga" in stderr
    assert "export the anime list instead" in stderr


def test_what_cannot_be_reached_or_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    nowhere = ["--user", "me", "--server", "http://127.0.0.1:9"]
    assert gars(monkeypatch, "import", LISTS / "plain.csv", *nowhere) == 1
    stderr = capsys.readouterr().err
    assert "http://127.0.0.1:9 does not answer" in stderr
    assert "gars serve" in stderr
    assert gars(monkeypatch, "import", tmp_path / "gone.xml", *nowhere) == 1
    assert f"cannot read {tmp_path / 'gone.xml'}: No such file" in capsys.readouterr().err
    assert gars(monkeypatch, "import", LISTS / "plain.csv", "--user", "me", "--home", tmp_path) == 1
    assert "there is no trained model" in capsys.readouterr().err
    with lock_home(from_environment({}, home=tmp_path)):
        pass  # the folder is free again after a failure


def test_export_and_forget(
    tmp_path: Path, server: ServerProcess, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """Out of a running service, into a folder, and gone from both."""
    there = ["--user", "me & you?", "--server", server.address]
    here = ["--user", "me", "--home", tmp_path / "other", *FAKE]
    assert gars(monkeypatch, "import", LISTS / "plain.csv", *there) == 0
    capfdbinary.readouterr()
    assert gars(monkeypatch, "export", *there) == 0
    exported = capfdbinary.readouterr().out
    assert b'"gars_export":1' in exported
    assert gars(monkeypatch, "export", *there, "--output", tmp_path / "me.json") == 0
    assert f"{tmp_path / 'me.json'}: ".encode() in capfdbinary.readouterr().out
    assert (tmp_path / "me.json").stat().st_mode & 0o077 == 0, "only its owner may read it"
    assert gars(monkeypatch, "import", tmp_path / "me.json", *here) == 0
    assert b"4 of 4 titles taken for me from this export of GARS (5 events)" in capfdbinary.readouterr().out
    for user in (there, here):
        assert gars(monkeypatch, "forget", "--yes", *user) == 0
        assert b"is forgotten: 5 events deleted" in capfdbinary.readouterr().out
        assert gars(monkeypatch, "export", *user) == 0
        assert b'"interactions":[]' in capfdbinary.readouterr().out


def test_forgetting_asks_first(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("typer.confirm", lambda question: "Delete everything known of me?" not in question)
    assert gars(monkeypatch, "forget", "--user", "me", "--server", "http://127.0.0.1:9") == 0
    assert "nothing was deleted" in capsys.readouterr().out


def test_an_export_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    words = ["export", "--user", "me", "--home", tmp_path / "home", "--output", tmp_path / "file" / "me.json", *FAKE]
    assert gars(monkeypatch, *words) == 1
    stderr = capsys.readouterr().err
    assert f"cannot write {tmp_path / 'file' / 'me.json'}: " in stderr
    assert "choose another --output FILE" in stderr
