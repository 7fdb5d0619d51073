"""Thumbnails of covers as files in one folder, with a limit on their size: the least recently used go first.

A file is called ``ANIME-ADDRESS-CONTENT.thumbnail.webp``, with hashes of the address it came from and of its bytes.
Files that were cut or changed do not fit their name, and files of other origin do not have such a name: neither is
served, and neither is deleted. Versions of GARS without thumbnails kept ``ANIME-ADDRESS-CONTENT.jpg``, ``.png`` or
``.webp`` as fetched: such a file counts, and goes when its thumbnail is kept.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import tempfile
import threading
import time
from collections import OrderedDict
from pathlib import Path
from typing import Final

from gars.application.catalogue.covers import Cover
from gars.domain.errors import StorageError

logger = logging.getLogger(__name__)

_THUMBNAIL: Final = "thumbnail.webp"
_NAME = re.compile(rf"(\d{{1,10}}-[0-9a-f]{{24}})-([0-9a-f]{{32}})\.({_THUMBNAIL}|jpg|png|webp)")
_UNFINISHED = re.compile(r"\.cover-[a-z0-9_]{8}")
_DAY_S = 86_400.0


class CoverFiles:
    """A ``CoverStore`` in a folder."""

    def __init__(self, folder: Path, *, max_bytes: int) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._files: OrderedDict[str, tuple[str, int]] | None = None
        """Name and size of each file by anime and address, the least recently used first; read at first use."""
        self._bytes = 0

    def find(self, anime_id: int, address: str) -> Cover | None:
        """Return a kept thumbnail; ``None`` if there is none, or its file is damaged."""
        found = self._read(anime_id, address, thumbnail=True)
        return found and Cover(*found)

    def find_original(self, anime_id: int, address: str) -> bytes | None:
        """Return an image kept in full size; ``None`` if there is none, or its file is damaged."""
        found = self._read(anime_id, address, thumbnail=False)
        return found and found[0]

    def _read(self, anime_id: int, address: str, *, thumbnail: bool) -> tuple[bytes, str] | None:
        """Return content and entity tag of a file; ``None`` if it is of the other kind."""
        key = _key(anime_id, address)
        with self._lock:
            files = self._index()
            if key not in files or files[key][0].endswith(_THUMBNAIL) != thumbnail:
                return None
            files.move_to_end(key)
            name, _ = files[key]
        try:
            content = (self._folder / name).read_bytes()
        except OSError:
            content = b""
        digest = _digest_in(name)
        if _hash(content, 16) != digest:
            with self._lock:
                self._drop(key)
            return None
        self._touch(name)
        return content, f'"{digest}"'

    def put(self, anime_id: int, address: str, content: bytes) -> Cover:
        """Keep a thumbnail: written, flushed to the disk, then renamed. Raises ``StorageError``."""
        key, digest = _key(anime_id, address), _hash(content, 16)
        name = f"{key}-{digest}.{_THUMBNAIL}"
        with self._lock:
            files = self._index()
            try:
                self._write(name, content)
            except OSError as error:
                raise StorageError(f"cannot keep {self._folder / name}: {error}", hint="free some space") from error
            if key in files and files[key][0] != name:
                self._delete(files[key][0])
            self._drop(key)
            files[key] = name, len(content)
            self._bytes += len(content)
            while self._bytes > self._max_bytes and len(files) > 1:
                oldest = next(iter(files))
                self._delete(files[oldest][0])
                self._drop(oldest)
        return Cover(content, f'"{digest}"')

    def _index(self) -> OrderedDict[str, tuple[str, int]]:
        """List the folder once; remove what an interrupted write left."""
        if self._files is not None:
            return self._files
        found: list[tuple[float, str, str, int]] = []
        try:
            with os.scandir(self._folder) as entries:
                for entry in entries:
                    if not entry.is_file(follow_symlinks=False):
                        continue
                    stat = entry.stat(follow_symlinks=False)
                    if match := _NAME.fullmatch(entry.name):
                        found.append((stat.st_mtime, match[1], entry.name, stat.st_size))
                    elif _UNFINISHED.fullmatch(entry.name) and stat.st_mtime < time.time() - _DAY_S:
                        Path(entry.path).unlink(missing_ok=True)
        except FileNotFoundError:
            pass
        except OSError as error:
            logger.warning("the folder of covers cannot be read: %s", error)
        self._files = OrderedDict((key, (name, size)) for _, key, name, size in sorted(found))
        self._bytes = sum(size for _, size in self._files.values())
        return self._files

    def _write(self, name: str, content: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        handle, unfinished = tempfile.mkstemp(prefix=".cover-", dir=self._folder)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(unfinished).replace(self._folder / name)
        except BaseException:
            Path(unfinished).unlink(missing_ok=True)
            raise
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _touch(self, name: str) -> None:
        """Renew the modification time once a day, so that the order of use survives a restart."""
        file = self._folder / name
        try:
            if file.stat().st_mtime < time.time() - _DAY_S:
                os.utime(file)
        except OSError:
            pass  # the order of use is a hint

    def _delete(self, name: str) -> None:
        """Delete a file if its bytes are those that this store wrote under its name."""
        file = self._folder / name
        try:
            if _hash(file.read_bytes(), 16) == _digest_in(name):
                file.unlink()
        except FileNotFoundError:
            pass
        except OSError as error:
            logger.warning("cannot delete %s: %s", file, error)

    def _drop(self, key: str) -> None:
        if self._files is not None and key in self._files:
            self._bytes -= self._files.pop(key)[1]


def _key(anime_id: int, address: str) -> str:
    return f"{anime_id}-{_hash(address.encode(), 12)}"


def _digest_in(name: str) -> str:
    match = _NAME.fullmatch(name)
    assert match is not None, name
    return match[2]


def _hash(content: bytes, size: int) -> str:
    return hashlib.blake2b(content, digest_size=size).hexdigest()
