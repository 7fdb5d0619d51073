"""How held-out rows are chosen, and the guard that no feature has seen them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gars.domain.errors import InvalidInputError


def user_folds(n_users: int, n_folds: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """A balanced random fold for each user. → (n_users,)"""
    return rng.permutation(np.arange(n_users) % n_folds)


def hold_out(n: int, share: float, rng: np.random.Generator, *, at_most: int | None = None) -> NDArray[np.bool_]:
    """Which of a user's n rows are hidden: ``share`` of them, at least one, never all (with n > 1)."""
    hidden = np.zeros(n, np.bool_)
    if n < 2:
        return hidden
    count = min(max(1, round(share * n)), n - 1, at_most or n)
    hidden[rng.choice(n, count, replace=False)] = True
    return hidden


def refuse_leak(
    seen_user: NDArray[np.int64],
    seen_item: NDArray[np.int64],
    held_user: NDArray[np.int64],
    held_item: NDArray[np.int64],
    *,
    where: str,
) -> None:
    """Stop an evaluation whose statistics saw rows they are judged on.

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
