"""How held-out rows are chosen, and the guard that no feature has seen them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gars.domain.errors import InvalidInputError


def user_folds(n_users: int, n_folds: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """A balanced random fold for each user. → (n_users,)"""
    return rng.permutation(np.arange(n_users) % n_folds)


def hold_out(n: int, share: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Which of a user's n rows are hidden: ``share`` of them, at least one, never all (with n > 1)."""
    hidden = np.zeros(n, np.bool_)
    if n < 2:
        return hidden
    count = min(max(1, round(share * n)), n - 1)
    hidden[rng.choice(n, count, replace=False)] = True
    return hidden


def pair_keys(user: NDArray[np.int64], item: NDArray[np.int64]) -> NDArray[np.int64]:
    """One int64 a (user, item) pair; both must be in 0 … 2³¹-1."""
    return (user.astype(np.int64) << 31) | item.astype(np.int64)


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
    leaked = np.isin(pair_keys(held_user, held_item), pair_keys(seen_user, seen_item))
    if leaked.any():
        raise InvalidInputError(
            f"leak: {int(leaked.sum())} of {len(leaked)} held-out rows were seen by {where}",
            hint="compute statistics and features from training rows only",
        )
