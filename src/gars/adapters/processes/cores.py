"""A core for each process: one that is moved from core to core finds no cache of its own on any."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple


class Shares(NamedTuple):
    """Who runs on which cores."""

    service: frozenset[int]
    processes: tuple[frozenset[int], ...]


def share_out(cores: Sequence[int], processes: int) -> Shares:
    """Each process gets a core, from the last; the service those that are left, or the first if none is.

    With as many processes as cores the last process shares its core with the service. No cores: nobody is told.
    """
    if not cores:
        return Shares(frozenset(), (frozenset(),) * processes)
    last_first = sorted(cores, reverse=True)
    own = tuple(frozenset([last_first[number % len(cores)]]) for number in range(processes))
    return Shares(frozenset(last_first[processes:] or last_first[-1:]), own)


@cache
def allowed() -> tuple[int, ...]:
    """Cores that this process might use when it first asked; none where the system does not say (Linux does)."""
    return tuple(sorted(os.sched_getaffinity(0))) if hasattr(os, "sched_getaffinity") else ()


def stay_on(cores: frozenset[int]) -> None:
    """Run on these from now on: this thread, and what it starts. Nothing happens for none."""
    if cores:
        os.sched_setaffinity(0, cores)
