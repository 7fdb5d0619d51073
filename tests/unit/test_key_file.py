"""A key is written whole or not at all, and never over another."""

import errno
import os
from pathlib import Path

import pytest

from gars.adapters.redis import key_file
from gars.domain.errors import StorageError

ONE, OTHER = b"1" * key_file.BYTES, b"2" * key_file.BYTES


def test_the_first_key_stays(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "redis.key"
    assert key_file.read(path) is None
    assert key_file.make(path, ONE) == ONE
    assert key_file.make(path, OTHER) == ONE
    assert [one.name for one in path.parent.iterdir()] == [path.name]
    assert path.stat().st_mode & 0o777 == 0o600


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
