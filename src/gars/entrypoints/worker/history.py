"""The history worker: copies events from Kafka to Cassandra."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path

from gars.application.events.keep_history import KeepHistory
from gars.domain.errors import StorageError

logger = logging.getLogger(__name__)

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 5.0


def run(
    keep: KeepHistory,
    stop: threading.Event,
    *,
    heartbeat: Path | None = None,
    is_done: Callable[[], bool] | None = None,
) -> None:
    """Consume until ``stop`` is set, or until the stream is empty and ``is_done`` returns true.

    Waits for an engine that is down. Nothing is lost: the stream is committed only after the write.
    ``heartbeat`` is touched after every successful step.
    """
    pause_s = _FIRST_PAUSE_S
    while not stop.is_set():
        try:
            count = keep.step()
            done = not count and is_done is not None and is_done()
        except StorageError as error:
            logger.warning("the history waits: %s", error)
            stop.wait(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
            continue
        pause_s = _FIRST_PAUSE_S
        if heartbeat is not None:
            _touch(heartbeat)
        if done:
            return


def _touch(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    os.utime(path)
