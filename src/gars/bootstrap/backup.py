"""Copy a home to a folder while the service runs: its stores, models and all other files that cannot be made again.

The copy is complete or absent: it is made under a temporary name and renamed when everything is on disk. Its manifest,
with the SHA-256 of every file, is written last.

Order of the stores: states, events, the others, tombstones. A state may then be behind the log, which the next start
replays, and a user deleted during the backup is covered by the tombstone, which the next start enforces.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from gars.adapters.embedded.copying import copy_database, is_database
from gars.bootstrap.stores import sqlite_files
from gars.config import Settings
from gars.datasets import snapshots
from gars.datasets.dataset import MANIFEST as DATASET
from gars.datasets.durable import CHUNK, sha256_of, whole_folder, write_whole
from gars.domain.errors import InvalidInputError, StorageError
from gars.library.registry import CURRENT, PROMOTIONS, Registry

MANIFEST = "backup.json"
FORMAT = 1
_NEVER = (".lock",)
_SIDE_FILES = ("-wal", "-shm", "-journal")
"""Suffixes of SQLite's side files, whose content is in the copy of the database already."""
_KEPT_FOLDERS = ("spider", "validations")
_DATA_FOLDERS = ("data", snapshots.FOLDER)
_PRIVATE = 0o600

Copied = Callable[[str], None]
"""Called with the path of each file that was copied."""


class BackupFile(msgspec.Struct, frozen=True):
    """One file of a backup; ``path`` is relative to the backup and to the home."""

    path: str
    bytes: int
    sha256: str


class BackupManifest(msgspec.Struct, frozen=True, kw_only=True):
    """Content of ``backup.json``."""

    format: int
    gars: str
    """The version of GARS that wrote it."""
    created: datetime
    stores: dict[str, str]
    """Path of each store's file, by its content."""
    links: dict[str, str]
    """Symbolic links and their targets."""
    datasets: dict[str, str]
    """Content hash of each data set of the home, whether its files were copied or not."""
    files: tuple[BackupFile, ...]


def back_up(settings: Settings, target: Path, *, with_data: bool = False, copied: Copied = lambda _: None) -> Path:
    """Copy the home to ``target``, a folder that does not exist yet or is empty. → the manifest's path

    Args:
        settings: name the home and its stores.
        target: the new folder; readable by its owner alone.
        with_data: copy the data sets and their snapshots too, which can be built again.
        copied: called with the path of each copied file.

    Raises:
        InvalidInputError: there is something at ``target``, no home, or a store is outside of it.
        StorageError: a file is damaged, cannot be read, or the disk is full.
    """
    home = settings.home
    if not home.is_dir():
        raise InvalidInputError(f"there is no folder {home}", hint="name the home of the service: --home DIR")
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise InvalidInputError(
            f"{target} is there already and not an empty folder",
            hint="a backup is never written over anything: name a new folder",
        )
    if target.resolve().is_relative_to(home.resolve()):
        raise InvalidInputError(f"{target} is inside of {home}", hint="name a folder on another disk")
    stores = _stores(settings)
    files: list[BackupFile] = []
    with whole_folder(target, written_names=_nothing) as folder:
        folder.chmod(0o700)
        for source in _ordered(home, stores):
            name = str(source.relative_to(home))
            files.append(_copy_database(source, folder, name) if is_database(source) else _copy(source, folder, name))
            copied(name)
        for source in _others(home, with_data=with_data):
            name = str(source.relative_to(home))
            files.append(_copy(source, folder, name))
            copied(name)
        links = _links(home, with_data=with_data)
        for name, leads_to in links.items():
            (folder / name).symlink_to(leads_to)
        manifest = BackupManifest(
            format=FORMAT,
            gars=importlib.metadata.version("gars"),
            created=datetime.now(UTC),
            stores=stores,
            links=links,
            datasets=_datasets(home),
            files=tuple(files),
        )
        write_whole(folder / MANIFEST, msgspec.json.format(msgspec.json.encode(manifest)), mode=_PRIVATE)
    target.chmod(0o700)
    return target / MANIFEST


def _nothing(_folder: Path) -> set[str]:
    """Return an empty set: no file at the target of a backup may be replaced."""
    return set()


def store_paths(settings: Settings) -> dict[str, str]:
    """Return the path of each SQLite store in the home, by content. Raises ``InvalidInputError`` for one outside."""
    home = settings.home.resolve()
    found: dict[str, str] = {}
    for name, path in sqlite_files(settings).items():
        if not path.resolve().is_relative_to(home):
            raise InvalidInputError(
                f"the {name} are in {path}, outside of {settings.home}",
                hint="copy that file with the shell of SQLite: sqlite3 FILE '.backup COPY'; or move it into GARS_HOME",
            )
        found[name] = str(path.resolve().relative_to(home))
    return found


def _stores(settings: Settings) -> dict[str, str]:
    return {name: path for name, path in store_paths(settings).items() if (settings.home / path).is_file()}


def _ordered(home: Path, stores: dict[str, str]) -> Iterator[Path]:
    """Yield the stores and the files directly in the home, the tombstones last."""
    first = [home / stores[name] for name in ("states", "events") if name in stores]
    last = [home / stores[name] for name in ("tombstones",) if name in stores]
    between = [home / path for name, path in stores.items() if name not in ("states", "events", "tombstones")]
    between += [
        path
        for path in sorted(home.iterdir())
        if path.is_file() and not path.is_symlink() and path.name not in _NEVER and not path.name.endswith(_SIDE_FILES)
    ]
    yield from dict.fromkeys(path for path in (*first, *between) if path not in last)
    yield from dict.fromkeys(last)


def _others(home: Path, *, with_data: bool) -> Iterator[Path]:
    models = home / "models"
    registry = Registry(models)
    versions = {promotion.version for promotion in registry.promotions()} | {registry.current()}
    if (models / PROMOTIONS).is_file():
        yield models / PROMOTIONS
    folders = [models / version for version in sorted(filter(None, versions))]
    folders += [home / name for name in (*_KEPT_FOLDERS, *(_DATA_FOLDERS if with_data else ()))]
    for folder in folders:
        yield from sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def _links(home: Path, *, with_data: bool) -> dict[str, str]:
    links = [home / "models" / CURRENT]
    if with_data:
        links.append(home / snapshots.FOLDER / snapshots.ACCEPTED)
    return {str(link.relative_to(home)): str(link.readlink()) for link in links if link.is_symlink()}


def _datasets(home: Path) -> dict[str, str]:
    found = {}
    for path in sorted((home / "data").glob(f"[!.]*/{DATASET}")):
        try:
            found[path.parent.name] = str(msgspec.json.decode(path.read_bytes())["content_hash"])
        except (msgspec.DecodeError, KeyError, TypeError):
            found[path.parent.name] = "unreadable"
    return found


def _copy_database(source: Path, folder: Path, name: str) -> BackupFile:
    target = folder / name
    target.parent.mkdir(parents=True, exist_ok=True)
    copy_database(source, target)
    target.chmod(_PRIVATE)
    return BackupFile(name, target.stat().st_size, sha256_of(target))


def _copy(source: Path, folder: Path, name: str) -> BackupFile:
    return copy_file(source, folder / name, name)


def copy_file(source: Path, target: Path, name: str) -> BackupFile:
    """Copy a file and hash the bytes written, in one pass. Raises ``StorageError`` if it cannot be read or written."""
    target.parent.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    try:
        with source.open("rb") as reading, target.open("xb") as writing:
            while piece := reading.read(CHUNK):
                digest.update(piece)
                writing.write(piece)
                size += len(piece)
        target.chmod(_PRIVATE)
    except OSError as error:
        raise StorageError(
            f"cannot copy {source} to {target}: {error.strerror or error}", hint="check the disk and the permissions"
        ) from error
    return BackupFile(name, size, digest.hexdigest())
