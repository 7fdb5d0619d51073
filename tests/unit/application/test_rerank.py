import numpy as np
import pytest

from gars.application.recommend import rerank
from gars.kernels.quantised import Quantised, quantise


def likeness(*genres: list[int]) -> Quantised:
    return rerank.likeness_of(np.zeros((len(genres), 2), np.float32), np.array(genres, np.float32))


def spread(
    scores: np.ndarray, alike: Quantised, diversity: float, *, start: int = 0, want: int = rerank.POOL
) -> list[int]:
    """The places, where the candidates are the first rows of the catalogue."""
    places = rerank.diversify(scores, np.arange(len(scores)), alike, diversity, start=start, want=want)
    return [int(place) for place in places]


def dense(rows: Quantised) -> np.ndarray:
    return rows.codes * rows.steps[:, None]


def test_without_niche_scores_stay() -> None:
    scores = np.array([3, 1, -2], np.float32)
    assert rerank.lean_niche(scores, np.array([9, 9, 9], np.float32), 0) is scores


def test_niche_raises_the_less_popular_of_equal_scores_also_below_zero() -> None:
    scores = np.array([-1, -1, -2], np.float32)
    leaned = rerank.lean_niche(scores, np.array([10_000, 10, 10_000], np.float32), 0.5)
    assert leaned[1] > leaned[0] > leaned[2]


def test_niche_of_equal_scores_or_of_nothing_changes_nothing() -> None:
    for scores in (np.ones(3, np.float32), np.empty(0, np.float32)):
        assert rerank.lean_niche(scores, np.ones(len(scores), np.float32), 1).tolist() == scores.tolist()


def test_likeness_is_one_for_the_same_and_half_without_embeddings() -> None:
    vectors = np.array([[1, 0], [1, 0], [0, 1]], np.float32)
    both = dense(rerank.likeness_of(vectors, np.array([[1, 0], [1, 0], [0, 1]], np.float32)))
    assert (both @ both[0]).tolist() == pytest.approx([1, 1, 0])
    alone = dense(likeness([1, 0], [1, 0]))
    assert float(alone[0] @ alone[1]) == pytest.approx(0.5)


def test_the_second_place_goes_to_something_else() -> None:
    scores = np.array([3.0, 2.9, 2.8, 0.0], np.float32)
    alike = likeness([1, 0], [1, 0], [0, 1], [1, 0])
    assert spread(scores, alike, 0.25) == [0, 2, 1, 3]
    assert spread(scores, alike, 0.0) == [0, 1, 2, 3]


def test_the_penalty_fades_down_the_page() -> None:
    scores = np.array([3.0, 2.9, 2.8, 0.0], np.float32)
    alike = likeness([1, 0], [1, 0], [0, 1], [1, 0])
    assert spread(scores, alike, 0.25, start=40) == [0, 1, 2, 3]


def test_every_place_is_kept_once_and_beyond_the_pool_in_order() -> None:
    rng = np.random.default_rng(0)
    scores = -np.sort(-rng.normal(size=rerank.POOL + 50)).astype(np.float32)
    alike = rerank.likeness_of(
        np.zeros((rerank.POOL, 2), np.float32), rng.integers(0, 2, (rerank.POOL, 6)).astype(np.float32)
    )
    order = spread(scores, alike, 0.8)
    assert sorted(order) == list(range(rerank.POOL + 50))
    assert order[rerank.POOL :] == list(range(rerank.POOL, rerank.POOL + 50))
    assert order[0] == 0
    assert spread(scores, alike, 0.8, want=10) == order[:10]


def test_equal_scores_and_no_scores_keep_their_order() -> None:
    assert spread(np.ones(3, np.float32), likeness([1], [1], [1]), 1.0) == [0, 1, 2]
    assert spread(np.empty(0, np.float32), quantise(np.empty((0, 3), np.float32)), 1.0) == []
