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
    columns = np.ascontiguousarray(values.T)  # (f, n)
    f = len(columns)
    low, high = columns.min(axis=1), columns.max(axis=1)
    kinds = np.full(f, _Kind.RAW, np.uint8)
    finite = np.isfinite(low) & np.isfinite(high)
    codes = np.zeros(columns.shape, np.uint8)
    bounds = np.empty((2, f), np.float32)
    ends = low.view(np.uint32) | high.view(np.uint32)
    was_fine = ((ends & 0xFF) == 0) & ((ends & 0xFF00) != 0)
    for kind, kept_bytes in ((_Kind.CODED, 2), (_Kind.CODED_FINELY, 3)):
        left = np.flatnonzero((kinds == _Kind.RAW) & finite & (low < high))
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
    counts = _counts(columns)
    kinds[(counts >= 0).all(axis=1)] = _Kind.COUNT
    kinds[1:][(np.abs(columns[:-1]) == columns[1:]).all(axis=1) & finite[:-1]] = _Kind.ABSOLUTE
    kinds[low == high] = _Kind.CONSTANT
    coarse, fine = kinds == _Kind.CODED, kinds == _Kind.CODED_FINELY
    return Columns(
        kinds=kinds.tobytes(),
        constants=to_planes(low[kinds == _Kind.CONSTANT]),
        bounds=to_planes(bounds[:, coarse])[2 * bounds[:, coarse].size :],
        fine_bounds=to_planes(bounds[:, fine])[bounds[:, fine].size :],
        counts=to_planes(counts[kinds == _Kind.COUNT].astype(np.uint16)),
        codes=codes[coarse | fine].tobytes(),
        raw=to_planes(columns[kinds == _Kind.RAW]),
    )


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


def to_planes(values: NDArray[np.generic]) -> bytes:
    """Return the first bytes of all values, then the second bytes, and so on."""
    flat = np.ascontiguousarray(values).reshape(-1)
    little = flat.astype(flat.dtype.newbyteorder("<"), copy=False)
    return little.view(np.uint8).reshape(len(flat), flat.itemsize).T.tobytes()


def from_planes(planes: bytes, dtype: type[np.generic]) -> NDArray[np.generic]:
    """Return the values of ``to_planes``, one-dimensional. Raises ``ValueError``: a byte is missing."""
    kind = np.dtype(dtype).newbyteorder("<")
    return np.frombuffer(planes, np.uint8).reshape(kind.itemsize, -1).T.copy().view(kind).reshape(-1).astype(dtype)


def _counts(columns: Floats) -> NDArray[np.int64]:
    """The whole numbers whose float32 ``log1p`` the values are, -1 for other values. (f, n) → (f, n)"""
    with np.errstate(all="ignore"):
        whole = np.rint(np.expm1(columns.astype(np.float64)))
        fits = (whole >= 0) & (whole < _MOST_COUNT)
        whole = np.where(fits, whole, 0)
        return np.where(fits & (np.log1p(whole.astype(np.float32)) == columns), whole, -1).astype(np.int64)
