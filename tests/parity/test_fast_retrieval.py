"""The fast path of stage one gives the numbers of the plain formulas, written out with dense matrices and sorts."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from gars.kernels.neighbours import sum_by_channel, weighted_sum
from gars.kernels.quantised import LARGEST, multiply, product_moments
from gars.kernels.similar_users import add_nearest
from gars.kernels.top_k import select_top_k
from gars.retrieval import stacked_neighbours
from gars.retrieval.ials import ALPHA, Factors, products_of
from gars.retrieval.item_to_item import ItemToItem, no_edges
from gars.retrieval.stacked_neighbours import StackedChannel
from gars.retrieval.user_knn import NEIGHBOURS, SQUARED, UserKnn

N = 40


def channels(seed: int = 0) -> tuple[ItemToItem, ...]:
    rng = np.random.default_rng(seed)
    dense = [rng.standard_normal((N, N)) * (rng.random((N, N)) < density) for density in (0.2, 0.5)]
    found = [sp.csr_array(one.astype(np.float32)) for one in dense]
    return (*(ItemToItem(str(place), one) for place, one in enumerate(found)), ItemToItem("none", no_edges(N)))


def titles(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.choice(N, 9, replace=False), rng.uniform(0.1, 1, 9).astype(np.float32)


@pytest.mark.parametrize("seed", range(5))
def test_totals_are_the_matrix_product(seed: int) -> None:
    rows, weights = titles(seed)
    totals = np.empty((3, N), np.float32)
    sum_by_channel(stacked_neighbours.stack(channels(), N).lists, rows, np.tile(weights[:, None], 3), totals)
    for channel, found in zip(channels(), totals, strict=True):
        np.testing.assert_allclose(found, weights @ channel.weights.toarray()[rows], atol=1e-5)


@pytest.mark.parametrize("seed", range(5))
def test_largest_and_positive_terms_are_those_of_the_dense_product(seed: int) -> None:
    rows, weights = titles(seed)
    wanted = np.random.default_rng(seed).permutation(N)[:13]
    strongest, supporters = stacked_neighbours.stack(channels(), N).terms_of(rows, weights, wanted)
    for place, channel in enumerate(channels()):
        terms = channel.weights.toarray()[rows][:, wanted] * weights[:, None]
        np.testing.assert_allclose(strongest[place], np.maximum(terms.max(axis=0), 0), rtol=1e-6)
        np.testing.assert_allclose(supporters[place], np.log1p((terms > 0).sum(axis=0)), rtol=1e-6)


def test_stacked_channels_keep_the_weights_of_each() -> None:
    lists = stacked_neighbours.stack(channels(), N).lists
    rows = np.array([3, 0, 7])
    for place, channel in enumerate(channels()):
        own = StackedChannel(channel.name, lists, place)
        assert np.array_equal(own.weights.toarray(), channel.weights.toarray())
        one, other = np.zeros((2, N), np.float32)
        weighted_sum(*own.lists(rows), np.ones(3, np.float32), one)
        weighted_sum(*channel.lists(rows), np.ones(3, np.float32), other)
        assert np.array_equal(one, other)


@pytest.mark.parametrize("seed", range(5))
def test_nearness_is_one_at_the_best_match(seed: int) -> None:
    rows, weights = titles(seed)
    expected = np.zeros(N)
    for channel in channels():
        neighbours = channel.weights.toarray()[rows]
        largest = neighbours.max(axis=1)
        expected += np.maximum(weights @ (neighbours / np.where(largest > 0, largest, 1)[:, None]), 0)
    found = stacked_neighbours.stack(channels(), N).nearness(rows, weights)
    np.testing.assert_allclose(found, expected / len(channels()), atol=1e-5)


def test_nothing_in_nothing_out() -> None:
    out = np.ones((3, N), np.float32)
    sum_by_channel(
        stacked_neighbours.stack(channels(), N).lists, np.empty(0, np.int64), np.empty((0, 3), np.float32), out
    )
    assert not out.any()
    sum_by_channel(
        stacked_neighbours.stack([], N).lists, np.array([1]), np.ones((1, 0), np.float32), np.empty((0, N), np.float32)
    )


@pytest.mark.parametrize("k", [0, 1, 5, 30, 39, 40, 60])
def test_proposals_are_the_best_allowed_of_each_channel(k: int) -> None:
    rng = np.random.default_rng(k)
    scores = np.stack([rng.standard_normal(N), rng.integers(0, 2, N), np.zeros(N)]).astype(np.float32)
    may = np.flatnonzero(rng.random(N) < 0.7).astype(np.int32)
    found = np.empty((3, k), np.int64)
    select_top_k(scores, may, found)
    for row, proposed in zip(scores, found, strict=True):
        best = sorted(may[np.lexsort((may, -row[may]))[:k]].tolist())
        assert proposed.tolist() == best + [-1] * (k - len(best))


@pytest.mark.parametrize("k", [1, 7, 40, 249, 250, 251, 400])
def test_proposals_of_long_channels_of_every_shape(k: int) -> None:
    rng = np.random.default_rng(0)
    several = [
        rng.standard_normal(500), rng.integers(0, 3, 500), rng.integers(-1, 1, 500), rng.random(500) ** 9,
        np.sort(rng.random(500)), -np.sort(rng.random(500)), np.where(np.arange(500) % 97 < 3, -0.0, 0.0),
        np.where(np.arange(500) < 20, np.arange(500), 0),
    ]  # fmt: skip
    scores = np.stack(several).astype(np.float32)
    for allowed in (rng.random(500) < 0.7, rng.random(500) < 0.1, np.zeros(500, np.bool_), np.ones(500, np.bool_)):
        found, may = np.empty((len(scores), k), np.int64), np.flatnonzero(allowed).astype(np.int32)
        select_top_k(scores, may, found)
        for row, proposed in zip(scores, found, strict=True):
            best = sorted(may[np.lexsort((may, -row[may]))[:k]].tolist())
            assert proposed.tolist() == best + [-1] * (k - len(best))


@pytest.mark.parametrize("length", [1, 3, 7, 20])
def test_a_fold_in_is_the_least_squares_solution(length: int) -> None:
    rng = np.random.default_rng(length)
    items = rng.standard_normal((N, 8)).astype(np.float32)
    items[5] = 0  # an item without viewers
    gram = items.T @ items + 35 * np.eye(8, dtype=np.float32)
    rows, weights = rng.choice(N, length, replace=False), rng.uniform(0.1, 1, length).astype(np.float32)
    own = items[rows].astype(np.float64)
    expected = np.linalg.solve(gram + (own.T * (ALPHA * weights)) @ own, own.T @ (1 + ALPHA * weights))
    factors = Factors(items, gram)
    user = factors.fold_in(rows, weights)
    np.testing.assert_allclose(user, expected, rtol=1e-3, atol=1e-5)
    out = np.zeros(N, np.float32)
    products = products_of(factors, first=np.arange(N) % 2 == 0)
    rounded, (mean, deviation) = np.empty_like(user), np.empty((2, 1), np.float32)
    multiply(products.rows, products.place, np.arange(N, dtype=np.int32), user, rounded, out)
    product_moments(products, rounded, mean, deviation)
    np.testing.assert_allclose((mean[0], deviation[0]), (out.mean(), out.std()), rtol=1e-5)
    few = np.zeros(N, np.float32)
    multiply(products.rows, products.place, np.arange(0, N, 3, dtype=np.int32), user, rounded, few)
    assert np.array_equal(few, np.where(np.arange(N) % 3 == 0, out, 0))
    # an entry of eight bits is off by half a step at most, one of the user's by much less
    off = np.abs(items).max(axis=1) / LARGEST * 0.51 * np.abs(user).sum()
    assert (np.abs(out - items @ user) <= off + 1e-6).all()
    assert not out[5]


def test_neighbours_lists_count_by_similarity() -> None:
    rng = np.random.default_rng(1)
    user = rng.standard_normal(6).astype(np.float32)
    users = rng.standard_normal((NEIGHBOURS + 60, 6)).astype(np.float32)
    # two in seven have another taste, so that eight bits tell for sure who is near
    users += np.where(np.arange(len(users)) % 7 < 5, 3, -3)[:, None].astype(np.float32) * user
    users /= np.linalg.norm(users, axis=1, keepdims=True)
    lists = sp.csr_array((rng.random((len(users), N)) < 0.2).astype(np.float32))
    similarity = users @ user / np.linalg.norm(user)
    nearest = np.argsort(-similarity)[:NEIGHBOURS]
    expected = np.maximum(similarity[nearest], 0) ** 2**SQUARED @ lists.toarray()[nearest]
    found = np.zeros(lists.shape[1], np.float32)
    add_nearest(UserKnn(users, lists).known, user, NEIGHBOURS, SQUARED, found)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
