"""Training lists of the ranker: part of each user's list is shown, the candidates are labelled by a hidden part."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from gars.domain import features
from gars.domain.history import LIKED_ABOVE, History, from_columns
from gars.domain.item_table import ItemTable
from gars.domain.splits import deal
from gars.library.blas import one_thread
from gars.library.fit_config import FitConfig
from gars.library.observed import ObservedLists
from gars.library.query import Models, taste_profile
from gars.ranking.examples import NOT_ASKED, RankingList, RankingLists, stack
from gars.retrieval.matrix import TrainingMatrix
from gars.runtime.progress import Progress

SHORT = 5
"""A short list shows at most this many titles."""
COLD_SHARE = 4
"""At most one place in so many of a training list is a candidate without viewers."""

FEWEST_COMPARED = 10
"""With fewer users to compare both orders on, the difference is noise: the ranker trains on all."""

Flags = NDArray[np.bool_]
T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True, eq=False)
class ListMaker:
    """Makes lists of users from models that have not seen them."""

    training: TrainingMatrix
    items: ItemTable
    observed: ObservedLists
    has_ratings: bool
    by_fold: Sequence[Models]
    """For each fold, models fitted on the users of the others."""
    folds: NDArray[np.int64]
    """(u,) fold of each user."""
    config: FitConfig
    seed: int
    progress: Progress

    def training_lists(self) -> RankingLists:
        """Make the lists that the ranker is trained on."""
        rng = np.random.default_rng([self.seed, 2])
        users = self._shuffled(rng)[: self._n_ranking_users()]
        return stack(
            self._lists(users, rng, "ranking examples"),
            at_most=sum(self._parts(user)[1] + 1 for user in users),
            length=self.config.list_length,
            n_features=len(features.names(self.by_fold[0].retriever.channel_names)),
            n_taste=2 * len(self.items.genre_names),
        )

    def held_out_lists(self) -> Iterator[RankingList]:
        """Make lists of users seen by neither the ranker nor the models of their fold."""
        users = self._shuffled(np.random.default_rng([self.seed, 2]))
        held = users[self._n_ranking_users() :][: self.config.compare_users]
        once = replace(self, config=msgspec.structs.replace(self.config, short_lists=0.0))
        yield from once._lists(held, np.random.default_rng([self.seed, 6]), "compare both orders")

    def _shuffled(self, rng: np.random.Generator) -> NDArray[np.int64]:
        """Return the users whose list is whole, in random order."""
        users = rng.permutation(self.training.n_users)
        return users[self.observed.complete[users]]

    def _n_ranking_users(self) -> int:
        """Return the number of users the ranker trains on; its order is compared on those after them."""
        n, most = self.training.n_users, self.config.max_ranking_users
        if n > most:
            return most
        # with genres the ranker has rarely lost, and it learns from every user: fewer are kept out
        held_out = min(self.config.compare_users, n // (20 if self.items.genre_names else 10))
        return n - held_out if held_out >= FEWEST_COMPARED else n

    def _parts(self, user: int) -> tuple[int, int]:
        """Return the number of parts a user's list is dealt into, and the number hidden in turn.

        A part must fit into a training list; a user of more parts has more lists, so that every title is hidden equally
        often.
        """
        size = int(self.training.weights.indptr[user + 1] - self.training.weights.indptr[user])
        fewest = max(2, round(1 / self.config.hidden_share))
        n_parts = max(fewest, -(-size // (self.config.list_length // 3)))
        return n_parts, -(-self.config.repeats * n_parts // fewest)

    def _lists(self, users: NDArray[np.int64], rng: np.random.Generator, label: str) -> Iterator[RankingList]:
        """Make the lists of some users on all cores, in the order of the users."""
        unwatched = self.training.viewers() == 0

        def lists_of(user: int, parts: list[tuple[Flags, Flags]]) -> list[RankingList]:
            allowed = ~(unwatched | (self.items.released > self.observed.until[user]))
            made = (self._list(user, shown, hidden, allowed) for shown, hidden in parts)
            return [one for one in made if one is not None]

        dealt = ((int(user), self._deal(user, rng)) for user in users)
        with one_thread(), self.progress.task(label, max(1, len(users))) as advance:
            for lists in _in_order(lambda task: lists_of(*task), dealt):
                yield from lists
                advance(1)

    def _deal(self, user: int, rng: np.random.Generator) -> list[tuple[Flags, Flags]]:
        """Draw the shown and the hidden entries of each of a user's lists. → (size,), (size,) each"""
        n_parts, n_lists = self._parts(user)
        size = int(self.training.weights.indptr[user + 1] - self.training.weights.indptr[user])
        part = deal(size, n_parts, rng)
        dealt = [(part != number % n_parts, part == number % n_parts) for number in range(n_lists)]
        if size > SHORT and rng.random() < self.config.short_lists:
            place, n_shown = deal(size, size, rng), int(rng.integers(SHORT + 1))
            dealt.append((place < n_shown, (place >= n_shown) & (place < n_shown + -(-size // n_parts))))
        return dealt

    def _list(self, user: int, shown: Flags, hidden: Flags, allowed: Flags) -> RankingList | None:
        """Make the list of a user from shown and hidden entries; all their other entries are withheld.

        Items that are not ``allowed`` (n,) are withheld too: they began after the list was taken, or are on no list at
        all, which is no evidence about this user. Those on the user's own list may be labels all the same.
        """
        if not hidden.any():
            return None
        own = slice(*self.training.weights.indptr[user : user + 2])
        rows, ratings = self.training.weights.indices[own].astype(np.int64), self.training.ratings[own]
        allowed = allowed.copy()
        allowed[rows] = hidden
        history = from_columns(
            self.items.anime_ids[rows[shown]], ratings[shown], unrated=0.5 if self.has_ratings else 1.0
        )
        return ranking_list(
            self.by_fold[self.folds[user]],
            history,
            rows[hidden],
            ratings[hidden],
            allowed=allowed,
            length=self.config.list_length,
            per_channel=self.config.per_channel,
            implicit=not self.has_ratings,
        )


def ranking_list(
    models: Models,
    history: History,
    hidden_rows: NDArray[np.int64],
    hidden_ratings: NDArray[np.float32],
    *,
    allowed: Flags,
    length: int,
    per_channel: int,
    implicit: bool,
) -> RankingList | None:
    """Make the list of a history: candidates labelled by the hidden titles, then rated ones that were missed.

    Candidates are ``allowed`` (n,) items that are not in the history.
    """
    fold = models.retriever
    own = fold.items.rows(history.anime_ids)
    is_used = history.weights > 0
    rating_of = np.full(len(fold.items), np.nan, np.float32)
    rating_of[hidden_rows] = hidden_ratings
    is_hidden = np.zeros(len(fold.items), np.bool_)
    is_hidden[hidden_rows] = True
    liked = is_hidden if implicit else rating_of > LIKED_ABOVE
    rated = hidden_rows if implicit else hidden_rows[~np.isnan(hidden_ratings)]
    found = fold.candidates(own[is_used], history.weights[is_used], allowed, per_channel=per_channel, extra=rated)
    n_proposed = int(found.proposed.any(axis=1).sum())
    proposed = np.arange(len(found.rows)) < n_proposed
    # titles without viewers come last in the fused order, so they have places of their own
    cold = np.flatnonzero(proposed & (fold.items.counts[found.rows] == 0))[: length // COLD_SHARE]
    warm = np.flatnonzero(proposed & (fold.items.counts[found.rows] > 0))
    first = np.concatenate([warm[: max(0, length - len(rated) - len(cold))], cold])
    cut = len(first)
    # every hidden rating is in the list, found or not: the like head must not see only what retrieval is good at
    is_missed = np.zeros(len(fold.items), np.bool_)
    is_missed[rated] = True
    is_missed[found.rows[first]] = False
    kept = np.concatenate([first, np.flatnonzero(is_missed[found.rows])])
    if not len(kept):
        return None
    found = found.take(kept)
    rows = found.rows
    query = models.query(history, found)
    order = np.where(liked[rows], 1.0, 0.0).astype(np.float32)
    order[cut:] = NOT_ASKED
    like = order.copy() if implicit else np.where(np.isnan(rating_of[rows]), NOT_ASKED, liked[rows]).astype(np.float32)
    matrix = np.ascontiguousarray(features.matrix(query))
    return RankingList(matrix, rows, taste_profile(query), order, like)


def _in_order(work: Callable[[T], R], tasks: Iterable[T]) -> Iterator[R]:
    """Call ``work`` for each task on all cores; a few results wait for the one before them."""
    threads = max(1, os.cpu_count() or 1)
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[R]] = deque()
        for task in tasks:
            waiting.append(pool.submit(work, task))
            if len(waiting) > 2 * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
