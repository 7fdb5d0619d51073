"""How many threads requests are answered in."""

from __future__ import annotations

from gars.adapters.processes.pool import IN_HAND
from gars.bootstrap.addresses import is_cluster
from gars.config import Settings

_WORKING = 1
"""A second one that makes lists waits for the interpreter more than it works: decision 0158."""
_READY = 1
"""Beside those that wait for a process: what comes next is prepared meanwhile."""
_WAITING = 8
"""Those that wait for other processes most of the time hardly disturb each other."""


def threads_of(settings: Settings) -> int:
    """What GARS_THREADS says; else by whether lists are made here and states are at hand."""
    if settings.threads:
        return settings.threads
    if settings.processes:
        return max(settings.processes * IN_HAND + _READY, _WAITING if is_cluster(settings) else 0)
    return _WAITING if is_cluster(settings) or settings.recall or settings.rank else _WORKING
