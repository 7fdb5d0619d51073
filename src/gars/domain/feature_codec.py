"""Feature matrices of shown lists in few bytes: most columns exactly, the others in 128 steps of the list's own range.

A column of n values is stored as the first of these that fits:
  constant   every value is the same                                       exact
  absolute   it is the absolute value of the column before                 as exact as that column
  count      float32 ``log1p`` of whole numbers below 65,536: places       exact
  coded      ``low + code · (high - low) / 127``, codes of one byte        off by at most (high - low) / 125
  raw        everything else: not finite, or too narrow a range            exact
Encoding what was decoded gives the same bytes again, so a record may pass through several stores.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

import msgspec
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_STEPS = 127
_MOST_COUNT = 1 << 16
_MOST_MOVED = 0.49
"""Steps by which rounding may move an end of the range."""


class _Kind(IntEnum):
    CONSTANT = 0
    ABSOLUTE = 1
    COUNT = 2
    RAW = 3
    CODED = 4
    """With bounds of two bytes."""
    CODED_FINELY = 5
    """With bounds of three bytes, where two would move them too far: a narrow range far from 0."""


class Columns(msgspec.Struct, frozen=True, array_like=True):
    """An encoded (n, f) matrix; numbers of several bytes are stored byte by byte, so that they compress."""

    kinds: bytes
    """(f,) one ``_Kind`` each."""
    constants: bytes
    """float32 (constant,)"""
    bounds: bytes
    """float32 (2, coded) lows and highs, without the last two bytes of each, which are 0."""
    fine_bounds: bytes
    """The same of those coded finely, without the last byte."""
    counts: bytes
    """uint16 (counts, n)"""
    codes: bytes
    """uint8 (coded, n)"""
    raw: bytes
    """float32 (raw, n)"""


def encode(values: Floats) -> Columns:
    """Encode a matrix (n, f) with n > 0."""
    return encode_many([values])[0]


def encode_many(matrices: Sequence[Floats] | Floats) -> list[Columns]:
    """Encode matrices of one shape (n, f) with n > 0, all at once: the same as one by one, in a tenth of the time."""
    lists, f = len(matrices), matrices[0].shape[1]
    stacked = np.asarray(matrices)
    # over the rows of a matrix: along its short columns numpy takes several times as long
    low, high = stacked.min(axis=1).reshape(-1), stacked.max(axis=1).reshape(-1)
    columns = np.ascontiguousarray(stacked.swapaxes(1, 2)).reshape(lists * f, len(matrices[0]))
    kinds = np.full(len(columns), _Kind.RAW, np.uint8)
    finite = np.isfinite(low) & np.isfinite(high)
    constant = low == high
    is_count, counts = _counts(columns, np.flatnonzero(finite & ~constant))
    codes = np.zeros(columns.shape, np.uint8)
    bounds = np.empty((2, len(columns)), np.float32)
    ends = low.view(np.uint32) | high.view(np.uint32)
    was_fine = ((ends & 0xFF) == 0) & ((ends & 0xFF00) != 0)
    for kind, kept_bytes in ((_Kind.CODED, 2), (_Kind.CODED_FINELY, 3)):
        left = np.flatnonzero((kinds == _Kind.RAW) & finite & (low < high) & ~is_count)
        if kind is _Kind.CODED:
            left = left[~was_fine[left]]
        bounds[:, left] = _shortened(np.stack([low[left], high[left]]), kept_bytes)
        moved = np.abs(bounds[:, left].astype(np.float64) - [low[left], high[left]]).max(axis=0)
        span = bounds[1, left].astype(np.float64) - bounds[0, left]
        # so near that both ends have their codes: the same comes out when the decoded values are encoded again
        fits = np.isfinite(span) & (moved * _STEPS <= span * _MOST_MOVED)
        left, span = left[fits], span[fits]
        steps = (columns[left] - bounds[0, left].astype(np.float64)[:, None]) * (_STEPS / span)[:, None]
        codes[left], kinds[left] = np.rint(steps).astype(np.uint8), kind
    kinds[is_count] = _Kind.COUNT
    absolute = (np.abs(columns[:-1, 0]) == columns[1:, 0]) & finite[:-1]  # the first value rules out most columns
    maybe = np.flatnonzero(absolute)
    absolute[maybe] = (np.abs(columns[maybe]) == columns[maybe + 1]).all(axis=1)
    absolute[np.arange(1, len(columns)) % max(f, 1) == 0] = False  # the column before is of another list
    kinds[1:][absolute] = _Kind.ABSOLUTE
    kinds[constant] = _Kind.CONSTANT
    return _split(kinds.reshape(lists, f), columns, low, bounds, counts, codes)


def _split(
    kinds: NDArray[np.uint8],
    columns: Floats,
    low: Floats,
    bounds: Floats,
    counts: NDArray[np.uint16],
    codes: NDArray[np.uint8],
) -> list[Columns]:
    """Give each list its parts of what was encoded for all. ``kinds`` are (lists, f), the others of all columns."""
    flat = kinds.reshape(-1)
    coarse, fine = flat == _Kind.CODED, flat == _Kind.CODED_FINELY
    parts = (
        (flat == _Kind.CONSTANT, _bytes_of(low[flat == _Kind.CONSTANT])),
        (coarse, _bytes_of(bounds[:, coarse].T)[..., 2:]),
        (fine, _bytes_of(bounds[:, fine].T)[..., 1:]),
        (flat == _Kind.COUNT, _bytes_of(counts[flat == _Kind.COUNT])),
        (coarse | fine, codes[coarse | fine]),
        (flat == _Kind.RAW, _bytes_of(columns[flat == _Kind.RAW])),
    )
    ends = [np.cumsum(chosen.reshape(kinds.shape).sum(axis=1)).tolist() for chosen, _ in parts]
    found, before = [], [0] * len(parts)
    for number, row in enumerate(kinds):
        after = [end[number] for end in ends]
        constants, coarse_bounds, fine_bounds, its_counts, its_codes, raw = (
            part[start:end] for (_, part), start, end in zip(parts, before, after, strict=True)
        )
        found.append(
            Columns(
                kinds=row.tobytes(),
                constants=constants.T.tobytes(),
                bounds=coarse_bounds.transpose(2, 1, 0).tobytes(),
                fine_bounds=fine_bounds.transpose(2, 1, 0).tobytes(),
                counts=its_counts.transpose(2, 0, 1).tobytes(),
                codes=its_codes.tobytes(),
                raw=raw.transpose(2, 0, 1).tobytes(),
            )
        )
        before = after
    return found


def decode(columns: Columns, n: int) -> Floats:
    """Return the (n, f) matrix of ``encode``. Raises ``ValueError``: the parts do not fit together."""
    kinds = np.frombuffer(columns.kinds, np.uint8)
    found = np.empty((len(kinds), n), np.float32)
    found[kinds == _Kind.CONSTANT] = from_planes(columns.constants, np.float32)[:, None]
    coarse, fine = kinds == _Kind.CODED, kinds == _Kind.CODED_FINELY
    bounds = np.empty((2, len(kinds)), np.float32)
    bounds[:, coarse] = from_planes(bytes(len(columns.bounds)) + columns.bounds, np.float32).reshape(2, -1)
    bounds[:, fine] = from_planes(bytes(len(columns.fine_bounds) // 3) + columns.fine_bounds, np.float32).reshape(2, -1)
    low, high = bounds[:, coarse | fine]
    found[kinds == _Kind.COUNT] = np.log1p(from_planes(columns.counts, np.uint16).reshape(-1, n).astype(np.float32))
    codes = np.frombuffer(columns.codes, np.uint8).reshape(-1, n)
    start = low.astype(np.float64)[:, None]
    values = (start + codes * ((high.astype(np.float64) - low) / _STEPS)[:, None]).astype(np.float32)
    found[coarse | fine] = np.where(codes == _STEPS, high[:, None], values)
    found[kinds == _Kind.RAW] = from_planes(columns.raw, np.float32).reshape(-1, n)
    for row in np.flatnonzero(kinds == _Kind.ABSOLUTE):
        found[row] = np.abs(found[row - 1])
    return np.ascontiguousarray(found.T)


def _shortened(values: Floats, kept_bytes: int) -> Floats:
    """Round float32 numbers to those whose last bytes are 0."""
    dropped = 8 * (4 - kept_bytes)
    bits = values.view(np.uint32)
    return ((bits + np.uint32(1 << (dropped - 1))) & np.uint32(0xFFFFFFFF << dropped & 0xFFFFFFFF)).view(np.float32)


def to_planes_many(values: NDArray[np.generic]) -> list[bytes]:
    """Return of each row (n,) of a matrix the first bytes of all its values, then the second bytes, and so on."""
    rows, n = values.shape
    planes = np.ascontiguousarray(_bytes_of(values).transpose(0, 2, 1)).tobytes()
    size = n * values.itemsize
    return [planes[row * size : (row + 1) * size] for row in range(rows)]


def from_planes(planes: bytes, dtype: type[np.generic]) -> NDArray[np.generic]:
    """Return a row of ``to_planes_many``. Raises ``ValueError``: a byte is missing."""
    kind = np.dtype(dtype).newbyteorder("<")
    return np.frombuffer(planes, np.uint8).reshape(kind.itemsize, -1).T.copy().view(kind).reshape(-1).astype(dtype)


def _bytes_of(values: NDArray[np.generic]) -> NDArray[np.uint8]:
    """The bytes of each value, the lowest first. (…) → (…, itemsize)"""
    little = np.ascontiguousarray(values.astype(values.dtype.newbyteorder("<"), copy=False))
    return little.view(np.uint8).reshape(*values.shape, values.itemsize)


def _counts(columns: Floats, asked: NDArray[np.intp]) -> tuple[NDArray[np.bool_], NDArray[np.uint16]]:
    """Find columns that are float32 ``log1p`` of whole numbers. → which, (f,), and their numbers, (f, n)"""
    numbers = np.zeros(columns.shape, np.uint16)
    for some in (slice(0, 1), slice(None)):  # the first value rules out most columns
        with np.errstate(all="ignore"):
            whole = np.rint(np.expm1(columns[asked, some].astype(np.float64)))
            fits = (whole >= 0) & (whole < _MOST_COUNT)
            whole = np.where(fits, whole, 0)
            fits &= np.log1p(whole.astype(np.float32)) == columns[asked, some]
        asked, whole = asked[fits.all(axis=1)], whole[fits.all(axis=1)]
    numbers[asked] = whole
    found = np.zeros(len(columns), np.bool_)
    found[asked] = True
    return found, numbers
