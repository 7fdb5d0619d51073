"""Factors tell two camps apart, and a short list is folded in by the same equations as a long one."""

import sys

import numpy as np
import pytest
import scipy.sparse as sp

from gars.domain.errors import MissingExtraError
from gars.library.blas import one_thread
from gars.retrieval import ials
from gars.retrieval.ials import ALPHA, Factors

USERS, ITEMS, DIM = 60, 40, 8


def two_camps() -> sp.csr_array:
    """Even users watch even items, odd ones odd items."""
    rng = np.random.default_rng(0)
    dense = np.zeros((USERS, ITEMS), np.float32)
    for user in range(USERS):
        dense[user, rng.choice(np.arange(user % 2, ITEMS, 2), 9, replace=False)] = 1
    return sp.csr_array(dense)


@pytest.fixture(scope="module")
def factors() -> Factors:
    with one_thread():
        return ials.fit(two_camps(), dim=DIM, seed=0)[0]


def test_a_list_of_one_camp_scores_its_own_titles_higher(factors: Factors) -> None:
    user = factors.fold_in(np.array([0, 2, 4]), np.ones(3, np.float32))
    scores = factors.items @ user
    assert scores[6::2].min() > scores[1::2].max()


@pytest.mark.parametrize("length", [1, DIM - 1, DIM, 3 * DIM])
def test_a_fold_in_solves_the_normal_equations(factors: Factors, length: int) -> None:
    rows = np.arange(length)
    weights = np.linspace(0.4, 1, length).astype(np.float32)
    own = factors.items[rows].astype(float)
    left = factors.gram.astype(float) + (own.T * (ALPHA * weights)) @ own
    expected = np.linalg.solve(left, own.T @ (1 + ALPHA * weights))
    assert np.allclose(factors.fold_in(rows, weights), expected, atol=1e-3)


def test_nothing_watched_is_no_factors() -> None:
    found, users = ials.fit(sp.csr_array(np.zeros((3, 5), np.float32)), dim=DIM, seed=0)
    assert not found.items.any()
    assert users.shape == (3, 1)


def test_without_its_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "implicit.cpu.als", None)
    with pytest.raises(MissingExtraError, match="training iALS needs optional packages"):
        ials.fit(two_camps(), dim=DIM, seed=0)
