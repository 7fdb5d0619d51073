"""Accepted versions of data sets: content-addressed, immutable, each with its parent."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import msgspec
import polars as pl

from gars.datasets.acceptance import Validation, check_thresholds, require_accepted
from gars.datasets.dataset import Dataset
from gars.datasets.drift import compare
from gars.datasets.durable import clear_leftovers, disk_errors, fsync_path, scratch_folder, sha256_of, write_whole
from gars.datasets.forgotten import forgotten
from gars.datasets.thresholds import Thresholds
from gars.datasets.validate import validate
from gars.datasets.writing import write_dataset
from gars.domain.errors import DataError, InvalidInputError

FOLDER, RECORD, VALIDATION, ACCEPTED = "snapshots", "snapshot.json", "validation.json", "accepted"


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """``snapshot.json``. ``hash`` is the content hash of its data set, and the name of its folder."""

    hash: str
    parent: str | None
    """The snapshot that was accepted when this one was taken."""
    dataset: str
    dataset_hash: str
    """Content hash of the data set it was taken of, deleted users included."""
    taken_at: datetime
    rows: int
    users: int
    deleted_users: int
    forced: bool
    """True if it was accepted by force although a check had failed."""
    files: dict[str, str]
    """SHA-256 of each file."""


def validation_of(home: Path, dataset: Dataset, thresholds: Thresholds) -> Validation:
    """Validate a data set, against the last accepted snapshot if there is one. Raises ``DataError``."""
    report = validate(dataset)
    before = accepted(home)
    if before is None or before == dataset.content_hash:
        return check_thresholds(dataset, report, None, thresholds)
    kept = open_snapshot(home, before)
    drift = compare(
        read_validation(home, before).report,
        report,
        before_hash=before,
        were=kept.catalogue().select("anime_id", "title", "members"),
        are=dataset.catalogue().select("anime_id", "title", "members"),
    )
    return check_thresholds(dataset, report, drift, thresholds)


def take(
    home: Path,
    dataset: Dataset,
    thresholds: Thresholds,
    *,
    now: datetime,
    force: bool = False,
    is_deleted: Callable[[int], bool] = lambda _: False,
) -> Snapshot:
    """Store a data set as a snapshot, if it passes validation, and make it the accepted one.

    Users on the deletion list, and those that ``is_deleted`` reports, are left out.

    Equal data give one snapshot, however often it is taken. With ``force``, failed thresholds are recorded and ignored;
    faults of the normal form are not.

    Raises:
        NotAcceptedError: a fault, or a check that failed; nothing was written.
        StorageError: the disk is full.
    """
    folder = home / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    clear_leftovers(folder / "snapshot")
    gone = forgotten(home) | set(filter(is_deleted, _users(dataset)))
    parent = accepted(home)
    with disk_errors(folder), scratch_folder(folder / "snapshot") as scratch:
        copy = _without(dataset, gone, scratch / "data", parent)
        validation = validation_of(home, copy, thresholds)
        if not force or validation.report.faults:
            require_accepted(validation)
        target = folder / copy.content_hash
        if not target.exists():
            snapshot = Snapshot(
                hash=copy.content_hash,
                parent=parent,
                dataset=dataset.name,
                dataset_hash=dataset.content_hash,
                taken_at=now,
                rows=copy.manifest.rows,
                users=copy.manifest.users,
                deleted_users=dataset.manifest.users - copy.manifest.users,
                forced=not validation.accepted,
                files={str(path.relative_to(copy.path)): sha256_of(path) for path in _files(copy.path)},
            )
            (copy.path / VALIDATION).write_bytes(msgspec.json.format(msgspec.json.encode(validation)))
            (copy.path / RECORD).write_bytes(msgspec.json.format(msgspec.json.encode(snapshot)))
            _seal(copy.path)
            copy.path.rename(target)
            target.chmod(0o555)
            fsync_path(folder)
    write_whole(folder / ACCEPTED, f"{copy.content_hash}\n".encode())
    return read_snapshot(home, copy.content_hash)


def accepted(home: Path) -> str | None:
    """Return the hash of the last accepted snapshot, ``None`` without one."""
    try:
        return (home / FOLDER / ACCEPTED).read_text().strip() or None
    except FileNotFoundError:
        return None


def snapshots(home: Path) -> list[Snapshot]:
    """Return all snapshots, the oldest first. Raises ``DataError`` for a damaged one."""
    found = [read_snapshot(home, path.parent.name) for path in (home / FOLDER).glob(f"*/{RECORD}")]
    return sorted(found, key=lambda snapshot: (snapshot.taken_at, snapshot.hash))


def read_snapshot(home: Path, name: str) -> Snapshot:
    """Read the record of a snapshot by a prefix of its hash. Raises ``InvalidInputError``, ``DataError``."""
    return _decode(_folder(home, name) / RECORD, Snapshot)


def read_validation(home: Path, name: str) -> Validation:
    """Read the validation results of a snapshot. Raises ``InvalidInputError``, ``DataError``."""
    return _decode(_folder(home, name) / VALIDATION, Validation)


def open_snapshot(home: Path, name: str) -> Dataset:
    """Open the data set of a snapshot. Raises ``InvalidInputError``, ``DataError``."""
    return Dataset.open(_folder(home, name))


def verify(home: Path, name: str) -> None:
    """Raise ``DataError`` if a file of a snapshot is missing or its hash differs."""
    folder = _folder(home, name)
    for path, digest in read_snapshot(home, name).files.items():
        if not (folder / path).is_file() or sha256_of(folder / path) != digest:
            raise DataError(
                f"{folder / path}: is not what it was when the snapshot was taken",
                hint="remove the snapshot and take it again: gars data snapshot",
            )


def remove(home: Path, name: str) -> None:
    """Remove a snapshot for good, for example one that still holds a deleted user.

    Raises:
        InvalidInputError: it is the accepted one: take another first.
    """
    folder = _folder(home, name)
    if folder.name == accepted(home):
        raise InvalidInputError(
            f"snapshot {folder.name[:12]} is the accepted one", hint="take a newer one first: gars data snapshot"
        )
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    shutil.rmtree(folder)


_Kind = TypeVar("_Kind", Snapshot, Validation)


def _without(dataset: Dataset, gone: set[int], target: Path, parent: str | None) -> Dataset:
    """Copy a data set without some users."""
    manifest = dataset.manifest

    def parts() -> Iterator[pl.DataFrame]:
        for path in dataset.parts():
            part = pl.read_parquet(path)
            yield part.filter(~pl.col("user_id").is_in(list(gone))) if gone else part

    lineage = {"taken_of": dataset.content_hash, "parent": parent}
    return write_dataset(
        target,
        name=dataset.name,
        dialect=manifest.dialect,
        simulated=manifest.simulated,
        sources=manifest.sources,
        parts=parts(),
        catalogue=dataset.catalogue(),
        duplicates=lambda: manifest.duplicates,
        report={**manifest.report, "lineage": lineage},
        of_users=dataset.users().filter(~pl.col("user_id").is_in(list(gone))),
        provenance=dataset.provenance(),
    )


def _users(dataset: Dataset) -> list[int]:
    return dataset.interactions().select("user_id").unique().collect()["user_id"].to_list()


def _folder(home: Path, name: str) -> Path:
    found = sorted(path.parent for path in (home / FOLDER).glob(f"{name}*/{RECORD}")) if name.isalnum() else []
    if len(found) != 1:
        problem = "no snapshot begins with" if not found else f"{len(found)} snapshots begin with"
        raise InvalidInputError(f"{problem} {name!r}", hint="gars data snapshots lists them")
    return found[0]


def _decode(path: Path, kind: type[_Kind]) -> _Kind:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, msgspec.DecodeError) as error:
        raise DataError(f"{path}: is damaged: {error}", hint="remove that snapshot and take it again") from error


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _seal(folder: Path) -> None:
    """Make a folder's content read-only. The folder itself stays writable, so that it can be moved."""
    for path in folder.rglob("*"):
        path.chmod(0o555 if path.is_dir() else 0o444)
        fsync_path(path)
