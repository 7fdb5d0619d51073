"""Restore a home from a backup, in steps that a later run completes after a crash.

  1. verify every file of the backup               — nothing of the home is touched before
  2. copy it to ``HOME/.restore/new``, verified again, and sync
  3. write ``HOME/.restore/plan.json``             — from here on every later run completes this restore
  4. move the content of the home to ``HOME/before-restore-TIME``
  5. mark step 4 as done, in the plan
  6. move the new files into the home
  7. remove ``HOME/.restore``
No service starts while ``HOME/.restore`` exists. Everything stays inside of the home, which may be a mount point.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from gars.adapters.embedded.copying import copy_database
from gars.adapters.embedded.lock import folder_lock
from gars.adapters.embedded.user_hashes import key_path
from gars.bootstrap.backup import FORMAT, MANIFEST, BackupManifest, copy_file, store_paths
from gars.bootstrap.stores import UNFINISHED_RESTORE
from gars.config import Settings
from gars.datasets.durable import disk_errors, fsync_path, sha256_of, write_whole
from gars.domain.errors import InvalidInputError, StorageError

_PLAN, _NEW = "plan.json", "new"
_SET_ASIDE = "before-restore-"
_STAYS = (".lock", UNFINISHED_RESTORE)


class _Plan(msgspec.Struct, frozen=True):
    """Content of ``plan.json``, the input of step 4 and later ones."""

    set_aside: str
    """Name of the folder for the former content of the home."""
    moved_away: bool
    """Step 4 is done."""


@dataclass(frozen=True, slots=True)
class Restored:
    """Result of a restore."""

    resumed: bool
    """It completed an earlier restore that was interrupted after step 3; the given backup was not read."""
    set_aside: Path | None
    """Folder with the home's former content, if there was any."""
    kept_tombstones: bool
    """The home's own tombstones were kept: they are newer than those of the backup."""


def _no_crash(_step: int) -> None:
    """Do nothing; tests pass a function that simulates a crash."""


def verify(folder: Path) -> BackupManifest:
    """Read a backup's manifest and compare every file with it.

    Raises:
        InvalidInputError: the folder is no backup, or one of a newer version.
        StorageError: a file is missing, damaged, or cannot be read.
    """
    try:
        content = (folder / MANIFEST).read_bytes()
    except OSError as error:
        raise InvalidInputError(
            f"{folder} is no whole backup: {MANIFEST} cannot be read ({error.strerror})",
            hint="the manifest is written last; make another backup with: gars backup DIR",
        ) from error
    try:
        manifest = msgspec.json.decode(content, type=BackupManifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise StorageError(f"{folder / MANIFEST} is damaged: {error}", hint="use another backup") from error
    if manifest.format != FORMAT:
        raise InvalidInputError(
            f"{folder} has format {manifest.format}, written by GARS {manifest.gars}; this version reads {FORMAT}",
            hint="restore it with the version of GARS that wrote it",
        )
    for file in manifest.files:
        path = folder / file.path
        if Path(file.path).is_absolute() or ".." in Path(file.path).parts:
            raise StorageError(
                f"{folder / MANIFEST} names a file outside of it: {file.path}", hint="use another backup"
            )
        try:
            intact = path.stat().st_size == file.bytes and sha256_of(path) == file.sha256
        except OSError as error:
            raise StorageError(f"{path} of the backup: {error.strerror}", hint="use another backup") from error
        if not intact:
            raise StorageError(f"{path} is damaged: it is not what was backed up", hint="use another backup")
    return manifest


def restore(
    settings: Settings, backup: Path, *, replace: bool = False, after_step: Callable[[int], None] = _no_crash
) -> Restored:
    """Restore the home from ``backup``, or finish a restore that was interrupted.

    Args:
        settings: name the home and its stores.
        backup: a folder made by ``back_up``.
        replace: set aside what is in the home; without it only an empty home is restored.
        after_step: called after each numbered step.

    Raises:
        InvalidInputError: the home is not empty, or its stores have other names than those of the backup.
        StorageError: the backup is damaged, a service uses the home, or the disk is full.
    """
    home = settings.home
    with folder_lock(home, who="gars serve"):
        staging = home / UNFINISHED_RESTORE
        if (staging / _PLAN).is_file():
            plan = _carry_out(home, _read_plan(staging), after_step)
            return Restored(True, home / plan.set_aside if (home / plan.set_aside).is_dir() else None, False)
        manifest = verify(backup)
        after_step(1)
        _refuse_other_places(settings, manifest)
        content = [path for path in home.iterdir() if path.name not in _STAYS]
        if content and not replace:
            raise InvalidInputError(
                f"{home} is not empty: {content[0].name} is in it",
                hint=f"name an empty one: --home DIR; or set aside what is there: gars restore {backup} --replace",
            )
        if staging.exists():  # from a restore that ended before step 3: nothing of the home was moved
            shutil.rmtree(staging)
        with disk_errors(home):
            kept = _stage(home, backup, manifest, staging / _NEW)
            after_step(2)
            stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%f")
            plan = _Plan(f"{_SET_ASIDE}{stamp}", moved_away=False)
            _write_plan(staging, plan)
            after_step(3)
        _carry_out(home, plan, after_step)
        return Restored(False, home / plan.set_aside if content else None, kept)


def _refuse_other_places(settings: Settings, manifest: BackupManifest) -> None:
    wanted = store_paths(settings)
    for name, path in manifest.stores.items():
        if wanted.get(name, path) != path:
            raise InvalidInputError(
                f"the backup has the {name} in {path}, the settings in {wanted[name]}",
                hint="restore with the settings of the service that was backed up",
            )


def _stage(home: Path, backup: Path, manifest: BackupManifest, new: Path) -> bool:
    """Copy the backup to ``new``; return true if the home's own tombstones were copied in place of the backup's."""
    new.mkdir(parents=True)
    tombstones = manifest.stores.get("tombstones")
    kept = False
    if tombstones is not None and _continues(home / tombstones, backup / tombstones):
        with suppress(StorageError):  # damaged: then those of the backup are better
            (new / tombstones).parent.mkdir(parents=True, exist_ok=True)
            copy_database(home / tombstones, new / tombstones)
            kept = True
        if not kept:
            (new / tombstones).unlink(missing_ok=True)
    for file in manifest.files:
        if kept and file.path == tombstones:
            continue
        if copy_file(backup / file.path, new / file.path, file.path) != file:
            raise StorageError(f"{backup / file.path} changed while it was copied", hint="use another backup")
    for name, leads_to in manifest.links.items():
        (new / name).parent.mkdir(parents=True, exist_ok=True)
        (new / name).symlink_to(leads_to)
    for path in new.rglob("*"):
        if not path.is_symlink():
            fsync_path(path)
    fsync_path(new)
    return kept


def _continues(own: Path, backed_up: Path) -> bool:
    """Return whether the home's tombstones continue those of the backup: both hash with the same key."""
    keys = key_path(own), key_path(backed_up)
    if not own.is_file() or not all(key.is_file() for key in keys):
        return False
    return keys[0].read_bytes() == keys[1].read_bytes()


def _carry_out(home: Path, plan: _Plan, after_step: Callable[[int], None]) -> _Plan:
    """Do steps 4 to 7; each may have been done in part before."""
    staging = home / UNFINISHED_RESTORE
    if not plan.moved_away:
        away = home / plan.set_aside
        for path in sorted(home.iterdir()):
            if path.name not in _STAYS and path != away and not path.name.startswith(_SET_ASIDE):
                away.mkdir(mode=0o700, exist_ok=True)
                path.rename(away / path.name)
        if away.is_dir():
            fsync_path(away)
        fsync_path(home)
        after_step(4)
        plan = _Plan(plan.set_aside, moved_away=True)
        _write_plan(staging, plan)
    after_step(5)
    with suppress(FileNotFoundError):
        for path in sorted((staging / _NEW).iterdir()):
            path.rename(home / path.name)
        (staging / _NEW).rmdir()
    fsync_path(home)
    after_step(6)
    shutil.rmtree(staging)
    fsync_path(home)
    after_step(7)
    return plan


def _write_plan(staging: Path, plan: _Plan) -> None:
    write_whole(staging / _PLAN, msgspec.json.encode(plan), mode=0o600)


def _read_plan(staging: Path) -> _Plan:
    try:
        return msgspec.json.decode((staging / _PLAN).read_bytes(), type=_Plan)
    except (OSError, msgspec.DecodeError) as error:
        raise StorageError(
            f"{staging / _PLAN} cannot be read: {error}", hint="look at its folder: new/ holds what was not moved yet"
        ) from error
