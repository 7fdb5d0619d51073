"""Channels for large catalogues against dense references on small matrices."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from gars.retrieval import fusion_weights, large_fit, local_edlae, spectral, two_steps
from gars.retrieval.local_edlae import EdlaeConfig
from gars.retrieval.two_steps import Powers

N_USERS, N_ITEMS = 70, 40


@pytest.fixture(scope="module")
def weights() -> np.ndarray:
    rng = np.random.default_rng(3)
    dense = (rng.random((N_USERS, N_ITEMS)) < 0.2) * rng.choice([0.4, 1.0], (N_USERS, N_ITEMS))
    dense[:, 7] = 0  # an item that nobody has
    return np.asarray(dense, np.float32)


def degrees(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.maximum(1, (weights > 0).sum(axis=1)), np.maximum(1, (weights > 0).sum(axis=0))


@pytest.mark.parametrize("keep", [5, N_ITEMS])
def test_two_step_walks_are_the_dense_product(weights: np.ndarray, keep: int) -> None:
    users, items = degrees(weights)
    powers = Powers(source=0.7, target=0.3, user=0.6, sharpen=1.3)
    dense = weights.T @ (weights * (users**-0.6)[:, None]) * items[:, None] ** -0.7 * items**-0.3
    np.fill_diagonal(dense, 0)
    dense **= 1.3
    kept = dense * (dense >= -np.sort(-dense, axis=1)[:, keep - 1 : keep])
    np.testing.assert_allclose(
        two_steps.fit(sp.csr_array(weights), powers, keep=keep).toarray(), kept, rtol=1e-4, atol=1e-7
    )


def test_a_regression_on_all_items_is_edlae() -> None:
    config = EdlaeConfig(neighbours=N_ITEMS - 1, l2=2.0, dropout=0.3, user_power=0.4, popularity_power=0.2)
    weights = (np.random.default_rng(4).random((N_USERS, N_ITEMS)) < 0.5).astype(np.float32)  # all pairs occur
    users, _ = degrees(weights)
    gram = (weights.T @ (weights * (users**-0.4)[:, None])).astype(np.float64)
    inverse = np.linalg.inv(gram + np.diag(np.diag(gram) * 0.3 / 0.7 + 2.0))
    expected = -inverse / np.diag(inverse)
    np.fill_diagonal(expected, 0)
    expected *= np.maximum(1, weights.sum(axis=0)) ** -0.2
    found = local_edlae.fit(sp.csr_array(weights), config).toarray()
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)


def test_each_regression_is_on_the_nearest_items(weights: np.ndarray) -> None:
    config = EdlaeConfig(neighbours=4, user_power=0.0, popularity_power=0.0)
    _, items = degrees(weights)
    gram = weights.T @ weights
    found = local_edlae.fit(sp.csr_array(weights), config).toarray()
    cosine = gram / np.sqrt(items)
    np.fill_diagonal(cosine, -1)
    for j in (0, 11, 39):
        near = np.sort(np.argsort(-cosine[j])[:4])
        left = gram[np.ix_(near, near)].copy()
        left += np.diag(np.diag(left) * 0.3 / 0.7 + 1.0)
        np.testing.assert_allclose(found[near, j], np.linalg.solve(left, gram[near, j]), rtol=1e-3)
        assert np.flatnonzero(found[:, j]).tolist() == near.tolist()


def test_the_filter_is_the_dense_low_pass(weights: np.ndarray) -> None:
    users, items = degrees(weights)
    normal = weights * (users**-0.5)[:, None] * items**-0.5
    _, values, right = np.linalg.svd(normal.astype(np.float64), full_matrices=False)
    found, vectors = spectral.decompose(sp.csr_array(weights), 6, 0)
    np.testing.assert_allclose(found, values[:6], rtol=2e-2)
    full_values, full = spectral.decompose(sp.csr_array(weights), N_ITEMS, 0)
    np.testing.assert_allclose(full_values[:39], values[:39], atol=1e-5)
    model = spectral.low_pass(sp.csr_array(weights), full[:, :6].copy(), power=0.3)
    dense = weights[5] / items**0.3 @ right[:6].T @ right[:6] * items**0.3
    rows = np.flatnonzero(weights[5])
    np.testing.assert_allclose(model.target @ model.user(rows, weights[5, rows]), dense, atol=1e-4)
    assert vectors.shape == (N_ITEMS, 6)


def test_weights_are_found_that_no_single_channel_has() -> None:
    """Hidden items are those where both channels agree; the third one only disturbs."""
    rng = np.random.default_rng(1)
    cases = []
    for _ in range(40):
        scores = rng.random((3, 60)).astype(np.float32)
        hidden = scores[:2].sum(axis=0) >= np.sort(scores[:2].sum(axis=0))[-8]
        cases.append(fusion_weights.HeldOutUser(scores, hidden, 8))
    weights = fusion_weights.search(cases, 3)
    found = fusion_weights.metrics(cases, weights)
    alone = [fusion_weights.metrics(cases, one).ndcg for one in np.eye(3, dtype=np.float32)]
    assert found.ndcg > max(alone) + 0.2
    assert abs(weights[2]) < 0.2 * min(weights[0], weights[1])
    assert fusion_weights.metrics(cases, np.array([1, 1, 0], np.float32)) == pytest.approx((1.0, 1.0))


def test_metrics_are_those_of_the_papers() -> None:
    """Recall is over all hidden items; the ideal list has min(20, hidden items) hits."""
    hidden = np.zeros(30, np.bool_)
    hidden[[0, 2, 25]] = True
    case = fusion_weights.HeldOutUser(np.arange(30, 0, -1, dtype=np.float32)[None], hidden, 4)
    found = fusion_weights.metrics([case], np.ones(1, np.float32))
    ideal = sum(1 / np.log2(place) for place in (2, 3, 4, 5))
    assert found.recall == pytest.approx(2 / 4)
    assert found.ndcg == pytest.approx((1 + 1 / np.log2(4)) / ideal)


def test_hidden_entries_are_no_longer_shown(weights: np.ndarray) -> None:
    matrix = sp.csr_array(weights)
    held = large_fit.hold_out(matrix, 20, np.random.default_rng(0))
    assert len(held.users) == 20
    shown, hidden = held.shown.toarray(), np.zeros_like(weights)
    hidden[held.users] = held.hidden.toarray()
    assert not ((shown > 0) & (hidden > 0)).any()
    np.testing.assert_array_equal(shown + hidden, weights)
    n_hidden, n = (hidden > 0).sum(axis=1)[held.users], (weights > 0).sum(axis=1)[held.users]
    assert (n >= large_fit.MIN_ENTRIES).all()
    np.testing.assert_array_equal(n_hidden, np.maximum(1, np.round(0.2 * n)))
