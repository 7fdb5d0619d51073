"""The map of all anime: near is alike."""

from __future__ import annotations

import numpy as np
import pytest

from gars.application.atlas import layout, place_near


def _clusters(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Five tight groups of 40 in 16 dimensions."""
    group = np.repeat(np.arange(5), 40)
    centres = rng.normal(size=(5, 16))
    vectors = centres[group] + 0.1 * rng.normal(size=(200, 16))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), group


def test_what_is_alike_lies_together() -> None:
    vectors, group = _clusters(np.random.default_rng(0))
    places = layout(vectors)
    assert places.shape == (200, 2)
    assert places.min() >= 0
    assert places.max() <= 1
    apart = np.linalg.norm(places[:, None] - places[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    nearest = np.argsort(apart, axis=1)[:, :5]
    assert (group[nearest] == group[:, None]).mean() > 0.95
    shuffled = np.random.default_rng(1).permutation(group)  # the check itself: chance is one in five
    assert (shuffled[nearest] == shuffled[:, None]).mean() < 0.4


def test_the_same_seed_draws_the_same_map() -> None:
    vectors, _ = _clusters(np.random.default_rng(0))
    assert np.array_equal(layout(vectors, sweeps=20), layout(vectors, sweeps=20))


@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_a_few_titles_are_a_map_too(n: int) -> None:
    places = layout(np.eye(4, dtype=np.float32)[:n])
    assert places.shape == (n, 2)
    assert np.isfinite(places).all()


def test_a_title_is_placed_near_the_middle_one_of_its_neighbours() -> None:
    places = np.array([[0.9, 0.9], [0.2, 0.2], [0.21, 0.2], [0.2, 0.23], [0.0, 1.0]], np.float32)
    placed = place_near(places, np.array([[0, 1, 2, 3], [4, 4, 4, 4]]), radius=0.01)
    assert np.linalg.norm(placed[0] - places[1]) <= 0.01, "not at the mean, where nothing is"
    assert np.linalg.norm(placed[1] - places[4]) <= 0.01
    assert placed.min() >= 0
    assert placed.max() <= 1
