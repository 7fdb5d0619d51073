import math

import numpy as np
import pytest

from gars.domain import metrics

RANKED = np.array([[1, 2, 3, 4], [5, 6, -1, -1]])
TARGETS = [np.array([2, 9]), np.array([5, 6, 7])]


def test_a_padding_place_is_never_a_hit() -> None:
    assert metrics.hits(RANKED, [np.array([-1]), np.array([-1])]).sum() == 0


def test_recall_divides_by_what_could_be_found() -> None:
    hit = metrics.hits(RANKED, TARGETS)
    assert metrics.recall_at(hit, np.array([2, 3]), 2).tolist() == [0.5, 1.0]
    assert metrics.recall_at(hit, np.array([2, 3]), 4).tolist() == [0.5, 2 / 3]


def test_ndcg_by_hand() -> None:
    hit = metrics.hits(RANKED, TARGETS)
    expected = (1 / math.log2(3)) / (1 + 1 / math.log2(3))
    assert metrics.ndcg_at(hit, np.array([2, 3]), 3)[0] == pytest.approx(expected)
    assert metrics.ndcg_at(hit, np.array([2, 2]), 2)[1] == pytest.approx(1.0)


def test_coverage_counts_the_first_places_only() -> None:
    assert metrics.coverage_at(RANKED, 10, 1) == pytest.approx(0.2)


def test_auc_counts_ties_half() -> None:
    liked = np.array([True, False, True, False])
    assert metrics.auc(liked, np.array([0.9, 0.1, 0.5, 0.5])) == pytest.approx(3.5 / 4)


def test_auc_needs_both_kinds() -> None:
    assert math.isnan(metrics.auc(np.array([True, True]), np.array([0.1, 0.2])))


def test_gauc_is_weighted_by_rows_and_skips_one_sided_users() -> None:
    user = np.array([1, 1, 2, 2, 2, 2, 3])
    liked = np.array([True, False, True, False, False, True, True])
    p = np.array([0.9, 0.1, 0.1, 0.9, 0.8, 0.2, 0.5])
    assert metrics.gauc(user, liked, p) == pytest.approx((2 * 1 + 4 * 0) / 6)


def test_calibration_error_of_a_forecaster_who_is_always_too_sure() -> None:
    liked = np.array([True, False, True, False])
    assert metrics.calibration_error(liked, np.full(4, 0.9)) == pytest.approx(0.4)
    assert metrics.calibration_error(liked, np.full(4, 0.5)) == pytest.approx(0.0)


def test_bootstrap_interval_holds_the_mean_and_narrows_with_users() -> None:
    values = np.random.default_rng(0).random(400)
    wide = metrics.bootstrap(values[:50], np.random.default_rng(1))
    narrow = metrics.bootstrap(values, np.random.default_rng(1))
    assert wide.low < wide.mean < wide.high
    assert narrow.high - narrow.low < wide.high - wide.low


def test_novelty_is_bits_of_self_information() -> None:
    shares = np.array([1.0, 0.5, 0.25])
    bits = metrics.self_information_at(np.array([[0, 1, 2], [2, -1, -1], [-1, -1, -1]]), shares, 2)
    assert bits[:2].tolist() == [0.5, 2.0]
    assert math.isnan(bits[2])


def test_share_of_the_head_counts_shown_places_only() -> None:
    head = np.array([True, False, False])
    assert metrics.share_at(np.array([[0, 1], [0, -1], [1, 2]]), head, 2).tolist() == [0.5, 1.0, 0.0]


def test_gini_of_equal_and_of_one_sided_exposure() -> None:
    assert metrics.gini(np.full(5, 3.0)) == pytest.approx(0)
    assert metrics.gini(np.array([0.0, 0.0, 0.0, 7.0])) == pytest.approx(0.75)
    assert math.isnan(metrics.gini(np.zeros(3)))


def test_exposure_counts_lists() -> None:
    assert metrics.exposure_at(np.array([[0, 2, 1], [2, -1, -1]]), 4, 2).tolist() == [1, 0, 2, 0]


def test_reliability_bins_by_hand() -> None:
    liked, p = np.array([True, False, True, True]), np.array([0.15, 0.05, 0.95, 1.0])
    low, high = metrics.reliability(liked, p, bins=2)
    assert [low.rows, high.rows] == [2, 2]
    assert [low.predicted, high.predicted] == pytest.approx([0.1, 0.975])
    assert [low.liked, high.liked] == [0.5, 1.0]
