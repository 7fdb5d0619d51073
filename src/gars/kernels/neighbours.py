"""Sums over neighbour lists in compressed sparse rows (CSR). Every sum is taken in the order of the entries.

``position`` (n,) is the index of an item among m selected ones, m if it is not selected. A loop that branches on every
entry mispredicts most of the time, unless hardly any entry is selected. So what is written may have one more row, for
all others; or each list is read first, every entry written down, and the count advanced only for a selected one.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gars.kernels.compiled import compiled

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Positions = NDArray[np.int32]


class CSR(NamedTuple):
    """The three arrays of a sparse matrix in compressed rows."""

    indptr: NDArray[np.int32] | Ints
    """(n + 1,)"""
    indices: NDArray[np.int32] | Ints | NDArray[np.uint16] | NDArray[np.uint32]
    """(t,) column of each entry."""
    data: Floats
    """(t,)"""


class StackedLists(NamedTuple):
    """Neighbour lists of n items in e channels, those of an item one after the other."""

    starts: NDArray[np.int32] | Ints
    """(n, e + 1) the entries of item i in channel c are from ``starts[i, c]`` to ``starts[i, c + 1]``."""
    indices: NDArray[np.uint16] | NDArray[np.uint32]
    """(t,) item of each entry: without a sign no index is tested for being negative."""
    data: Floats
    """(t,)"""


def entries_between(starts: NDArray[np.int32] | Ints, ends: NDArray[np.int32] | Ints) -> tuple[Ints, Ints]:
    """Return the positions from each start (h,) to its end, and the index of the start of each. → (t,), (t,)"""
    first = starts.astype(np.int64)
    lengths = ends.astype(np.int64) - first
    source = np.repeat(np.arange(len(first)), lengths)
    return np.arange(len(source)) + np.repeat(first - (np.cumsum(lengths) - lengths), lengths), source


def entries_of(matrix: CSR, rows: Ints) -> tuple[Ints, Ints]:
    """Return the positions of the entries of some rows (h,), and the index of each one's row. → (t,), (t,)"""
    return entries_between(matrix.indptr[rows], matrix.indptr[rows + 1])


def stacked_entries(lists: StackedLists, rows: Ints) -> tuple[Ints, Ints, Ints]:
    """Return the positions of the entries of some rows (h,), and the row's index and channel of each. → (t,) each"""
    starts = lists.starts[rows]
    entry, source = entries_between(starts[:, :-1].ravel(), starts[:, 1:].ravel())
    e = max(1, starts.shape[1] - 1)
    return entry, source // e, source % e


def entries_among(matrix: CSR, rows: Ints, n: int) -> tuple[Ints, Ints, Ints]:
    """Return the entries of some rows of n at the same columns: positions, row and column indices. → (t,) each"""
    position = np.full(n, -1, np.int64)
    position[rows] = np.arange(len(rows))
    entry, source = entries_of(matrix, rows)
    target = position[matrix.indices[entry]]
    inside = target >= 0
    return entry[inside], source[inside], target[inside]


def _sum_by_channel(lists: StackedLists, rows: Ints, weights: Floats, out: Floats) -> None:
    entry, source, channel = stacked_entries(lists, rows)
    out[:] = 0
    np.add.at(out, (channel, lists.indices[entry]), lists.data[entry] * weights[source, channel])


@compiled(plain=_sum_by_channel)
def sum_by_channel(lists: StackedLists, rows: Ints, weights: Floats, out: Floats) -> None:
    """Write ``Σ_i weights[i, c] · list[i, c, :]`` to ``out`` (e, n), for titles (h,) and their weights (h, e)."""
    out[:] = 0
    for i in range(len(rows)):
        for c in range(len(out)):
            # slices and a bound without a sign: the compiler tests nothing inside the loop
            start, end = np.uint64(lists.starts[rows[i], c]), np.uint64(lists.starts[rows[i], c + 1])
            items, values = lists.indices[start:end], lists.data[start:end]
            sums, weight = out[c], weights[i, c]
            for entry in range(len(items)):
                sums[items[entry]] += values[entry] * weight


def _mean_positive(scores: Floats, out: Floats) -> None:
    out[:] = 0
    for row in scores:  # one after the other, as the loops add
        out += np.maximum(row, 0)
    out /= np.float32(max(1, len(scores)))


@compiled(plain=_mean_positive)
def mean_positive(scores: Floats, out: Floats) -> None:
    """Write the mean over the channels of positive scores (e, n), 0 for negative ones, to ``out`` (n,)."""
    out[:] = 0
    for c in range(len(scores)):
        row = scores[c]
        for j in range(len(out)):
            out[j] += row[j] if row[j] > 0 else np.float32(0)
    number = np.float32(max(1, len(scores)))
    for j in range(len(out)):
        out[j] /= number


def _select_terms(
    lists: StackedLists, rows: Ints, weights: Floats, selected: Ints, logs: Floats, largest: Floats, supporters: Floats
) -> None:
    entry, source, channel = stacked_entries(lists, rows)
    items, is_positive = lists.indices[entry], lists.data[entry] > 0
    terms = np.zeros((2, len(largest), len(lists.starts)), np.float32)
    np.maximum.at(terms[0], (channel, items), lists.data[entry] * weights[source])
    np.add.at(terms[1], (channel[is_positive], items[is_positive]), np.float32(1))
    largest[:], supporters[:] = terms[0][:, selected], logs[terms[1][:, selected].astype(np.int64)]


@compiled(plain=_select_terms)
def select_terms(
    lists: StackedLists, rows: Ints, weights: Floats, selected: Ints, logs: Floats, largest: Floats, supporters: Floats
) -> None:
    """Write the largest term of some items (m,) in each channel, and log(1 + positive entries). → (e, m), (e, m)

    The terms are ``weights[i] · list[i, c, item]`` of titles (h,); the largest is at least 0. ``logs`` (≥ h + 1,) has
    log(1 + i).
    """
    n, m = len(lists.starts), len(selected)
    is_selected, position = np.zeros(n, np.uint8), np.empty(n, np.int32)  # flags alone are small enough for the cache
    for i in range(m):
        if not is_selected[selected[i]]:
            is_selected[selected[i]], position[selected[i]] = 1, i
    largest[:] = 0
    supporters[:] = 0
    kept = np.empty(n + 1, np.uint32)
    for i in range(len(rows)):
        weight = weights[i]
        for c in range(len(largest)):
            start, end = np.uint64(lists.starts[rows[i], c]), np.uint64(lists.starts[rows[i], c + 1])
            items, values = lists.indices[start:end], lists.data[start:end]
            count = 0
            for entry in range(len(items)):
                kept[count] = entry
                count += is_selected[items[entry]]
            highest, number = largest[c], supporters[c]
            for j in range(count):
                at, value = np.uint32(position[items[kept[j]]]), values[kept[j]]
                highest[at] = max(highest[at], value * weight)
                number[at] += np.float32(value > 0)
    for c in range(len(largest)):
        highest, number = largest[c], supporters[c]
        for i in range(m):
            number[i] = logs[np.int64(number[i])]
        for i in range(m):
            highest[i], number[i] = highest[position[selected[i]]], number[position[selected[i]]]  # if selected twice


def _neighbour_statistics(
    matrix: CSR, rows: Ints, weights: Floats, position: Positions, out: NDArray[np.float64]
) -> None:
    m = out.shape[1]
    entry, source = entries_of(matrix, rows)
    is_selected = position[matrix.indices[entry]] < m
    entry, source = entry[is_selected], source[is_selected]
    at = position[matrix.indices[entry]]
    data = matrix.data[entry]
    out[0] = np.bincount(at, data.astype(np.float64), m)
    for column, weight in zip(out[1:3], weights, strict=True):
        column[:] = np.bincount(at, (data * weight[source]).astype(np.float64), m)
    np.maximum.at(out[3], at, data.astype(np.float64))


@compiled(plain=_neighbour_statistics)
def neighbour_statistics(
    matrix: CSR, rows: Ints, weights: Floats, position: Positions, out: NDArray[np.float64]
) -> None:
    """Write sum of entries, the same weighted by each row of ``weights`` (2, h), and largest entry, to ``out`` (4, m).

    The sums run over the rows (h,), for each of the m selected columns. ``out`` must be zero.
    """
    m = out.shape[1]
    positions, values = np.empty(len(position), np.int32), np.empty(len(position), np.float32)
    for i in range(len(rows)):
        count = 0
        for entry in range(matrix.indptr[rows[i]], matrix.indptr[rows[i] + 1]):
            at = position[matrix.indices[entry]]
            positions[count], values[count] = at, matrix.data[entry]
            count += at < m
        for j in range(count):
            at, value = positions[j], values[j]
            out[0, at] += value
            out[1, at] += value * weights[0, i]
            out[2, at] += value * weights[1, i]
            out[3, at] = max(out[3, at], value)


def _gather_entries(lists: StackedLists, rows: Ints, selected: Ints, out: Floats) -> None:
    s, m, _ = out.shape
    position = np.full(len(lists.starts), m)
    position[selected] = np.arange(m)
    entry, source, channel = stacked_entries(lists, rows)
    is_selected = (channel < s) & (position[lists.indices[entry]] < m)
    entry, source, channel = entry[is_selected], source[is_selected], channel[is_selected]
    np.add.at(out, (channel, position[lists.indices[entry]], source), lists.data[entry])


@compiled(plain=_gather_entries)
def gather_entries(lists: StackedLists, rows: Ints, selected: Ints, out: Floats) -> None:
    """Add the entries of some rows (h,) at a few selected items (m,) to ``out`` (s, m, h), for the first s channels."""
    n, h, s = len(lists.starts), len(rows), len(out)
    is_selected, position = np.zeros(n, np.uint8), np.empty(n, np.int32)  # flags alone are small enough for the cache
    for i in range(len(selected)):
        is_selected[selected[i]], position[selected[i]] = 1, i
    size = 0
    for i in range(h):
        size += lists.starts[rows[i], s] - lists.starts[rows[i], 0]
    kept, ends, count = np.empty(size + 1, np.int64), np.empty((h, s), np.int64), 0
    for i in range(h):
        for c in range(s):
            for entry in range(lists.starts[rows[i], c], lists.starts[rows[i], c + 1]):
                kept[count] = entry
                count += is_selected[lists.indices[entry]]
            ends[i, c] = count
    # the weights are far apart, so they are read together: the processor waits for many of them at once
    place = 0
    for i in range(h):
        for c in range(s):
            while place < ends[i, c]:
                out[c, position[lists.indices[kept[place]]], i] += lists.data[kept[place]]
                place += 1


def _weighted_sum(matrix: CSR, rows: Ints, weights: Floats, out: Floats) -> None:
    entry, source = entries_of(matrix, rows)
    np.add.at(out, matrix.indices[entry], matrix.data[entry] * weights[source])


@compiled(plain=_weighted_sum)
def weighted_sum(matrix: CSR, rows: Ints, weights: Floats, out: Floats) -> None:
    """Add ``Σ_i weights[i] · matrix[i, :]`` over some rows (h,) to ``out`` (n,)."""
    for i in range(len(rows)):
        weight = weights[i]
        for entry in range(matrix.indptr[rows[i]], matrix.indptr[rows[i] + 1]):
            out[matrix.indices[entry]] += matrix.data[entry] * weight
