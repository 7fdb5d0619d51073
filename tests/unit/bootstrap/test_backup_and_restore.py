"""A backup is whole or not there; a restore is refused, finished, or goes on where it was interrupted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gars.application.recommend.list_request import ListRequest
from gars.bootstrap import lock_home, open_service
from gars.bootstrap.backup import MANIFEST, back_up
from gars.bootstrap.restore import restore, verify
from gars.config import Settings, from_environment
from gars.domain.errors import GarsError, InvalidInputError, StorageError
from gars.entrypoints.cli.app import app
from gars.library.registry import Registry
from gars.testing.engine import FakeEngine
from gars.testing.events import clicks
from gars_test_support.crash import Crash, CrashPoint


def settings_of(home: Path) -> Settings:
    return from_environment({}, home=home)


def fill(home: Path, *users: str) -> None:
    service = open_service(settings_of(home), FakeEngine())
    for user in users:
        service.writer.submit(clicks(5, user_id=user)).result(30)
        service.recommend(ListRequest(user_id=user, k=3, request_id=f"shown to {user}"))
    service.close()


def users_of(home: Path) -> dict[str, int]:
    """Version of each user's state, checked against the log."""
    service = open_service(settings_of(home), FakeEngine())
    versions = {}
    for user in service.states.user_ids(limit=100):
        state = service.states.get(user)
        assert state is not None
        assert state.version == len(list(service.stores.history.read_user(user)))
        versions[user] = state.version
    service.close()
    return versions


def content(folder: Path) -> dict[str, bytes]:
    """Return content by file, without the lock and a database's -wal and -shm files."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink() and path.name != ".lock" and not path.name.endswith("-shm")
        if not path.name.endswith("-wal") or path.stat().st_size
    }


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    fill(home, "ann", "ben")
    for version, record in (("old", False), ("serving", True), ("never", False)):
        (home / "models" / version).mkdir(parents=True)
        (home / "models" / version / "weights.npz").write_bytes(version.encode() * 1000)
        if record:
            (home / "models" / "current").symlink_to(version)
    (home / "models" / "promotions.jsonl").write_text(
        '{"version":"old","time":"2026-01-01"}\n{"version":"serving","time":"2026-01-02"}\n'
    )
    (home / "spider").mkdir()
    (home / "spider" / "lists.jsonl").write_text("{}\n")
    (home / "downloads").mkdir()
    (home / "downloads" / "big.zip").write_bytes(b"can be fetched again")
    (home / "data" / "some").mkdir(parents=True)
    (home / "data" / "some" / "dataset.json").write_text('{"content_hash": "abc"}')
    return home


@pytest.fixture
def backup(home: Path, tmp_path: Path) -> Path:
    back_up(settings_of(home), tmp_path / "backup")
    return tmp_path / "backup"


def test_what_a_backup_holds(backup: Path) -> None:
    manifest = verify(backup)
    assert sorted(content(backup)) == [
        MANIFEST,
        "forgotten.key",
        "forgotten.sqlite",
        "gars.key",
        "gars.sqlite",
        "impressions.sqlite",
        "models/old/weights.npz",
        "models/promotions.jsonl",
        "models/serving/weights.npz",
        "spider/lists.jsonl",
    ]
    assert {file.path for file in manifest.files} == set(content(backup)) - {MANIFEST}
    assert manifest.datasets == {"some": "abc"}
    assert backup.stat().st_mode & 0o077 == 0, "for its owner alone"
    assert all((backup / file.path).stat().st_mode & 0o077 == 0 for file in manifest.files)


def test_with_data(home: Path, tmp_path: Path) -> None:
    back_up(settings_of(home), tmp_path / "all", with_data=True)
    assert "data/some/dataset.json" in content(tmp_path / "all")
    assert "downloads/big.zip" not in content(tmp_path / "all")


def test_restored_to_an_empty_home(backup: Path, tmp_path: Path) -> None:
    there = tmp_path / "there"
    assert restore(settings_of(there), backup).set_aside is None
    restored = content(there)
    assert restored == {name: held for name, held in content(backup).items() if name != MANIFEST}
    assert Registry(there / "models").current() == "serving"
    assert users_of(there) == {"ann": 5, "ben": 5}
    assert [path.name for path in there.iterdir() if path.name.startswith((".restore", "before"))] == []


def test_a_full_home_is_refused_and_set_aside_when_asked(backup: Path, home: Path) -> None:
    fill(home, "cid")
    before = content(home)
    with pytest.raises(InvalidInputError, match="is not empty") as caught:
        restore(settings_of(home), backup)
    assert "--replace" in (caught.value.hint or "")
    assert content(home) == before
    done = restore(settings_of(home), backup, replace=True)
    assert done.set_aside is not None
    assert content(done.set_aside) == before
    assert users_of(home) == {"ann": 5, "ben": 5}
    again = restore(settings_of(home), backup, replace=True)
    assert again.set_aside != done.set_aside
    assert content(done.set_aside) == before, "what an earlier restore set aside stays where it is"


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (lambda b: _flip(b / "gars.sqlite"), "gars.sqlite is damaged"),
        (lambda b: _flip(b / "models" / "serving" / "weights.npz"), "weights.npz is damaged"),
        (lambda b: (b / "forgotten.sqlite").unlink(), "forgotten.sqlite of the backup: No such file"),
        (lambda b: (b / "impressions.sqlite").write_bytes(b""), "impressions.sqlite is damaged"),
        (lambda b: (b / MANIFEST).unlink(), "is no whole backup"),
        (lambda b: (b / MANIFEST).write_text((b / MANIFEST).read_text()[:-20]), "backup.json is damaged"),
        (lambda b: _replace(b / MANIFEST, '"format": 1', '"format": 2'), "has format 2"),
        (lambda b: _replace(b / MANIFEST, '"spider/lists.jsonl"', '"../lists.jsonl"'), "names a file outside of it"),
    ],
)
def test_a_damaged_backup_touches_nothing(
    backup: Path, home: Path, harm: Callable[[Path], object], message: str
) -> None:
    harm(backup)
    before = content(home)
    with pytest.raises(GarsError, match=message):
        restore(settings_of(home), backup, replace=True)
    assert content(home) == before
    with lock_home(settings_of(home)):
        pass


def _replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize("step", range(1, 8))
def test_a_crash_after_any_step_loses_nothing(backup: Path, home: Path, step: int) -> None:
    fill(home, "cid")
    before = content(home)
    with pytest.raises(Crash):
        restore(settings_of(home), backup, replace=True, after_step=CrashPoint(step))
    if step in (2, 3, 4, 5, 6):
        with pytest.raises(StorageError, match="was interrupted") as caught, lock_home(settings_of(home)):
            pass
        assert "gars restore DIR" in (caught.value.hint or "")
    if step < 7:
        done = restore(settings_of(home), backup, replace=True)
        assert done.resumed == (step >= 3)
    (aside,) = home.glob("before-restore-*")
    assert content(aside) == before
    assert users_of(home) == {"ann": 5, "ben": 5}
    assert Registry(home / "models").current() == "serving"


def test_users_deleted_since_the_backup_stay_deleted(backup: Path, home: Path) -> None:
    service = open_service(settings_of(home), FakeEngine())
    service.forget_user("ann")
    service.close()
    assert restore(settings_of(home), backup, replace=True).kept_tombstones
    assert users_of(home) == {"ben": 5}
    service = open_service(settings_of(home), FakeEngine())
    assert service.impressions.users() == ["ben"]
    service.close()


def test_where_a_backup_is_not_written(home: Path, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("mine")
    for target, message in ((tmp_path / "full", "not an empty folder"), (home / "backup", "is inside of")):
        with pytest.raises(InvalidInputError, match=message):
            back_up(settings_of(home), target)
    assert (tmp_path / "full" / "mine").read_text() == "mine"
    with pytest.raises(InvalidInputError, match="there is no folder"):
        back_up(settings_of(tmp_path / "none"), tmp_path / "other")
    elsewhere = from_environment({"GARS_IMPRESSIONS": f"sqlite:{tmp_path / 'i.sqlite'}"}, home=home)
    with pytest.raises(InvalidInputError, match=r"the impressions are in .* outside of"):
        back_up(elsewhere, tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_a_damaged_store_makes_no_backup(home: Path, tmp_path: Path) -> None:
    data = bytearray((home / "impressions.sqlite").read_bytes())
    data[4096:] = b"\xa5" * (len(data) - 4096)
    (home / "impressions.sqlite").write_bytes(bytes(data))
    with pytest.raises(StorageError, match=r"impressions\.sqlite"):
        back_up(settings_of(home), tmp_path / "backup")
    assert not (tmp_path / "backup").exists()


def test_other_places_than_those_of_the_backup(backup: Path, tmp_path: Path) -> None:
    there = tmp_path / "there"
    other = from_environment({"GARS_EVENT_LOG": f"sqlite:{there / 'other.sqlite'}"}, home=there)
    with pytest.raises(InvalidInputError, match=r"has the events in gars\.sqlite, the settings in other\.sqlite"):
        restore(other, backup)


def test_a_service_keeps_its_home(backup: Path, home: Path) -> None:
    with (
        lock_home(settings_of(home)),
        pytest.raises(StorageError, match="another gars serve"),
    ):
        restore(settings_of(home), backup, replace=True)


def test_the_commands(home: Path, tmp_path: Path) -> None:
    def run(*arguments: str) -> str:
        done = CliRunner().invoke(app, list(arguments))
        assert done.exit_code == 0, done.output
        return done.output

    backup, there = str(tmp_path / "backup"), str(tmp_path / "there")
    assert "put it back with: gars restore" in run("backup", backup, "--home", str(home))
    assert "9 file(s)" in run("restore", backup, "--check")
    assert "is as" in run("restore", backup, "--home", there)
    assert users_of(Path(there)) == {"ann": 5, "ben": 5}
    assert "what was there is in" in run("restore", backup, "--home", there, "--replace")
