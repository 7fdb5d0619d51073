import numpy as np

from gars.retrieval.index import EXACT_BELOW, ExactIndex, Index, LshIndex, build


def clustered(n: int, dim: int = 32, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((50, dim))
    vectors = centres[rng.integers(50, size=n)] + 0.6 * rng.standard_normal((n, dim))
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def test_exact_search_is_sorted_with_ties_by_position() -> None:
    vectors = np.array([[0, 1], [1, 0], [1, 0], [0.6, 0.8]], np.float32)
    found, scores = ExactIndex(vectors).search(np.array([1, 0], np.float32), 3)
    assert found.tolist() == [1, 2, 3]
    assert np.allclose(scores, [1, 1, 0.6])


def overlap(index: Index, vectors: np.ndarray) -> float:
    """Mean share of the exact 100 nearest that an index finds."""
    exact = ExactIndex(vectors)
    shares = [len(np.intersect1d(exact.search(q, 100)[0], index.search(q, 100)[0])) / 100 for q in vectors[:50]]
    return float(np.mean(shares))


def test_lsh_with_exact_reranking_finds_nearly_all_exact_neighbours() -> None:
    vectors = clustered(5000)
    reranked = overlap(LshIndex.build(vectors, seed=0), vectors)
    assert reranked >= 0.99
    assert overlap(LshIndex.build(vectors, seed=0, rerank=100), vectors) < reranked - 0.03


def test_asking_for_more_than_there_is() -> None:
    vectors = clustered(5)
    assert len(LshIndex.build(vectors, seed=0).search(vectors[0], 50)[0]) == 5
    assert len(ExactIndex(vectors).search(vectors[0], 50)[0]) == 5


def test_the_choice_is_by_size() -> None:
    assert isinstance(build(np.zeros((10, 4), np.float32), seed=0), ExactIndex)
    assert isinstance(build(np.zeros((EXACT_BELOW, 2), np.float32), seed=0), LshIndex)
