"""Retry calls to an unavailable online store for a while; the operator takes no new records until then."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from gars.domain.errors import StorageError

logger = logging.getLogger(__name__)
T = TypeVar("T")

PATIENCE_S = 60.0
"""Time limit of the retries; then the error is raised and Flink restarts the job from its last checkpoint."""
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.05, 1.0


def patiently(
    call: Callable[[], T],
    *,
    patience_s: float = PATIENCE_S,
    now: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> T:
    """Call with retries and return the result; raises the last ``StorageError`` after ``patience_s``."""
    end, pause_s = now() + patience_s, _FIRST_PAUSE_S
    while True:
        try:
            return call()
        except StorageError as error:
            if now() + pause_s > end:
                raise
            logger.warning("the online store is away, trying again in %.2f s: %s", pause_s, error.message)
        pause(pause_s)
        pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
