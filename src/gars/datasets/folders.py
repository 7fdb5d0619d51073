"""Folders of repositories: read their files from a tarball, verify them by the git tree id."""

from __future__ import annotations

import gzip
import hashlib
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, NamedTuple, Self, cast

from gars.datasets.sources import Source
from gars.domain.errors import FetchError

_READ = 1 << 18
_LARGEST_HEADER = 1 << 20
_LARGEST_STREAM = 8 << 30
"""Unpacked bytes of a whole repository after which its tarball is refused."""
_HEADERS = (tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK)
_UNREADABLE = (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError)


class FolderFile(NamedTuple):
    """One file: its path below the folder, with slashes, and its bytes."""

    path: str
    content: bytes
    executable: bool


def read_folder(source: Source, archive: Path) -> Iterator[FolderFile]:
    """Yield the files of a fetched ``github-folder`` source in the archive's order, one at a time in memory.

    ``archive`` is the path that ``fetch`` returned. Nothing is written. Raises ``FetchError`` for an archive that is
    damaged or differs from the registry.
    """
    with archive.open("rb") as stream:
        yield from files_in_tarball(source, stream, str(archive))


def files_in_tarball(source: Source, stream: IO[bytes], where: str) -> Iterator[FolderFile]:
    """Yield the files of the folder ``source.path`` in a gzipped tarball; everything else is skipped unread.

    The folder may stand under one directory more (GitHub's tarballs), as it is, or be the root of the archive.
    Reading ends with the last file of the folder.

    Raises:
        FetchError: a path that leaves the folder, a link or device in it, a path twice, more files or bytes than
            ``source`` allows, or a damaged archive. ``where`` names the archive in the message.
    """
    seen: set[str] = set()
    size = 0
    try:
        with (
            gzip.GzipFile(fileobj=stream) as unpacked,
            tarfile.open(
                fileobj=cast("IO[bytes]", _Bounded(unpacked)), mode="r|", tarinfo=_BoundedHeader, bufsize=_READ
            ) as tar,
        ):
            bare: bool | None = None
            for member in tar:
                if member.isdir():
                    continue
                name = member.name.removeprefix("./")
                if bare is None:
                    bare = "/" not in name
                path = name if bare else _below(source.path, name)
                if path is None:
                    continue
                _check(source, member, path, seen, where)
                seen.add(path)
                size += member.size
                if len(seen) > source.files or size > source.size:
                    raise _refused(source, where, f"more than {_amount(source)}")
                content = tar.extractfile(member)
                yield FolderFile(path, content.read() if content else b"", bool(member.mode & 0o100))
                if len(seen) == source.files and size == source.size:
                    return
    except _UNREADABLE as error:
        raise _refused(source, where, f"a damaged archive ({error})") from error
    raise _refused(source, where, f"{len(seen):,} files of {size:,} bytes in place of {_amount(source)}")


def git_tree_id(source: Source, archive: Path) -> str:
    """Return the git tree id of the folder in ``archive``. Raises ``FetchError`` as ``read_folder`` does."""
    tree = TreeHash()
    for file in read_folder(source, archive):
        tree.add(file)
    return tree.id()


@dataclass(slots=True)
class TreeHash:
    """Compute a git tree id (SHA-1) from files in any order, keeping only their hashes."""

    _root: dict[str, object] = field(default_factory=dict)

    def add(self, file: FolderFile) -> None:
        """Add one file; its path must not be a folder of another one."""
        *folders, name = file.path.split("/")
        place = self._root
        for folder in folders:
            below = place.setdefault(folder, {})
            if not isinstance(below, dict):
                raise FetchError(f"{file.path}: {folder} is a file and a folder", hint="fetch the source again")
            place = below
        if isinstance(place.get(name), dict):
            raise FetchError(f"{file.path} is a file and a folder", hint="fetch the source again")
        mode = b"100755" if file.executable else b"100644"
        place[name] = (mode, hashlib.sha1(b"blob %d\0" % len(file.content) + file.content).digest())

    def id(self) -> str:
        """Return the id as 40 hex digits."""
        return _tree(self._root).hex()


def _tree(folder: dict[str, object]) -> bytes:
    entries: list[tuple[bytes, bytes]] = []
    for name, held in folder.items():
        key = name.encode()
        if isinstance(held, dict):
            entries.append((key + b"/", b"40000 " + key + b"\0" + _tree(held)))  # git sorts a folder as "name/"
        elif isinstance(held, tuple):
            entries.append((key, held[0] + b" " + key + b"\0" + held[1]))
    body = b"".join(entry for _, entry in sorted(entries))
    return hashlib.sha1(b"tree %d\0" % len(body) + body).digest()


def _below(folder: str, name: str) -> str | None:
    """Return the path below ``folder``, which may stand under one directory more; None for other files."""
    for inner in (name, name.partition("/")[2]):
        if inner.startswith(folder + "/"):
            return inner[len(folder) + 1 :]
    return None


def _check(source: Source, member: tarfile.TarInfo, path: str, seen: set[str], where: str) -> None:
    parts = path.split("/")
    if member.name.startswith("/") or any(part in ("", ".", "..") or "\\" in part for part in parts):
        raise _refused(source, where, f"a path that leaves the folder: {member.name!r}")
    if not member.isreg():
        raise _refused(source, where, f"a link or device, which is no file: {member.name!r}")
    if path in seen:
        raise _refused(source, where, f"the same path twice: {member.name!r}")


def _refused(source: Source, where: str, what: str) -> FetchError:
    return FetchError(
        f"{source.name}: {where} was refused: it holds {what}",
        hint=f"remove that file if it is yours, then: gars data fetch {source.name}",
    )


def _amount(source: Source) -> str:
    return f"{source.files:,} files of {source.size:,} bytes"


class _BoundedHeader(tarfile.TarInfo):
    """A header that refuses to announce a name or extension of more than a megabyte: tarfile reads these whole."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        """Parse a header block. Raises ``tarfile.ReadError``."""
        header = super().frombuf(buf, encoding, errors)
        if header.type in _HEADERS and header.size > _LARGEST_HEADER:
            raise tarfile.ReadError(f"a header of {header.size:,} bytes")
        return header


class _Bounded:
    """A stream that refuses to unpack more than ``_LARGEST_STREAM`` bytes."""

    def __init__(self, stream: gzip.GzipFile) -> None:
        self._stream = stream
        self._left = _LARGEST_STREAM

    def read(self, size: int) -> bytes:
        """Read up to ``size`` bytes. Raises ``tarfile.ReadError``."""
        piece = self._stream.read(size)
        self._left -= len(piece)
        if self._left < 0:
            raise tarfile.ReadError(f"more than {_LARGEST_STREAM:,} bytes unpacked")
        return piece
