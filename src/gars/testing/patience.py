"""Waiting for a condition, with a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable

_DEADLINE_S = 60.0
_PAUSE_S = 0.005


def until(condition: Callable[[], bool]) -> None:
    """Wait until it holds; raises ``AssertionError`` if it does not within a minute."""
    end = time.monotonic() + _DEADLINE_S
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("waited a minute for what did not come")
        time.sleep(_PAUSE_S)
