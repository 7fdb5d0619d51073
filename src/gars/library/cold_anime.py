"""Anime nobody trained on has watched: a vector from what the catalogue says of them, and their order for a user.

Channels learned from lists know nothing of them, and the ranking model has never seen one that was liked. What is known
is what they are like: each takes the mean over its nearest described titles, of vectors and of scores for the user.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from gars.domain.anime import Anime
from gars.domain.history import History
from gars.library.engine import Engine
from gars.retrieval import content, item2vec
from gars.retrieval.item_to_item import keep_largest

NEIGHBOURS = 20
"""A title takes after so many others; chosen on validation users (benchmarks/cold_anime.py)."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class ColdAnime:
    """m anime without viewers beside the n an engine knows."""

    anime: Sequence[Anime]
    weights: sp.csr_array
    """(m, n) float32: likeness to the nearest titles with viewers, rows of unit sum (or empty)."""
    vectors: Floats
    """(m, dim) unit vectors from content, zero for a title like no other."""

    def scores(self, engine: Engine, history: History) -> Floats:
        """How near each is to what retrieval expects of the user: the mean score of its neighbours. → (m,)

        A title without neighbours comes last.
        """
        retriever = engine.retriever
        rows, strengths = engine.query(history)
        fused = retriever.fuse(retriever.scores(rows, strengths), cold=not len(rows))
        found = np.asarray(self.weights @ fused, np.float32)
        return np.where(np.diff(self.weights.indptr) > 0, found, np.float32(-1e6)).astype(np.float32)


def find(engine: Engine, anime: Sequence[Anime] = (), *, neighbours: int = NEIGHBOURS) -> ColdAnime:
    """The engine's anime without viewers, and those of ``anime`` that it does not know. A second for 12,000 titles."""
    items = engine.retriever.items
    known = set(items.anime_ids.tolist())
    added = [one for one in anime if one.anime_id not in known]
    cold = np.flatnonzero(items.counts == 0)
    both = [*engine.anime, *added]
    described = content.describe(both)
    wanted = np.concatenate([cold, np.arange(len(items), len(both))]).astype(np.int64)
    warm = np.flatnonzero(items.counts > 0)
    blocks = [
        keep_largest((described[wanted[start : start + 1024]] @ described[warm].T).toarray(), neighbours)
        for start in range(0, len(wanted), 1024)
    ]
    near = sp.csr_array(sp.vstack(blocks, format="csr")) if blocks else sp.csr_array((0, len(warm)), dtype=np.float32)
    total = np.repeat(np.maximum(near.sum(axis=1), 1e-9), np.diff(near.indptr))
    weights = sp.csr_array((
        (near.data / total).astype(np.float32), warm[near.indices].astype(np.int32), near.indptr
    ), shape=(len(wanted), len(items)))  # fmt: skip
    ordered = np.argsort([both[row].anime_id for row in wanted], kind="stable")
    weights = sp.csr_array(weights[ordered])
    vectors = item2vec.unit(np.asarray(weights @ engine.retriever.vectors, np.float32))
    return ColdAnime([both[wanted[place]] for place in ordered], weights, vectors)
