"""Which anime belong together: connected components over relations that mean "the same story"."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

_RECAP = re.compile(r"\b(?:recaps?|soushuuhen|summary|digest|compilation)\b|総集編", re.IGNORECASE)


def is_recap(titles: Iterable[str]) -> bool:
    """Detect a recap by the names of an anime: no source has a type for that relation."""
    return _RECAP.search("\n".join(titles)) is not None


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
