"""Decorators for kernels: compiled by numba where it is installed, else the same in numpy, several times slower.

Decision 150 has the speedup. Both forms return the same bits, but for kernels that may add in any order, which agree
to 1e-5; ``tests/parity/test_kernels.py`` compares every pair.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, update_wrapper
from types import FunctionType
from typing import Any, Generic, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

_ANY_ORDER = {"reassoc", "contract"}
"""LLVM's flags for sums in any order, so that one long sum is vectorised."""


class Kernel(Generic[P, R]):
    """One function in two forms; a call runs the compiled one if numba is installed."""

    def __init__(self, loops: Callable[P, R], plain: Callable[P, R], *, any_order: bool = False) -> None:
        self.loops = loops
        self.plain = plain
        self.any_order = any_order
        self.__doc__ = loops.__doc__

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the chosen form."""
        return self.chosen(*args, **kwargs)

    @cached_property
    def chosen(self) -> Callable[P, R]:
        """The compiled loops, which release the interpreter's lock, or the numpy form."""
        try:
            from numba import njit
        except ImportError:
            return self.plain
        flags = _ANY_ORDER if self.any_order else False
        loops = _with_subroutines(self.loops, njit(nogil=True, fastmath=flags))
        # cached on disk beside the source, so that only the first start after an installation compiles
        compiled: Callable[P, R] = njit(cache=True, nogil=True, fastmath=flags)(loops)
        return compiled


class Subroutine(Generic[P, R]):
    """A step that kernels of the same file share; compiled into each of them.

    It must be in the file of its callers: numba recompiles a cached kernel only when the kernel's own file changes.
    """

    def __init__(self, step: Callable[P, R]) -> None:
        self.step = step
        self.__doc__ = step.__doc__

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run the step in Python."""
        return self.step(*args, **kwargs)


def compiled(*, plain: Callable[P, R], any_order: bool = False) -> Callable[[Callable[P, R]], Kernel[P, R]]:
    """Decorate a function written as loops over arrays; ``plain`` is the same function without loops.

    ``any_order`` lets the compiler add numbers in another order, which the last digits of the result depend on.
    """
    return lambda loops: Kernel(loops, plain, any_order=any_order)


def _with_subroutines(loops: Callable[..., Any], compile_: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function with the subroutines it calls compiled: numba cannot call an object of this file."""
    if not isinstance(loops, FunctionType):
        raise TypeError(f"not a function: {loops!r}")
    names = loops.__globals__
    subroutines = {
        name: compile_(_with_subroutines(names[name].step, compile_))
        for name in loops.__code__.co_names
        if isinstance(names.get(name), Subroutine)
    }
    if not subroutines:
        return loops
    made = FunctionType(loops.__code__, {**names, **subroutines}, loops.__name__, loops.__defaults__, loops.__closure__)
    return update_wrapper(made, loops)
