"""Numeric kernels over arrays, each compiled by numba and as plain numpy. They know nothing of anime."""
