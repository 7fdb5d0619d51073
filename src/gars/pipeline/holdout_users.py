"""Users whom no model of the pipeline trains on: what a candidate and the serving model are compared by."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gars.domain.history import LIKED_ABOVE, Rating
from gars.evaluation.predictors import EvalUser

SHARE = 0.05
ENOUGH, AT_MOST = 60, 1_000
"""This many users are kept out where ``SHARE`` of all is fewer, or more."""
LARGEST_SHARE = 0.25
FEWEST_ENTRIES = 10
FEWEST_LIKED = 5
HIDDEN_SHARE = 0.2
"""Share of each user's list that is hidden."""


@dataclass(frozen=True, slots=True, eq=False)
class HoldoutUsers:
    """Histories of u users, and their hidden likes and ratings."""

    users: NDArray[np.int64]
    """(u,)"""
    cases: list[EvalUser]
    """A user each; the targets are the liked titles of the hidden part, maybe none."""
    hidden_ids: list[NDArray[np.int64]]
    """Rated titles of the hidden part."""
    hidden_liked: list[NDArray[np.bool_]]
    """Labels: liked or not."""


def choose(rows: pl.DataFrame) -> NDArray[np.int64]:
    """The users to keep out of training: a share of all, with lists long enough to hide a part of. → (u,) ascending

    They are those whose hash is small: as users are added, some may leave the set, and no earlier user joins it. So
    users that one model was not trained on, the next one is not trained on either.
    """
    liked = pl.col("rating") > LIKED_ABOVE if rows["rating"].count() else pl.lit(True)
    lists = rows.group_by("user_id").agg(entries=pl.len(), liked=pl.when(liked).then(1).otherwise(0).sum())
    share = min(max(SHARE, ENOUGH / lists.height), LARGEST_SHARE, AT_MOST / lists.height)
    eligible = lists.filter((pl.col("entries") >= FEWEST_ENTRIES) & (pl.col("liked") >= FEWEST_LIKED))["user_id"]
    return np.sort(np.array([user for user in eligible.to_list() if _hash(user) < share * 2**64], np.int64))


def hide(rows: pl.DataFrame, users: Collection[int]) -> HoldoutUsers:
    """Hide a part of each user's list, chosen by a hash of the id: the same part in every run, as long as the list is.

    ``rows`` are list entries; users without a hidden entry are left out.
    """
    implicit = not rows["rating"].count()
    chosen: list[int] = []
    cases: list[EvalUser] = []
    hidden_ids: list[NDArray[np.int64]] = []
    hidden_liked: list[NDArray[np.bool_]] = []
    lists = rows.filter(pl.col("user_id").is_in(list(users))).sort("user_id", "anime_id")
    for (user,), one in lists.group_by(["user_id"], maintain_order=True):
        ids = one["anime_id"].to_numpy()
        ratings = one["rating"].cast(pl.Float64).fill_null(np.nan).to_numpy()
        n_hidden = round(HIDDEN_SHARE * len(ids))
        if not n_hidden:
            continue
        order = np.random.default_rng(_hash(int(str(user)))).permutation(len(ids))
        hidden, shown = np.sort(order[:n_hidden]), np.sort(order[n_hidden:])
        liked = np.full(len(ids), True) if implicit else ratings > LIKED_ABOVE
        rated = hidden if implicit else hidden[~np.isnan(ratings[hidden])]
        history = [Rating(int(ids[at]), None if np.isnan(ratings[at]) else float(ratings[at])) for at in shown]
        chosen.append(int(str(user)))
        cases.append(EvalUser(history, ids[hidden[liked[hidden]]]))
        hidden_ids.append(ids[rated])
        hidden_liked.append(liked[rated])
    return HoldoutUsers(np.array(chosen, np.int64), cases, hidden_ids, hidden_liked)


def _hash(user: int) -> int:
    return int.from_bytes(hashlib.blake2b(f"judged {user}".encode(), digest_size=8).digest(), "big")
