"""An online store that is away is tried again for a while; meanwhile the operator takes nothing new."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from gars.domain.errors import StorageError

logger = logging.getLogger(__name__)
T = TypeVar("T")

PATIENCE_S = 60.0
"""Then the error goes up: Flink restarts the job from its last checkpoint, where everybody can see it."""
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.05, 1.0


def patiently(
    call: Callable[[], T],
    *,
    patience_s: float = PATIENCE_S,
    now: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> T:
    """The call's answer, if need be after many tries; raises its last ``StorageError`` when patience ends."""
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
