"""Sparse matrices in the form that serving reads."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from gars.kernels.neighbours import CSR


def compact(matrix: sp.csr_array) -> sp.csr_array:
    """Convert to 32-bit indices if they can hold it: half the memory to read in each request."""
    if max(matrix.nnz, *matrix.shape) > np.iinfo(np.int32).max:
        return matrix
    indices, indptr = matrix.indices.astype(np.int32, copy=False), matrix.indptr.astype(np.int32, copy=False)
    return sp.csr_array((matrix.data, indices, indptr), shape=matrix.shape)


def csr_of(matrix: sp.csr_array) -> CSR:
    """Return the arrays of a matrix as kernels read them."""
    return CSR(matrix.indptr, matrix.indices, matrix.data)


def unsigned(indices: NDArray[Any], n: int) -> NDArray[np.uint16] | NDArray[np.uint32]:
    """Convert indices below n to the smallest integers without a sign that kernels read."""
    if n <= np.iinfo(np.uint16).max + 1:
        return np.asarray(indices, np.uint16)
    return np.asarray(indices, np.uint32)
