"""Summary of a user's history: the rated titles, their shrunk means, and the share and like rate of each category."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gars.kernels.categories import Categories, category_entries
from gars.kernels.compiled import compiled

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


def _summarise_history(
    rows: Ints, ratings: Floats, liked_above: float, categories: Categories, usual: NDArray[np.float64],
    prior_weight: float, kept: Ints, rated: Ints, values: Floats, liked: Floats, by_category: Floats,
) -> tuple[int, int, float, float, float]:  # fmt: skip
    known = rows >= 0
    h = int(known.sum())
    kept[:h], of_known = rows[known], ratings[known]
    is_rated = ~np.isnan(of_known)
    r = int(is_rated.sum())
    rated[:r], values[:r] = kept[:h][is_rated], of_known[is_rated]
    liked[:r] = values[:r] > liked_above
    total = np.cumsum(values[:r], dtype=np.float64)[-1] if r else 0.0
    like_rate = (float(liked[:r].sum()) + prior_weight * usual[0]) / (r + prior_weight)
    share, gap = by_category[0], by_category[1]
    codes, _ = category_entries(categories, kept[:h])
    share[:] = np.bincount(codes, minlength=len(share)).astype(np.float32) / np.float32(max(1, h))
    codes, source = category_entries(categories, rated[:r])
    np.add.at(gap, codes, (liked[:r] - np.float32(like_rate))[source])
    gap /= np.bincount(codes, minlength=len(gap)).astype(np.float32) + np.float32(prior_weight)
    centred = values[:r] - total / max(1, r)
    spread = np.sqrt(np.cumsum(centred * centred)[-1] / r) if r else 0.0
    return h, r, like_rate, (total + prior_weight * usual[1]) / (r + prior_weight), spread


@compiled(plain=_summarise_history)
def summarise_history(
    rows: Ints, ratings: Floats, liked_above: float, categories: Categories, usual: NDArray[np.float64],
    prior_weight: float, kept: Ints, rated: Ints, values: Floats, liked: Floats, by_category: Floats,
) -> tuple[int, int, float, float, float]:  # fmt: skip
    """Summarise titles (k,), row -1 = unknown, with ratings (k,), NaN = not rated.

    Return the numbers h of titles and r of ratings, like rate, mean and standard deviation of the ratings. The first h
    of ``kept`` (k,) become the known rows. The first r of ``rated``, ``values`` and ``liked`` (k,) become the rows, the
    ratings, and 1 for a rating above ``liked_above``, of those rated. Like rate and mean are shrunk to ``usual`` (2,)
    by ``prior_weight`` ratings. ``by_category`` (2, g), which must be zero, gets the share of the titles that are of
    each category, and the mean of liked minus like rate of its rated ones, shrunk to 0.
    """
    h, r, total, n_liked = 0, 0, 0.0, 0.0
    for i in range(len(rows)):
        if rows[i] < 0:
            continue
        kept[h] = rows[i]
        h += 1
        if not np.isnan(ratings[i]):
            rated[r], values[r] = rows[i], ratings[i]
            liked[r] = np.float32(ratings[i] > liked_above)
            total += ratings[i]
            n_liked += liked[r]
            r += 1
    like_rate = (n_liked + prior_weight * usual[0]) / (r + prior_weight)
    share, gap = by_category[0], by_category[1]
    for i in range(h):
        for entry in range(categories.indptr[kept[i]], categories.indptr[kept[i] + 1]):
            share[categories.codes[entry]] += np.float32(1)
    n_rated = np.zeros(len(gap), np.float32)
    for i in range(r):
        liking = liked[i] - np.float32(like_rate)
        for entry in range(categories.indptr[rated[i]], categories.indptr[rated[i] + 1]):
            code = categories.codes[entry]
            gap[code] += liking
            n_rated[code] += np.float32(1)
    for code in range(len(share)):
        share[code] /= np.float32(max(1, h))
        gap[code] /= n_rated[code] + np.float32(prior_weight)
    spread = 0.0
    for i in range(r):
        centred = values[i] - total / r
        spread += centred * centred
    spread = np.sqrt(spread / max(1, r))
    return h, r, like_rate, (total + prior_weight * usual[1]) / (r + prior_weight), spread
