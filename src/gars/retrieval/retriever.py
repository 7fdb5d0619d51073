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
from gars.domain.top_k import argsort_descending
from gars.kernels.standard_scores import standard_scores
from gars.kernels.top_k import mark_top_k, union
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
from gars.retrieval.stacked_neighbours import ChannelScores, StackedNeighbours
from gars.retrieval.user_knn import UserKnn
from gars.runtime.progress import Progress

Floats = NDArray[np.float32]

KNN = "item_knn"
BY_CATALOGUE = ("content", "recommended")
"""Channels that need no interactions."""
SESSION_CANDIDATES = 50
AHEAD = 1.0
"""An item this many deviations above its channel's mean is looked at first; seldom are more than a fifth."""
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
    _weights: Floats = field(init=False)
    """(c,) of the channels in fusion"""
    _ones: Floats = field(init=False)
    """(n,)"""

    def __post_init__(self) -> None:
        weights = [self.config.fusion.get(name, 0.0) for name in self.channel_names]
        object.__setattr__(self, "_stacked", stacked_neighbours.stack(self.channels, len(self.items)))
        object.__setattr__(self, "_weights", np.array(weights, np.float32))
        object.__setattr__(self, "_ones", np.ones(len(self.items), np.float32))

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
        scored = self._score(rows, weights)
        return scored.standardised(np.arange(len(self.items)))

    def _score(self, rows: NDArray[np.int64], weights: Floats) -> _ScoredItems:
        scores = np.zeros((len(self.channels) + len(WHOLE_LIST), len(self.items)), np.float32)
        sums = self._stacked.score(rows, weights)
        if len(rows):
            scores[: -len(WHOLE_LIST)] = sums.totals
            user = self.factors.fold_in(rows, weights)
            self.factors.score(user, out=scores[-3])
            self.neighbours.score(user, out=scores[-2])
        scores[-1] = self.popularity
        n = max(1, scores.shape[1])
        mean = scores @ self._ones / np.float32(n)
        square = np.vecdot(scores, scores) / np.float32(n)
        deviation = np.sqrt(np.maximum(square - mean * mean, 0))
        return _ScoredItems(sums, scores, mean, np.where(deviation > 0, deviation, 1).astype(np.float32))

    def fuse(self, scores: Floats, *, cold: bool) -> Floats:
        """Fuse the channels' scores (c, m); a user without a history (``cold``) gets popularity. → (m,)"""
        if cold:
            return np.asarray(scores[-1], np.float32)
        return self._weights @ scores

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
        scored = self._score(rows, weights)
        proposed = np.zeros((len(scored.scores) + 1, len(self.items)), np.bool_)
        start = scored.mean + np.float32(AHEAD) * scored.deviation
        mark_top_k(scored.scores, start, scored.deviation, allowed, per_channel, proposed[:-1])
        if session is not None:
            near, half = session[None], np.full(1, 0.5, np.float32)
            mark_top_k(near, half, half, allowed & (session > 0), SESSION_CANDIDATES, proposed[-1:])
        found = np.empty(len(self.items), np.int64)
        found = found[: union(proposed, found)]
        scores = scored.standardised(found)
        fused = self.fuse(scores, cold=not len(rows))
        order = argsort_descending(fused)  # rows ascend by id, so a tie goes to the lower id
        found, scores, fused = found[order], scores[:, order], fused[order]
        if extra is not None:
            is_found = np.zeros(len(self.items), np.bool_)
            is_found[found] = True
            others = extra[~is_found[extra]]
            theirs = scored.standardised(others)
            found, scores = np.append(found, others), np.hstack([scores, theirs])
            fused = np.append(fused, self.fuse(theirs, cold=not len(rows)))
        return self._as_candidates(found, scores, fused, scored, proposed[:, found])

    def scored(self, rows: NDArray[np.int64], weights: Floats, wanted: NDArray[np.int64]) -> Candidates:
        """Given items as candidates for titles (h,) of weights (h,), in the order given; none is proposed."""
        scored = self._score(rows, weights)
        unproposed = np.zeros((len(scored.scores) + 1, len(wanted)), np.bool_)
        scores = scored.standardised(wanted)
        return self._as_candidates(wanted, scores, self.fuse(scores, cold=not len(rows)), scored, unproposed)

    def _as_candidates(
        self, wanted: NDArray[np.int64], scores: Floats, fused: Floats, scored: _ScoredItems, by: NDArray[np.bool_]
    ) -> Candidates:
        strongest, supporters = scored.sums.terms_of(wanted)
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
        return self._stacked.contributions(rows, weights, wanted, self._weights[: len(self.channels)])

    def nearness(self, rows: NDArray[np.int64], weights: Floats) -> Floats:
        """Score the similarity of every item to some titles, 1 = best match of one of weight 1. (q,), (q,) → (n,)"""
        return self._stacked.nearness(rows, weights)


@dataclass(frozen=True, slots=True, eq=False)
class _ScoredItems:
    """Scores of all items for a user, with mean and deviation of each channel."""

    sums: ChannelScores
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
