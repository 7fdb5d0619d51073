"""Element-wise layers of an MLP between its matrix products."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gars.kernels.compiled import compiled

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


def _write_inputs(
    features: Floats, mean: Floats, scale: Floats, limit: np.float32, table: Floats, rows: Ints, out: Floats
) -> None:
    f = len(features)
    np.multiply(features - mean[:, None], scale[:, None], out=out[:f])
    np.clip(out[:f], -limit, limit, out=out[:f])
    out[f:] = table[rows].T


@compiled(plain=_write_inputs)
def write_inputs(
    features: Floats, mean: Floats, scale: Floats, limit: np.float32, table: Floats, rows: Ints, out: Floats
) -> None:
    """Write the inputs of m candidates to ``out`` (f + e, m): features and embeddings.

    Features (f, m) are standardised as ``(feature - mean) · scale`` and clipped to ``±limit``; the embeddings are some
    rows (m,) of ``table`` (n, e).
    """
    (f, m), e = features.shape, table.shape[1]
    for k in range(f):
        column, into, centre, by = features[k], out[k], mean[k], scale[k]
        for i in range(m):
            into[i] = min(max((column[i] - centre) * by, -limit), limit)
    for i in range(m):
        row = table[rows[i]]
        for k in range(e):
            out[f + k, i] = row[k]


def _add_bias_relu(layer: Floats, bias: Floats, groups: Ints) -> None:
    layer += bias[groups] if len(bias) > 1 else bias
    np.maximum(layer, 0, out=layer)


@compiled(plain=_add_bias_relu)
def add_bias_relu(layer: Floats, bias: Floats, groups: Ints) -> None:
    """Replace a layer (m, h) by ``max(layer + bias[groups], 0)``.

    ``bias`` (g, h) has a row for each group, ``groups`` (m,) are those of the candidates; a single row is for all.
    """
    m, h = layer.shape
    for i in range(m):
        into, row = layer[i], bias[groups[i] if len(bias) > 1 else 0]
        for k in range(h):
            into[k] = max(into[k] + row[k], np.float32(0))
