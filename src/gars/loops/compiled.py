"""Inner loops of serving: compiled by numba where it is installed, else the same in numpy, several times slower.

Decision 0150 has what it brings. Both forms give the same numbers; ``tests/parity/test_compiled_loops.py`` compares
every pair.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, update_wrapper
from types import FunctionType
from typing import Any, Generic, ParamSpec, TypeVar

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
        compiled: Callable[P, R] = njit(cache=True, nogil=True)(_with_parts(self.loops, njit(nogil=True)))
        return compiled


class Part(Generic[P, R]):
    """A step of loops in the same file; compiled into whatever calls it."""

    def __init__(self, step: Callable[P, R]) -> None:
        self.step = step
        self.__doc__ = step.__doc__

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Take the step in Python."""
        return self.step(*args, **kwargs)


def compiled(*, plain: Callable[P, R]) -> Callable[[Callable[P, R]], Compiled[P, R]]:
    """Decorator of a function written as loops over arrays; ``plain`` is the same without loops."""
    return lambda loops: Compiled(loops, plain)


def _with_parts(loops: Callable[..., Any], compile_: Callable[..., Any]) -> Callable[..., Any]:
    """The same function with the parts that it calls compiled: the compiler knows no objects of this file."""
    if not isinstance(loops, FunctionType):
        raise TypeError(f"not a function: {loops!r}")
    known = loops.__globals__
    parts = {
        name: compile_(_with_parts(known[name].step, compile_))
        for name in loops.__code__.co_names
        if isinstance(known.get(name), Part)
    }
    if not parts:
        return loops
    made = FunctionType(loops.__code__, {**known, **parts}, loops.__name__, loops.__defaults__, loops.__closure__)
    return update_wrapper(made, loops)
