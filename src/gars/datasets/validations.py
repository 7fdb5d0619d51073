"""The last validation of each data set, kept where others than the one who asked for it find it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from gars.datasets.acceptance import Validation
from gars.datasets.durable import write_whole
from gars.datasets.snapshots import FOLDER as SNAPSHOTS
from gars.datasets.snapshots import VALIDATION, accepted
from gars.domain.errors import DataError

FOLDER = "validations"
_HINT = "make a new one with: gars data validate"


class KeptValidation(msgspec.Struct, frozen=True):
    """A validation, when it was made, and the file it is in."""

    made_at: datetime
    path: Path
    validation: Validation


def keep(home: Path, validation: Validation) -> None:
    """Put it in place of the one of the same data set. Raises ``OSError`` when the disk is full."""
    write_whole(home / FOLDER / f"{validation.name}.json", msgspec.json.format(msgspec.json.encode(validation)) + b"\n")


def latest(home: Path, also: Iterable[Path] = ()) -> KeptValidation | None:
    """Return the newest validation: stored ones, the accepted snapshot's, and files in ``also``; ``None`` without any.

    Raises:
        DataError: the newest is damaged.
    """
    snapshot = accepted(home)
    taken = [home / SNAPSHOTS / snapshot / VALIDATION] if snapshot is not None else []
    files = [path for path in [*(home / FOLDER).glob("*.json"), *taken, *also] if path.is_file()]
    if not files:
        return None
    newest = max(files, key=lambda path: path.stat().st_mtime_ns)
    try:
        validation = msgspec.json.decode(newest.read_bytes(), type=Validation)
    except (OSError, msgspec.DecodeError) as error:
        raise DataError(f"{newest}: is damaged: {error}", hint=_HINT) from error
    return KeptValidation(datetime.fromtimestamp(newest.stat().st_mtime, UTC), newest, validation)
