import numpy as np
import pytest

from gars.evaluation import breakdowns
from gars.evaluation.scores import score_lists


def test_history_lengths_fall_into_their_groups() -> None:
    lengths = np.array([0, 1, 2, 5, 6, 20, 21, 100, 101, 20_000])
    names = [breakdowns.HISTORY_LENGTHS[place][1] for place in breakdowns.history_groups(lengths)]
    assert names == ["0", "1", "2–5", "2–5", "6–20", "6–20", "21–100", "21–100", "over 100", "over 100"]


def test_popularity_groups_hold_equal_shares_of_what_was_watched() -> None:
    counts = np.array([1, 50, 1, 20, 30, 1, 1, 1, 1, 1, 1, 1], np.float32)
    groups = breakdowns.popularity_groups(counts, 2)
    assert groups[1] == 0
    assert groups[4] == 0
    assert [float(counts[groups == place].sum()) for place in (0, 1)] == pytest.approx([80, 29])


def test_nothing_watched_is_one_group() -> None:
    assert len(set(breakdowns.popularity_groups(np.zeros(4, np.float32)).tolist())) == 1


def test_targets_of_a_group_are_evaluated_separately() -> None:
    ranked = np.full((2, 100), -1, np.int64)
    ranked[0, :2], ranked[1, :2] = [3, 4], [5, 6]
    targets = [np.array([3, 9]), np.array([7])]
    some = breakdowns.of_targets(ranked, targets, [np.array([True, False]), np.array([False])], 10)
    assert some is not None
    assert some.per_user["recall@20"].tolist() == [1.0]
    assert breakdowns.of_targets(ranked, targets, [np.zeros(2, np.bool_), np.zeros(1, np.bool_)], 10) is None
    whole = score_lists(ranked, targets, 10)
    assert breakdowns.of_users(whole, np.array([False, True])).per_user["recall@20"].tolist() == [0.0]
