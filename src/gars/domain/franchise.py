"""Which anime belong together: connected components over relations that mean "the same story"."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray


def collapse(ordered: NDArray[np.int64], franchises: NDArray[np.int32], per_franchise: int = 1) -> NDArray[np.bool_]:
    """Which places of a ranked list to keep so that no franchise appears more than ``per_franchise`` times.

    ``ordered`` (k,) are rows of the item table, best first; ``franchises`` (n,) their codes → mask (k,).
    """
    codes = franchises[ordered]
    by_code = np.argsort(codes, kind="stable")
    sorted_codes = codes[by_code]
    starts = np.flatnonzero(np.r_[True, sorted_codes[1:] != sorted_codes[:-1]]) if len(codes) else np.empty(0, np.int64)
    lengths = np.diff(np.r_[starts, len(codes)])
    occurrence = np.empty(len(codes), np.int64)
    occurrence[by_code] = np.arange(len(codes)) - np.repeat(starts, lengths)
    return occurrence < per_franchise


_RECAP = re.compile(r"\b(?:recaps?|soushuuhen|summary|digest|compilation)\b|総集編", re.IGNORECASE)


def is_recap(titles: Iterable[str]) -> bool:
    """Whether one of an anime's names says that it retells another: no source types that relation."""
    return any(_RECAP.search(title) for title in titles)


def sequels_of(first: NDArray[np.int64], prequel_rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Everything that continues some rows (m,), directly or through others. → mask (n,), themselves left out.

    ``prequel_rows`` (n,) is the row of each title's direct prequel, -1 without one; it may go round in circles.
    """
    reached = np.zeros(len(prequel_rows), np.bool_)
    reached[first] = True
    waits = np.flatnonzero(prequel_rows >= 0)
    while True:
        more = waits[reached[prequel_rows[waits]] & ~reached[waits]]
        if not len(more):
            reached[first] = False
            return reached
        reached[more] = True
