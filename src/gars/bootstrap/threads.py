"""Number of threads that answer requests."""

from __future__ import annotations

from gars.adapters.processes.pool import IN_HAND
from gars.bootstrap.addresses import is_cluster
from gars.config import Settings

_WORKING = 1
"""Threads that make lists: a second one waits for the interpreter more than it works (docs/performance.md)."""
_READY = 1
"""Extra threads that prepare the next request while the others wait for a process."""
_WAITING = 8
"""Threads that mostly wait for other processes, and so hardly compete for the interpreter."""


def threads_of(settings: Settings) -> int:
    """Return GARS_THREADS if set; else the number that fits where lists are made and where states are stored."""
    if settings.threads:
        return settings.threads
    if settings.processes:
        return max(settings.processes * IN_HAND + _READY, _WAITING if is_cluster(settings) else 0)
    return _WAITING if is_cluster(settings) or settings.recall or settings.rank else _WORKING
