import numpy as np
import pytest
import scipy.sparse as sp

from gars.bootstrap.warming import LENGTHS
from gars.domain.anime import Anime
from gars.domain.features.gaussian_process import NAMES
from gars.domain.item_table import ItemTable, build
from gars.domain.normalise import unit_rows
from gars.kernels.conjugate_gradient import NOT_POSITIVE
from gars.kernels.neighbours import CSR
from gars.ranking import gaussian_process
from gars.ranking.gaussian_process import baseline

World = tuple[sp.csr_array, np.ndarray, sp.csr_array, np.ndarray, ItemTable]


def world(seed: int = 0, users: int = 120, items: int = 90) -> World:
    """Two camps; each watches and likes its own half more. → lists, ratings of their entries, words, vectors, items"""
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
    vectors = unit_rows(rng.standard_normal((items, 8)).astype(np.float32))
    table = build([Anime(anime_id=i, title=str(i), year=1990 + i % 20, episodes=12) for i in range(items)])
    return lists, entries, content, vectors, table.with_statistics(lists.indices.astype(np.int64), entries)


@pytest.fixture(scope="module")
def fitted() -> gaussian_process.GaussianProcess:
    return gaussian_process.fit(*world(), seed=0)


def kernel(fitted: gaussian_process.GaussianProcess) -> np.ndarray:
    return np.asarray(fitted.factors @ fitted.factors.T + fitted.corrections.toarray())


def standard(column: np.ndarray) -> np.ndarray:
    return np.asarray((column - column.mean()) / column.std())


def test_factors_and_corrections_are_the_kernel(fitted: gaussian_process.GaussianProcess) -> None:
    lists, _, content, vectors, items = world()
    ones = (lists.toarray() > 0).astype(np.float64)
    weighted = ones / np.sqrt(np.maximum(1, ones.sum(axis=1, keepdims=True)))
    unit = weighted / np.linalg.norm(weighted, axis=0)
    expected = gaussian_process.CO_WATCH * unit.T @ unit + gaussian_process.DESCRIBED * (content @ content.T).toarray()
    expected += gaussian_process.WALKED * vectors @ vectors.T
    # every title has 12 episodes: what does not vary says nothing
    for variance, column in (
        (gaussian_process.FAME, np.log1p(items.counts)),
        (gaussian_process.AGE, items.years),
        (gaussian_process.QUALITY, fitted.rating.items),
    ):
        expected += variance * np.outer(standard(column), standard(column))
    assert np.abs(kernel(fitted) - expected).mean() < 0.005
    assert np.allclose(fitted.corrections.toarray(), fitted.corrections.toarray().T)


def test_prediction_is_the_textbook_formula(fitted: gaussian_process.GaussianProcess) -> None:
    rows, ratings, candidates = np.array([0, 1, 2, 7]), np.array([9, 5, 9, 4], np.float32), np.array([4, 5, 80])
    k = kernel(fitted) + gaussian_process.LEVEL
    left = (ratings > 7).astype(float) - fitted.like.mean - fitted.like.items[rows]
    weights = np.linalg.inv(k[np.ix_(rows, rows)] + gaussian_process.NOISE * np.eye(4))
    found = fitted.predict(rows, ratings, candidates)
    assert found.shape == (3, len(NAMES))
    expected = fitted.like.mean + fitted.like.items[candidates] + k[np.ix_(candidates, rows)] @ weights @ left
    assert np.allclose(found[:, 2], expected, atol=1e-4)


def test_predicted_variance_share_is_the_posterior_variance_of_the_factors(
    fitted: gaussian_process.GaussianProcess,
) -> None:
    rows, ratings, candidates = np.array([0, 1, 2, 7]), np.array([9, 5, 9, 4], np.float32), np.array([4, 5, 80])
    k = fitted.factors.astype(float) @ fitted.factors.T
    weights = np.linalg.inv(k[np.ix_(rows, rows)] + gaussian_process.NOISE * np.eye(4))
    across = k[np.ix_(candidates, rows)]
    expected = 1 - np.einsum("ij,jk,ik->i", across, weights, across) / k[candidates, candidates]
    assert np.allclose(fitted.predict(rows, ratings, candidates)[:, 4], expected, atol=1e-3)


def test_the_nearest_rated_title_is_named_by_its_nearness_and_rating(fitted: gaussian_process.GaussianProcess) -> None:
    rows, ratings = np.array([0, 1, 2]), np.array([9, 2, 6], np.float32)
    found = dict(zip(NAMES, fitted.predict(rows, ratings, np.array([4, 5])).T, strict=True))
    across = kernel(fitted)[np.ix_(np.array([4, 5]), rows)]
    nearest = across.argmax(axis=1)
    assert np.allclose(found["nearest_weight"], across.max(axis=1), atol=1e-5)
    expected = ratings[nearest] - fitted.rating.mean - fitted.rating.items[rows[nearest]]
    assert np.allclose(found["nearest_rating"], expected, atol=1e-4)
    squared = np.maximum(across, 0) ** 2
    liked = (squared @ (ratings > 7) + gaussian_process.PRIOR_WEIGHT * fitted.like.mean) / (
        squared.sum(axis=1) + gaussian_process.PRIOR_WEIGHT
    )
    assert np.allclose(found["near_like_rate"], liked, atol=1e-4)


def test_liking_carries_over_to_titles_watched_together(fitted: gaussian_process.GaussianProcess) -> None:
    like = fitted.predict(np.array([0, 2, 4, 1, 3]), np.array([9, 9, 10, 4, 5], np.float32), np.array([10, 12, 11, 13]))
    assert like[:2, 2].min() > like[2:, 2].max()


def test_without_ratings_the_baseline_stands(fitted: gaussian_process.GaussianProcess) -> None:
    found = fitted.predict(np.empty(0, np.int64), np.empty(0, np.float32), np.array([3, 4]))
    assert np.array_equal(found[:, 2:4], found[:, :2])
    assert found[:, 4].tolist() == [1, 1]
    assert np.allclose(found[:, 0], fitted.like.mean + fitted.like.items[[3, 4]])


def test_of_many_ratings_the_latest_are_used(
    fitted: gaussian_process.GaussianProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gaussian_process, "MAX_RATINGS", 60)
    rows = np.tile(np.arange(90), 5)
    ratings = np.where(rows % 2, 4, 9).astype(np.float32)
    assert np.array_equal(
        fitted.predict(rows, ratings, np.array([1])),
        fitted.predict(rows[-60:], ratings[-60:], np.array([1])),
    )


def test_a_generous_user_does_not_make_an_item_good() -> None:
    user = np.array([0, 0, 0, 1, 1, 1])
    item = np.array([0, 1, 2, 3, 4, 5])
    found = baseline(user, item, np.array([10, 10, 10, 2, 2, 2], np.float32), (2, 6))
    assert found.mean == 6
    assert found.items[0] < 2


def test_arrays_there_and_back(fitted: gaussian_process.GaussianProcess) -> None:
    again = gaussian_process.from_arrays(fitted.arrays())
    rows, ratings, candidates = np.array([0, 3]), np.array([9, 2], np.float32), np.arange(20)
    assert np.array_equal(again.predict(rows, ratings, candidates), fitted.predict(rows, ratings, candidates))


def test_a_handful_of_items() -> None:
    found = gaussian_process.fit(*world(items=25, users=30), seed=0)
    assert np.isfinite(found.predict(np.array([0, 1]), np.array([9, 3], np.float32), np.array([2, 3]))).all()


@pytest.mark.parametrize("r", [25, 40, 80])
def test_conjugate_gradients_solve_long_lists_to_the_direct_solution(
    fitted: gaussian_process.GaussianProcess, r: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(r)
    rows, ratings = rng.permutation(90)[:r], rng.integers(1, 11, r).astype(np.float32)
    candidates = np.arange(90)
    direct = fitted.predict(rows, ratings, candidates)
    monkeypatch.setattr(gaussian_process, "DIRECT_UP_TO", 0)
    monkeypatch.setattr(gaussian_process, "sposv", None)  # not a fall back to the direct solution
    assert np.allclose(fitted.predict(rows, ratings, candidates), direct, atol=1e-4)


def test_rounds_give_up_on_a_matrix_that_is_not_positive() -> None:
    factors, left = np.zeros((3, 2), np.float32), np.ones((2, 3), np.float32)
    among = sp.csr_array(np.diag(np.array([-5, -5, -5], np.float32)))
    lists = CSR(among.indptr, among.indices, among.data)
    root = gaussian_process.root_of_inverse(factors)
    assert gaussian_process.conjugate_gradients(factors, root, lists, np.arange(3), left)[1] == NOT_POSITIVE


@pytest.mark.parametrize("limit", [0, 300])
def test_a_kernel_that_is_not_positive_falls_back_to_its_factors(limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gaussian_process, "DIRECT_UP_TO", limit)
    no_deviations = gaussian_process.Baseline(0.5, np.zeros(3, np.float32))
    broken = sp.csr_array(np.diag(np.array([-5, -5, -5], np.float32)))
    sound = sp.csr_array(np.zeros((3, 3), np.float32))
    factors = np.eye(3, 2, dtype=np.float32)
    rows, right = np.array([0, 1]), np.array([[1, 2], [3, -4]], np.float32)
    unsound = gaussian_process.GaussianProcess(factors, broken, no_deviations, no_deviations)
    of_rows = factors[rows]
    kernel = of_rows @ of_rows.T + gaussian_process.NOISE * np.eye(2) + gaussian_process.LEVEL
    assert np.allclose(unsound._solve(rows, of_rows, right), np.linalg.solve(kernel, right.T).T, atol=1e-5)
    alone = gaussian_process.GaussianProcess(factors, sound, no_deviations, no_deviations)
    ratings = np.array([9, 3], np.float32)
    found, expected = (one.predict(rows, ratings, np.array([2]))[:, 2:5] for one in (unsound, alone))
    assert np.allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("ratings", [1, 4, 5, 12])
def test_posterior_variance_is_the_textbook_formula(ratings: int) -> None:
    rng = np.random.default_rng(ratings)
    own, wanted = rng.standard_normal((ratings, 5)), rng.standard_normal((7, 5))
    across = wanted @ own.T
    explained = across @ np.linalg.solve(own @ own.T + gaussian_process.NOISE * np.eye(ratings), across.T)
    variance = np.diag(wanted @ wanted.T)
    narrow, wide = own.astype(np.float32), np.ascontiguousarray(wanted.T, np.float32)
    for root in (None, gaussian_process.root_of_inverse(narrow)):  # by the ratings, by the factors
        found = np.empty(7, np.float32)
        prior = variance.astype(np.float32)
        gaussian_process.posterior_variance(narrow, wide, narrow @ wide, prior, root, found)
        np.testing.assert_allclose(found, variance - np.diag(explained), rtol=1e-4)


@pytest.mark.parametrize("r", [1, 5, 20])
def test_few_ratings_are_solved_as_many_are(
    fitted: gaussian_process.GaussianProcess, r: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(r)
    rows, ratings, candidates = rng.permutation(90)[:r], rng.integers(1, 11, r).astype(np.float32), np.arange(90)
    few = fitted.predict(rows, ratings, candidates)
    monkeypatch.setattr(gaussian_process, "FEW", 0)
    assert np.allclose(fitted.predict(rows, ratings, candidates), few, atol=1e-4)


def test_the_rounds_are_compiled_before_a_service_is_ready() -> None:
    few, some, many = sorted(LENGTHS)
    assert few <= gaussian_process.FEW < some <= gaussian_process.DIRECT_UP_TO < many
