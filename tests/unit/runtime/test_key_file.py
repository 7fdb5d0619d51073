"""A key is written whole or not at all, and never over another."""

import errno
import os
from pathlib import Path

import pytest

from gars.adapters.embedded import user_hashes
from gars.domain.errors import StorageError
from gars.runtime import key_file

ONE, OTHER = b"1" * key_file.BYTES, b"2" * key_file.BYTES


def test_the_first_key_stays(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "redis.key"
    assert key_file.read(path) is None
    assert key_file.make(path, ONE) == ONE
    assert key_file.make(path, OTHER) == ONE
    assert [one.name for one in path.parent.iterdir()] == [path.name]
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_file_system_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_source: Path, _target: Path) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refused)
    path = tmp_path / "redis.key"
    assert key_file.make(path, ONE) == ONE
    assert key_file.make(path, OTHER) == ONE
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="cannot be written: No space left on device"):
        key_file.make(tmp_path / "redis.key", ONE)
    assert not list(tmp_path.iterdir())


def test_a_file_of_another_length_is_no_key(tmp_path: Path) -> None:
    (tmp_path / "redis.key").write_bytes(ONE[1:])
    with pytest.raises(StorageError, match="is no key: it has 31 bytes, not 32"):
        key_file.read(tmp_path / "redis.key")


def test_keys_of_databases_are_written_the_same_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one of 16 bytes, as older databases have."""
    database = tmp_path / "forgotten.sqlite"
    user_hashes.keep_key(database, ONE[:16])
    user_hashes.keep_key(database, ONE[:16])
    with pytest.raises(StorageError, match="is another key"):
        user_hashes.keep_key(database, OTHER)
    path = user_hashes.key_path(database)
    assert path.read_bytes() == ONE[:16]
    assert path.stat().st_mode & 0o777 == 0o600

    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="cannot be written"):
        user_hashes.keep_key(tmp_path / "gars.sqlite", ONE)
    assert list(tmp_path.iterdir()) == [path]
