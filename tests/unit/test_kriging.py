import numpy as np
import pytest
import scipy.sparse as sp

from gars.ranking import kriging
from gars.ranking.kriging import MAX_RATINGS, baseline


def world(seed: int = 0, users: int = 120, items: int = 90) -> tuple[sp.csr_array, np.ndarray, sp.csr_array]:
    """Two camps; each watches and likes its own half more. → lists, ratings of their entries, content rows"""
    rng = np.random.default_rng(seed)
    dense = np.zeros((users, items), np.float32)
    rating = np.full((users, items), np.nan, np.float32)
    for user in range(users):
        for item in rng.choice(items, 25, replace=False):
            own = (user + item) % 2 == 0
            if own or rng.random() < 0.5:
                dense[user, item] = 1
                rating[user, item] = 9 if own else 5
    lists = sp.csr_array(dense)
    lists.sort_indices()
    entries = rating[np.repeat(np.arange(users), np.diff(lists.indptr)), lists.indices]
    content = sp.csr_array(np.eye(2, dtype=np.float32)[np.arange(items) % 2])
    return lists, entries, content


@pytest.fixture(scope="module")
def fitted() -> kriging.Kriging:
    return kriging.fit(*world(), seed=0)


def kernel(fitted: kriging.Kriging) -> np.ndarray:
    return np.asarray(fitted.factors @ fitted.factors.T + fitted.corrections.toarray())


def test_factors_and_corrections_are_the_kernel(fitted: kriging.Kriging) -> None:
    lists, _, content = world()
    ones = (lists.toarray() > 0).astype(np.float64)
    weighted = ones / np.sqrt(np.maximum(1, ones.sum(axis=1, keepdims=True)))
    unit = weighted / np.linalg.norm(weighted, axis=0)
    expected = 0.65 * unit.T @ unit + 0.35 * (content @ content.T).toarray()
    assert np.abs(kernel(fitted) - expected).mean() < 0.005
    assert np.allclose(fitted.corrections.toarray(), fitted.corrections.toarray().T)


def test_prediction_is_the_textbook_formula(fitted: kriging.Kriging) -> None:
    rows, ratings, candidates = np.array([0, 1, 2, 7]), np.array([9, 5, 9, 4], np.float32), np.array([4, 5, 80])
    k = kernel(fitted)
    liked = (ratings > 7).astype(float)
    user = (liked - fitted.like.mean - fitted.like.items[rows]).sum() / (len(rows) + kriging.USER_PRIOR)
    left = liked - fitted.like.mean - fitted.like.items[rows] - user
    weights = np.linalg.inv(k[np.ix_(rows, rows)] + kriging.NOISE * np.eye(4))
    found = fitted.predict(rows, ratings, candidates)
    assert found.shape == (3, 5)
    assert np.allclose(found[:, 2], k[np.ix_(candidates, rows)] @ weights @ left, atol=1e-4)
    explained = np.einsum("ij,jk,ik->i", k[np.ix_(candidates, rows)], weights, k[np.ix_(candidates, rows)])
    assert np.allclose(found[:, 4], np.clip(1 - explained, 0, 1), atol=1e-4)


def test_liking_carries_over_to_titles_watched_together(fitted: kriging.Kriging) -> None:
    like = fitted.predict(np.array([0, 2, 4, 1, 3]), np.array([9, 9, 10, 4, 5], np.float32), np.array([10, 12, 11, 13]))
    assert like[:2, 2].min() > like[2:, 2].max()


def test_without_ratings_the_baseline_stands(fitted: kriging.Kriging) -> None:
    found = fitted.predict(np.empty(0, np.int64), np.empty(0, np.float32), np.array([3, 4]))
    assert found[:, 2:4].tolist() == [[0, 0], [0, 0]]
    assert found[:, 4].tolist() == [1, 1]
    assert np.allclose(found[:, 0], fitted.like.mean + fitted.like.items[[3, 4]])


def test_of_many_ratings_the_latest_are_used(fitted: kriging.Kriging) -> None:
    rows = np.tile(np.arange(90), 5)
    ratings = np.where(rows % 2, 4, 9).astype(np.float32)
    assert np.array_equal(
        fitted.predict(rows, ratings, np.array([1])),
        fitted.predict(rows[-MAX_RATINGS:], ratings[-MAX_RATINGS:], np.array([1])),
    )


def test_a_generous_user_does_not_make_an_item_good() -> None:
    user = np.array([0, 0, 0, 1, 1, 1])
    item = np.array([0, 1, 2, 3, 4, 5])
    found = baseline(user, item, np.array([10, 10, 10, 2, 2, 2], np.float32), (2, 6))
    assert found.mean == 6
    assert found.items[0] < 2


def test_arrays_there_and_back(fitted: kriging.Kriging) -> None:
    again = kriging.from_arrays(fitted.arrays())
    rows, ratings, candidates = np.array([0, 3]), np.array([9, 2], np.float32), np.arange(20)
    assert np.array_equal(again.predict(rows, ratings, candidates), fitted.predict(rows, ratings, candidates))


def test_a_handful_of_items() -> None:
    lists, ratings, content = world(items=25, users=30)
    found = kriging.fit(lists, ratings, content, seed=0)
    assert np.isfinite(found.predict(np.array([0, 1]), np.array([9, 3], np.float32), np.array([2, 3]))).all()
