"""Every kernel returns the same compiled and as plain numpy: the same bits, unless it may add in any order."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

import gars.kernels
from gars.kernels import candidates, item_features, neighbours, ranks, top_k
from gars.kernels import pools as pools_kernel
from gars.kernels.categories import Categories, categories_of
from gars.kernels.compiled import Kernel
from gars.kernels.proposals import ScoredItems
from gars.kernels.quantised import USUAL, Products, quantise
from gars.kernels.similar_users import SimilarUsers
from gars.retrieval import stacked_neighbours
from gars.retrieval.compact import csr_of
from gars.retrieval.item_to_item import ItemToItem

N, E, H, M = 50, 3, 9, 13


def sparse(rng: np.random.Generator) -> sp.csr_array:
    """Neighbour lists with weights of both signs, one list empty."""
    dense = rng.standard_normal((N, N)).astype(np.float32) * (rng.random((N, N)) < 0.3)
    dense[4] = 0
    found = sp.csr_array(dense)
    return sp.csr_array((found.data, found.indices.astype(np.int32), found.indptr.astype(np.int32)), found.shape)


def stacked(rng: np.random.Generator) -> neighbours.StackedLists:
    parts = [ItemToItem(str(place), sparse(rng)) for place in range(E)]
    return stacked_neighbours.stack(parts, N).lists


def titles(rng: np.random.Generator) -> np.ndarray:
    return np.append(rng.choice(N, H - 1, replace=False), 4)


def places(rng: np.random.Generator) -> np.ndarray:
    place = np.full(N, M, np.int32)
    place[rng.permutation(N)[:M]] = np.arange(M)
    return place


def uniform(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.uniform(-0.5, 1, shape).astype(np.float32)


def zeros(*shape: int) -> np.ndarray:
    return np.zeros(shape, np.float32)


def csr(rng: np.random.Generator) -> neighbours.CSR:
    one = sparse(rng)
    return neighbours.CSR(one.indptr, one.indices, one.data)


def both_directions(rng: np.random.Generator) -> tuple[neighbours.CSR, neighbours.CSR]:
    one = sparse(rng)
    other = sp.csr_array(one.T.tocsr())
    return csr_of(other), csr_of(one)


def unwritten(k: int) -> tuple[np.ndarray, np.ndarray]:
    """Columns and values of k neighbours, before a kernel writes them."""
    return np.full((H, k), -1, np.int32), zeros(H, k)


def scores(rng: np.random.Generator) -> np.ndarray:
    return np.stack([rng.standard_normal(N), rng.integers(0, 2, N), np.zeros(N)]).astype(np.float32)


def scored_items(rng: np.random.Generator) -> ScoredItems:
    """Scores of both signs, many of them equal."""
    c = E + 1
    return ScoredItems(uniform(rng, E, N).round(1), uniform(rng, N).round(1), zeros(c), uniform(rng, c) + 2)


def flagged_rows(rng: np.random.Generator) -> np.ndarray:
    return np.flatnonzero(rng.random(N) < 0.7).astype(np.int32)


def ratings(rng: np.random.Generator, r: int) -> tuple[Any, ...]:
    return (
        csr(rng), titles(rng)[:r], rng.permutation(N)[:M], N, uniform(rng, r, M), uniform(rng, 2, r),
        uniform(rng, r), uniform(rng, 4, r), zeros(2, M), zeros(4, M), zeros(2, M),
    )  # fmt: skip


def residuals(rng: np.random.Generator, r: int) -> tuple[Any, ...]:
    return (
        uniform(rng, N, 3), titles(rng)[:r], rng.integers(1, 11, r).astype(np.float32), np.float32(7), np.float32(4),
        zeros(2, r), zeros(4, r), zeros(2),
    )  # fmt: skip


def few_ratings(rng: np.random.Generator, r: int) -> tuple[Any, ...]:
    """Ratings with corrections that are small, or so large that the matrix is not positive definite."""
    corrections = csr(rng)
    scale = np.float32(rng.choice([0.05, 5]))
    return (
        uniform(rng, N, 5), uniform(rng, N, 3) + 2, corrections._replace(data=corrections.data * scale),
        titles(rng)[:r], uniform(rng, 2, r), np.float32(0.4), np.float32(1), rng.permutation(N)[:M], zeros(r, M),
        zeros(2, r), zeros(M),
    )  # fmt: skip


def linear_system(rng: np.random.Generator) -> tuple[Any, ...]:
    factors, matrix = uniform(rng, H, 3), csr(rng)
    matrix = matrix._replace(data=matrix.data * np.float32(0.1))
    inverse = np.linalg.inv(factors.T @ factors + np.eye(3, dtype=np.float32))
    return (
        factors, np.ascontiguousarray(factors.T), inverse, np.float32(1), matrix, titles(rng), N, uniform(rng, 2, H),
    )  # fmt: skip


def histories(rng: np.random.Generator) -> pools_kernel.Lists:
    """Three users: a history with hidden items, none at all, and one of which all is hidden."""
    return pools_kernel.Lists(
        np.array([0, H, H, H + 4]), np.append(titles(rng), rng.permutation(N)[:4]), uniform(rng, H + 4).round(1) + 1,
        np.array([0, 5, 5, 5 + N]), np.append(titles(rng)[:5], np.arange(N)),
    )  # fmt: skip


def pools(rng: np.random.Generator) -> tuple[Any, ...]:
    b, m, c = 3, int(rng.integers(1, N + 5)), E + 2
    wanted = rng.permutation(N)[: int(rng.integers(0, 4))]
    of_items, users = both_directions(rng)
    return (
        pools_kernel.Channels(stacked(rng), of_items, users, uniform(rng, N)), uniform(rng, 2, c), histories(rng),
        rng.random(N) < 0.8, int(rng.integers(1, N)), wanted, np.zeros((b, m), np.int64), zeros(b, c, m + len(wanted)),
    )  # fmt: skip


def filter_of_pools(rng: np.random.Generator) -> tuple[Any, ...]:
    """Pools with pads, one of nothing else."""
    m, rank = int(rng.integers(2, N)), int(rng.integers(1, 20))
    wanted = rng.permutation(N)[: int(rng.integers(0, 4))]
    pools = np.stack([np.sort(rng.permutation(N)[:m]) for _ in range(3)])
    pools[1, m // 2 :], pools[2] = -1, -1
    return uniform(rng, N, rank), uniform(rng, N, rank), histories(rng), pools, wanted, zeros(3, m + len(wanted))


def categories(rng: np.random.Generator) -> Categories:
    return categories_of((rng.random((N, 5)) < 0.3).astype(np.float32))


def history_to_summarise(rng: np.random.Generator) -> tuple[Any, ...]:
    rows = np.append(titles(rng), [-1])[: int(rng.integers(0, H + 2))]
    ratings = np.where(rng.random(len(rows)) < 0.3, np.nan, rng.integers(1, 11, len(rows))).astype(np.float32)
    return (
        rows, ratings, 7.0, categories(rng), np.array([0.4, 7.1]), 4.0, *np.zeros((2, len(rows)), np.int64),
        *zeros(2, len(rows)), zeros(2, 5),
    )  # fmt: skip


def items_of_a_user(rng: np.random.Generator) -> tuple[Any, ...]:
    """A user's history, perhaps empty, where some items have no year, category or predecessor."""
    numbers = uniform(rng, N, 14)
    numbers[:, item_features.YEAR_KNOWN] = rng.random(N) < 0.8
    of_items = categories(rng)
    numbers[:, item_features.N_CATEGORIES] = np.diff(of_items.indptr)
    codes = np.stack([rng.integers(low, high, N) for low, high in ((0, 4), (0, 9), (-1, N), (1990, 2020))])
    records = item_features.Records(
        numbers, np.ascontiguousarray(codes.T, np.int32), of_items, np.log1p(np.arange(N), dtype=np.float32)
    )
    rows = titles(rng)[: int(rng.integers(0, H + 1))]
    rated = rows[: int(rng.integers(0, len(rows) + 1))]
    taste = item_features.Taste(
        rows, rated, uniform(rng, len(rated)), uniform(rng, 3, 5), np.float32(0.3), np.float32(-0.2), 0.9, 4.0, 1.0
    )
    return records, 4, 9, taste, rng.permutation(N)[:M], zeros(item_features.N_FEATURES, M)


def rounded_vectors(rng: np.random.Generator) -> tuple[Any, ...]:
    d = int(rng.choice([H, USUAL]))
    return (
        quantise(rng.standard_normal((H, d)).astype(np.float32)), rng.integers(0, H, N).astype(np.int32),
        rng.permutation(N)[:M].astype(np.int32), uniform(rng, d) * np.float32(rng.integers(0, 3)), zeros(d), zeros(N),
    )  # fmt: skip


def list_to_fold_in(rng: np.random.Generator) -> tuple[Any, ...]:
    """A list, perhaps empty, of items with and without factors; the iteration may end early."""
    rooted = np.append(uniform(rng, H, 5), zeros(1, 5), axis=0) / np.float32(3)
    rows = titles(rng)[: int(rng.integers(0, H + 1))]
    place = rng.integers(0, H + 1, N).astype(np.int32)
    return rooted, place, rows, uniform(rng, len(rows)) + 1, 1e-6, int(rng.integers(0, 9)), zeros(5)


def products(rng: np.random.Generator, d: int) -> Products:
    rows = rng.standard_normal((N, d)).astype(np.float32)
    return Products(quantise(rows), rng.permutation(N).astype(np.int32), rows.mean(0), rows.T @ rows / np.float32(N))


def similar_users(rng: np.random.Generator, d: int) -> SimilarUsers:
    users = rng.standard_normal((H, d)).astype(np.float32)
    lists = csr(rng)
    return SimilarUsers(
        quantise(users), users, lists._replace(indptr=lists.indptr[: H + 1]), np.arange(H, dtype=np.int32)
    )


def of_a_user(rng: np.random.Generator) -> tuple[candidates.FittedChannels, candidates.Query, np.ndarray, ScoredItems]:
    """Channels and a query, with and without titles and clicks; the allowed rows; scores to be written."""
    d, c, h = 5, E + 3, int(rng.choice([0, H]))
    fitted = candidates.FittedChannels(
        stacked(rng), products(rng, d), similar_users(rng, d), 4, 2, rng.permutation(N).astype(np.int32),
        uniform(rng, 2) + 1,
    )  # fmt: skip
    own = flagged_rows(rng)
    clicked = rng.random() < 0.5
    query = candidates.Query(
        titles(rng)[:h], uniform(rng, h), uniform(rng, d if h else 0), uniform(rng, N if clicked else 0),
        own[::3].copy() if clicked else own[:0],
    )  # fmt: skip
    return fitted, query, own, ScoredItems(zeros(c - 1, N), uniform(rng, N), zeros(c), zeros(c))


def to_propose(rng: np.random.Generator) -> tuple[Any, ...]:
    fitted, query, own, scored = of_a_user(rng)
    c, k = len(scored.mean), int(rng.choice([0, 6]))
    room = candidates.Proposals(
        np.full((c + 1, k), -1), np.zeros((c + 1) * k, np.int64), zeros((c + 1) * k), zeros(c * (c + 1) * k),
        np.zeros((c + 1) ** 2 * k, np.bool_),
    )  # fmt: skip
    allowed = np.isin(np.arange(N), own)
    return fitted, query, own, own, allowed, int(rng.integers(0, k + 1)), k, uniform(rng, c).round(1), scored, room


ARGUMENTS: dict[str, Callable[[np.random.Generator], tuple[Any, ...]]] = {
    "sum_by_channel": lambda rng: (stacked(rng), titles(rng), uniform(rng, H, E), zeros(E, N)),
    "mean_positive": lambda rng: (uniform(rng, int(rng.integers(0, E + 1)), N), zeros(N)),
    "select_terms": lambda rng: (
        stacked(rng), titles(rng), uniform(rng, H), rng.integers(0, N, M), uniform(rng, H + 1), zeros(E, M), zeros(E, M)
    ),
    "neighbour_statistics": lambda rng: (csr(rng), titles(rng), uniform(rng, 2, H), places(rng), np.zeros((4, M))),
    "add_submatrix": lambda rng: (csr(rng), titles(rng), N, uniform(rng, H, H)),
    "add_squares": lambda rng: (uniform(rng, int(rng.integers(0, H)), M), np.float32(rng.choice([-1, 1])), zeros(M)),
    "condition_on_few": lambda rng: few_ratings(rng, int(rng.integers(1, H + 1))),
    "posterior_moments": lambda rng: ratings(rng, int(rng.integers(1, H + 1))),
    "read_residuals": lambda rng: residuals(rng, int(rng.integers(1, H + 1))),
    "complete_predictions": lambda rng: (
        uniform(rng, N, 3), rng.permutation(N)[:M], uniform(rng, 2), uniform(rng, 2), np.float32(0.1), np.float32(0.4),
        uniform(rng, 11, M) + 1,
    ),
    "write_inputs": lambda rng: (
        uniform(rng, 4, H), uniform(rng, 4), uniform(rng, 4) * 9, np.float32(2), uniform(rng, N, 3),
        titles(rng), zeros(7, H),
    ),
    "add_bias_relu": lambda rng: (uniform(rng, H, 5), uniform(rng, int(rng.choice([1, 4])), 5), rng.integers(0, 4, H)),
    "conjugate_gradient": lambda rng: (*linear_system(rng), 1e-5, int(rng.integers(0, 30)), zeros(2, H)),
    "gather_entries": lambda rng: (stacked(rng), titles(rng), rng.permutation(N)[:M], zeros(2, M, H)),
    "summarise_history": history_to_summarise,
    "write_item_features": items_of_a_user,
    "write_sort_keys": lambda rng: (scores(rng), rng.permutation(N), np.zeros((3, N), np.int64)),
    "write_by_rank": lambda rng: (
        rng.permuted(np.tile(np.arange(N) + (5 << ranks.PLACE_BITS), (3, 1)), axis=1), uniform(rng, N), zeros(3, N)
    ),
    "keep_first": lambda rng: (
        rng.integers(0, 6, int(rng.integers(0, M))).astype(np.int32), int(rng.integers(1, 3)), np.zeros(M, np.bool_)
    ),
    "best_places": lambda rng: (
        np.sort(rng.integers(-3, 3, M) << ranks.PLACE_BITS | np.arange(M)), rng.permutation(N)[:M],
        rng.integers(0, 9, N).astype(np.int32), 9, bool(rng.integers(0, 2)), np.zeros(int(rng.integers(0, M + 1)), int),
    ),
    "marginal_relevance": lambda rng: (
        quantise(rng.standard_normal((N, H)).astype(np.float32)), rng.permutation(N)[:M],
        -np.sort(-uniform(rng, M).round(1)), 2.5, np.sort(rng.random(6))[::-1].copy(), np.zeros(6, np.int64),
    ),
    "add_relative": lambda rng: (uniform(rng, E, M, H).round(1), uniform(rng, H), uniform(rng, E), zeros(M, H)),
    "write_postings": lambda rng: (
        rng.integers(1, 4, 40).astype(np.int32), np.array([0, 2, 2, 3, 11, 40]), 2, 3, np.zeros(80, np.int64)
    ),
    "write_index": lambda rng: (
        np.sort(rng.integers(1, 9, M) << 3 | rng.integers(0, 6, M)), 3, np.zeros(M, np.int64),
        np.zeros(M + 1, np.int64), np.zeros(M, np.int32), np.full(6, 7),
    ),
    "top_contributions": lambda rng: (
        uniform(rng, M, H).round(1), np.float32(0.05), np.full((M, 3), -1), zeros(M, 3)
    ),
    "two_step_neighbours": lambda rng: (
        *both_directions(rng), uniform(rng, rng.choice([N, 100 * N])) + 1,  # many and few terms among n items
        titles(rng), *unwritten(int(rng.integers(0, 8))),
    ),
    "largest_sums": lambda rng: (
        *both_directions(rng), uniform(rng, H, N).round(1), titles(rng), *unwritten(int(rng.integers(0, 8)))
    ),
    "local_grams": lambda rng: (
        *both_directions(rng), N, np.append(rng.permutation(N)[:M], -1).astype(np.int32).reshape(2, -1),
        zeros(2, 7, 7),
    ),
    "choose_pools": pools,
    "filter_scores": filter_of_pools,
    "fuse_proposals": lambda rng: (
        scored_items(rng), uniform(rng, E + 1).round(1), rng.integers(-1, N, (E + 2, 5)), np.zeros(N, np.int64),
        zeros(N), zeros((E + 1) * N), np.zeros((E + 2) * N, np.bool_),
    ),
    "moments": lambda rng: (
        np.tile(scores(rng), 1 + int(rng.integers(4))), np.flatnonzero(rng.random(3) < 0.7), zeros(3), zeros(3)
    ),
    "add_lists": lambda rng: (
        uniform(rng, N, 19), uniform(rng, 19) * np.float32(rng.integers(0, 3)), 2,
        np.append(rng.permutation(N)[:H], -1), csr(rng), zeros(N),
    ),
    "standard_scores": lambda rng: (scored_items(rng), titles(rng), zeros(E + 1, H)),
    "weighted_sum": lambda rng: (csr(rng), titles(rng), uniform(rng, H), zeros(N)),
    "multiply": rounded_vectors,
    "product_moments": lambda rng: (products(rng, 5), uniform(rng, 5), zeros(1), zeros(1)),
    "add_nearest": lambda rng: (
        similar_users(rng, 5), uniform(rng, 5), int(rng.integers(1, H + 3)), 2, zeros(N)
    ),
    "propose": to_propose,
    "fold_in": list_to_fold_in,
    "select_top_k": lambda rng: (
        scores(rng), flagged_rows(rng), np.zeros((3, int(rng.integers(0, N + 5))), np.int64)
    ),
    "clear_unless": lambda rng: (
        rng.random(N) < 0.7, rng.permutation(N)[:M], rng.integers(0, 9, M).astype(np.int32), rng.random(9) < 0.5
    ),
    "flagged": lambda rng: (rng.random(N) < rng.random(), np.zeros(N + 1, np.int32)),
    "first_allowed": lambda rng: (
        rng.permutation(N).astype(np.int32), rng.random(N) < 0.7, np.zeros(int(rng.integers(0, N + 5)), np.int64)
    ),
}  # fmt: skip


def kernels() -> dict[str, Kernel[..., object]]:
    modules = [
        importlib.import_module(module.name) for module in pkgutil.iter_modules(gars.kernels.__path__, "gars.kernels.")
    ]
    return {name: value for module in modules for name, value in vars(module).items() if isinstance(value, Kernel)}


def test_every_kernel_is_compared() -> None:
    assert kernels().keys() == ARGUMENTS.keys()


@pytest.mark.parametrize("name", ARGUMENTS)
@pytest.mark.parametrize("seed", range(10))
def test_compiled_and_plain_forms_agree(name: str, seed: int) -> None:
    pytest.importorskip("numba")
    kernel = kernels()[name]
    assert kernel.chosen is not kernel.plain
    one, other = (ARGUMENTS[name](np.random.default_rng(seed)) for _ in range(2))
    assert kernel.chosen(*one) == kernel.plain(*other)
    for compiled, plain in zip(arrays(one), arrays(other), strict=True):
        assert compiled.dtype == plain.dtype
        if kernel.any_order:
            np.testing.assert_allclose(compiled, plain, rtol=1e-5, atol=1e-5)
        else:
            assert np.array_equal(compiled, plain, equal_nan=True)


def arrays(arguments: tuple[Any, ...]) -> Iterator[np.ndarray]:
    """All arrays of arguments, also of those that are tuples."""
    for one in arguments:
        if isinstance(one, np.ndarray):
            yield one
        elif isinstance(one, tuple):
            yield from arrays(one)


def test_plain_form_runs_without_numba(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "numba", None)
    assert Kernel(top_k.select_top_k.loops, top_k.select_top_k.plain).chosen is top_k.select_top_k.plain
    assert neighbours.sum_by_channel.__doc__


def test_a_kernel_that_calls_others_is_compiled_anew_when_they_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """numba's cache knows the file of the caller alone, so the name of the cached function stands for the others."""
    numba = pytest.importorskip("numba")
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.syspath_prepend(tmp_path)
    head = "from gars.kernels.compiled import compiled, composed\n"
    called = head + "@compiled(plain=lambda x: None)\ndef add(x):\n    for i in range(len(x)):\n        x[i] += {}\n"
    caller = head + "from called import add\n@composed\ndef add_twice(x):\n    add(x)\n    add(x)\n"
    (tmp_path / "caller.py").write_text(caller)
    for step in (1.0, 2.0):
        (tmp_path / "called.py").write_text(called.format(step))
        for name in ("called", "caller"):
            sys.modules.pop(name, None)
        importlib.invalidate_caches()
        numbers = np.zeros(3)
        importlib.import_module("caller").add_twice(numbers)
        assert numbers.tolist() == [2 * step] * 3
