"""Waiting for a condition, with a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable

_PAUSE_S = 0.005


def until(
    condition: Callable[[], bool],
    what: str = "what did not come",
    *,
    within_s: float = 60.0,
    pause_s: float = _PAUSE_S,
) -> None:
    """Wait until a condition holds, checked every ``pause_s``; raise ``AssertionError`` that names ``what`` after
    ``within_s``.
    """
    end = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"waited {within_s:.0f} s for {what}")
        time.sleep(pause_s)
