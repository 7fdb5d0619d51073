"""Sparse matrices as serving reads them."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from gars.loops.neighbours import Lists


def compact(matrix: sp.csr_array) -> sp.csr_array:
    """The same matrix with 32-bit indices if they can hold it: half the memory to read in each request."""
    if max(matrix.nnz, *matrix.shape) > np.iinfo(np.int32).max:
        return matrix
    indices, indptr = matrix.indices.astype(np.int32, copy=False), matrix.indptr.astype(np.int32, copy=False)
    return sp.csr_array((matrix.data, indices, indptr), shape=matrix.shape)


def lists_of(matrix: sp.csr_array) -> Lists:
    """The rows of a matrix as the loops read them."""
    return Lists(matrix.indptr, matrix.indices, matrix.data)
