"""Stage one as a whole: fit every channel, score a history with each, unite their proposals."""

from __future__ import annotations

from concurrent.futures import Executor, Future
from dataclasses import dataclass, field

import msgspec
import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from gars.domain.candidates import SERVICE_DEFAULTS, Candidates, about_content, by_content
from gars.domain.features.channels import WHOLE_LIST
from gars.domain.item_table import ItemTable
from gars.domain.normalise import unit_rows
from gars.kernels.candidates import FittedChannels, Proposals, Query, propose
from gars.kernels.moments import moments
from gars.kernels.proposals import ScoredItems, standard_scores
from gars.kernels.top_k import flagged
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
from gars.retrieval.ials import Factors, products_of
from gars.retrieval.item2vec import ItemVectors
from gars.retrieval.item_to_item import Channel, ItemToItem
from gars.retrieval.large_config import LargeConfig
from gars.retrieval.matrix import TrainingMatrix
from gars.retrieval.stacked_neighbours import StackedChannel, StackedNeighbours
from gars.retrieval.user_knn import UserKnn
from gars.runtime.progress import Progress

Floats = NDArray[np.float32]
Rows = NDArray[np.int32]

KNN = "item_knn"
BY_CATALOGUE = ("content", "recommended")
"""Channels that need no interactions."""
SESSION_CANDIDATES = 50
_NO_ROWS = np.empty(0, np.int32)
_NOTHING = np.empty(0, np.float32)
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
    channels: tuple[Channel, ...]
    """The channels whose score is a sum over the user's titles; their lists are kept in ``_stacked`` alone."""
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
    _fitted: FittedChannels = field(init=False)
    """The channels as the kernels read them."""
    _names: tuple[str, ...] = field(init=False)
    """Of the channels and of the session."""
    channel_names: tuple[str, ...] = field(init=False)
    """Names in the order of score columns."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "channel_names", (*(channel.name for channel in self.channels), *WHOLE_LIST))
        object.__setattr__(self, "_names", (*self.channel_names, "session"))
        weights = [self.config.fusion.get(name, 0.0) for name in self.channel_names]
        stacked = stacked_neighbours.stack(self.channels, len(self.items))
        own = (StackedChannel(one.name, stacked.lists, place) for place, one in enumerate(self.channels))
        object.__setattr__(self, "_stacked", stacked)
        object.__setattr__(self, "channels", tuple(own))
        alone = [name == "popularity" for name in self.channel_names]
        object.__setattr__(self, "_fusing", np.array([weights, alone], np.float32))
        spread = np.zeros(2, np.float32)
        moments(self.popularity[None], np.zeros(1, np.int64), spread[:1], spread[1:])
        fitted = FittedChannels(
            lists=stacked.lists,
            products=products_of(self.factors, first=by_content(self.items, about_content(SERVICE_DEFAULTS))),
            users=self.neighbours.known,
            n_similar=user_knn.NEIGHBOURS,
            squared=user_knn.SQUARED,
            by_popularity=np.argsort(-self.popularity, kind="stable").astype(np.int32),
            popularity_moments=spread,
        )
        object.__setattr__(self, "_fitted", fitted)

    def channel(self, name: str) -> Channel:
        """One neighbourhood channel by name."""
        return next(channel for channel in self.channels if channel.name == name)

    def scores(self, rows: NDArray[np.int64], weights: Floats) -> Floats:
        """Standardised score of every item by every channel, for titles (h,) of weights (h,). → (c, n)

        Standardised over all items per channel (mean 0, deviation 1): the channels' units differ.
        """
        everything = np.arange(len(self.items))
        return _standardised(self._score(rows, weights, everything.astype(np.int32)), everything)

    def _score(self, rows: NDArray[np.int64], weights: Floats, wanted: Rows) -> ScoredItems:
        """Score items by every channel; the iALS scores of items that are not ``wanted`` (w,) are not set."""
        scored, _, _ = self._propose(
            rows, weights, wanted, _NO_ROWS, np.zeros(len(self.items), np.bool_), per_channel=0
        )
        return scored

    def _propose(
        self,
        rows: NDArray[np.int64],
        weights: Floats,
        wanted: Rows,
        own: Rows,
        allowed: NDArray[np.bool_],
        *,
        per_channel: int,
        session: Floats | None = None,
    ) -> tuple[ScoredItems, Proposals, int]:
        """Score ``wanted`` items (w,), and unite the best of each channel; see ``kernels.candidates.propose``."""
        c = len(self.channel_names)
        scores = np.empty((c - 1, len(self.items)), np.float32)
        scored = ScoredItems(scores, self.popularity, *np.empty((2, c), np.float32))
        user = self.factors.fold_in(rows, weights) if len(rows) else _NOTHING
        near = _NO_ROWS if session is None else np.flatnonzero(allowed & (session > 0)).astype(np.int32)
        query = Query(rows, weights, user, _NOTHING if session is None else session, near)
        per_session = SESSION_CANDIDATES if per_channel else 0
        positions = np.full((c + 1, max(per_channel, per_session)), -1, np.int64)
        found, fused, standard = np.empty(positions.size, np.int64), *np.empty((2, c * positions.size), np.float32)
        room = Proposals(positions, found, fused, standard, np.empty((c + 1) * positions.size, np.bool_))
        fusing = self._fusing[int(not len(rows))]
        m = propose(self._fitted, query, wanted, own, allowed, per_channel, per_session, fusing, scored, room)
        return scored, room, m

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
        own = np.empty(len(allowed) + 1, np.int32)
        own = own[: flagged(allowed, own)]
        wanted = own if extra is None else np.append(own, extra.astype(np.int32))
        scored, room, m = self._propose(rows, weights, wanted, own, allowed, per_channel=per_channel, session=session)
        c, found, fused = len(self.channel_names), room.items[:m], room.fused[:m]
        scores, proposed = room.standard[: c * m].reshape(c, m), room.proposed[: (c + 1) * m].reshape(c + 1, m)
        if extra is not None:
            is_found = np.zeros(len(self.items), np.bool_)
            is_found[found] = True
            others = extra[~is_found[extra]]
            theirs = _standardised(scored, others)
            found, scores = np.append(found, others), np.hstack([scores, theirs])
            fused = np.append(fused, self.fuse(theirs, cold=not len(rows)))
            proposed = np.hstack([proposed, np.zeros((c + 1, len(others)), np.bool_)])
        return self._as_candidates(rows, weights, found, scores, fused, proposed)

    def scored(self, rows: NDArray[np.int64], weights: Floats, wanted: NDArray[np.int64]) -> Candidates:
        """Given items as candidates for titles (h,) of weights (h,), in the order given; none is proposed."""
        scores = _standardised(self._score(rows, weights, wanted.astype(np.int32)), wanted)
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
            channel_names=self._names,
        )

    def contributions(self, rows: NDArray[np.int64], weights: Floats, wanted: NDArray[np.int64]) -> Floats:
        """Return the contribution of each of a user's titles (h,) of weights (h,) to the wanted items (m,). → (m, h)"""
        return self._stacked.contributions(rows, weights, wanted, self._fusing[0, : len(self.channels)])

    def nearness(self, rows: NDArray[np.int64], weights: Floats) -> Floats:
        """Score the similarity of every item to some titles, 1 = best match of one of weight 1. (q,), (q,) → (n,)"""
        return self._stacked.nearness(rows, weights)


def _standardised(scored: ScoredItems, wanted: NDArray[np.int64]) -> Floats:
    """Return scores of some items in deviations from the mean. (m,) → (c, m)"""
    found = np.empty((len(scored.mean), len(wanted)), np.float32)
    standard_scores(scored, wanted, found)
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
