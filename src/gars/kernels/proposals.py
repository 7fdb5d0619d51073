"""The items that channels propose, in the order of their fused score."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gars.kernels.compiled import Subroutine, compiled

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]
Ints = NDArray[np.int64]

MAGNITUDE = np.int32(0x7FFFFFFF)
"""The bits of a float32 without its sign."""
DIGIT = 11
"""Bits of a digit of the radix sort: three digits are 32 bits and one more."""


class ScoredItems(NamedTuple):
    """Scores of all items for a user, with mean and deviation of each channel."""

    scores: Floats
    """(c - 1, n) of the channels but the last."""
    last: Floats
    """(n,) of the last channel, the same for every user."""
    mean: Floats
    """(c,) over all items."""
    deviation: Floats
    """(c,) over all items, 1 where all are the same."""


def _standard_scores(scored: ScoredItems, rows: Ints, out: Floats) -> None:
    out[:-1], out[-1] = scored.scores[:, rows], scored.last[rows]
    out -= scored.mean[:, None]
    out /= scored.deviation[:, None]


@compiled(plain=_standard_scores)
def standard_scores(scored: ScoredItems, rows: Ints, out: Floats) -> None:
    """Write ``(score - mean) / deviation`` of some items (m,) to ``out`` (c, m)."""
    _standardise(scored, rows, out)


def _fuse_proposals(
    scored: ScoredItems, weights: Floats, positions: Ints, items: Ints, fused: Floats, standard: Floats, proposed: Flags
) -> int:
    found = np.unique(positions[positions >= 0])
    c, m = len(weights), len(found)
    scores = np.empty((c, m), np.float32)
    _standard_scores(scored, found, scores)
    own = np.zeros(m, np.float32)
    for row, weight in zip(scores, weights, strict=True):
        own += weight * row
    order = np.argsort(-own, kind="stable")
    items[:m], fused[:m] = found[order], own[order]
    standard[: c * m] = scores[:, order].ravel()
    proposed[: (c + 1) * m] = np.stack([np.isin(items[:m], best) for best in positions]).ravel()
    return m


@compiled(plain=_fuse_proposals)
def fuse_proposals(
    scored: ScoredItems, weights: Floats, positions: Ints, items: Ints, fused: Floats, standard: Floats, proposed: Flags
) -> int:
    """Write the items at ``positions`` (c + 1, k), -1 pads, in the order of ``(-fused, item)``; return their number m.

    A fused score is the sum over the c channels of weight × standard score. Items and fused scores are written to the
    first m places, the standard scores to the first c × m, and to the first (c + 1) × m flags of which rows of the
    positions each item is in; there is room for all.
    """
    c, n = len(weights), scored.scores.shape[1]
    flags, place = np.zeros((n + 7) // 8 * 8, np.bool_), np.empty(n, np.int32)
    for channel in range(c + 1):
        for i in range(positions.shape[1]):
            if positions[channel, i] >= 0:
                flags[positions[channel, i]] = True
    found = np.empty(positions.size, np.int64)
    eight, m = flags.view(np.uint64), 0  # most groups have none
    for group in range(len(eight)):
        if eight[group]:
            for j in range(8 * group, 8 * group + 8):
                if flags[j]:
                    found[m] = j
                    m += 1
    scores = np.empty((c, m), np.float32)
    _standardise(scored, found[:m], scores)
    own = np.zeros(m, np.float32)
    for channel in range(c):
        row, weight = scores[channel], weights[channel]
        for i in range(m):
            own[i] += weight * row[i]
    order = _descending(own)
    for i in range(m):
        item = found[order[i]]
        items[i], fused[i], place[item] = item, own[order[i]], i
    for channel in range(c):
        into, row = standard[channel * m : (channel + 1) * m], scores[channel]
        for i in range(m):
            into[i] = row[order[i]]
    proposed[: (c + 1) * m] = False
    for channel in range(c + 1):
        by, best = proposed[channel * m : (channel + 1) * m], positions[channel]
        for i in range(len(best)):
            if best[i] >= 0:
                by[place[best[i]]] = True
    return m


@Subroutine
def _standardise(scored: ScoredItems, rows: Ints, out: Floats) -> None:
    """Write standard scores of some items (m,) to ``out`` (c, m)."""
    for channel in range(len(out)):
        scores = scored.scores[channel] if channel < len(scored.scores) else scored.last
        mean, deviation, into = scored.mean[channel], scored.deviation[channel], out[channel]
        for i in range(len(rows)):
            into[i] = (scores[rows[i]] - mean) / deviation


@Subroutine
def _descending(values: Floats) -> NDArray[np.int32]:
    """Return the order of values (m,) from the largest on, equal ones in their order, by a radix sort. → (m,)"""
    m, digits = len(values), 1 << DIGIT
    bits, keys = (values + np.float32(0)).view(np.int32), np.empty(m, np.uint32)  # + 0: -0 equals 0
    for i in range(m):
        keys[i] = np.uint32(~(bits[i] ^ ((bits[i] >> np.int32(31)) & MAGNITUDE))) ^ np.uint32(0x80000000)
    order, other = np.arange(m).astype(np.int32), np.empty(m, np.int32)
    for shift in range(0, 33, DIGIT):
        starts = np.zeros(digits + 1, np.int32)
        for i in range(m):
            starts[((keys[i] >> np.uint32(shift)) & np.uint32(digits - 1)) + 1] += 1
        for digit in range(digits):
            starts[digit + 1] += starts[digit]
        for i in range(m):
            digit = (keys[order[i]] >> np.uint32(shift)) & np.uint32(digits - 1)
            other[starts[digit]] = order[i]
            starts[digit] += 1
        order, other = other, order
    return order
