"""Channels for large catalogues against dense references on small matrices."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from gars.retrieval import local_edlae, spectral, two_steps
from gars.retrieval.local_edlae import EdlaeConfig
from gars.retrieval.two_steps import Powers

N_USERS, N_ITEMS = 70, 40


@pytest.fixture(scope="module")
def strengths() -> np.ndarray:
    rng = np.random.default_rng(3)
    dense = (rng.random((N_USERS, N_ITEMS)) < 0.2) * rng.choice([0.4, 1.0], (N_USERS, N_ITEMS))
    dense[:, 7] = 0  # an item that nobody has
    return np.asarray(dense, np.float32)


def degrees(strengths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.maximum(1, (strengths > 0).sum(axis=1)), np.maximum(1, (strengths > 0).sum(axis=0))


@pytest.mark.parametrize("keep", [5, N_ITEMS])
def test_two_step_walks_are_the_dense_product(strengths: np.ndarray, keep: int) -> None:
    users, items = degrees(strengths)
    powers = Powers(source=0.7, target=0.3, user=0.6, sharpen=1.3)
    dense = strengths.T @ (strengths * (users**-0.6)[:, None]) * items[:, None] ** -0.7 * items**-0.3
    np.fill_diagonal(dense, 0)
    dense **= 1.3
    kept = dense * (dense >= -np.sort(-dense, axis=1)[:, keep - 1 : keep])
    np.testing.assert_allclose(
        two_steps.fit(sp.csr_array(strengths), powers, keep=keep).toarray(), kept, rtol=1e-4, atol=1e-7
    )


def test_a_regression_on_all_items_is_edlae() -> None:
    config = EdlaeConfig(neighbours=N_ITEMS - 1, l2=2.0, dropout=0.3, user_power=0.4, popularity_power=0.2)
    strengths = (np.random.default_rng(4).random((N_USERS, N_ITEMS)) < 0.5).astype(np.float32)  # all pairs occur
    users, _ = degrees(strengths)
    gram = (strengths.T @ (strengths * (users**-0.4)[:, None])).astype(np.float64)
    inverse = np.linalg.inv(gram + np.diag(np.diag(gram) * 0.3 / 0.7 + 2.0))
    expected = -inverse / np.diag(inverse)
    np.fill_diagonal(expected, 0)
    expected *= np.maximum(1, strengths.sum(axis=0)) ** -0.2
    found = local_edlae.fit(sp.csr_array(strengths), config).toarray()
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)


def test_each_regression_is_on_the_nearest_items(strengths: np.ndarray) -> None:
    config = EdlaeConfig(neighbours=4, user_power=0.0, popularity_power=0.0)
    _, items = degrees(strengths)
    gram = strengths.T @ strengths
    found = local_edlae.fit(sp.csr_array(strengths), config).toarray()
    cosine = gram / np.sqrt(items)
    np.fill_diagonal(cosine, -1)
    for j in (0, 11, 39):
        near = np.sort(np.argsort(-cosine[j])[:4])
        left = gram[np.ix_(near, near)].copy()
        left += np.diag(np.diag(left) * 0.3 / 0.7 + 1.0)
        np.testing.assert_allclose(found[near, j], np.linalg.solve(left, gram[near, j]), rtol=1e-3)
        assert np.flatnonzero(found[:, j]).tolist() == near.tolist()


def test_the_filter_is_the_dense_low_pass(strengths: np.ndarray) -> None:
    users, items = degrees(strengths)
    normal = strengths * (users**-0.5)[:, None] * items**-0.5
    _, values, right = np.linalg.svd(normal.astype(np.float64), full_matrices=False)
    found, vectors = spectral.decompose(sp.csr_array(strengths), 6, 0)
    np.testing.assert_allclose(found, values[:6], rtol=2e-2)
    full_values, full = spectral.decompose(sp.csr_array(strengths), N_ITEMS, 0)
    np.testing.assert_allclose(full_values[:39], values[:39], atol=1e-5)
    model = spectral.low_pass(sp.csr_array(strengths), full[:, :6].copy(), power=0.3)
    dense = strengths[5] / items**0.3 @ right[:6].T @ right[:6] * items**0.3
    rows = np.flatnonzero(strengths[5])
    np.testing.assert_allclose(model.target @ model.user(rows, strengths[5, rows]), dense, atol=1e-4)
    assert vectors.shape == (N_ITEMS, 6)
