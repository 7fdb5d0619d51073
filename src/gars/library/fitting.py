"""Fit both stages: retrieval on all users, the ranker on lists from retrieval that has not seen their user.

Users are dealt into folds. For each fold a retriever is fitted on the other folds and proposes candidates for this
one's users, from the part of their list that is not hidden. So the ranker meets the channel scores it will meet in
serving, and no statistic of a training example has seen its label.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Executor, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

import msgspec
import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from gars.application.training_log import TrainingLog
from gars.domain.anime import Anime
from gars.domain.features.taste import prior_of
from gars.domain.item_table import ItemTable, build
from gars.domain.splits import user_folds
from gars.library.blas import one_thread
from gars.library.compare import FUSED, RANKED, compare
from gars.library.engine import user_vectors
from gars.library.examples import ListMaker
from gars.library.fit_config import FitConfig
from gars.library.frames import Rows
from gars.library.fusion import learn_fusion, with_fusion
from gars.library.memo import Memo
from gars.library.observed import ObservedLists, observe
from gars.library.offline import OfflineGraph
from gars.library.query import Models
from gars.ranking import gaussian_process, mlp
from gars.ranking.examples import RankingLists
from gars.ranking.gaussian_process import GaussianProcess
from gars.ranking.network import Network
from gars.retrieval import content, edlae_search, large_fit, matrix, recommended, retriever
from gars.retrieval.edlae import EdlaeSettings
from gars.retrieval.hidden import hide_viewers
from gars.retrieval.item_to_item import ItemToItem
from gars.retrieval.matrix import TrainingMatrix
from gars.runtime.progress import Progress

MIN_USERS_TO_RANK = 50
"""With fewer users than this the ranker would learn noise, and the retrieval order stands."""


Blend = Callable[[RankingLists, Models], RankingLists]
"""The ranker's training lists, and the models of stage one, to the lists it is trained on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FitHooks:
    """Hooks of evaluation, tuning and offline jobs into a fit."""

    log: TrainingLog | None = None
    """Records the training of the ranker."""
    on_lists: Callable[[RankingLists], None] | None = None
    """Called with the ranker's training lists, so that a baseline can be trained on the same ones."""
    memo: Memo | None = None
    """Keeps stage one and the lists for further fits that do not change them."""
    blend: Blend | None = None
    """Adds lists of another source, such as those people were shown."""
    graph: OfflineGraph | None = None
    """Item graph to walk on in place of one built here; not for the models of the folds, whose users it knows."""


NO_HOOKS = FitHooks()

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
    observed: ObservedLists | None = None,
    hooks: FitHooks = NO_HOOKS,
) -> FittedModels:
    """Fit retrieval and ranking on list entries.

    ``observed`` keeps titles that could not be on a user's list from being learned as passed over.

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
    made_of, memo = _fingerprint(rows, anime, config, seed, hooks.graph, observed), hooks.memo or Memo()
    measured: dict[str, float] = {}
    if config.search_trials:
        given = config
        chosen, found = memo.get(
            "search", made_of(_NOT_IN_RETRIEVAL), lambda: _choose_edlae(drawn, given, seed, progress)
        )
        measured |= found
        config = msgspec.structs.replace(config, retrieval=msgspec.structs.replace(config.retrieval, edlae=chosen))
    fitter = _Fitter(
        drawn, items, anime, content.describe(anime), config, seed, progress,
        rows.has_ratings, observed if users is None else observed.select(users),
        None if hooks.graph is None else _edges_of(hooks.graph, training, rows, config),
    )  # fmt: skip
    can_rank = drawn.n_users >= MIN_USERS_TO_RANK
    folds = user_folds(drawn.n_users, config.folds, np.random.default_rng([seed, 1]))
    full, by_fold = memo.get("retrieval", made_of(_NOT_IN_RETRIEVAL), lambda: fitter.all_models(folds, can_rank))
    network: Network | None = None
    losses: dict[str, list[float]] = {}
    if can_rank:
        learned_on = fitter.users_to_learn_on()
        if len(learned_on):
            with one_thread():
                weights, found = learn_fusion(by_fold, folds, drawn, learned_on, seed=seed, progress=progress)
            measured |= found
            retrieval = msgspec.structs.replace(config.retrieval, fusion=weights)
            config = msgspec.structs.replace(config, retrieval=retrieval)
            full, by_fold = with_fusion(full, weights), [with_fusion(one, weights) for one in by_fold]
        maker = ListMaker(
            drawn, items, fitter.observed, rows.has_ratings, by_fold, folds, config, seed, progress
        )  # fmt: skip
        lists = memo.get("lists", made_of(_NOT_IN_LISTS), maker.training_lists)
        if hooks.blend is not None:
            lists = hooks.blend(lists, full)
        if hooks.on_lists is not None:
            hooks.on_lists(lists)
        if (lists.order > 0).any():
            network, losses = mlp.fit(
                lists, full.retriever.items, config=config.ranking, seed=seed, progress=progress, log=hooks.log
            )
            compared = compare(network, maker.held_out_lists())
            measured |= compared
            if compared and compared[RANKED] < compared[FUSED]:
                config = msgspec.structs.replace(config, serve_ranker=False)
    vectors, centre = user_vectors(training.graded(), full.retriever.vectors)
    return FittedModels(full, network, vectors, centre, losses, config, measured)


def _choose_edlae(
    drawn: TrainingMatrix, config: FitConfig, seed: int, progress: Progress
) -> tuple[EdlaeSettings, dict[str, float]]:
    return edlae_search.search(
        drawn.graded(),
        config.retrieval.edlae,
        trials=config.search_trials,
        users=config.fusion_users,
        min_count=config.retrieval.min_count,
        seed=seed,
        progress=progress,
    )


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
            drawn.graded(),
            counted,
            content.fit(content.describe(anime)),
            config=config.retrieval.large,
            seed=seed,
            progress=progress,
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
    anime: Sequence[Anime]
    described: sp.csr_array
    config: FitConfig
    seed: int
    progress: Progress
    has_ratings: bool
    observed: ObservedLists
    edges: sp.csr_array | None
    """The item graph of all users, if it is given."""

    def all_models(self, folds: NDArray[np.int64], can_rank: bool) -> tuple[Models, list[Models]]:
        """Fit models on all users, and for each fold on the other folds."""
        n_users, n_folds = self.training.n_users, self.config.folds * can_rank
        cores = max(1, os.cpu_count() or 1)
        # one thread for each of the models hands their parts to as many workers as there are cores, and waits
        with one_thread(), ThreadPoolExecutor(cores) as workers, ThreadPoolExecutor(1 + n_folds) as models:
            by_catalogue = workers.submit(self.catalogue_channels)  # fitted once for all folds
            futures = [models.submit(self.models, np.arange(n_users), workers, by_catalogue, self.edges)]
            futures += [
                models.submit(
                    self.models, np.flatnonzero(folds != f), workers, by_catalogue, hidden=self._titles_to_hide(f)
                )
                for f in range(n_folds)
            ]
            try:
                ended, _ = wait(futures, return_when=FIRST_EXCEPTION)
                for future in ended:
                    future.result()
            except BaseException:  # Ctrl-C too: what has not begun does not begin
                workers.shutdown(wait=False, cancel_futures=True)
                models.shutdown(wait=False, cancel_futures=True)
                raise
            of_all, *others = (future.result() for future in futures)
            return of_all, others

    def users_to_learn_on(self) -> NDArray[np.int64]:
        """Draw the users of whose hidden entries the weights of the fused order are learned."""
        users = np.flatnonzero(self.observed.complete)
        return np.random.default_rng([self.seed, 9]).permutation(users)[: self.config.fusion_users]

    def _titles_to_hide(self, fold: int) -> NDArray[np.int64]:
        """Draw the titles whose viewers a fold's models hide. → rows of the item table, ascending"""
        known = np.flatnonzero(self.training.viewers() >= self.config.retrieval.min_count)
        rng = np.random.default_rng([self.seed, 6, fold])
        return np.sort(rng.choice(known, round(self.config.hidden_titles * len(known)), replace=False))

    def catalogue_channels(self) -> tuple[ItemToItem, ...]:
        """Fit the channels that need no interactions; one without any entry is left out."""
        with self.progress.task("content similarity"):
            channels = (
                content.fit(self.described, watched=self.training.viewers() > 0),
                recommended.fit(self.anime),
            )
        return tuple(channel for channel in channels if channel.weights.nnz or channel.name == "content")

    def models(
        self,
        users: NDArray[np.int64],
        workers: Executor,
        by_catalogue: Future[tuple[ItemToItem, ...]],
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
            part, items, by_catalogue, config=self.config.retrieval, seed=self.seed, progress=self.progress,
            workers=workers, edges=edges,
        )  # fmt: skip

        def fit_kernel() -> GaussianProcess:
            with self.progress.task("Gaussian process"):
                return gaussian_process.fit(
                    part.weights, part.ratings, self.described, fitted.vectors, items, seed=self.seed, hidden=hidden
                )

        gp = workers.submit(fit_kernel).result() if self.has_ratings else None
        if hidden is not None and len(hidden):
            fitted = hide_viewers(fitted, hidden)
        return Models(fitted, gp, prior_of(items))
