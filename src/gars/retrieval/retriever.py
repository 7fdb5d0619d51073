"""Stage one as a whole: fit every channel, score a history with each, unite their proposals."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from gars.application.progress import Progress
from gars.domain.candidates import Candidates, top
from gars.domain.features.channels import WHOLE_LIST
from gars.domain.item_table import ItemTable
from gars.retrieval import deepwalk, edlae, graph, ials, item2vec, item_knn, popularity, user_knn
from gars.retrieval.gather import Gathered, gather
from gars.retrieval.ials import Factors
from gars.retrieval.item_to_item import ItemToItem
from gars.retrieval.matrix import TrainingMatrix
from gars.retrieval.user_knn import UserKnn

KNN = "item_knn"
SESSION_CANDIDATES = 50
_NEVER = np.float32(-np.inf)
FUSION = {"edlae": 1.0, "deepwalk": 0.75, "ials": 0.25}


class RetrievalConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What may be set of stage one; the defaults were chosen on the validation users of the fixed top-N split."""

    fusion: dict[str, float] = msgspec.field(default_factory=lambda: dict(FUSION))
    """Weight of each channel's standardised score in the fused order."""
    min_count: int = 5
    """Titles on fewer lists than this are left to the content channel."""
    walks_per_node: int = 20
    walk_length: int = 20
    dim: int = 128
    epochs: int = 3
    edlae_max_items: int = 10_000
    ials_dim: int = 192


@dataclass(frozen=True, slots=True, eq=False)
class Retriever:
    """The fitted channels over one catalogue."""

    items: ItemTable
    channels: tuple[ItemToItem, ...]
    """The channels whose score is a sum over the user's titles."""
    factors: Factors
    neighbours: UserKnn
    popularity: NDArray[np.float32]
    """(n,) the last channel: the same for everybody."""
    vectors: NDArray[np.float32]
    """(n, dim) item embeddings of unit length; zeros for titles on too few lists."""
    config: RetrievalConfig

    @property
    def channel_names(self) -> tuple[str, ...]:
        """Names in the order of score columns."""
        return (*(channel.name for channel in self.channels), *WHOLE_LIST)

    def channel(self, name: str) -> ItemToItem:
        """One neighbourhood channel by name."""
        return next(channel for channel in self.channels if channel.name == name)

    def scores(self, rows: NDArray[np.int64], strengths: NDArray[np.float32]) -> NDArray[np.float32]:
        """Standardised score of every item by every channel, for titles (h,) of strengths (h,). → (c, n)

        Standardised over all items per channel (mean 0, deviation 1): the channels' units differ.
        """
        return self._read(rows, strengths).scores

    def _read(self, rows: NDArray[np.int64], strengths: NDArray[np.float32]) -> _Reading:
        edges = tuple(gather(channel.weights, rows) for channel in self.channels)
        scores = np.zeros((len(edges) + len(WHOLE_LIST), len(self.items)), np.float32)
        for place, some in enumerate(edges):
            scores[place] = some.total(strengths)
        if len(rows):
            user = self.factors.fold_in(rows, strengths)
            scores[-3] = self.factors.items @ user
            scores[-2] = self.neighbours.score(user)
        scores[-1] = self.popularity
        scores -= scores.mean(axis=1, keepdims=True)
        deviation = np.sqrt(np.einsum("cn,cn->c", scores, scores) / max(1, scores.shape[1]))
        scores /= np.where(deviation > 0, deviation, 1)[:, None]
        return _Reading(edges, strengths, scores)

    def fuse(self, scores: NDArray[np.float32], *, cold: bool) -> NDArray[np.float32]:
        """One score from the channels' (c, m); somebody of whom nothing is known gets the popular ones. → (m,)"""
        if cold:
            return np.asarray(scores[-1], np.float32)
        weights = np.array([self.config.fusion.get(name, 0.0) for name in self.channel_names], np.float32)
        return np.asarray(weights @ scores, np.float32)

    def candidates(
        self,
        rows: NDArray[np.int64],
        strengths: NDArray[np.float32],
        allowed: NDArray[np.bool_],
        *,
        per_channel: int,
        session: NDArray[np.float32] | None = None,
        besides: NDArray[np.int64] | None = None,
    ) -> Candidates:
        """The union of each channel's best allowed items, best fused score first.

        ``session`` (n,) may propose titles near the latest clicks. ``besides`` are rows that nobody needs to propose;
        they come last, in the order given.
        """
        reading = self._read(rows, strengths)
        scores = reading.scores
        proposed = np.zeros((len(scores) + 1, len(self.items)), np.bool_)
        ids = self.items.anime_ids
        for place in range(len(scores)):
            proposed[place, top(np.where(allowed, scores[place], _NEVER), ids, per_channel)] = True
        if session is not None:
            proposed[-1, top(np.where(allowed & (session > 0), session, _NEVER), ids, SESSION_CANDIDATES)] = True
        union = np.flatnonzero(proposed.any(axis=0))
        fused = self.fuse(scores[:, union], cold=not len(rows))
        union = union[np.lexsort((ids[union], -fused))]
        if besides is not None:
            union = np.concatenate([union, besides[~np.isin(besides, union)]])
        return self._as_candidates(union, reading, proposed, cold=not len(rows))

    def scored(self, rows: NDArray[np.int64], strengths: NDArray[np.float32], wanted: NDArray[np.int64]) -> Candidates:
        """Given items as candidates for titles (h,) of strengths (h,), in the order given; nobody proposed them."""
        nobody = np.zeros((len(self.channel_names) + 1, len(self.items)), np.bool_)
        return self._as_candidates(wanted, self._read(rows, strengths), nobody, cold=not len(rows))

    def _as_candidates(
        self, wanted: NDArray[np.int64], reading: _Reading, proposed: NDArray[np.bool_], *, cold: bool
    ) -> Candidates:
        scores = np.ascontiguousarray(reading.scores[:, wanted].T)
        strongest, supporters = reading.made_of(wanted)
        return Candidates(
            rows=wanted,
            channel_scores=scores,
            proposed=proposed[:, wanted].T,
            strongest=strongest,
            supporters=supporters,
            fused=self.fuse(scores.T, cold=cold),
            channel_names=(*self.channel_names, "session"),
        )

    def nearness(self, rows: NDArray[np.int64], strengths: NDArray[np.float32]) -> NDArray[np.float32]:
        """How near every item is to some titles, 1 = the best match of the strongest one. (q,), (q,) → (n,)

        Each title's neighbours count from 0 to 1 in each channel, so that a well-known title does not outshout others.
        """
        total = np.zeros(len(self.items), np.float32)
        for channel in self.channels:
            edges = gather(channel.weights, rows)
            best = np.zeros(len(rows), np.float32)
            np.maximum.at(best, edges.source, edges.weights)
            share = (strengths / np.where(best > 0, best, 1)).astype(np.float32)
            total += np.maximum(edges.total(share), 0)
        return np.asarray(total / len(self.channels), np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class _Reading:
    """What the channels say to some titles."""

    edges: tuple[Gathered, ...]
    """The neighbour lists of the titles, in each neighbourhood channel."""
    strengths: NDArray[np.float32]
    """(h,) of the titles."""
    scores: NDArray[np.float32]
    """(c, n) standardised."""

    def made_of(self, wanted: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The largest term and the number of positive terms of the wanted items' sums. (m,) → (m, e), (m, e)"""
        place = np.full(self.scores.shape[1], -1, np.int32)
        place[wanted] = np.arange(len(wanted), dtype=np.int32)
        strongest, supporters = np.zeros((2, len(self.edges), len(wanted)), np.float32)
        for channel, edges in enumerate(self.edges):
            at = place[edges.columns]
            speaks = np.flatnonzero((at >= 0) & (edges.weights > 0))
            at = at[speaks]
            np.maximum.at(strongest[channel], at, edges.weights[speaks] * self.strengths[edges.source[speaks]])
            supporters[channel] = np.bincount(at, minlength=len(wanted))
        return strongest.T, np.log1p(supporters.T)


def fit(
    matrix: TrainingMatrix,
    items: ItemTable,
    content_channel: ItemToItem,
    *,
    config: RetrievalConfig,
    seed: int,
    progress: Progress,
) -> Retriever:
    """Fit every channel. ``items`` must carry the statistics of the same rows as ``matrix``.

    ``content_channel`` does not depend on the interactions, so it is fitted once for many.
    """
    graded = matrix.graded()
    head = matrix.of_items(np.flatnonzero(np.bincount(graded.indices, minlength=matrix.n_items) >= config.min_count))
    with progress.task("EDLAE"):
        linear = edlae.fit(graded, min_count=config.min_count, max_items=config.edlae_max_items)
    with progress.task("item-kNN"):
        similarity = item_knn.cosine(head)
        knn = item_knn.from_cosine(similarity)
    with progress.task("DeepWalk"):
        rng = np.random.default_rng(seed)
        paths = deepwalk.walks(graph.build(similarity), rng, per_node=config.walks_per_node, length=config.walk_length)
        vectors = item2vec.fit(paths, matrix.n_items, seed, dim=config.dim, epochs=config.epochs)
        counts = np.bincount(graded.indices, minlength=matrix.n_items)
        walked = item2vec.to_item_to_item(vectors, counts)
    with progress.task("iALS"):
        factors, users = ials.fit(graded, dim=config.ials_dim, seed=seed)
    return Retriever(
        items=items,
        channels=(linear, walked, knn, content_channel),
        factors=factors,
        neighbours=user_knn.fit(graded, users, np.random.default_rng([seed, 3])),
        popularity=popularity.fit(graded),
        vectors=item2vec.unit(vectors.input),
        config=config,
    )
