"""Features of candidates that come from the record of each item and a user's history: one pass over both."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gars.kernels.categories import Categories, category_entries
from gars.kernels.compiled import Subroutine, compiled

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Codes = NDArray[np.int32]

VIEWERS, QUALITY, LIKE_ODDS, DECADES, YEAR_KNOWN, EPISODES, N_CATEGORIES, GROUP_SIZE = 0, 3, 8, 9, 10, 11, 12, 13
"""Columns of the numbers of an item; the three from ``VIEWERS`` on and the six from ``QUALITY`` are features as they
are, the last of them (``LIKE_ODDS``) shifted by the user's log-odds."""
TYPE, GROUP, PREDECESSOR, YEAR = 0, 1, 2, 3
"""Columns of the codes of an item: ``PREDECESSOR`` is a row or -1, ``YEAR`` is 0 where it is not known."""
N_FEATURES = 31
BASE_YEAR, NEAR = 2010, 2
"""``DECADES`` count from this year; titles that began at most ``NEAR`` years apart are of the same time."""


class Records(NamedTuple):
    """Attributes of n items that do not depend on the user."""

    numbers: Floats
    """(n, s)"""
    codes: Codes
    """(n, 4)"""
    categories: Categories
    log_counts: Floats
    """(k,) ``log1p`` of 0, 1, … up to the size of the largest group."""


class Taste(NamedTuple):
    """A user with a history of h titles, r of them rated."""

    rows: Ints
    """(h,)"""
    rated: Ints
    """(r,)"""
    liking: Floats
    """(r,)"""
    by_category: Floats
    """(3, g) values to sum over the categories of an item; the least of the last ones is a feature too."""
    usual_viewers: np.float32
    """Used without a history."""
    odds_shift: np.float32
    latest: float
    """Quantile of the years of the history that counts as its latest."""
    type_weight: float
    group_weight: float
    """Pseudo-ratings of liking 0 that the liking of a type and of a group are shrunk by."""


def _write_item_features(records: Records, n_types: int, n_groups: int, taste: Taste, items: Ints, out: Floats) -> None:
    numbers, codes = records.numbers[items].T, records.codes[items].T
    out[0:3] = numbers[VIEWERS : VIEWERS + 3]
    viewers = records.numbers[taste.rows, VIEWERS]
    total = np.cumsum(viewers, dtype=np.float64)[-1] if len(viewers) else 0.0
    out[3] = numbers[VIEWERS] - (np.float32(total / len(viewers)) if len(viewers) else taste.usual_viewers)
    out[5:11] = numbers[QUALITY : QUALITY + 6]
    out[10] += taste.odds_shift
    known = numbers[YEAR_KNOWN]
    out[11], out[12] = numbers[DECADES], known
    years = np.sort(records.codes[taste.rows, YEAR][records.numbers[taste.rows, YEAR_KNOWN] > 0])
    usual, latest = 0.0, 0.0
    if len(years):
        usual = float(years.sum() / len(years) - BASE_YEAR) / 10
        latest = float(years[int(taste.latest * (len(years) - 1))] - BASE_YEAR) / 10
    out[13] = (numbers[DECADES] - np.float32(usual)) * known
    out[15] = (numbers[DECADES] - np.float32(latest)) * known * np.float32(len(years) > 0)
    near = np.searchsorted(years, codes[YEAR] + NEAR, side="right") - np.searchsorted(years, codes[YEAR] - NEAR)
    out[16] = near.astype(np.float32) / np.float32(max(1, len(years))) * known
    out[4], out[14] = np.abs(out[3]), np.abs(out[13])
    types, of_rated = records.codes[taste.rows, TYPE], records.codes[taste.rated, TYPE]
    out[17] = (np.bincount(types, minlength=n_types) / max(1, len(types)))[codes[TYPE]]
    liking = np.bincount(of_rated, taste.liking.astype(np.float64), n_types)
    out[18] = (liking / (np.bincount(of_rated, minlength=n_types) + taste.type_weight))[codes[TYPE]]
    out[19] = numbers[EPISODES]
    entries, source = category_entries(records.categories, items)
    out[20:23] = 0
    for total, value in zip(out[20:23], taste.by_category, strict=True):
        np.add.at(total, source, value[entries])
    out[20:23] /= np.maximum(1, numbers[N_CATEGORIES])
    out[23] = np.where(np.bincount(source, minlength=len(items)) > 0, np.float32(np.inf), 0)
    np.minimum.at(out[23], source, taste.by_category[-1, entries])
    out[24] = numbers[N_CATEGORIES]
    _write_group_features(records, n_groups, taste, codes, out[25:30])
    out[30] = numbers[GROUP_SIZE]


def _write_group_features(records: Records, n_groups: int, taste: Taste, codes: Codes, out: Floats) -> None:
    """Write the features of the user's titles of the same group. ``codes`` (4, m), ``out`` (5, m)"""
    of_rated = records.codes[taste.rated, GROUP]
    out[0] = records.log_counts[np.bincount(records.codes[taste.rows, GROUP], minlength=n_groups)[codes[GROUP]]]
    sums = np.bincount(of_rated, taste.liking.astype(np.float64), n_groups)
    out[1] = (sums / (np.bincount(of_rated, minlength=n_groups) + taste.group_weight))[codes[GROUP]]
    of_item = np.full(len(records.codes), np.nan, np.float32)
    of_item[taste.rows] = 0
    of_item[taste.rated] = taste.liking
    has = codes[PREDECESSOR] >= 0
    of_predecessor = np.where(has, of_item[np.where(has, codes[PREDECESSOR], 0)], np.nan)
    out[2] = ~np.isnan(of_predecessor)
    out[3] = np.nan_to_num(of_predecessor)
    out[4] = has & np.isnan(of_predecessor)


@compiled(plain=_write_item_features)
def write_item_features(records: Records, n_types: int, n_groups: int, taste: Taste, items: Ints, out: Floats) -> None:
    """Write the features of m items (m,) for a user to ``out`` (N_FEATURES, m).

    In order: three of viewers, the gap of viewers to the user's usual and its magnitude; six of quality; decade, known
    or not, its gap to the mean of the history and its magnitude, gap to the latest, share of the history at most
    ``NEAR`` years apart; share of the history of the same type, its mean liking, episodes; means of three values over
    the categories, the least of the last, number of categories; log1p of the user's titles of the same group, their
    mean liking, whether the user has the predecessor, its liking, whether the user lacks it; size of the group.
    """
    first_year, near, usual, latest = _years(records, taste)
    share, type_liking = _types(records, n_types, taste)
    n = len(records.codes)
    is_had, slots, counts, group_liking = _groups(records, n_groups, taste)
    usual_viewers, total = taste.usual_viewers, 0.0
    for i in range(len(taste.rows)):
        total += records.numbers[taste.rows[i], VIEWERS]
    if len(taste.rows):
        usual_viewers = np.float32(total / len(taste.rows))
    # flags alone are small enough for the nearest cache
    is_listed, is_rated, liking = np.zeros(n, np.uint8), np.zeros(n, np.uint8), np.empty(n, np.float32)
    for i in range(len(taste.rows)):
        is_listed[taste.rows[i]] = 1
    for i in range(len(taste.rated)):
        is_rated[taste.rated[i]], liking[taste.rated[i]] = 1, taste.liking[i]
    numbers, codes, sums = _records_of(records, taste.by_category, items)
    for i in range(len(items)):
        number, code = numbers[i], codes[i]
        for k in range(3):
            out[k, i] = number[VIEWERS + k]
        for k in range(6):
            out[5 + k, i] = number[QUALITY + k]
        gap = number[VIEWERS] - usual_viewers
        out[3, i], out[4, i] = gap, abs(gap)
        out[10, i] = number[LIKE_ODDS] + taste.odds_shift
        known = number[YEAR_KNOWN]
        gap = (number[DECADES] - usual) * known
        out[11, i], out[12, i], out[13, i], out[14, i] = number[DECADES], known, gap, abs(gap)
        out[15, i], out[16, i] = np.float32(0), np.float32(0)
        if len(near) and known > 0:
            out[15, i] = number[DECADES] - latest
            out[16, i] = near[min(max(code[YEAR] - first_year, 0), len(near) - 1)]
        out[17, i], out[18, i], out[19, i] = share[code[TYPE]], type_liking[code[TYPE]], number[EPISODES]
        of_categories = max(np.float32(1), number[N_CATEGORIES])
        for k in range(3):
            out[20 + k, i] = sums[i, k] / of_categories
        out[23, i], out[24, i] = sums[i, 3], number[N_CATEGORIES]
        group, predecessor = code[GROUP], code[PREDECESSOR]
        slot = slots[group] if is_had[group] else 0
        out[25, i], out[26, i] = records.log_counts[counts[slot]], group_liking[slot]
        is_there = predecessor >= 0
        has = is_there and is_listed[predecessor] > 0
        out[27, i], out[29, i] = np.float32(has), np.float32(is_there and not has)
        out[28, i] = liking[predecessor] if has and is_rated[predecessor] else np.float32(0)
        out[30, i] = number[GROUP_SIZE]


@Subroutine
def _records_of(records: Records, by_category: Floats, items: Ints) -> tuple[Floats, Codes, Floats]:
    """Return numbers and codes of some items (m,), with three sums over their categories and the least of the third.

    → (m, s), (m, 4), (m, 4). Nothing else is done with them, so that the processor waits for many of them at once.
    """
    m = len(items)
    numbers, codes = np.empty((m, records.numbers.shape[1]), np.float32), np.empty((m, 4), np.int32)
    bounds, sums = np.empty((m, 2), np.int32), np.zeros((m, 4), np.float32)
    for i in range(m):
        number, code = records.numbers[items[i]], records.codes[items[i]]
        for k in range(numbers.shape[1]):
            numbers[i, k] = number[k]
        for k in range(4):
            codes[i, k] = code[k]
        bounds[i, 0], bounds[i, 1] = records.categories.indptr[items[i]], records.categories.indptr[items[i] + 1]
    for i in range(m):
        least = np.float32(np.inf) if bounds[i, 1] > bounds[i, 0] else np.float32(0)
        for entry in range(bounds[i, 0], bounds[i, 1]):
            category = records.categories.codes[entry]
            for k in range(3):
                sums[i, k] += by_category[k, category]
            least = min(least, by_category[2, category])
        sums[i, 3] = least
    return numbers, codes, sums


@Subroutine
def _years(records: Records, taste: Taste) -> tuple[int, Floats, np.float32, np.float32]:
    """Return a year, the share of the history near each one from it on, and the mean and latest decade of the history.

    The shares end where they become 0 for good; there are none without a year in the history.
    """
    known, total, first, last = 0, 0, 0, 0
    for i in range(len(taste.rows)):
        if records.numbers[taste.rows[i], YEAR_KNOWN] > 0:
            year = int(records.codes[taste.rows[i], YEAR])
            first = year if not known else min(first, year)
            last = year if not known else max(last, year)
            known, total = known + 1, total + year
    if not known:
        return 0, np.empty(0, np.float32), np.float32(0), np.float32(0)
    counts = np.zeros(last - first + 1, np.int64)
    for i in range(len(taste.rows)):
        if records.numbers[taste.rows[i], YEAR_KNOWN] > 0:
            counts[records.codes[taste.rows[i], YEAR] - first] += 1
    before, latest = int(taste.latest * (known - 1)), 0
    while before >= counts[latest]:
        before -= counts[latest]
        latest += 1
    # one place more at both ends for all years that are further away
    start = first - NEAR - 1
    near = np.zeros(last - first + 2 * NEAR + 3, np.float32)
    for place in range(len(near)):
        count = 0
        for year in range(max(start + place - NEAR, first), min(start + place + NEAR, last) + 1):
            count += counts[year - first]
        near[place] = np.float32(count) / np.float32(known)
    usual = np.float32((total / known - BASE_YEAR) / 10)
    return start, near, usual, np.float32((first + latest - BASE_YEAR) / 10)


@Subroutine
def _types(records: Records, n_types: int, taste: Taste) -> tuple[Floats, Floats]:
    """Return the share of the history that is of each type, and the mean liking of its rated titles. → (t,), (t,)"""
    counts, rated, sums = np.zeros(n_types), np.zeros(n_types), np.zeros(n_types)
    for i in range(len(taste.rows)):
        counts[records.codes[taste.rows[i], TYPE]] += 1
    for i in range(len(taste.rated)):
        code = records.codes[taste.rated[i], TYPE]
        rated[code] += 1
        sums[code] += taste.liking[i]
    share = (counts / max(1, len(taste.rows))).astype(np.float32)
    return share, (sums / (rated + taste.type_weight)).astype(np.float32)


@Subroutine
def _groups(records: Records, n_groups: int, taste: Taste) -> tuple[NDArray[np.uint8], Codes, Ints, Floats]:
    """Number the groups of the history from 1 on; return flags and numbers of groups, and by number titles and liking.

    → (n_groups,), (n_groups,), (h + 1,), (h + 1,); a group without a title of the history has no flag, and its number
    is not set; number 0 has no titles.
    """
    is_had, slots = np.zeros(n_groups, np.uint8), np.empty(n_groups, np.int32)
    size = len(taste.rows) + 1
    counts, rated, sums, n = np.zeros(size, np.int64), np.zeros(size), np.zeros(size), 0
    for i in range(len(taste.rows)):
        group = records.codes[taste.rows[i], GROUP]
        if not is_had[group]:
            n += 1
            is_had[group], slots[group] = 1, n
        counts[slots[group]] += 1
    for i in range(len(taste.rated)):
        slot = slots[records.codes[taste.rated[i], GROUP]]
        rated[slot] += 1
        sums[slot] += taste.liking[i]
    return is_had, slots, counts, (sums / (rated + taste.group_weight)).astype(np.float32)
