"""Open training logs and search dashboards, or report that the extra is missing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from gars.adapters.tensorboard import sessions, training_log
from gars.domain.errors import MissingExtraError
from gars.runtime.progress import Progress

T = TypeVar("T")


def folder_of(home: Path) -> Path:
    """Return the folder that ``gars tensorboard`` shows."""
    return home / "runs"


def open_log(folder: Path, progress: Progress) -> training_log.TensorBoardLog | None:
    """Open the log of one training; reports a missing extra and returns ``None``."""
    return _log_or_note(training_log.TensorBoardLog, folder, progress)


def open_sessions(folder: Path, progress: Progress) -> sessions.Sessions | None:
    """Open the dashboard of one search; reports a missing extra and returns ``None``."""
    return _log_or_note(sessions.Sessions, folder, progress)


def _log_or_note(kind: Callable[[Path], T], folder: Path, progress: Progress) -> T | None:
    try:
        return kind(folder)
    except MissingExtraError as error:
        progress.note(f"no TensorBoard log of this run; to get one: {error.hint}")
        return None
