import numpy as np
import pytest

from gars.domain.errors import InvalidInputError
from gars.domain.splits import deal, hold_out, refuse_leak, user_folds


def test_folds_are_balanced() -> None:
    assert np.bincount(user_folds(10, 3, np.random.default_rng(0))).tolist() == [4, 3, 3]


@pytest.mark.parametrize("n", [0, 3, 5, 17])
def test_every_row_is_dealt_to_one_of_nearly_equal_parts(n: int) -> None:
    part = deal(n, 5, np.random.default_rng(0))
    sizes = np.bincount(part, minlength=5)
    assert len(part) == n
    assert sizes.max() - sizes.min() <= 1


@pytest.mark.parametrize(("n", "expected"), [(0, 0), (1, 0), (2, 1), (10, 2), (100, 20)])
def test_something_is_hidden_and_something_stays(n: int, expected: int) -> None:
    assert hold_out(n, 0.2, np.random.default_rng(0)).sum() == expected


def test_a_held_out_row_among_the_seen_ones_is_refused() -> None:
    seen = np.array([1, 1, 2]), np.array([10, 11, 10])
    with pytest.raises(InvalidInputError, match="leak: 1 of 2 held-out rows were seen by the item averages"):
        refuse_leak(*seen, np.array([2, 2]), np.array([10, 11]), where="the item averages")
    refuse_leak(*seen, np.array([2, 1]), np.array([11, 12]), where="the item averages")


def test_ids_of_any_size_are_distinct() -> None:
    large = 2**52
    refuse_leak(np.array([large]), np.array([1]), np.array([large + 1, 1]), np.array([1, large]), where="x")
    with pytest.raises(InvalidInputError, match="1 of 1"):
        refuse_leak(np.array([large]), np.array([1]), np.array([large]), np.array([1]), where="x")
