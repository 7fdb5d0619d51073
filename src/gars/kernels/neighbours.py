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
    indices: NDArray[np.int32] | Ints
    """(t,) column of each entry."""
    data: Floats
    """(t,)"""


def entries_of(matrix: CSR, rows: Ints) -> tuple[Ints, Ints]:
    """Return the positions of the entries of some rows (h,), and the index of each one's row. → (t,), (t,)"""
    starts = matrix.indptr[rows].astype(np.int64)
    lengths = matrix.indptr[rows + 1] - starts
    source = np.repeat(np.arange(len(rows)), lengths)
    ends = np.cumsum(lengths)
    return np.arange(len(source)) + np.repeat(starts - (ends - lengths), lengths), source


def entries_among(matrix: CSR, rows: Ints, n: int) -> tuple[Ints, Ints, Ints]:
    """Return the entries of some rows of n at the same columns: positions, row and column indices. → (t,) each"""
    position = np.full(n, -1, np.int64)
    position[rows] = np.arange(len(rows))
    entry, source = entries_of(matrix, rows)
    target = position[matrix.indices[entry]]
    inside = target >= 0
    return entry[inside], source[inside], target[inside]


def channel_of(lengths: Ints, rows: Ints) -> Ints:
    """Return the channel of each entry of some rows (h,), from the entries (n, e) of each row and channel. → (t,)"""
    return np.repeat(np.tile(np.arange(lengths.shape[1]), len(rows)), lengths[rows].ravel())


def _sum_by_channel(matrix: CSR, lengths: Ints, rows: Ints, weights: Floats, out: Floats) -> None:
    entry, source = entries_of(matrix, rows)
    terms = matrix.data[entry] * weights[source, channel_of(lengths, rows)]
    # bincount is several times slower when it has to convert
    total = np.bincount(matrix.indices[entry].astype(np.intp), terms.astype(np.float64), out.size)
    out[:] = total.reshape(out.shape)


@compiled(plain=_sum_by_channel)
def sum_by_channel(matrix: CSR, lengths: Ints, rows: Ints, weights: Floats, out: Floats) -> None:
    """Write ``Σ_i weights[i, c] · matrix[i, c, :]`` to ``out`` (e, n), for e channels stacked in each row.

    Column ``c · n + item`` is that of channel c; ``lengths`` (n, e) are the entries of each channel in a row;
    ``rows`` and ``weights`` are (h,) and (h, e).
    """
    e, n = out.shape
    total = np.zeros(e * n, np.float64)
    for i in range(len(rows)):
        start = matrix.indptr[rows[i]]
        for c in range(e):
            weight = weights[i, c]
            end = start + lengths[rows[i], c]
            for entry in range(start, end):
                total[matrix.indices[entry]] += matrix.data[entry] * weight
            start = end
    for c in range(e):
        for j in range(n):
            out[c, j] = total[c * n + j]


TOTAL, LARGEST, POSITIVE, N_COLUMNS = 0, 1, 2, 4
"""Columns of ``sum_terms``, and their number: with one unused column, an item's numbers are in one cache line."""


def _sum_terms(matrix: CSR, rows: Ints, weights: Floats, out: Floats) -> None:
    entry, source = entries_of(matrix, rows)
    items, data = matrix.indices[entry], matrix.data[entry]
    terms = data * weights[source]
    np.add.at(out[:, TOTAL], items, terms)
    np.maximum.at(out[:, LARGEST], items, terms)
    np.add.at(out[:, POSITIVE], items[data > 0], np.float32(1))


@compiled(plain=_sum_terms)
def sum_terms(matrix: CSR, rows: Ints, weights: Floats, out: Floats) -> None:
    """Sum the terms ``weights[i] · matrix[i, :]`` of titles (h,) of weights (h,) for every column.

    ``out`` (e · n, N_COLUMNS) must be zero; it gets the total, the largest term and the number of positive entries.
    """
    for i in range(len(rows)):
        weight = weights[i]
        for entry in range(matrix.indptr[rows[i]], matrix.indptr[rows[i] + 1]):
            item, value = matrix.indices[entry], matrix.data[entry]
            term = value * weight
            out[item, TOTAL] += term
            out[item, LARGEST] = max(out[item, LARGEST], term)
            out[item, POSITIVE] += np.float32(value > 0)


def _select_terms(sums: Floats, n: int, selected: Ints, largest: Floats, positive: Floats) -> None:
    by_channel = sums.reshape(len(largest), n, N_COLUMNS)
    largest[:], positive[:] = by_channel[:, selected, LARGEST], by_channel[:, selected, POSITIVE]


@compiled(plain=_select_terms)
def select_terms(sums: Floats, n: int, selected: Ints, largest: Floats, positive: Floats) -> None:
    """Write the largest term and the number of positive entries of some of n items (m,), from ``sum_terms``. (e, m)"""
    for c in range(len(largest)):
        for i in range(len(selected)):
            largest[c, i] = sums[c * n + selected[i], LARGEST]
            positive[c, i] = sums[c * n + selected[i], POSITIVE]


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


def _gather_entries(matrix: CSR, lengths: Ints, rows: Ints, selected: Ints, out: Floats) -> None:
    n, (s, m, _) = len(lengths), out.shape
    position = np.full(n, m)
    position[selected] = np.arange(m)
    entry, source = entries_of(matrix, rows)
    channel = channel_of(lengths, rows)
    is_selected = (channel < s) & (position[matrix.indices[entry] - channel * n] < m)
    entry, source, channel = entry[is_selected], source[is_selected], channel[is_selected]
    np.add.at(out, (channel, position[matrix.indices[entry] - channel * n], source), matrix.data[entry])


@compiled(plain=_gather_entries)
def gather_entries(matrix: CSR, lengths: Ints, rows: Ints, selected: Ints, out: Floats) -> None:
    """Add the entries of some rows (h,) at a few selected items (m,) to ``out`` (s, m, h), for the first s channels.

    ``lengths`` (n, e) are as in ``sum_by_channel``.
    """
    n = len(lengths)
    is_selected, position = np.zeros(n, np.bool_), np.empty(n, np.int32)  # flags alone are small enough for the cache
    for i in range(len(selected)):
        is_selected[selected[i]], position[selected[i]] = True, i
    for i in range(len(rows)):
        start = matrix.indptr[rows[i]]
        for c in range(len(out)):
            end = start + lengths[rows[i], c]
            for entry in range(start, end):
                item = matrix.indices[entry] - c * n
                if is_selected[item]:
                    out[c, position[item], i] += matrix.data[entry]
            start = end


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
