"""Items in groups: which come first of their group, and what a user's titles have to do with others of theirs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gars.loops.compiled import compiled

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


def _keep_first(groups: NDArray[np.int32], most: int, kept: NDArray[np.bool_]) -> None:
    by_group = np.argsort(groups, kind="stable")
    ordered = groups[by_group]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if len(groups) else np.empty(0, np.int64)
    lengths = np.diff(np.r_[starts, len(groups)])
    kept[by_group] = np.arange(len(groups)) - np.repeat(starts, lengths) < most


@compiled(plain=_keep_first)
def keep_first(groups: NDArray[np.int32], most: int, kept: NDArray[np.bool_]) -> None:
    """Mark in ``kept`` (k,) the places of a list that are among the first ``most`` of their group; codes (k,) ≥ 0."""
    met = np.zeros(groups.max() + 1 if len(groups) else 0, np.int64)
    for place in range(len(groups)):
        kept[place] = met[groups[place]] < most
        met[groups[place]] += 1


def _tie(
    groups: NDArray[np.int32], n_groups: int, before: Ints, rows: Ints, rated: Ints, liking: Floats, shrink: float,
    wanted: Ints, out: Floats,
) -> None:  # fmt: skip
    held = np.bincount(groups[rows], minlength=n_groups)
    said = np.bincount(groups[rated], liking.astype(np.float64), n_groups)
    here = groups[wanted]
    out[0] = held[here]
    out[1] = (said / (np.bincount(groups[rated], minlength=n_groups) + shrink))[here]
    opinion = np.full(len(groups), np.nan, np.float32)
    opinion[rows] = 0
    opinion[rated] = liking
    has = before[wanted] >= 0
    of_before = np.where(has, opinion[np.where(has, before[wanted], 0)], np.nan)
    out[2] = ~np.isnan(of_before)
    out[3] = np.nan_to_num(of_before)
    out[4] = has & np.isnan(of_before)


@compiled(plain=_tie)
def tie(
    groups: NDArray[np.int32], n_groups: int, before: Ints, rows: Ints, rated: Ints, liking: Floats, shrink: float,
    wanted: Ints, out: Floats,
) -> None:  # fmt: skip
    """Write to ``out`` (5, m) what a user's titles (h,) and liking of the rated ones (r,) say of each wanted item (m,):

    how many are of its group; their mean liking, with ``shrink`` of 0 among them; whether they have the item ``before``
    it (-1: there is none); how they liked that (0 if they did not say); whether they lack it.
    """
    held, counted = np.zeros((2, n_groups), np.int64)
    said = np.zeros(n_groups, np.float64)
    opinion = np.full(len(groups), np.nan, np.float32)
    for i in range(len(rows)):
        held[groups[rows[i]]] += 1
        opinion[rows[i]] = 0
    for i in range(len(rated)):
        counted[groups[rated[i]]] += 1
        said[groups[rated[i]]] += liking[i]
        opinion[rated[i]] = liking[i]
    for i in range(len(wanted)):
        group, earlier = groups[wanted[i]], before[wanted[i]]
        has = earlier >= 0 and not np.isnan(opinion[earlier])
        out[0, i] = held[group]
        out[1, i] = said[group] / (counted[group] + shrink)
        out[2, i] = has
        out[3, i] = opinion[earlier] if has else 0
        out[4, i] = earlier >= 0 and not has
