"""Nearest vectors by inner product, behind one interface: exact, or locality sensitive hashing for many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gars.domain.top_k import top_k

EXACT_BELOW = 250_000
"""Up to this many vectors a plain matrix product is as fast as hashing, and finds all (see docs/performance.md)."""


class Index(Protocol):
    """Search over unit vectors (n, dim)."""

    @property
    def vectors(self) -> NDArray[np.float32]:
        """The vectors to search."""
        ...

    def search(self, query: NDArray[np.float32], k: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Positions and inner products of the k nearest to ``query`` (dim,), best first, ties by position."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class ExactIndex:
    """Every inner product."""

    vectors: NDArray[np.float32]

    def search(self, query: NDArray[np.float32], k: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """See ``Index.search``."""
        return _best(np.arange(len(self.vectors)), self.vectors @ query, k)


@dataclass(frozen=True, slots=True, eq=False)
class LshIndex:
    """Sign random projections, Hamming distance, then exact order of the nearest codes.

    Charikar, "Similarity estimation techniques from rounding algorithms", STOC 2002. Hamming alone finds under 89 % of
    the true neighbours; ordering the nearest ``rerank`` codes exactly brings it to 99 %.
    """

    vectors: NDArray[np.float32]
    planes: NDArray[np.float32]
    """(bits, dim)"""
    codes: NDArray[np.uint64]
    """(n, bits / 64)"""
    rerank: int = 500

    @classmethod
    def build(cls, vectors: NDArray[np.float32], *, seed: int, bits: int = 512, rerank: int = 500) -> LshIndex:
        """Hash all vectors with ``bits`` (a multiple of 64) random planes."""
        planes = np.random.default_rng(seed).standard_normal((bits, vectors.shape[1]), np.float32)
        return cls(vectors, planes, _hash(vectors, planes), rerank)

    def search(self, query: NDArray[np.float32], k: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """See ``Index.search``."""
        distance = np.bitwise_count(self.codes ^ _hash(query[None], self.planes)).sum(axis=1, dtype=np.int32)
        n_near = min(max(self.rerank, k), len(distance))
        near = np.sort(np.argpartition(distance, n_near - 1)[:n_near]) if n_near else np.empty(0, np.int64)
        return _best(near, self.vectors[near] @ query, k)


def build(vectors: NDArray[np.float32], *, seed: int) -> Index:
    """The exact index while it is fast, LSH above."""
    return ExactIndex(vectors) if len(vectors) < EXACT_BELOW else LshIndex.build(vectors, seed=seed)


def _hash(vectors: NDArray[np.float32], planes: NDArray[np.float32], block: int = 65_536) -> NDArray[np.uint64]:
    """Signs of the projections packed 64 to a word. (n, dim) → (n, bits / 64)"""
    parts = [np.packbits(vectors[s : s + block] @ planes.T > 0, axis=1) for s in range(0, max(1, len(vectors)), block)]
    return np.concatenate(parts).view(np.uint64)


def _best(
    positions: NDArray[np.int64], scores: NDArray[np.float32], k: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    order = top_k(scores, positions, k)
    return positions[order], scores[order]
