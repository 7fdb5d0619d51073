"""Features of candidates from the user's titles of the same franchise."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gars.kernels.compiled import compiled

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


def _franchise_features(
    groups: NDArray[np.int32], n_groups: int, predecessors: Ints, rows: Ints, rated: Ints, liking: Floats,
    shrinkage: float, candidates: Ints, out: Floats,
) -> None:  # fmt: skip
    counts = np.bincount(groups[rows], minlength=n_groups)
    sums = np.bincount(groups[rated], liking.astype(np.float64), n_groups)
    of_candidates = groups[candidates]
    out[0] = counts[of_candidates]
    out[1] = (sums / (np.bincount(groups[rated], minlength=n_groups) + shrinkage))[of_candidates]
    user_liking = np.full(len(groups), np.nan, np.float32)
    user_liking[rows] = 0
    user_liking[rated] = liking
    has = predecessors[candidates] >= 0
    of_predecessor = np.where(has, user_liking[np.where(has, predecessors[candidates], 0)], np.nan)
    out[2] = ~np.isnan(of_predecessor)
    out[3] = np.nan_to_num(of_predecessor)
    out[4] = has & np.isnan(of_predecessor)


@compiled(plain=_franchise_features)
def franchise_features(
    groups: NDArray[np.int32], n_groups: int, predecessors: Ints, rows: Ints, rated: Ints, liking: Floats,
    shrinkage: float, candidates: Ints, out: Floats,
) -> None:  # fmt: skip
    """Write five features of each candidate (m,) to ``out`` (5, m), from a user's rows (h,) and rated rows (r,).

    They are: how many of the user's rows are of its group; the mean liking (r,) of the rated ones, shrunk to 0 by
    ``shrinkage`` ratings; whether the user has its predecessor; the liking of that, 0 if not rated; whether the user
    lacks it. ``groups`` (n,) are codes below ``n_groups``; ``predecessors`` (n,) are rows, -1 for none.
    """
    counts, n_rated = np.zeros((2, n_groups), np.int64)
    sums = np.zeros(n_groups, np.float64)
    user_liking = np.full(len(groups), np.nan, np.float32)
    for i in range(len(rows)):
        counts[groups[rows[i]]] += 1
        user_liking[rows[i]] = 0
    for i in range(len(rated)):
        n_rated[groups[rated[i]]] += 1
        sums[groups[rated[i]]] += liking[i]
        user_liking[rated[i]] = liking[i]
    for i in range(len(candidates)):
        group, predecessor = groups[candidates[i]], predecessors[candidates[i]]
        has = predecessor >= 0 and not np.isnan(user_liking[predecessor])
        out[0, i] = counts[group]
        out[1, i] = sums[group] / (n_rated[group] + shrinkage)
        out[2, i] = has
        out[3, i] = user_liking[predecessor] if has else 0
        out[4, i] = predecessor >= 0 and not has
