"""Loops over neighbour lists in CSR. Every sum is taken in the order of the entries.

``place`` (n,) is always where an item is among m wanted ones, m = not wanted. A loop that asks of every entry whether
it is wanted waits for the answer most of the time, unless hardly any is. So what is written may have a place more, for
all others; or each list is gone through first, and every entry written down whether it counts or not.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gars.loops.compiled import compiled

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Places = NDArray[np.int32]


class Lists(NamedTuple):
    """The neighbours of items, one list after the other: the three arrays of a CSR matrix."""

    starts: NDArray[np.int32] | Ints
    """(n + 1,)"""
    items: NDArray[np.int32] | Ints
    """(t,) whom each entry leads to."""
    weights: Floats
    """(t,)"""


def entries_of(lists: Lists, rows: Ints) -> tuple[Ints, Ints]:
    """Places of the entries of some rows (h,), and which of the rows each belongs to. → (t,), (t,)"""
    starts = lists.starts[rows].astype(np.int64)
    lengths = lists.starts[rows + 1] - starts
    source = np.repeat(np.arange(len(rows)), lengths)
    ends = np.cumsum(lengths)
    return np.arange(len(source)) + np.repeat(starts - (ends - lengths), lengths), source


def entries_among(lists: Lists, rows: Ints, n: int) -> tuple[Ints, Ints, Ints]:
    """Places of the entries of some rows (h,) of n at each other; whose each is, and to which it leads. → (t,) each"""
    place = np.full(n, -1, np.int64)
    place[rows] = np.arange(len(rows))
    entry, source = entries_of(lists, rows)
    target = place[lists.items[entry]]
    inside = target >= 0
    return entry[inside], source[inside], target[inside]


def channel_of(lengths: Ints, rows: Ints) -> Ints:
    """Which of e channels each entry of some rows (h,) belongs to, by the entries (n, e) of each row. → (t,)"""
    return np.repeat(np.tile(np.arange(lengths.shape[1]), len(rows)), lengths[rows].ravel())


def _add_up(lists: Lists, lengths: Ints, rows: Ints, strengths: Floats, out: Floats) -> None:
    entry, source = entries_of(lists, rows)
    terms = lists.weights[entry] * strengths[source, channel_of(lengths, rows)]
    # bincount is several times slower when it has to convert
    total = np.bincount(lists.items[entry].astype(np.intp), terms.astype(np.float64), out.size)
    out[:] = total.reshape(out.shape)


@compiled(plain=_add_up)
def add_up(lists: Lists, lengths: Ints, rows: Ints, strengths: Floats, out: Floats) -> None:
    """Write ``Σ_i strengths[i, c] · weights[i, c, :]`` to ``out`` (e, n), for e channels side by side.

    An entry of channel c leads to ``c · n + item``; ``lengths`` (n, e) are the entries of each channel in a row;
    ``rows`` and ``strengths`` are (h,) and (h, e).
    """
    e, n = out.shape
    total = np.zeros(e * n, np.float64)
    for i in range(len(rows)):
        start = lists.starts[rows[i]]
        for c in range(e):
            strength = strengths[i, c]
            end = start + lengths[rows[i], c]
            for entry in range(start, end):
                total[lists.items[entry]] += lists.weights[entry] * strength
            start = end
    for c in range(e):
        for j in range(n):
            out[c, j] = total[c * n + j]


TOTAL, STRONGEST, SUPPORTERS, HEARD = 0, 1, 2, 4
"""Columns of what is heard of an item, and how many there are: with one that is not used it is all in one line."""


def _hear(lists: Lists, rows: Ints, strengths: Floats, heard: Floats) -> None:
    entry, source = entries_of(lists, rows)
    items, weight = lists.items[entry], lists.weights[entry]
    terms = weight * strengths[source]
    np.add.at(heard[:, TOTAL], items, terms)
    np.maximum.at(heard[:, STRONGEST], items, terms)
    np.add.at(heard[:, SUPPORTERS], items[weight > 0], np.float32(1))


@compiled(plain=_hear)
def hear(lists: Lists, rows: Ints, strengths: Floats, heard: Floats) -> None:
    """Add up what titles (h,) of strengths (h,) say of each item: ``Σ_i strengths[i] · weights[i, :]``.

    ``heard`` (e · n, HEARD) must be zero; besides the total it gets the largest term and the number of positive
    weights.
    """
    for i in range(len(rows)):
        strength = strengths[i]
        for entry in range(lists.starts[rows[i]], lists.starts[rows[i] + 1]):
            item, weight = lists.items[entry], lists.weights[entry]
            term = weight * strength
            heard[item, TOTAL] += term
            heard[item, STRONGEST] = max(heard[item, STRONGEST], term)
            heard[item, SUPPORTERS] += np.float32(weight > 0)


def _pick(heard: Floats, n: int, wanted: Ints, strongest: Floats, supporters: Floats) -> None:
    by_channel = heard.reshape(len(strongest), n, HEARD)
    strongest[:], supporters[:] = by_channel[:, wanted, STRONGEST], by_channel[:, wanted, SUPPORTERS]


@compiled(plain=_pick)
def pick(heard: Floats, n: int, wanted: Ints, strongest: Floats, supporters: Floats) -> None:
    """Write what was heard (e · n, HEARD) of some of n items (m,): largest term, number of positive weights. (e, m)"""
    for c in range(len(strongest)):
        for i in range(len(wanted)):
            strongest[c, i] = heard[c * n + wanted[i], STRONGEST]
            supporters[c, i] = heard[c * n + wanted[i], SUPPORTERS]


def _evidence(lists: Lists, rows: Ints, strengths: Floats, place: Places, out: NDArray[np.float64]) -> None:
    m = out.shape[1]
    entry, source = entries_of(lists, rows)
    is_wanted = place[lists.items[entry]] < m
    entry, source = entry[is_wanted], source[is_wanted]
    at = place[lists.items[entry]]
    weight = lists.weights[entry]
    out[0] = np.bincount(at, weight.astype(np.float64), m)
    for column, strength in zip(out[1:3], strengths, strict=True):
        column[:] = np.bincount(at, (weight * strength[source]).astype(np.float64), m)
    np.maximum.at(out[3], at, weight.astype(np.float64))


@compiled(plain=_evidence)
def evidence(lists: Lists, rows: Ints, strengths: Floats, place: Places, out: NDArray[np.float64]) -> None:
    """Write sum of weights, the same weighted by each of two strengths (2, h), and largest weight. ``out`` (4, m)

    ``out`` must be zero.
    """
    m = out.shape[1]
    places, weights = np.empty(len(place), np.int32), np.empty(len(place), np.float32)
    for i in range(len(rows)):
        found = 0
        for entry in range(lists.starts[rows[i]], lists.starts[rows[i] + 1]):
            at = place[lists.items[entry]]
            places[found], weights[found] = at, lists.weights[entry]
            found += at < m
        for j in range(found):
            at, weight = places[j], weights[j]
            out[0, at] += weight
            out[1, at] += weight * strengths[0, i]
            out[2, at] += weight * strengths[1, i]
            out[3, at] = max(out[3, at], weight)


def _add_blocks(lists: Lists, lengths: Ints, rows: Ints, wanted: Ints, out: Floats) -> None:
    n, (some, m, _) = len(lengths), out.shape
    place = np.full(n, m)
    place[wanted] = np.arange(m)
    entry, source = entries_of(lists, rows)
    channel = channel_of(lengths, rows)
    is_wanted = (channel < some) & (place[lists.items[entry] - channel * n] < m)
    entry, source, channel = entry[is_wanted], source[is_wanted], channel[is_wanted]
    np.add.at(out, (channel, place[lists.items[entry] - channel * n], source), lists.weights[entry])


@compiled(plain=_add_blocks)
def add_blocks(lists: Lists, lengths: Ints, rows: Ints, wanted: Ints, out: Floats) -> None:
    """Add the entries of some rows (h,) at the few wanted items (m,) to ``out`` (s, m, h), for the first s channels.

    ``lengths`` (n, e) are as in ``add_up``.
    """
    n = len(lengths)
    is_wanted, place = np.zeros(n, np.bool_), np.empty(n, np.int32)  # flags alone are small enough to stay at hand
    for i in range(len(wanted)):
        is_wanted[wanted[i]], place[wanted[i]] = True, i
    for i in range(len(rows)):
        start = lists.starts[rows[i]]
        for c in range(len(out)):
            end = start + lengths[rows[i], c]
            for entry in range(start, end):
                item = lists.items[entry] - c * n
                if is_wanted[item]:
                    out[c, place[item], i] += lists.weights[entry]
            start = end


def _weighted_sum(lists: Lists, rows: Ints, strengths: Floats, out: Floats) -> None:
    entry, source = entries_of(lists, rows)
    np.add.at(out, lists.items[entry], lists.weights[entry] * strengths[source])


@compiled(plain=_weighted_sum)
def weighted_sum(lists: Lists, rows: Ints, strengths: Floats, out: Floats) -> None:
    """Add ``strengths[i] · weights[i, :]`` of some rows (h,) to ``out`` (n,)."""
    for i in range(len(rows)):
        strength = strengths[i]
        for entry in range(lists.starts[rows[i]], lists.starts[rows[i] + 1]):
            out[lists.items[entry]] += lists.weights[entry] * strength
