"""Inner loops of serving: compiled by numba where it is installed, else the same in numpy, several times slower.

Decision 0150 has what it brings. Both forms give the same numbers; ``tests/parity/test_compiled_loops.py`` compares
every pair.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Generic, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class Compiled(Generic[P, R]):
    """One function in two forms; a call goes to the compiled one if there is a compiler."""

    def __init__(self, loops: Callable[P, R], plain: Callable[P, R]) -> None:
        self.loops = loops
        self.plain = plain
        self.__doc__ = loops.__doc__

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the chosen form."""
        return self.chosen(*args, **kwargs)

    @cached_property
    def chosen(self) -> Callable[P, R]:
        """The compiled loops, which other threads may pass, or the plain form."""
        try:
            from numba import njit
        except ImportError:
            return self.plain
        # kept on disk beside the source, so that only the first start after an installation compiles
        compiled: Callable[P, R] = njit(cache=True, nogil=True)(self.loops)
        return compiled


def compiled(*, plain: Callable[P, R]) -> Callable[[Callable[P, R]], Compiled[P, R]]:
    """Decorator of a function written as loops over arrays; ``plain`` is the same without loops."""
    return lambda loops: Compiled(loops, plain)
