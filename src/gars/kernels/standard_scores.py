"""Standard scores of some items by every channel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gars.kernels.compiled import compiled

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


def _standard_scores(scores: Floats, mean: Floats, deviation: Floats, rows: Ints, out: Floats) -> None:
    out[:] = (scores[:, rows] - mean[:, None]) / deviation[:, None]


@compiled(plain=_standard_scores)
def standard_scores(scores: Floats, mean: Floats, deviation: Floats, rows: Ints, out: Floats) -> None:
    """Write ``(score - mean) / deviation`` of some items (m,) to ``out`` (c, m); scores (c, n), both others (c,)."""
    for channel in range(len(scores)):
        for i in range(len(rows)):
            out[channel, i] = (scores[channel, rows[i]] - mean[channel]) / deviation[channel]
