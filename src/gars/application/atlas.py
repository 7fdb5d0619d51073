"""A map of all anime: near is alike. Computed once a model, from its item embeddings.

The objective of UMAP (McInnes, Healy & Melville, 2018) on an exact graph of nearest neighbours, descended in whole
sweeps: every edge pulls, random pairs push. The same seed draws the same map.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gars.kernels.top_k import select_top_k

_NEIGHBOURS = 12
_PUSHES = 5
"""Random pairs that push, for each title and sweep."""
_SWEEPS = 180
_BLOCK = 1024
_A, _B = 1.577, 0.895
"""The curve 1 / (1 + a d^2b) that fits a smallest distance of 0.1 (UMAP's defaults)."""
_MOST_STEP = 4.0
_NEAR = 0.006
"""Distance at most of a title from the one it is placed near; the map is 1 wide."""


def layout(vectors: NDArray[np.float32], *, seed: int = 0, sweeps: int = _SWEEPS) -> NDArray[np.float32]:
    """Places of n titles with vectors (n, dim) of unit length on a square. → (n, 2) from 0 to 1."""
    n = len(vectors)
    if n < 3:
        return np.full((n, 2), 0.5, np.float32)
    rng = np.random.default_rng(seed)
    source, target, weight = _graph(vectors, min(_NEIGHBOURS, n - 1))
    places = _principal(vectors) + rng.normal(0, 0.05, (n, 2))
    for sweep in range(sweeps):
        rate = 1.0 - sweep / sweeps
        step = _pull(places, source, target, weight) + _push(places, rng)
        places += rate * np.clip(step, -_MOST_STEP, _MOST_STEP)
    return _on_a_square(places)


def place_near(
    places: NDArray[np.float32], neighbours: NDArray[np.int64], *, seed: int = 0, radius: float = _NEAR
) -> NDArray[np.float32]:
    """Place m titles near others that have places (n, 2) from 0 to 1. → (m, 2)

    ``neighbours`` (m, k) are rows of ``places``. A title comes near that one of its neighbours which has the others
    closest to it: their mean may be far from all of them.
    """
    around = places[neighbours].astype(np.float64)
    apart = np.linalg.norm(around[:, :, None] - around[:, None], axis=3).sum(axis=2)
    middle = np.take_along_axis(around, apart.argmin(axis=1)[:, None, None], axis=1)[:, 0]
    rng = np.random.default_rng(seed)
    angle, distance = rng.uniform(0, 2 * np.pi, len(middle)), radius * np.sqrt(rng.uniform(0, 1, len(middle)))
    moved: NDArray[np.float64] = middle + distance[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    return moved.clip(0, 1).astype(np.float32)


def _graph(vectors: NDArray[np.float32], k: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Return every title's k nearest by cosine as edges (source, target, weight), nearest first. → three of (nk,)

    The weight of an edge falls with its rank.
    """
    n = len(vectors)
    nearest = np.empty((n, k), np.int64)
    everything = np.arange(n, dtype=np.int32)
    for start in range(0, n, _BLOCK):
        cosine = vectors[start : start + _BLOCK] @ vectors.T
        rows = np.arange(len(cosine))
        cosine[rows, start + rows] = -2  # less than any cosine: no title is its own neighbour
        best = np.empty((len(cosine), k), np.int64)
        select_top_k(cosine, everything, best)
        order = np.argsort(-np.take_along_axis(cosine, best, axis=1), axis=1, kind="stable")
        nearest[start : start + len(cosine)] = np.take_along_axis(best, order, axis=1)
    weight = np.tile(np.exp(-np.arange(k) / k), n) / 2
    return np.repeat(np.arange(n), k), nearest.ravel(), weight


def _principal(vectors: NDArray[np.float32]) -> NDArray[np.float64]:
    """The two directions the titles differ most in, as the place to start from."""
    centred = vectors - vectors.mean(axis=0)
    _, axes = np.linalg.eigh((centred.T @ centred).astype(np.float64))
    flat = centred @ axes[:, -2:]
    return np.asarray(10 * flat / max(1e-9, float(np.abs(flat).max())), np.float64)


def _pull(
    places: NDArray[np.float64], source: NDArray[np.int64], target: NDArray[np.int64], weight: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the attraction of every title by its edges, each of which pulls both of its ends. → (n, 2)"""
    apart = places[target] - places[source]
    square = np.maximum((apart**2).sum(axis=1), 1e-9)
    power = square ** (_B - 1)
    force = weight * 2 * _A * _B * power / (1 + _A * power * square)
    pull = force[:, None] * apart
    n = len(places)
    return (_sum_by(source, pull, n) - _sum_by(target, pull, n)) / _NEIGHBOURS


def _push(places: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    step = np.zeros_like(places)
    for _ in range(_PUSHES):
        apart = places - places[rng.permutation(len(places))]
        square = (apart**2).sum(axis=1)
        force = 2 * _B / ((0.01 + square) * (1 + _A * square**_B))
        step += force[:, None] * apart / _PUSHES
    return step


def _sum_by(rows: NDArray[np.int64], values: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    return np.stack([np.bincount(rows, values[:, axis], n) for axis in (0, 1)], axis=1)


def _on_a_square(places: NDArray[np.float64]) -> NDArray[np.float32]:
    """Stretched to 0..1; the outermost three in a thousand are drawn in, so that they do not shrink all others."""
    low, high = np.quantile(places, [0.003, 0.997], axis=0)
    return np.asarray(np.clip((places - low) / np.maximum(high - low, 1e-9), 0, 1), np.float32)
