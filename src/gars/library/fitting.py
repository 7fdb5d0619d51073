"""Fit both stages: retrieval on all users, the ranker on lists from retrieval that has not seen their user.

Users are dealt into folds. For each fold a retriever is fitted on the other folds and proposes candidates for this
one's users, from the part of their list that is not hidden. So the ranker meets the channel scores it will meet in
serving, and no statistic of a training example has seen its label.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import msgspec
import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from gars.application.progress import Advance, Progress
from gars.application.training_log import TrainingLog
from gars.domain import features
from gars.domain.anime import Anime
from gars.domain.features.taste import prior_of
from gars.domain.history import from_columns
from gars.domain.item_table import ItemTable, build
from gars.domain.splits import deal, user_folds
from gars.library.blas import one_thread
from gars.library.compare import FUSED, RANKED, compare
from gars.library.engine import user_vectors
from gars.library.examples import ranking_list
from gars.library.frames import Rows
from gars.library.memo import Memo
from gars.library.observed import ObservedLists, observe
from gars.library.offline import OfflineGraph
from gars.library.query import Models
from gars.ranking import gaussian_process, mlp
from gars.ranking.examples import RankingList, RankingLists, stack
from gars.ranking.mlp import RankingConfig
from gars.ranking.network import Network
from gars.retrieval import content, large_fit, matrix, recommended, retriever
from gars.retrieval.hidden import hide_viewers
from gars.retrieval.item_to_item import ItemToItem
from gars.retrieval.matrix import TrainingMatrix
from gars.retrieval.retriever import RetrievalConfig

MIN_USERS_TO_RANK = 50
"""With fewer users than this the ranker would learn noise, and the retrieval order stands."""


class FitConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that may be set of ``Recommender.fit``."""

    retrieval: RetrievalConfig = RetrievalConfig()
    ranking: RankingConfig = RankingConfig()
    max_users: int = 60_000
    """Stage one is fitted on so many users at most, drawn at random: what belongs together shows in that many lists.

    Every user is known all the same.
    """
    folds: int = 5
    """Number of retrievers fitted for the ranker's examples; more are closer to serving and cost more."""
    many_titles: int = 10_000
    """With more titles on the lists two folds are enough: every retriever costs the square of the catalogue."""
    hidden_share: float = 0.2
    """Share of each user's list that the ranker must find again, at most a third of ``list_length``."""
    repeats: int = 5
    """Times each user is used, with another part hidden each time; every title is hidden once before any twice."""
    short_lists: float = 0.5
    """Further lists a user, of which only the first few titles are shown, to train on short histories too."""
    list_length: int = 160
    """Places of a training list: candidates, then hidden rated titles that were not among them."""
    per_channel: int = 60
    """Candidates each channel proposes for a training list."""
    hidden_titles: float = 0.1
    """Share of the titles on ``min_count`` lists whose viewers are hidden for the ranker's lists, drawn for each fold.

    The ranker so learns to score titles without viewers (Volkovs et al., "DropoutNet: Addressing Cold Start in
    Recommender Systems", NeurIPS 2017).
    """
    max_ranking_users: int = 6_000
    """The ranker trains on at most this many users."""
    compare_users: int = 500
    """On so many users that the ranker did not train on, its order is compared with that of stage one.

    They are taken from those beyond ``max_ranking_users``. Where there are none, a tenth of the ranker's users is kept
    out if the catalogue knows no genres; with genres the ranker trains on all, and nothing is compared.
    """
    serve_ranker: bool = True
    """True: lists are in the ranker's order; ``fit`` sets it to false where stage one's order was better."""


Blend = Callable[[RankingLists, Models], RankingLists]
"""The ranker's training lists, and the models of stage one, to the lists it is trained on."""

SHORT = 5
"""A short list shows at most this many titles."""

_NOT_IN_LISTS = frozenset({"ranking", "serve_ranker"})
_NOT_IN_RETRIEVAL = _NOT_IN_LISTS | {
    "hidden_share",
    "repeats",
    "short_lists",
    "list_length",
    "per_channel",
    "max_ranking_users",
    "compare_users",
}
"""Settings that do not change a stage; all others do."""

QUICK = FitConfig(folds=2, repeats=1, short_lists=0.25, max_ranking_users=3_000)
"""A model in under two minutes on the sample, for a first look; the default takes three times as long."""


@dataclass(frozen=True, slots=True, eq=False)
class FittedModels:
    """The fitted models of both stages."""

    models: Models
    network: Network | None
    user_vectors: NDArray[np.float32]
    """(u, dim) unit taste vectors of the training users."""
    user_centre: NDArray[np.float32]
    """(dim,) where they were before they were centred."""
    losses: dict[str, list[float]]
    """Of the ranking model, after each epoch."""
    config: FitConfig
    """The settings it was fitted with, those that were chosen on held-out entries among them."""
    measured: dict[str, float] = field(default_factory=dict)
    """Metrics on held-out entries by which settings, weights and the order of the lists were chosen."""


def fit(
    rows: Rows,
    anime: Sequence[Anime],
    *,
    config: FitConfig,
    seed: int,
    progress: Progress,
    log: TrainingLog | None = None,
    on_lists: Callable[[RankingLists], None] | None = None,
    memo: Memo | None = None,
    blend: Blend | None = None,
    graph: OfflineGraph | None = None,
    observed: ObservedLists | None = None,
) -> FittedModels:
    """Fit retrieval and ranking on list entries.

    ``on_lists`` is given the ranker's training lists, so that a baseline can be trained on the very same ones.
    ``memo`` keeps stage one and the lists for further fits that do not change them. ``blend`` adds lists of another
    source, such as those people were shown. ``graph`` is walked on in place of one that is built here; by the models of
    the folds never, since it knows the users that they must not have seen. ``observed`` keeps titles that could not be
    on a user's list from being learned as passed over.

    Raises:
        DataError: the graph is not of these rows.
    """
    unrated = 0.5 if rows.has_ratings else 1.0
    training = matrix.from_rows(
        rows.user, rows.item, rows.rating, n_users=len(rows.user_ids), n_items=len(rows.item_ids), unrated=unrated
    )
    items = build(anime)
    users = _some_users(training.n_users, config.max_users, seed)
    drawn = training if users is None else training.select_users(users)
    observed = observed or observe(None, rows.user_ids)
    n_listed = len(np.unique(drawn.weights.indices))
    if n_listed > config.many_titles:
        config = msgspec.structs.replace(config, folds=min(2, config.folds))
    if n_listed > config.retrieval.large.from_items and not items.genre_names:
        return _fit_large(training, drawn, items, anime, config=config, seed=seed, progress=progress)
    with progress.task("content similarity"):
        described = content.describe(anime)
        fitter = _Fitter(
            drawn, items, described, _catalogue_channels(anime, described, drawn), config, seed, progress,
            rows.has_ratings, observed if users is None else observed.select(users),
            None if graph is None else _edges_of(graph, training, rows, config),
        )  # fmt: skip
    can_rank = drawn.n_users >= MIN_USERS_TO_RANK
    folds = user_folds(drawn.n_users, config.folds, np.random.default_rng([seed, 1]))
    made_of, memo = _fingerprint(rows, anime, config, seed, graph, observed), memo or Memo()
    full, by_fold = memo.get("retrieval", made_of(_NOT_IN_RETRIEVAL), lambda: fitter.all_models(folds, can_rank))
    network: Network | None = None
    losses: dict[str, list[float]] = {}
    measured: dict[str, float] = {}
    if can_rank:
        lists = memo.get("lists", made_of(_NOT_IN_LISTS), lambda: fitter.lists(by_fold, folds))
        if blend is not None:
            lists = blend(lists, full)
        if on_lists is not None:
            on_lists(lists)
        if (lists.order > 0).any():
            network, losses = mlp.fit(
                lists, full.retriever.items, config=config.ranking, seed=seed, progress=progress, log=log
            )
            measured = compare(network, fitter.held_out_lists(by_fold, folds))
            if measured and measured[RANKED] < measured[FUSED]:
                config = msgspec.structs.replace(config, serve_ranker=False)
    vectors, centre = user_vectors(training.graded(), full.retriever.vectors)
    return FittedModels(full, network, vectors, centre, losses, config, measured)


def _fit_large(
    training: TrainingMatrix,
    drawn: TrainingMatrix,
    items: ItemTable,
    anime: Sequence[Anime],
    *,
    config: FitConfig,
    seed: int,
    progress: Progress,
) -> FittedModels:
    """Fit stage one for a large catalogue of which no genres are known.

    Its fused order is the list: no ranker is trained, and the probability of a like is the user's own rate.
    """
    counted = items.with_statistics(drawn.weights.indices.astype(np.int64), drawn.ratings)
    with one_thread():
        found = large_fit.fit(
            drawn.graded(), counted, content.nearest(anime), config=config.retrieval.large, seed=seed, progress=progress
        )
    retrieval = msgspec.structs.replace(config.retrieval, large=found.config)
    vectors, centre = user_vectors(training.graded(), found.retriever.vectors)
    return FittedModels(
        Models(found.retriever, None, prior_of(counted)),
        None,
        vectors,
        centre,
        {},
        msgspec.structs.replace(config, retrieval=retrieval),
        found.measured,
    )


def _catalogue_channels(
    anime: Sequence[Anime], described: sp.csr_array, training: TrainingMatrix
) -> tuple[ItemToItem, ...]:
    """Fit the channels that need no interactions; one without any entry is left out."""
    channels = content.fit(described, watched=_viewers(training) > 0), recommended.fit(anime)
    return tuple(channel for channel in channels if channel.weights.nnz or channel.name == "content")


def _viewers(training: TrainingMatrix) -> NDArray[np.int64]:
    """Count the lists each item is on. → (n,)"""
    return np.bincount(training.weights.indices, minlength=training.n_items)


def _some_users(n_users: int, at_most: int, seed: int) -> NDArray[np.int64] | None:
    """Draw the users that stage one is fitted on, ascending; ``None``: all of them."""
    if n_users <= at_most:
        return None
    return np.sort(np.random.default_rng([seed, 5]).choice(n_users, at_most, replace=False))


def _edges_of(graph: OfflineGraph, training: TrainingMatrix, rows: Rows, config: FitConfig) -> sp.csr_array:
    viewers = np.bincount(training.graded().indices, minlength=training.n_items)
    return graph.of_items(np.asarray(rows.item_ids), viewers, min_count=config.retrieval.min_count)


def _fingerprint(
    rows: Rows,
    anime: Sequence[Anime],
    config: FitConfig,
    seed: int,
    graph: OfflineGraph | None,
    observed: ObservedLists,
) -> Callable[[frozenset[str]], bytes]:
    """Hash the inputs of a stage: rows, catalogue, seed, a graph, and the settings that it depends on."""
    digest = hashlib.sha256(msgspec.msgpack.encode((seed, list(anime), graph and graph.sha256)))
    for column in (rows.user, rows.item, rows.rating, observed.until, observed.complete):
        digest.update(np.ascontiguousarray(column).data)

    def made_of(without: frozenset[str]) -> bytes:
        kept = {name: value for name, value in msgspec.to_builtins(config).items() if name not in without}
        return digest.digest() + msgspec.json.encode(kept, order="deterministic")

    return made_of


@dataclass(frozen=True, slots=True, eq=False)
class _Fitter:
    """Data and settings that all folds share."""

    training: TrainingMatrix
    items: ItemTable
    described: sp.csr_array
    by_catalogue: tuple[ItemToItem, ...]
    """Channels that need no interactions, fitted once for all folds."""
    config: FitConfig
    seed: int
    progress: Progress
    has_ratings: bool
    observed: ObservedLists
    edges: sp.csr_array | None
    """The item graph of all users, if it is given."""

    def all_models(self, folds: NDArray[np.int64], can_rank: bool) -> tuple[Models, list[Models]]:
        """Fit models on all users, and for each fold on the other folds."""
        n_users = self.training.n_users
        with one_thread(), ThreadPoolExecutor(max_workers=max(1, os.cpu_count() or 1)) as pool:
            of_all = pool.submit(self.models, np.arange(n_users), self.edges)
            others = [
                pool.submit(self.models, np.flatnonzero(folds != f), hidden=self._titles_to_hide(f))
                for f in range(self.config.folds * can_rank)
            ]
            try:
                return of_all.result(), [future.result() for future in others]
            except BaseException:  # Ctrl-C too: what has not begun does not begin
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _titles_to_hide(self, fold: int) -> NDArray[np.int64]:
        """Draw the titles whose viewers a fold's models hide. → rows of the item table, ascending"""
        known = np.flatnonzero(_viewers(self.training) >= self.config.retrieval.min_count)
        rng = np.random.default_rng([self.seed, 6, fold])
        return np.sort(rng.choice(known, round(self.config.hidden_titles * len(known)), replace=False))

    def models(
        self,
        users: NDArray[np.int64],
        edges: sp.csr_array | None = None,
        hidden: NDArray[np.int64] | None = None,
    ) -> Models:
        """Fit what the ranker's features come from on some users; every statistic sees these users only.

        ``hidden`` titles (rows of the item table) are left as they would be without viewers.
        """
        part = self.training.select_users(users)
        audience = self.observed.select(users).audience(self.items.released)
        items = self.items.with_statistics(part.weights.indices.astype(np.int64), part.ratings, audience)
        fitted = retriever.fit(
            part, items, self.by_catalogue, config=self.config.retrieval, seed=self.seed, progress=self.progress,
            edges=edges,
        )  # fmt: skip
        with self.progress.task("kriging"):
            gp = (
                gaussian_process.fit(
                    part.weights, part.ratings, self.described, fitted.vectors, items, seed=self.seed, hidden=hidden
                )
                if self.has_ratings
                else None
            )
        if hidden is not None and len(hidden):
            fitted = hide_viewers(fitted, hidden)
        return Models(fitted, gp, prior_of(items))

    def lists(self, by_fold: Sequence[Models], folds: NDArray[np.int64]) -> RankingLists:
        """Training lists of each user, from the retriever that has not seen them."""
        rng = np.random.default_rng([self.seed, 2])
        users = self._shuffled(rng)[: self._n_ranking_users()]
        with one_thread(), self.progress.task("ranking examples", len(users)) as advance:
            return stack(
                self._each(users, by_fold, folds, rng, advance),
                at_most=sum(self._parts(user)[1] + 1 for user in users),
                length=self.config.list_length,
                n_features=len(features.names(by_fold[0].retriever.channel_names)),
                n_taste=2 * len(self.items.genre_names),
            )

    def _shuffled(self, rng: np.random.Generator) -> NDArray[np.int64]:
        """Return the users whose list is whole, in random order."""
        users = rng.permutation(self.training.n_users)
        return users[self.observed.complete[users]]

    def _n_ranking_users(self) -> int:
        """Return the number of users the ranker trains on; its order is compared on those after them."""
        n, most = self.training.n_users, self.config.max_ranking_users
        if n > most or self.items.genre_names:
            return min(n, most)
        return n - min(self.config.compare_users, n // 10)

    def held_out_lists(self, by_fold: Sequence[Models], folds: NDArray[np.int64]) -> Iterator[RankingList]:
        """Lists of users whom neither the ranker nor the retriever of their fold has seen."""
        users = self._shuffled(np.random.default_rng([self.seed, 2]))
        held = users[self._n_ranking_users() :][: self.config.compare_users]
        config = msgspec.structs.replace(self.config, short_lists=0.0)
        once, rng = replace(self, config=config), np.random.default_rng([self.seed, 6])
        with one_thread(), self.progress.task("compare both orders", max(1, len(held))) as advance:
            yield from once._each(held, by_fold, folds, rng, advance)

    def _parts(self, user: int) -> tuple[int, int]:
        """Return the number of parts a user's list is dealt into, and the number hidden in turn.

        A part must fit into a training list; a user of more parts has more lists, so that every title is hidden equally
        often.
        """
        size = int(self.training.weights.indptr[user + 1] - self.training.weights.indptr[user])
        fewest = max(2, round(1 / self.config.hidden_share))
        n_parts = max(fewest, -(-size // (self.config.list_length // 3)))
        return n_parts, -(-self.config.repeats * n_parts // fewest)

    def _each(
        self,
        users: NDArray[np.int64],
        by_fold: Sequence[Models],
        folds: NDArray[np.int64],
        rng: np.random.Generator,
        advance: Advance,
    ) -> Iterator[RankingList]:
        unwatched = _viewers(self.training) == 0
        for user in users:
            rows = slice(*self.training.weights.indptr[user : user + 2])
            size = rows.stop - rows.start
            n_parts, n_lists = self._parts(user)
            part = deal(size, n_parts, rng)
            dealt = [(part != number % n_parts, part == number % n_parts) for number in range(n_lists)]
            if size > SHORT and rng.random() < self.config.short_lists:
                place, n_shown = deal(size, size, rng), int(rng.integers(SHORT + 1))
                dealt.append((place < n_shown, (place >= n_shown) & (place < n_shown + -(-size // n_parts))))
            absent = np.flatnonzero((self.items.released > self.observed.until[user]) | unwatched)
            for shown, hidden in dealt:
                one = self._list(rows, shown, hidden, absent, by_fold[folds[user]])
                if one is not None:
                    yield one
            advance(1)

    def _list(
        self,
        of_user: slice,
        shown: NDArray[np.bool_],
        hidden: NDArray[np.bool_],
        absent: NDArray[np.int64],
        fold: Models,
    ) -> RankingList | None:
        """Build the training list of a user from shown and hidden entries; all others are withheld.

        ``absent`` titles (rows of the item table) are withheld too: they began after the list was taken, or are on no
        list at all, which is no evidence about this user.
        """
        if not hidden.any():
            return None
        rows = self.training.weights.indices[of_user].astype(np.int64)
        ratings = self.training.ratings[of_user]
        asked, withheld = np.flatnonzero(hidden), np.flatnonzero(~shown & ~hidden)
        history = from_columns(
            self.items.anime_ids[rows[shown]], ratings[shown], unrated=0.5 if self.has_ratings else 1.0
        )
        return ranking_list(
            fold,
            history,
            rows[asked],
            ratings[asked],
            withheld_rows=np.concatenate([rows[withheld], np.setdiff1d(absent, rows, assume_unique=True)]),
            length=self.config.list_length,
            per_channel=self.config.per_channel,
            implicit=not self.has_ratings,
        )
