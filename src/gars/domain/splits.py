"""Selection of held-out rows, and the guard that no feature has seen them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gars.domain.errors import InvalidInputError


def user_folds(n_users: int, n_folds: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """A balanced random fold for each user. → (n_users,)"""
    return rng.permutation(np.arange(n_users) % n_folds)


def deal(n: int, parts: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """A part for each of a user's n rows, at random and balanced, so that every row is hidden once. → (n,)"""
    return rng.permutation(np.arange(n) % parts)


def hold_out(n: int, share: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Which of a user's n rows are hidden: ``share`` of them, at least one, never all (with n > 1)."""
    hidden = np.zeros(n, np.bool_)
    if n < 2:
        return hidden
    count = min(max(1, round(share * n)), n - 1)
    hidden[rng.choice(n, count, replace=False)] = True
    return hidden


def strong_generalisation(
    user: NDArray[np.int64], rng: np.random.Generator, *, validation: float, test: float, hidden: float
) -> NDArray[np.str_]:
    """Deal whole users: shares of them for validation and test, and ``hidden`` of each of those users' rows to find.

    ``user`` (m,) names the user of each row. → (m,) one letter a row: t train, v and e the hidden rows of validation
    and test users, c what is shown of them and never trained on. A user with one row is always trained on.
    """
    users, code = np.unique(user, return_inverse=True)
    rows_of = np.split(np.argsort(code, kind="stable"), np.cumsum(np.bincount(code))[:-1])
    large_enough = np.array([place for place, rows in enumerate(rows_of) if len(rows) > 1], np.int64)
    dealt = rng.permutation(large_enough)
    n_validation, n_test = round(validation * len(users)), round(test * len(users))
    part = np.full(len(user), "t")
    for letter, held in (("v", dealt[:n_validation]), ("e", dealt[n_validation : n_validation + n_test])):
        for place in held:
            rows = rows_of[place]
            part[rows] = np.where(hold_out(len(rows), hidden, rng), letter, "c")
    return part


def refuse_leak(
    seen_user: NDArray[np.int64],
    seen_item: NDArray[np.int64],
    held_user: NDArray[np.int64],
    held_item: NDArray[np.int64],
    *,
    where: str,
) -> None:
    """Stop an evaluation whose statistics include held-out rows.

    Raises:
        InvalidInputError: some held-out pair is among the seen ones.
    """
    # ids may be any int64, so pairs are compared by the places of their ids, not by the ids
    users = np.unique(np.concatenate([seen_user, held_user]), return_inverse=True)[1]
    items, item = np.unique(np.concatenate([seen_item, held_item]), return_inverse=True)
    pairs = users.astype(np.int64) * len(items) + item
    leaked = np.isin(pairs[len(seen_user) :], pairs[: len(seen_user)])
    if leaked.any():
        raise InvalidInputError(
            f"leak: {int(leaked.sum())} of {len(leaked)} held-out rows were seen by {where}",
            hint="compute statistics and features from training rows only",
        )
