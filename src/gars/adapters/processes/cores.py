"""CPU affinity of worker processes: a worker that stays on one core keeps its cache."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple


class Shares(NamedTuple):
    """Cores of the service and of each worker."""

    service: frozenset[int]
    processes: tuple[frozenset[int], ...]


def share_out(cores: Sequence[int], processes: int) -> Shares:
    """Assign each worker a core, from the last; the service gets the others, or the first if none is left.

    With as many workers as cores the last worker shares its core with the service. No cores: empty sets.
    """
    if not cores:
        return Shares(frozenset(), (frozenset(),) * processes)
    last_first = sorted(cores, reverse=True)
    own = tuple(frozenset([last_first[number % len(cores)]]) for number in range(processes))
    return Shares(frozenset(last_first[processes:] or last_first[-1:]), own)


@cache
def allowed() -> tuple[int, ...]:
    """Return the cores allowed to this process at the first call; none where the system has no affinity (Linux has)."""
    return tuple(sorted(os.sched_getaffinity(0))) if hasattr(os, "sched_getaffinity") else ()


def stay_on(cores: frozenset[int]) -> None:
    """Set the affinity of this thread and those it starts; no cores leave it unchanged."""
    if cores:
        os.sched_setaffinity(0, cores)
