"""A list picked place by place, each as little like those above it as its score allows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gars.loops.compiled import compiled
from gars.loops.quantised import Quantised

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


def _spread(vectors: Quantised, rows: Ints, scores: Floats, penalties: Floats, picked: Ints) -> None:
    codes, steps = vectors.codes[rows].astype(np.int32), vectors.steps[rows]
    left, alike = scores.copy(), np.zeros(len(scores), np.float32)
    for place, penalty in enumerate(penalties):
        best = int(np.argmax(left - penalty * alike))
        picked[place], left[best] = best, -np.inf
        alike = np.maximum(alike, (codes @ codes[best]).astype(np.float32) * (steps * steps[best]))


@compiled(plain=_spread)
def spread(vectors: Quantised, rows: Ints, scores: Floats, penalties: Floats, picked: Ints) -> None:
    """Give place ``p`` to the largest ``score - penalties[p] · likeness``, ties to the first; to ``picked`` (places,).

    Likeness is the largest product of the candidate's vector with one picked before, 0 at least. Scores (m,) descend,
    ``rows`` (m,) are those of the candidates' vectors, penalties are not negative; there are as many candidates as
    places at least.
    """
    m, d = len(rows), vectors.codes.shape[1]
    left, alike = scores.copy(), np.zeros(m, np.float32)
    compared = np.zeros(m, np.int64)  # with how many of those picked; whoever is not looked at need not be compared
    for place in range(len(penalties)):
        best, highest = 0, np.float32(-np.inf)
        for j in range(m):
            if scores[j] <= highest:
                break  # likeness can only take away, and all below have no more
            if left[j] == -np.inf:
                continue
            row = rows[j]
            for other in range(compared[j], place):
                above = rows[picked[other]]
                total = np.int32(0)
                for i in range(d):
                    total = np.int32(
                        total + np.int32(np.int32(vectors.codes[row, i]) * np.int32(vectors.codes[above, i]))
                    )
                alike[j] = max(alike[j], np.float32(total) * np.float32(vectors.steps[row] * vectors.steps[above]))
            compared[j] = place
            value = left[j] - penalties[place] * alike[j]
            if value > highest:
                best, highest = j, value
        picked[place] = best
        left[best] = -np.inf
