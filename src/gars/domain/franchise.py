"""Which anime belong together: connected components over relations that mean "the same story"."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_RECAP = re.compile(r"\b(?:recaps?|soushuuhen|summary|digest|compilation)\b|総集編", re.IGNORECASE)
SPECIAL_TYPES = frozenset({"Special", "Music", "PV", "CM"})
"""Types of what accompanies a series: specials, music videos, trailers and commercials."""
_CIRCLE = 32
"""Titles of a chain after which it is tested for having gone round in a circle."""


def is_recap(titles: Iterable[str]) -> bool:
    """Detect a recap by the names of an anime: no source has a type for that relation."""
    return _RECAP.search("\n".join(titles)) is not None


class Sequels(NamedTuple):
    """All titles that continue each of n titles, directly or through others."""

    starts: NDArray[np.int64]
    """(n + 1,)"""
    rows: NDArray[np.int32]
    """(t,) those of title i are from ``starts[i]`` to ``starts[i + 1]``."""

    def of(self, titles: NDArray[np.int64]) -> NDArray[np.int32]:
        """Return the rows of what continues each of some titles (m,), one after the other. → (k,)"""
        bounds = zip(self.starts[titles].tolist(), self.starts[titles + 1].tolist(), strict=True)
        return np.concatenate([self.rows[:0], *[self.rows[start:end] for start, end in bounds if start < end]])


def find_awaited(
    prequel_rows: NDArray[np.int64], released: NDArray[np.float64], minor: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Return the title to see before each of n titles: the nearest of its prequels that was there first. → (n,), -1

    A story that is set earlier but came out later is no condition for the title it was made to, and neither is a
    ``minor`` title (special, trailer, recap): the prequel of such a one takes its place. ``released`` are ordinals of
    dates, NaN where unknown; a prequel of unknown date counts as earlier.
    """
    awaited = prequel_rows.copy()
    rows = np.flatnonzero(awaited >= 0)
    for _ in range(_CIRCLE):
        before = awaited[rows]
        rows = rows[minor[before] | (released[before] > released[rows]) | (before == rows)]
        if not len(rows):
            break
        awaited[rows] = prequel_rows[awaited[rows]]
        rows = rows[awaited[rows] >= 0]
    awaited[rows] = -1  # only minor and later ones go round in a circle
    return awaited


def find_sequels(prequel_rows: NDArray[np.int64]) -> Sequels:
    """Follow the direct prequel (n,) of each title, -1 without one, to the first; it may go round in circles."""
    n, step = len(prequel_rows), 0
    later = np.flatnonzero(prequel_rows >= 0)
    earlier = prequel_rows[later]
    found = np.empty(0, np.int64)
    while len(later):
        found = np.concatenate([found, earlier * n + later])
        step += 1
        earlier = prequel_rows[earlier]
        goes_on = earlier >= 0
        if step % _CIRCLE == 0:
            goes_on &= ~np.isin(earlier * n + later, found)
        earlier, later = earlier[goes_on], later[goes_on]
    found = np.unique(found)
    found = found[found // max(1, n) != found % max(1, n)]  # in a circle, a title comes before itself
    return Sequels(np.searchsorted(found, np.arange(n + 1) * n), (found % max(1, n)).astype(np.int32))
