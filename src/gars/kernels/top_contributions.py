"""Contributions of a user's titles to the scores of others, and the few largest of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gars.kernels.compiled import compiled

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

_SMALLEST_TOTAL = np.float32(1e-9)


def _add_relative(terms: Floats, weights: Floats, channel_weights: Floats, out: Floats) -> None:
    terms *= weights
    total = np.abs(terms).cumsum(axis=2)[:, :, -1:]  # one after the other, as the loops add
    terms *= channel_weights[:, None, None] / np.where(total > 0, total, np.float32(1))
    for of_channel in terms:
        out += of_channel


@compiled(plain=_add_relative)
def add_relative(terms: Floats, weights: Floats, channel_weights: Floats, out: Floats) -> None:
    """Add to ``out`` (m, h) the contribution of each of h > 0 titles to m items, over s channels.

    ``terms`` (s, m, h) are overwritten. In each channel a title contributes its weighted term (weights (h,)) relative
    to the sum of all absolute terms of the item; channels are weighted by ``channel_weights`` (s,).
    """
    s, m, h = terms.shape
    for channel in range(s):
        for i in range(m):
            total = np.float32(0)
            for j in range(h):
                terms[channel, i, j] *= weights[j]
                total += np.abs(terms[channel, i, j])
            factor = channel_weights[channel] / (total if total > 0 else np.float32(1))
            for j in range(h):
                terms[channel, i, j] *= factor
                out[i, j] += terms[channel, i, j]


def _top_contributions(contributions: Floats, threshold: np.float32, indices: Ints, shares: Floats) -> None:
    total = np.abs(contributions).cumsum(axis=1)[:, -1:]
    share = contributions / np.maximum(total, _SMALLEST_TOTAL)
    share[(share < 0) & (share > -threshold)] = 0
    each = np.arange(len(contributions))[:, None]
    found = np.argsort(-np.abs(share), axis=1, kind="stable")[:, : indices.shape[1]]
    found = found[each, np.argsort(-share[each, found], axis=1, kind="stable")]
    kept = share[each, found] != 0
    for row, (is_kept, index) in enumerate(zip(kept, found, strict=True)):
        indices[row, : is_kept.sum()] = index[is_kept]
        shares[row, : is_kept.sum()] = share[row, index[is_kept]]


@compiled(plain=_top_contributions)
def top_contributions(contributions: Floats, threshold: np.float32, indices: Ints, shares: Floats) -> None:
    """Find the titles of largest absolute contribution (m, h) to each item, and their share (-1 to 1) of the total.

    Positive shares come first, descending; a negative one is left out above ``-threshold``. Written to ``indices`` and
    ``shares`` (m, k), which must be -1 and 0: so they stay where there are fewer than k. h > 0.
    """
    m, h = contributions.shape
    k = indices.shape[1]
    share = np.empty(h, np.float32)
    for i in range(m):
        total = np.float32(0)
        for j in range(h):
            total += np.abs(contributions[i, j])
        total = max(total, _SMALLEST_TOTAL)
        for j in range(h):
            value = contributions[i, j] / total
            share[j] = np.float32(0) if value < 0 and value > -threshold else value
        found = 0
        while found < min(k, h):
            best, largest = 0, np.float32(0)
            for j in range(h):
                if np.abs(share[j]) > largest:
                    best, largest = j, np.abs(share[j])
            if largest == 0:
                break
            value = share[best]
            share[best] = 0
            rank = found  # equal shares stay in the order of the titles
            while rank > 0 and shares[i, rank - 1] < value:
                shares[i, rank], indices[i, rank] = shares[i, rank - 1], indices[i, rank - 1]
                rank -= 1
            shares[i, rank], indices[i, rank] = value, best
            found += 1
