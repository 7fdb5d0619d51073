"""A list picked place by place, each as little like those above it as its score allows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gars.loops.compiled import compiled
from gars.loops.quantised import Quantised

Floats = NDArray[np.float32]


def _spread(rows: Quantised, scores: Floats, penalties: Floats, picked: NDArray[np.int64]) -> None:
    codes = rows.codes.astype(np.int32)
    left, alike = scores.copy(), np.zeros(len(scores), np.float32)
    for place, penalty in enumerate(penalties):
        best = int(np.argmax(left - penalty * alike))
        picked[place], left[best] = best, -np.inf
        alike = np.maximum(alike, (codes @ codes[best]).astype(np.float32) * (rows.steps * rows.steps[best]))


@compiled(plain=_spread)
def spread(rows: Quantised, scores: Floats, penalties: Floats, picked: NDArray[np.int64]) -> None:
    """Give place ``p`` to the largest ``score - penalties[p] · likeness``, ties to the first; to ``picked`` (places,).

    Likeness is the largest product of the candidate's row with one picked before, 0 at least. Scores and rows are of
    m candidates, at least as many as there are places.
    """
    m, d = rows.codes.shape
    left, alike = scores.copy(), np.zeros(m, np.float32)
    for place in range(len(penalties)):
        best, highest = 0, np.float32(-np.inf)
        for j in range(m):
            value = left[j] - penalties[place] * alike[j]
            if value > highest:
                best, highest = j, value
        picked[place] = best
        left[best] = -np.inf
        for j in range(m):
            total = np.int32(0)
            for i in range(d):
                total = np.int32(total + np.int32(np.int32(rows.codes[j, i]) * np.int32(rows.codes[best, i])))
            alike[j] = max(alike[j], np.float32(total) * np.float32(rows.steps[j] * rows.steps[best]))
