"""What lies between the matrix products of a network: passes over the numbers of many candidates."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gars.loops.compiled import compiled

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


def _standard(
    columns: Floats, mean: Floats, scale: Floats, reach: np.float32, table: Floats, rows: Ints, out: Floats
) -> None:
    f = len(columns)
    np.multiply(columns - mean[:, None], scale[:, None], out=out[:f])
    np.clip(out[:f], -reach, reach, out=out[:f])
    out[f:-1] = table[rows].T
    out[-1] = 1


@compiled(plain=_standard)
def standard(
    columns: Floats, mean: Floats, scale: Floats, reach: np.float32, table: Floats, rows: Ints, out: Floats
) -> None:
    """Write ``(column - mean) · scale``, within ``reach`` of 0, to ``out`` (f + e + 1, m) for columns (f, m).

    Below them some rows (m,) of a table (n, e), as columns, and ones.
    """
    (f, m), e = columns.shape, table.shape[1]
    for k in range(f):
        column, into, centre, by = columns[k], out[k], mean[k], scale[k]
        for i in range(m):
            into[i] = min(max((column[i] - centre) * by, -reach), reach)
    for i in range(m):
        row = table[rows[i]]
        for k in range(e):
            out[f + k, i] = row[k]
        out[f + e, i] = 1


def _bend(layer: Floats, table: Floats, rows: Ints) -> None:
    layer += table[rows]
    np.maximum(layer, 0, out=layer)


@compiled(plain=_bend)
def bend(layer: Floats, table: Floats, rows: Ints) -> None:
    """Add some rows (m,) of a table (n, h) to a layer (m, h), and make nothing of what is below 0."""
    m, h = layer.shape
    for i in range(m):
        into, row = layer[i], table[rows[i]]
        for k in range(h):
            into[k] = max(into[k] + row[k], np.float32(0))
