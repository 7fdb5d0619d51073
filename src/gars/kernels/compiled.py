"""Decorators for kernels: compiled by numba where it is installed, else the same in numpy, several times slower.

Decision 150 has the speedup. Both forms return the same bits, but for kernels that may add in any order, which agree
to 1e-5; ``tests/parity/test_kernels.py`` compares every pair.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from functools import cached_property, update_wrapper
from pathlib import Path
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
        loops = _with_callees(self.loops, njit, self.flags)
        # cached on disk beside the source, so that only the first start after an installation compiles
        compiled: Callable[P, R] = njit(cache=True, nogil=True, fastmath=self.flags)(loops)
        return compiled

    @property
    def flags(self) -> set[str] | bool:
        """Flags of LLVM for sums of this kernel."""
        return _ANY_ORDER if self.any_order else False


class Subroutine(Generic[P, R]):
    """A step that kernels of the same file share; compiled into each of them."""

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


def composed(loops: Callable[P, R]) -> Kernel[P, R]:
    """Decorate a function that calls kernels, of other files too: they are one call, with one release of the lock.

    Without numba the function runs as it stands, with the plain forms of what it calls.
    """
    return Kernel(loops, loops)


def _with_callees(loops: Callable[..., Any], njit: Callable[..., Any], flags: set[str] | bool) -> Callable[..., Any]:
    """Return the function with what it calls compiled: numba cannot call objects of this file."""
    if not isinstance(loops, FunctionType):
        raise TypeError(f"not a function: {loops!r}")
    names = loops.__globals__
    callees: dict[str, Any] = {}
    for name in loops.__code__.co_names:
        callee = names.get(name)
        if isinstance(callee, Subroutine):
            callees[name] = njit(nogil=True, fastmath=flags)(_with_callees(callee.step, njit, flags))
        elif isinstance(callee, Kernel):
            compiled = _with_callees(callee.loops, njit, callee.flags)
            callees[name] = njit(nogil=True, fastmath=callee.flags)(compiled)
    if not callees:
        return loops
    made = FunctionType(loops.__code__, {**names, **callees}, loops.__name__, loops.__defaults__, loops.__closure__)
    update_wrapper(made, loops)
    if files := sorted({*_files_called(loops)}):
        # numba compiles a cached function anew when its own file changes; the name of the cache stands for the others
        made.__qualname__ += f"_{hashlib.sha256(b''.join(Path(file).read_bytes() for file in files)).hexdigest()[:12]}"
    return made


def _files_called(loops: FunctionType) -> Iterator[str]:
    """Yield the files of the kernels that a function calls, and that those call."""
    for name in loops.__code__.co_names:
        callee = loops.__globals__.get(name)
        called = callee.loops if isinstance(callee, Kernel) else callee.step if isinstance(callee, Subroutine) else None
        if isinstance(called, FunctionType):
            if isinstance(callee, Kernel):
                yield called.__code__.co_filename
            yield from _files_called(called)
