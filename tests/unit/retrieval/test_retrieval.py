import numpy as np
import pytest
import scipy.sparse as sp

from gars.domain.anime import Anime
from gars.retrieval import content, deepwalk, edlae, graph, item2vec, item_knn, matrix, popularity, recommended
from gars.retrieval.edlae import EdlaeSettings
from gars.retrieval.item_to_item import keep_largest


def lists(seed: int = 0, users: int = 80, items: int = 12) -> sp.csr_array:
    rng = np.random.default_rng(seed)
    return sp.csr_array((rng.random((users, items)) < 0.4).astype(np.float32))


@pytest.mark.parametrize("by_magnitude", [False, True])
def test_keep_largest_is_a_sort_with_ties_to_the_lower_column(by_magnitude: bool) -> None:
    block = np.random.default_rng(0).integers(-3, 4, (40, 30)).astype(np.float32)
    kept = keep_largest(block, 7, by_magnitude=by_magnitude).toarray()
    for row, found in zip(block, kept, strict=True):
        key = np.abs(row) if by_magnitude else row
        expected = np.zeros_like(row)
        best = np.lexsort((np.arange(30), -key))[:7]
        expected[best] = row[best]
        assert found.tolist() == expected.tolist()


def test_ease_is_the_closed_form() -> None:
    lists_ = lists()
    gram = (lists_.T @ lists_).toarray().astype(np.float64) + 10 * np.eye(12)
    inverse = np.linalg.inv(gram)
    expected = -inverse / np.diag(inverse)
    np.fill_diagonal(expected, 0)
    fitted = edlae.fit(lists_, EdlaeSettings(dropout=0, l2=10, user_power=0, popularity_power=0), min_count=1)
    assert np.allclose(fitted.weights.toarray(), expected, atol=1e-4)


def test_edlae_leaves_rare_items_to_others() -> None:
    lists_ = sp.csr_array(np.array([[1, 1, 0], [1, 1, 0], [1, 1, 1]], np.float32))
    fitted = edlae.fit(lists_, min_count=2)
    assert fitted.weights.toarray()[2].tolist() == [0, 0, 0]
    assert fitted.weights.toarray()[:, 2].tolist() == [0, 0, 0]


def test_edlae_is_the_same_in_blocks_of_any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = edlae.fit(lists(), min_count=1).weights.toarray()
    monkeypatch.setattr(edlae, "BLOCK", 5)  # 12 items: two whole blocks and a part
    np.testing.assert_array_equal(edlae.fit(lists(), min_count=1).weights.toarray(), whole)


def test_edlae_of_nothing_is_empty() -> None:
    assert edlae.fit(sp.csr_array(np.zeros((3, 4), np.float32))).weights.nnz == 0


def test_cosine_by_hand() -> None:
    lists_ = sp.csr_array(np.array([[1, 1], [1, 0]], np.float32))
    # the user with two titles counts 1/√2 for each: dot ½, norms √1½ and √½
    assert item_knn.cosine(lists_).toarray()[0, 1] == pytest.approx(0.5 / np.sqrt(1.5 * 0.5))


def test_min_max_keeps_every_edge() -> None:
    weights = sp.csr_array(np.array([[0, 1, 3], [1, 0, 0], [2, 0, 0]], np.float32))
    scaled = graph.min_max(weights)
    assert scaled.nnz == weights.nnz
    assert scaled.data.min() > 0
    assert scaled.data.max() == 1


def test_walks_follow_edges_as_often_as_their_weight() -> None:
    weights = np.array([[0, 3, 1, 0], [1, 0, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]], np.float32)
    paths = deepwalk.walks(sp.csr_array(weights), np.random.default_rng(0), per_node=500, length=6)
    assert paths.shape == (1500, 6)
    assert not (paths == 3).any()
    steps = np.stack([paths[:, :-1].ravel(), paths[:, 1:].ravel()])
    assert (weights[steps[0], steps[1]] > 0).all()
    from_first = steps[1][steps[0] == 0]
    assert np.mean(from_first == 1) == pytest.approx(0.75, abs=0.03)


def test_item2vec_is_deterministic_and_finds_the_communities() -> None:
    ring = np.zeros((10, 10), np.float32)
    ring[:5, :5] = ring[5:, 5:] = 1
    np.fill_diagonal(ring, 0)
    paths = deepwalk.walks(sp.csr_array(ring), np.random.default_rng(0), per_node=60, length=20)
    first, second = (item2vec.fit(paths, 12, seed=3, dim=8) for _ in range(2))
    assert np.array_equal(first.input, second.input)
    assert not first.known[10:].any()
    channel = item2vec.to_item_to_item(first, np.full(12, 5))
    weights = channel.weights.toarray()
    assert weights[0, 1:5].min() > weights[0, 5:].max()
    assert weights[0].sum() == pytest.approx(1, abs=1e-3)
    assert weights[0, 0] == 0


def test_content_finds_the_same_franchise_first_and_never_the_title_itself() -> None:
    anime = [
        Anime(anime_id=1, title="Sky Pirates", genres=("Action",), franchise="sky"),
        Anime(anime_id=2, title="Sky Pirates Second Season", genres=("Action",), franchise="sky"),
        Anime(anime_id=3, title="Tea House", genres=("Action",)),
        Anime(anime_id=4, title="Nothing known"),
    ]
    weights = content.fit(content.describe(anime)).weights.toarray()
    assert weights[0].argmax() == 1
    assert weights[0, 2] > 0
    assert np.diag(weights).tolist() == [0, 0, 0, 0]
    assert weights[3].sum() == 0


def test_content_reaches_every_title_from_watched_ones() -> None:
    # many obscure titles of the same words stand between the watched one and the last
    anime = [Anime(anime_id=place, title="Sky Pirates", genres=("Action", "Drama")) for place in range(1, 6)]
    anime += [Anime(anime_id=6, title="Sky", genres=("Action",)), Anime(anime_id=7, title="Other", genres=("Music",))]
    described = content.describe(anime)
    watched = np.array([True, *[False] * 6])
    assert content.fit(described, k=2).weights[0, 5] == 0
    weights = content.fit(described, watched=watched, k=2, sources=2).weights
    assert weights[0, 5] > 0
    assert weights[0, 5] == pytest.approx(float((described[[0]] @ described[[5]].T).toarray()[0, 0]) ** 2)
    assert weights[0, 6] == 0


def test_recommended_pairs_weigh_less_further_down_and_half_backwards() -> None:
    anime = [
        Anime(anime_id=1, title="One", recommended=(3, 2, 99)),
        Anime(anime_id=2, title="Two"),
        Anime(anime_id=3, title="Three", recommended=(1,)),
    ]
    weights = recommended.fit(anime).weights.toarray()
    assert weights[0].tolist() == pytest.approx([0, 1 / np.log2(3), 1])
    assert weights[1].tolist() == pytest.approx([0.5 / np.log2(3), 0, 0])
    assert weights[2].tolist() == pytest.approx([1, 0, 0])
    assert recommended.fit(anime[1:2]).weights.nnz == 0


def test_popularity_is_that_of_lists_that_could_hold_the_title() -> None:
    lists_ = sp.csr_array(np.ones((400, 3), np.float32) * np.array([1, 1, 0], np.float32))
    found = popularity.fit(lists_, np.array([400, 200, 0], np.float32))
    assert found.tolist() == pytest.approx([np.log1p(400), np.log1p(800), 0], rel=1e-6)


def test_select_users_keeps_ratings_aligned_with_entries() -> None:
    training = matrix.from_rows(
        np.array([0, 0, 1, 2]), np.array([2, 0, 1, 2]), np.array([9, np.nan, 4, 7], np.float32), n_users=3, n_items=3
    )
    part = training.select_users(np.array([2, 0]))
    assert part.ratings[0] == 7
    assert np.isnan(part.ratings[1])
    assert np.allclose(part.weights.toarray(), [[0, 0, 0.4], [0.5, 0, 1]])
    assert part.with_values((part.ratings > 7).astype(np.float32)).toarray().tolist() == [[0, 0, 0], [0, 0, 1]]
