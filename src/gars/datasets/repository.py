"""Fetch a folder of a GitHub repository: stream the tarball, keep the folder's files, verify the git tree id."""

from __future__ import annotations

import gzip
import http.client
import io
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

import msgspec

from gars.datasets.download import ATTEMPTS, open_address, unreachable
from gars.datasets.durable import sha256_of, whole_file, write_whole
from gars.datasets.folders import FolderFile, TreeHash, files_in_tarball, git_tree_id
from gars.datasets.sources import Source
from gars.domain.errors import FetchError
from gars.runtime.progress import Advance


class _Verified(msgspec.Struct):
    """A record of an archive whose tree id was computed, so that the next look costs one hash of the archive."""

    archive_sha256: str
    tree: str


def download_folder(source: Source, address: str, target: Path, advance: Advance) -> None:
    """Stream the tarball at ``address`` and write the files of ``source.path`` to ``target``, a ``.tar.gz``.

    Nothing else is written, and ``target`` appears only when its git tree id is the pinned one. GitHub makes
    tarballs on the fly and cannot continue one, so a cut connection starts the folder again.

    Raises:
        FetchError: the address cannot be read, or does not hold the pinned folder.
        StorageError: the disk is full.
    """
    cause: Exception | None = None
    for _ in range(ATTEMPTS):
        stream, written = _Reported(), _Counted(advance)
        try:
            with open_address(source, address) as stream.response, whole_file(target) as file:
                files = files_in_tarball(source, cast("IO[bytes]", stream), address)
                _write_folder(source, files, file, written)
        except (OSError, http.client.HTTPException, FetchError) as error:
            if isinstance(error, FetchError) and stream.failure is None:
                raise
            cause = stream.failure or error
            advance(-written.amount)
            if not stream.received:
                break
        else:
            return
    raise unreachable(source, address, cause) from cause


def verify_folder(source: Source, archive: Path, home: Path) -> None:
    """Raise ``FetchError`` unless ``archive`` holds the pinned folder.

    The result is stored in ``home/downloads`` with the SHA-256 of the archive: the tree id of 27,000 files takes
    seconds, the hash of a verified archive does not.
    """
    record = home / "downloads" / f"{source.file_name}.verified"
    found = sha256_of(archive)
    try:
        if msgspec.json.decode(record.read_bytes(), type=_Verified) == _Verified(found, source.tree):
            return
    except (OSError, msgspec.DecodeError):
        pass
    tree = git_tree_id(source, archive)
    if tree != source.tree:
        raise _wrong_tree(source, str(archive), tree)
    write_whole(record, msgspec.json.encode(_Verified(found, tree)))


def _write_folder(source: Source, files: Iterator[FolderFile], out: IO[bytes], advance: Advance) -> None:
    """Write ``files`` as a tarball with equal bytes for equal files; raise ``FetchError`` for another tree."""
    tree = TreeHash()
    with (
        gzip.GzipFile(filename="", mode="wb", fileobj=out, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT) as tar,
    ):
        for file in files:
            tree.add(file)
            header = tarfile.TarInfo(f"{source.path}/{file.path}")
            header.size = len(file.content)
            header.mode = 0o755 if file.executable else 0o644
            tar.addfile(header, io.BytesIO(file.content))
            advance(float(header.size))
    if (found := tree.id()) != source.tree:
        raise _wrong_tree(source, source.origin, found)


def _wrong_tree(source: Source, where: str, found: str) -> FetchError:
    return FetchError(
        f"{source.name}: {where} is not the folder GARS was built for: expected git tree {source.tree}, found {found}",
        hint=f"remove that file if it is yours, then: gars data fetch {source.name}",
    )


class _Counted:
    """An ``Advance`` that knows how much it passed on."""

    def __init__(self, advance: Advance) -> None:
        self._advance = advance
        self.amount = 0.0

    def __call__(self, amount: float) -> None:
        self.amount += amount
        self._advance(amount)


class _Reported:
    """A response that remembers why it could not be read: gzip and tarfile turn that into errors of their own."""

    def __init__(self) -> None:
        self.response: http.client.HTTPResponse | None = None
        self.received = 0
        self.failure: Exception | None = None

    def read(self, size: int = -1) -> bytes:
        """Read ``size`` bytes. Raises ``OSError`` or ``HTTPException`` for a connection that ends early."""
        assert self.response is not None
        try:
            piece = self.response.read(size)
            if len(piece) < size and self.response.length:
                raise http.client.IncompleteRead(b"", self.response.length)
        except (OSError, http.client.HTTPException) as error:
            self.failure = error
            raise
        self.received += len(piece)
        return piece
