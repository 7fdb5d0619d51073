"""One BLAS thread for work on one user: the matrices are small, and waking other threads costs ten times the work."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import scipy.linalg  # noqa: F401  its BLAS must be loaded before the controller looks for libraries
from threadpoolctl import ThreadpoolController


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()


class _Limit:
    """The limit of this process: set by the first of concurrent blocks, lifted by the last.

    Were each block to restore what it found, the first to end would lift the limit of the others, and their sums would
    have other last digits.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._blocks = 0

    def enter(self) -> None:
        with self._lock:
            if not self._blocks:
                self._limiter = _controller().limit(limits=1, user_api="blas")
            self._blocks += 1

    def leave(self) -> None:
        with self._lock:
            self._blocks -= 1
            if not self._blocks:
                self._limiter.restore_original_limits()


_limit = _Limit()


@contextmanager
def one_thread() -> Iterator[None]:
    """Limit BLAS to one thread inside the block."""
    _limit.enter()
    try:
        yield
    finally:
        _limit.leave()
