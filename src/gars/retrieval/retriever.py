"""Stage one as a whole: fit every channel, score a history with each, unite their proposals."""

from __future__ import annotations

from concurrent.futures import Executor, Future
from dataclasses import dataclass, field

import msgspec
import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from gars.domain.candidates import Candidates
from gars.domain.features.channels import WHOLE_LIST
from gars.domain.item_table import ItemTable
from gars.domain.normalise import unit_rows
from gars.kernels.proposals import INDEX_BITS, flag_proposals, fuse_proposals
from gars.kernels.standard_scores import moments, standard_scores
from gars.kernels.top_k import select_top_k
from gars.retrieval import (
    deepwalk,
    edlae,
    graph,
    ials,
    item2vec,
    item_knn,
    popularity,
    stacked_neighbours,
    user_knn,
)
from gars.retrieval.edlae import EdlaeSettings
from gars.retrieval.ials import Factors
from gars.retrieval.item2vec import ItemVectors
from gars.retrieval.item_to_item import ItemToItem
from gars.retrieval.large_config import LargeConfig
from gars.retrieval.matrix import TrainingMatrix
from gars.retrieval.stacked_neighbours import StackedNeighbours
from gars.retrieval.user_knn import UserKnn
from gars.runtime.progress import Progress

Floats = NDArray[np.float32]

KNN = "item_knn"
BY_CATALOGUE = ("content", "recommended")
"""Channels that need no interactions."""
SESSION_CANDIDATES = 50
FUSION = {"edlae": 1.0, "deepwalk": 0.75, "ials": 0.25}


class RetrievalConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of stage one; the defaults were chosen on the validation users of the fixed top-N split."""

    fusion: dict[str, float] = msgspec.field(default_factory=lambda: dict(FUSION))
    """Weight of each channel's standardised score in the fused order."""
    min_count: int = 5
    """Titles on fewer lists than this are left to the content channel."""
    walks_per_node: int = 20
    walk_length: int = 20
    most_steps: int = 4_000_000
    """Steps of all walks together: from 10,000 titles on, each has fewer walks."""
    dim: int = 128
    epochs: int = 3
    edlae: EdlaeSettings = EdlaeSettings()
    edlae_max_items: int = 10_000
    ials_dim: int = 192
    large: LargeConfig = LargeConfig()
    """Used instead of the settings above where there are more items than ``large.from_items``."""


@dataclass(frozen=True, slots=True, eq=False)
class Retriever:
    """The fitted channels over one catalogue."""

    items: ItemTable
    channels: tuple[ItemToItem, ...]
    """The channels whose score is a sum over the user's titles."""
    factors: Factors
    neighbours: UserKnn
    popularity: Floats
    """(n,) the last channel: the same for every user."""
    vectors: Floats
    """(n, dim) item embeddings of unit length; zeros for titles on too few lists."""
    config: RetrievalConfig
    _stacked: StackedNeighbours = field(init=False)
    _fusing: Floats = field(init=False)
    """(2, c) weights of the channels in the fused score: of users with a history, and popularity alone without one."""
    _of_popularity: tuple[float, float] = field(init=False)
    """Mean and standard deviation of the popularity of all items."""
    _everything: NDArray[np.bool_] = field(init=False)
    """(n,)"""

    def __post_init__(self) -> None:
        weights = [self.config.fusion.get(name, 0.0) for name in self.channel_names]
        object.__setattr__(self, "_stacked", stacked_neighbours.stack(self.channels, len(self.items)))
        alone = [name == "popularity" for name in self.channel_names]
        object.__setattr__(self, "_fusing", np.array([weights, alone], np.float32))
        mean, deviation = np.zeros((2, 1), np.float32)
        moments(self.popularity[None], mean, deviation)
        object.__setattr__(self, "_of_popularity", (mean[0], deviation[0]))
        object.__setattr__(self, "_everything", np.ones(len(self.items), np.bool_))

    @property
    def channel_names(self) -> tuple[str, ...]:
        """Names in the order of score columns."""
        return (*(channel.name for channel in self.channels), *WHOLE_LIST)

    def channel(self, name: str) -> ItemToItem:
        """One neighbourhood channel by name."""
        return next(channel for channel in self.channels if channel.name == name)

    def scores(self, rows: NDArray[np.int64], weights: Floats) -> Floats:
        """Standardised score of every item by every channel, for titles (h,) of weights (h,). → (c, n)

        Standardised over all items per channel (mean 0, deviation 1): the channels' units differ.
        """
        return self._score(rows, weights, self._everything).standardised(np.arange(len(self.items)))

    def _score(self, rows: NDArray[np.int64], weights: Floats, wanted: NDArray[np.bool_]) -> _ScoredItems:
        """Score items by every channel; the iALS scores of items that are not ``wanted`` (n,) are 0."""
        c, n = len(self.channels) + len(WHOLE_LIST), len(self.items)
        ials, by_users = c - 3, c - 2
        scores, mean, deviation = np.empty((c, n), np.float32), np.empty(c, np.float32), np.empty(c, np.float32)
        self._stacked.score(rows, weights, out=scores[:ials])
        scores[ials:-1] = 0
        scores[-1], mean[-1], deviation[-1] = self.popularity, *self._of_popularity
        mean[ials], deviation[ials] = 0, 1
        if len(rows):
            user = self.factors.fold_in(rows, weights)
            mean[ials], deviation[ials] = self.factors.score(user, wanted, out=scores[ials])
            self.neighbours.score(user, out=scores[by_users])
        for some in (slice(ials), slice(by_users, by_users + 1)):
            moments(scores[some], mean[some], deviation[some])
        return _ScoredItems(scores, mean, deviation)

    def fuse(self, scores: Floats, *, cold: bool) -> Floats:
        """Fuse the channels' scores (c, m); a user without a history (``cold``) gets popularity. → (m,)"""
        if cold:
            return np.asarray(scores[-1], np.float32)
        return np.asarray(self._fusing[0] @ scores, np.float32)

    def candidates(
        self,
        rows: NDArray[np.int64],
        weights: Floats,
        allowed: NDArray[np.bool_],
        *,
        per_channel: int,
        session: Floats | None = None,
        extra: NDArray[np.int64] | None = None,
    ) -> Candidates:
        """The union of each channel's best allowed items, best fused score first.

        ``session`` (n,) may propose titles near the latest clicks. ``extra`` rows need not be proposed; they come last,
        in the order given.
        """
        wanted = allowed
        if extra is not None:
            wanted = allowed.copy()
            wanted[extra] = True
        scored = self._score(rows, weights, wanted)
        positions = np.full((len(scored.scores) + 1, max(per_channel, SESSION_CANDIDATES)), -1, np.int64)
        select_top_k(scored.scores, allowed, positions[:-1, :per_channel])
        if session is not None:
            select_top_k(session[None], allowed & (session > 0), positions[-1:, :SESSION_CANDIDATES])
        room = min(positions.size, len(self.items))
        items, fused, keys = np.empty(room, np.int64), np.empty(room, np.float32), np.empty(room, np.int64)
        count = fuse_proposals(
            scored.scores,
            scored.mean,
            scored.deviation,
            self._fusing[int(not len(rows))],
            positions,
            items,
            fused,
            keys,
        )
        order = np.sort(keys[:count]) & ((1 << INDEX_BITS) - 1)
        found, fused = items[order], fused[order]
        scores = scored.standardised(found)
        if extra is not None:
            is_found = np.zeros(len(self.items), np.bool_)
            is_found[found] = True
            others = extra[~is_found[extra]]
            theirs = scored.standardised(others)
            found, scores = np.append(found, others), np.hstack([scores, theirs])
            fused = np.append(fused, self.fuse(theirs, cold=not len(rows)))
        proposed = np.empty((len(positions), len(found)), np.bool_)
        flag_proposals(positions, len(self.items), found, proposed)
        return self._as_candidates(rows, weights, found, scores, fused, proposed)

    def scored(self, rows: NDArray[np.int64], weights: Floats, wanted: NDArray[np.int64]) -> Candidates:
        """Given items as candidates for titles (h,) of weights (h,), in the order given; none is proposed."""
        is_wanted = np.zeros(len(self.items), np.bool_)
        is_wanted[wanted] = True
        scores = self._score(rows, weights, is_wanted).standardised(wanted)
        unproposed = np.zeros((len(scores) + 1, len(wanted)), np.bool_)
        return self._as_candidates(rows, weights, wanted, scores, self.fuse(scores, cold=not len(rows)), unproposed)

    def _as_candidates(
        self,
        rows: NDArray[np.int64],
        weights: Floats,
        wanted: NDArray[np.int64],
        scores: Floats,
        fused: Floats,
        by: NDArray[np.bool_],
    ) -> Candidates:
        strongest, supporters = self._stacked.terms_of(rows, weights, wanted)
        return Candidates(
            rows=wanted,
            channel_scores=scores.T,
            proposed=by.T,
            strongest=strongest.T,
            supporters=supporters.T,
            fused=fused,
            channel_names=(*self.channel_names, "session"),
        )

    def contributions(self, rows: NDArray[np.int64], weights: Floats, wanted: NDArray[np.int64]) -> Floats:
        """Return the contribution of each of a user's titles (h,) of weights (h,) to the wanted items (m,). → (m, h)"""
        return self._stacked.contributions(rows, weights, wanted, self._fusing[0, : len(self.channels)])

    def nearness(self, rows: NDArray[np.int64], weights: Floats) -> Floats:
        """Score the similarity of every item to some titles, 1 = best match of one of weight 1. (q,), (q,) → (n,)"""
        return self._stacked.nearness(rows, weights)


@dataclass(frozen=True, slots=True, eq=False)
class _ScoredItems:
    """Scores of all items for a user, with mean and deviation of each channel."""

    scores: Floats
    """(c, n)"""
    mean: Floats
    """(c,) over all items."""
    deviation: Floats
    """(c,) over all items, 1 where all are the same."""

    def standardised(self, wanted: NDArray[np.int64]) -> Floats:
        """Scores of some items in deviations from the mean. (m,) → (c, m)"""
        found = np.empty((len(self.scores), len(wanted)), np.float32)
        standard_scores(self.scores, self.mean, self.deviation, wanted, found)
        return found


def fit(
    matrix: TrainingMatrix,
    items: ItemTable,
    by_catalogue: Future[tuple[ItemToItem, ...]],
    *,
    config: RetrievalConfig,
    seed: int,
    progress: Progress,
    workers: Executor,
    edges: sp.csr_array | None = None,
) -> Retriever:
    """Fit every channel. ``items`` must carry the statistics of the same rows as ``matrix``.

    ``by_catalogue`` are channels that do not depend on the interactions: fitted once, also while others are. ``edges``
    (n, n) are an item graph to walk on in place of that of ``matrix``. The channels are fitted side by side by the
    ``workers``, which must not be what calls this: it waits for them.
    """
    graded = matrix.graded()
    counts = np.bincount(graded.indices, minlength=matrix.n_items)

    def fit_edlae() -> ItemToItem:
        with progress.task("EDLAE"):
            return edlae.fit(graded, config.edlae, min_count=config.min_count, max_items=config.edlae_max_items)

    def fit_walks() -> tuple[ItemToItem, ItemToItem, ItemVectors]:
        with progress.task("item-kNN"):
            similarity = item_knn.cosine(matrix.of_items(np.flatnonzero(counts >= config.min_count)))
        with progress.task("DeepWalk"):
            paths = deepwalk.walks(
                graph.build(similarity) if edges is None else edges,
                np.random.default_rng(seed),
                per_node=config.walks_per_node,
                length=config.walk_length,
                most_steps=config.most_steps,
            )
            vectors = item2vec.fit(paths, matrix.n_items, seed, dim=config.dim, epochs=config.epochs)
            walked = item2vec.to_item_to_item(vectors, counts)
        return item_knn.from_cosine(similarity), walked, vectors

    def fit_factors() -> tuple[Factors, UserKnn]:
        with progress.task("iALS"):
            factors, users = ials.fit(graded, dim=config.ials_dim, seed=seed)
            return factors, user_knn.fit(graded, users, np.random.default_rng([seed, 3]))

    walks, linear, factored = workers.submit(fit_walks), workers.submit(fit_edlae), workers.submit(fit_factors)
    knn, walked, vectors = walks.result()
    factors, neighbours = factored.result()
    return Retriever(
        items=items,
        channels=(linear.result(), walked, knn, *by_catalogue.result()),
        factors=factors,
        neighbours=neighbours,
        popularity=popularity.fit(graded, items.audience),
        vectors=unit_rows(vectors.input),
        config=config,
    )
