"""Anime without training viewers: a vector from their description, and a score for a user.

Channels learned from lists have no data of them, so vectors and scores are means over the titles of most similar
descriptions. The ranking model can order those that its catalogue has: in training, viewers of some titles were hidden.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from gars.domain.anime import Anime
from gars.domain.history import History
from gars.domain.normalise import standardise, unit_rows
from gars.domain.top_k import top_k
from gars.library.engine import Engine
from gars.retrieval import content
from gars.retrieval.item_to_item import keep_largest

NEIGHBOURS = 200
"""Each title has this many neighbours; chosen on validation users (benchmarks/cold_anime.py)."""

RANKED = 1_000
"""The ranking model orders so many of them."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class ColdAnime:
    """m anime without viewers, and their similarity to the n of an engine."""

    anime: Sequence[Anime]
    likeness: sp.csr_array
    """(m, n) float32: cosine of the descriptions, to the nearest titles with viewers."""
    vectors: Floats
    """(m, dim) unit vectors from content, zero for a title like no other."""
    ids: NDArray[np.int64] = field(init=False)
    """(m,) of ``anime``."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "ids", np.array([one.anime_id for one in self.anime], np.int64))

    def scores(self, engine: Engine, history: History) -> Floats:
        """Score titles for a user: the ranking model's order, in deviations. → (m,)

        Its candidates are the best ``RANKED`` by ``expected``, in that order, as lists have theirs in the order of
        retrieval; the others of its catalogue count as its last. Titles that it does not have, and all where it ranks
        no lists, have the sum of ``expected`` and ``nearness``, each in deviations, for a score.
        """
        expected = self.expected(engine, history)
        both = standardise(self.nearness(engine, history), least=1e-9) + standardise(expected, least=1e-9)
        scores = standardise(both, least=1e-9)
        rows = engine.items.rows(self.ids)
        known = np.flatnonzero(rows >= 0)
        if engine.network is not None and engine.serve_ranker and not history.is_empty and len(known):
            best = known[top_k(expected[known], self.ids[known], RANKED)]
            found = engine.retriever.scored(*engine.query(history), rows[best])
            ranked = standardise(engine.score(history, found).order, least=1e-9)
            scores[known] = ranked.min()
            scores[best] = ranked
        return scores

    def nearness(self, engine: Engine, history: History) -> Floats:
        """Sum weight times squared similarity over the user's titles: few near ones count more than many far. → (m,)"""
        rows, weights = engine.query(history)
        of_user = np.bincount(rows, weights, self.likeness.shape[1]).astype(np.float32)
        return np.asarray(self.likeness.power(2) @ of_user, np.float32)

    def expected(self, engine: Engine, history: History) -> Floats:
        """The mean of retrieval's scores for its neighbours, by likeness; the lowest where it has none. → (m,)"""
        retriever = engine.retriever
        rows, weights = engine.query(history)
        fused = retriever.fuse(retriever.scores(rows, weights), cold=not len(rows))
        total = np.asarray(self.likeness.sum(axis=1), np.float32)
        found = (self.likeness @ fused) / np.maximum(total, np.float32(1e-9))
        lowest = found.min(initial=0.0)
        return np.where(total > 0, found, lowest).astype(np.float32)


def from_likeness(engine: Engine, likeness: sp.csr_array) -> ColdAnime:
    """Return the engine's anime without viewers, with the similarity (m, n) that ``find`` once computed."""
    cold = np.flatnonzero(engine.retriever.items.counts == 0)
    vectors = unit_rows(np.asarray(likeness @ engine.retriever.vectors, np.float32))
    return ColdAnime([engine.anime[row] for row in cold.tolist()], likeness, vectors)


def find(engine: Engine, anime: Sequence[Anime] = (), *, neighbours: int = NEIGHBOURS) -> ColdAnime:
    """Find the engine's anime without viewers, and those of ``anime`` that it does not know.

    Compares all descriptions: some seconds for 28,000 titles.
    """
    items = engine.retriever.items
    known = set(items.anime_ids.tolist())
    added = [one for one in anime if one.anime_id not in known]
    cold = np.flatnonzero(items.counts == 0)
    if not len(cold) and not added:
        return from_likeness(engine, sp.csr_array(np.zeros((0, len(items)), np.float32)))
    both = [*engine.anime, *added]
    described = content.describe(both)
    wanted = np.concatenate([cold, np.arange(len(items), len(both))]).astype(np.int64)
    warm = np.flatnonzero(items.counts > 0)
    blocks = [
        keep_largest((described[wanted[start : start + 1024]] @ described[warm].T).toarray(), neighbours)
        for start in range(0, len(wanted), 1024)
    ]
    near = sp.csr_array(sp.vstack(blocks, format="csr")) if blocks else sp.csr_array((0, len(warm)), dtype=np.float32)
    likeness = sp.csr_array(
        (near.data.astype(np.float32), warm[near.indices].astype(np.int32), near.indptr),
        shape=(len(wanted), len(items)),
    )
    ordered = np.argsort([both[row].anime_id for row in wanted], kind="stable")
    likeness = sp.csr_array(likeness[ordered])
    vectors = unit_rows(np.asarray(likeness @ engine.retriever.vectors, np.float32))
    return ColdAnime([both[wanted[place]] for place in ordered], likeness, vectors)
