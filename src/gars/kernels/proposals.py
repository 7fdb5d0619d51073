"""The items that channels propose, in the order of their fused score."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gars.kernels.compiled import compiled

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]
Ints = NDArray[np.int64]

MAGNITUDE = np.int32(0x7FFFFFFF)
"""The bits of a float32 without its sign."""
INDEX_BITS = 31
"""Bits of a sort key that are the index of an item."""


def _fuse_proposals(
    scores: Floats,
    mean: Floats,
    deviation: Floats,
    weights: Floats,
    positions: Ints,
    items: Ints,
    fused: Floats,
    keys: Ints,
) -> int:
    found = np.unique(positions[positions >= 0])
    own = fused[: len(found)]
    own[:] = 0
    for row, average, spread, weight in zip(scores, mean, deviation, weights, strict=True):
        own += weight * ((row[found] - average) / spread)
    bits = own.view(np.int32)
    descending = ~(bits ^ ((bits >> 31) & MAGNITUDE))
    items[: len(found)], keys[: len(found)] = found, (descending.astype(np.int64) << INDEX_BITS) | np.arange(len(found))
    return len(found)


@compiled(plain=_fuse_proposals)
def fuse_proposals(
    scores: Floats,
    mean: Floats,
    deviation: Floats,
    weights: Floats,
    positions: Ints,
    items: Ints,
    fused: Floats,
    keys: Ints,
) -> int:
    """Write the items at ``positions`` (c + 1, k), -1 pads, ascending, and their fused scores; return their number m.

    A fused score is the sum over the c channels of weight × standard score. Ascending ``keys`` are in the order of
    ``(-fused, item)``; the last ``INDEX_BITS`` of a key are the index among the m items. The last three arguments have
    room for all. Scores are (c, n), means, deviations and weights (c,).
    """
    n = scores.shape[1]
    flags = np.zeros((n + 7) // 8 * 8, np.bool_)
    for channel in range(len(positions)):
        for i in range(positions.shape[1]):
            if positions[channel, i] >= 0:
                flags[positions[channel, i]] = True
    eight, count = flags.view(np.uint64), 0  # most groups have none
    for group in range(len(eight)):
        if eight[group]:
            for j in range(8 * group, 8 * group + 8):
                if flags[j]:
                    items[count] = j
                    count += 1
    own = fused[:count]
    own[:] = 0
    for channel in range(len(scores)):
        row, average, spread, weight = scores[channel], mean[channel], deviation[channel], weights[channel]
        for i in range(count):
            own[i] += weight * ((row[items[i]] - average) / spread)
    bits = own.view(np.int32)
    for i in range(count):
        descending = ~(bits[i] ^ ((bits[i] >> np.int32(31)) & MAGNITUDE))
        keys[i] = (np.int64(descending) << INDEX_BITS) | i
    return count


def _flag_proposals(positions: Ints, n: int, items: Ints, flags: Flags) -> None:
    del n  # the loops need places of so many
    for channel, own in enumerate(positions):
        flags[channel] = np.isin(items, own)


@compiled(plain=_flag_proposals)
def flag_proposals(positions: Ints, n: int, items: Ints, flags: Flags) -> None:
    """Write to ``flags`` (c, m) if each of some items (m,) below n is among the positions (c, k) of each channel.

    No item is negative or there twice.
    """
    place = np.full(n, -1, np.int32)
    for i in range(len(items)):
        place[items[i]] = i
    for channel in range(len(positions)):
        flags[channel, :] = False
        for i in range(positions.shape[1]):
            at = positions[channel, i]
            if at >= 0 and place[at] >= 0:
                flags[channel, place[at]] = True
