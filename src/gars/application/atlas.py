"""A map of all anime: near is alike. Computed once a model, from its item embeddings.

The objective of UMAP (McInnes, Healy & Melville, 2018) on an exact graph of nearest neighbours, descended in whole
sweeps: every edge pulls, random pairs push. All of it is numpy, and the same seed draws the same map.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_NEIGHBOURS = 12
_PUSHES = 5
"""Random pairs that push, for each title and sweep."""
_SWEEPS = 180
_BLOCK = 1024
_A, _B = 1.577, 0.895
"""The curve 1 / (1 + a d^2b) that fits a smallest distance of 0.1 (UMAP's defaults)."""
_MOST_STEP = 4.0


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


def _graph(vectors: NDArray[np.float32], k: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Every title's k nearest by cosine, in both directions; weights fall with the rank. → three of (2nk,)"""
    n = len(vectors)
    nearest = np.empty((n, k), np.int64)
    for start in range(0, n, _BLOCK):
        cosine = vectors[start : start + _BLOCK] @ vectors.T
        cosine[np.arange(len(cosine)), np.arange(start, start + len(cosine))] = -np.inf
        best = np.argpartition(-cosine, k - 1, axis=1)[:, :k]
        order = np.argsort(-np.take_along_axis(cosine, best, axis=1), axis=1, kind="stable")
        nearest[start : start + len(cosine)] = np.take_along_axis(best, order, axis=1)
    source = np.repeat(np.arange(n), k)
    weight = np.tile(np.exp(-np.arange(k) / k), n)
    target = nearest.ravel()
    return np.r_[source, target], np.r_[target, source], np.r_[weight, weight] / 2


def _principal(vectors: NDArray[np.float32]) -> NDArray[np.float64]:
    """The two directions the titles differ most in, as the place to start from."""
    centred = vectors - vectors.mean(axis=0)
    _, axes = np.linalg.eigh((centred.T @ centred).astype(np.float64))
    flat = centred @ axes[:, -2:]
    return np.asarray(10 * flat / max(1e-9, float(np.abs(flat).max())), np.float64)


def _pull(
    places: NDArray[np.float64], source: NDArray[np.int64], target: NDArray[np.int64], weight: NDArray[np.float64]
) -> NDArray[np.float64]:
    apart = places[target] - places[source]
    square = np.maximum((apart**2).sum(axis=1), 1e-9)
    force = weight * 2 * _A * _B * square ** (_B - 1) / (1 + _A * square**_B)
    return _sum_by(source, force[:, None] * apart, len(places)) / _NEIGHBOURS


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
