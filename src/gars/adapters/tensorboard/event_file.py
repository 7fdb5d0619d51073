"""One event file: the form in which TensorBoard reads everything but the embedding projector."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gars.domain.errors import MissingExtraError, StorageError

FEATURE = "a TensorBoard log"


def require() -> None:
    """Check that the ``tensorboard`` extra is there.

    Raises:
        MissingExtraError: it is not.
    """
    try:
        import tensorboard.summary.writer.record_writer  # noqa: F401
    except ImportError as error:
        raise MissingExtraError(FEATURE, "tensorboard") from error


class EventFile:
    """Summaries appended to a new file in ``folder``; each can be read as soon as it is written.

    Raises:
        MissingExtraError: the ``tensorboard`` extra is not installed.
        StorageError: the disk is full or not writable.
    """

    def __init__(self, folder: Path, now: Callable[[], float] = time.time) -> None:
        require()
        from tensorboard.summary.writer.record_writer import RecordWriter

        self._now = now
        self._path = folder / f"events.out.tfevents.{int(now()):010d}.gars"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("wb")
        except OSError as error:
            raise self._storage(error) from error
        self._records = RecordWriter(self._file)
        self._append(file_version="brain.Event:2")

    def add(self, summary: Any, step: int = 0) -> None:
        """Append one ``Summary`` message."""
        self._append(summary=summary, step=step)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _append(self, **fields: Any) -> None:
        from tensorboard.compat.proto.event_pb2 import Event

        try:
            self._records.write(Event(wall_time=self._now(), **fields).SerializeToString())
            self._records.flush()
        except OSError as error:
            raise self._storage(error) from error

    def _storage(self, error: OSError) -> StorageError:
        return StorageError(
            f"the log could not be written to {self._path}: {error}", hint="free some space, or train with --no-log"
        )
