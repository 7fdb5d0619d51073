"""Mean and deviation of the scores of all items by some channels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gars.kernels.compiled import compiled

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

LANES = 64
"""Partial sums over all items, so that the compiler adds many values at a time."""


def _moments(scores: Floats, channels: Ints, mean: Floats, deviation: Floats) -> None:
    n = max(1, scores.shape[1])
    for channel in channels:
        lanes = np.zeros(-(-n // LANES) * LANES, np.float32)
        lanes[: scores.shape[1]] = scores[channel]
        row = lanes.reshape(-1, LANES)
        # accumulate adds one after the other, as the loops do
        total = np.add.accumulate(np.add.accumulate(row, axis=0)[-1])[-1]
        square = np.add.accumulate(np.add.accumulate(row * row, axis=0)[-1])[-1] / np.float32(n)
        mean[channel] = total / np.float32(n)
        deviation[channel] = np.sqrt(np.maximum(square - mean[channel] * mean[channel], np.float32(0)))
        deviation[channel] = deviation[channel] or 1


@compiled(plain=_moments)
def moments(scores: Floats, channels: Ints, mean: Floats, deviation: Floats) -> None:
    """Write mean and standard deviation of some channels (s,) of (c, n) over n items; a deviation of 0 becomes 1."""
    n = scores.shape[1]
    number = np.float32(max(1, n))
    whole = n // LANES * LANES
    sums, squares = np.empty(LANES, np.float32), np.empty(LANES, np.float32)
    for channel in channels:
        sums[:] = 0
        squares[:] = 0
        row = scores[channel]
        rows_of_lanes = row[:whole].reshape(n // LANES, LANES)
        for i in range(len(rows_of_lanes)):
            for lane in range(LANES):
                value = rows_of_lanes[i, lane]
                sums[lane] += value
                squares[lane] += value * value
        for j in range(whole, n):
            sums[j - whole] += row[j]
            squares[j - whole] += row[j] * row[j]
        total = square = np.float32(0)
        for lane in range(LANES):
            total += sums[lane]
            square += squares[lane]
        average = total / number
        variance = square / number - average * average
        mean[channel] = average
        deviation[channel] = np.sqrt(variance) if variance > 0 else np.float32(1)
