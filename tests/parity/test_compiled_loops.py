"""Every inner loop gives the same numbers compiled and plain, to the last bit."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

import gars.loops
from gars.loops import largest, neighbours
from gars.loops.compiled import Compiled
from gars.loops.marks import marks_of
from gars.loops.quantised import quantise
from gars.retrieval.compact import lists_of

N, E, H, M = 50, 3, 9, 13


def sparse(rng: np.random.Generator) -> sp.csr_array:
    """Neighbour lists with weights of both signs, one list empty."""
    dense = rng.standard_normal((N, N)).astype(np.float32) * (rng.random((N, N)) < 0.3)
    dense[4] = 0
    found = sp.csr_array(dense)
    return sp.csr_array((found.data, found.indices.astype(np.int32), found.indptr.astype(np.int32)), found.shape)


def side_by_side(rng: np.random.Generator) -> tuple[Any, ...]:
    parts = [sparse(rng) for _ in range(E)]
    joined = sp.csr_array(sp.hstack(parts, format="csr"))
    lengths = np.stack([np.diff(part.indptr) for part in parts], axis=1).astype(np.int64)
    lists = neighbours.Lists(joined.indptr.astype(np.int32), joined.indices.astype(np.int32), joined.data)
    return lists, lengths


def titles(rng: np.random.Generator) -> np.ndarray:
    return np.append(rng.choice(N, H - 1, replace=False), 4)


def places(rng: np.random.Generator) -> np.ndarray:
    place = np.full(N, M, np.int32)
    place[rng.permutation(N)[:M]] = np.arange(M)
    return place


def strengths(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.uniform(-0.5, 1, shape).astype(np.float32)


def zeros(*shape: int) -> np.ndarray:
    return np.zeros(shape, np.float32)


def csr(rng: np.random.Generator) -> neighbours.Lists:
    one = sparse(rng)
    return neighbours.Lists(one.indptr, one.indices, one.data)


def both_directions(rng: np.random.Generator) -> tuple[neighbours.Lists, neighbours.Lists]:
    one = sparse(rng)
    other = sp.csr_array(one.T.tocsr())
    return lists_of(other), lists_of(one)


def scores(rng: np.random.Generator) -> np.ndarray:
    return np.stack([rng.standard_normal(N), rng.integers(0, 2, N), np.zeros(N)]).astype(np.float32)


def told(rng: np.random.Generator, r: int) -> tuple[Any, ...]:
    return (
        csr(rng), titles(rng)[:r], rng.permutation(N)[:M], N, strengths(rng, r, M), strengths(rng, 2, r),
        strengths(rng, r), strengths(rng, 4, r), zeros(2, M), zeros(4, M), zeros(2, M),
    )  # fmt: skip


def in_rounds(rng: np.random.Generator) -> tuple[Any, ...]:
    wide, lists = strengths(rng, H, 3), csr(rng)
    lists = lists._replace(weights=lists.weights * np.float32(0.1))
    inverse = np.linalg.inv(wide.T @ wide + np.eye(3, dtype=np.float32))
    return (
        wide, np.ascontiguousarray(wide.T), inverse, np.float32(1), lists, titles(rng), N, strengths(rng, 2, H),
    )  # fmt: skip


ARGUMENTS: dict[str, Callable[[np.random.Generator], tuple[Any, ...]]] = {
    "add_up": lambda rng: (*side_by_side(rng), titles(rng), strengths(rng, H, E), zeros(E, N)),
    "hear": lambda rng: (
        side_by_side(rng)[0], titles(rng), strengths(rng, H), zeros(E * N, neighbours.HEARD)
    ),
    "pick": lambda rng: (strengths(rng, E * N, neighbours.HEARD), N, titles(rng), zeros(E, H), zeros(E, H)),
    "evidence": lambda rng: (csr(rng), titles(rng), strengths(rng, 2, H), places(rng), np.zeros((4, M))),
    "turned": lambda rng: (strengths(rng, N, 5), titles(rng), zeros(5, H)),
    "within": lambda rng: (csr(rng), titles(rng), N, strengths(rng, H, H)),
    "squares": lambda rng: (strengths(rng, int(rng.integers(0, H)), M), np.float32(rng.choice([-1, 1])), zeros(M)),
    "tell": lambda rng: told(rng, int(rng.integers(1, H + 1))),
    "standard": lambda rng: (
        strengths(rng, 4, H), strengths(rng, 4), strengths(rng, 4) * 9, np.float32(2), strengths(rng, N, 3),
        titles(rng), zeros(8, H),
    ),
    "bend": lambda rng: (strengths(rng, H, 5), strengths(rng, N, 5), titles(rng)),
    "solve": lambda rng: (*in_rounds(rng), 1e-5, int(rng.integers(0, 30)), zeros(2, H)),
    "add_blocks": lambda rng: (*side_by_side(rng), titles(rng), rng.permutation(N)[:M], zeros(2, M, H)),
    "over_marks": lambda rng: (
        marks_of((rng.random((N, 5)) < 0.3).astype(np.float32)), titles(rng), strengths(rng, 3, 5), zeros(3, H),
        zeros(H),
    ),
    "keep_first": lambda rng: (
        rng.integers(0, 6, int(rng.integers(0, M))).astype(np.int32), int(rng.integers(1, 3)), np.zeros(M, np.bool_)
    ),
    "tie": lambda rng: (
        rng.integers(0, 9, N).astype(np.int32), 10, rng.integers(-1, N, N), titles(rng), titles(rng)[:4],
        strengths(rng, 4), 1.5, rng.permutation(N)[:M], zeros(5, M)
    ),
    "spread": lambda rng: (
        quantise(rng.standard_normal((N, H)).astype(np.float32)), rng.permutation(N)[:M],
        -np.sort(-strengths(rng, M).round(1)), strengths(rng, 6) + 1, np.zeros(6, np.int64),
    ),
    "weigh": lambda rng: (strengths(rng, E, M, H).round(1), strengths(rng, H), strengths(rng, E), zeros(M, H)),
    "loudest": lambda rng: (
        strengths(rng, M, H).round(1), np.float32(0.05), np.full((M, 3), -1), zeros(M, 3)
    ),
    "two_steps": lambda rng: (
        *both_directions(rng), strengths(rng, N) + 1, titles(rng), np.full((H, 6), -1, np.int32), zeros(H, 6)
    ),
    "local_grams": lambda rng: (
        *both_directions(rng), N, np.append(rng.permutation(N)[:M], -1).astype(np.int32).reshape(2, -1),
        zeros(2, 7, 7),
    ),
    "user_sum": lambda rng: (
        *both_directions(rng), titles(rng), strengths(rng, H).round(1), int(rng.integers(1, N)), zeros(N)
    ),
    "best_of_sum": lambda rng: (
        np.maximum(strengths(rng, E, N).round(1), 0), strengths(rng, E), rng.random(N) < 0.7, zeros(E),
        np.zeros(int(rng.integers(0, N + 5)), np.int64),
    ),
    "unite": lambda rng: (rng.random((E, N)) < 0.1, np.zeros(N, np.int64)),
    "standardise": lambda rng: (
        strengths(rng, E, N), strengths(rng, E), strengths(rng, E) + 1, titles(rng), zeros(E, H)
    ),
    "weighted_sum": lambda rng: (csr(rng), titles(rng), strengths(rng, H), zeros(N)),
    "multiply": lambda rng: (
        quantise(rng.standard_normal((N, H)).astype(np.float32)),
        rng.integers(-32767, 32768, H).astype(np.int16), np.float32(rng.random()), zeros(N),
    ),
    "propose": lambda rng: (
        scores(rng), strengths(rng, 3), np.abs(strengths(rng, 3)), rng.random(N) < 0.7, int(rng.integers(0, N + 5)),
        np.zeros((3, N), np.bool_),
    ),
}  # fmt: skip


def loops() -> dict[str, Compiled[..., int | None]]:
    modules = [
        importlib.import_module(module.name) for module in pkgutil.iter_modules(gars.loops.__path__, "gars.loops.")
    ]
    return {name: value for module in modules for name, value in vars(module).items() if isinstance(value, Compiled)}


def test_every_loop_is_compared() -> None:
    assert loops().keys() == ARGUMENTS.keys()


@pytest.mark.parametrize("name", ARGUMENTS)
@pytest.mark.parametrize("seed", range(10))
def test_compiled_is_plain(name: str, seed: int) -> None:
    pytest.importorskip("numba")
    loop = loops()[name]
    assert loop.chosen is not loop.plain
    one, other = (ARGUMENTS[name](np.random.default_rng(seed)) for _ in range(2))
    assert loop.chosen(*one) == loop.plain(*other)
    for compiled, plain in zip(one, other, strict=True):
        if isinstance(compiled, np.ndarray):
            assert compiled.dtype == plain.dtype
            assert np.array_equal(compiled, plain)


def test_without_a_compiler_the_plain_form_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "numba", None)
    assert Compiled(largest.propose.loops, largest.propose.plain).chosen is largest.propose.plain
    assert neighbours.add_up.__doc__
