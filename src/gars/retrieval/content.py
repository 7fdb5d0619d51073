"""Content: anime with the same words in title, genres, tags, studio, source and franchise. Needs no interactions.

Cosine of inverse-document-frequency weighted features (Salton & Buckley, "Term-weighting approaches in automatic text
retrieval", 1988). It can propose a title without viewers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from gars.domain.anime import Anime
from gars.retrieval.compact import compact
from gars.retrieval.item_to_item import ItemToItem, no_edges
from gars.retrieval.two_steps import largest_products

_WORD = re.compile(r"[^\W\d_]{3,}")
_WEIGHT = {"title": 1.4, "franchise": 1.4, "tag": 0.7}
"""Relative weight of each kind of word, chosen by how well the kernel of the Gaussian process predicts likes."""


def describe(anime: Sequence[Anime]) -> sp.csr_array:
    """Describe each anime by the catalogue: unit rows of idf-weighted words. → (n, words)"""
    code: dict[str, int] = {}
    pairs = [
        (row, code.setdefault(word, len(code))) for row, a in enumerate(anime) for word in dict.fromkeys(_words(a))
    ]
    rows, columns = np.array(pairs, np.int64).reshape(-1, 2).T
    counts = np.bincount(columns, minlength=len(code))
    idf = np.log((len(anime) + 1) / (counts + 0.5)).astype(np.float32)
    idf *= np.array([_WEIGHT.get(word.split(" ", 1)[0], 1.0) for word in code], np.float32)
    idf[counts < 2] = 0  # a word of one title only links it to nothing
    norm = np.sqrt(np.bincount(rows, idf[columns] ** 2, len(anime))).astype(np.float32)
    values = (idf[columns] / np.where(norm > 0, norm, 1)[rows]).astype(np.float32)
    return sp.csr_array(sp.coo_array((values, (rows, columns)), shape=(len(anime), len(code))))


def fit(
    features: sp.csr_array, *, watched: NDArray[np.bool_] | None = None, k: int = 50, sources: int = 100
) -> ItemToItem:
    """Connect each anime with those of the most similar features (n, words), weighted by squared cosine.

    Row i keeps its ``k`` most similar anime. Column j keeps its ``sources`` most similar ``watched`` anime (n,), so
    that a title without viewers is reached from the lists of users even where others are nearer to row i.
    """
    n = int(features.shape[0])
    if not features.nnz:
        return ItemToItem("content", no_edges(n))
    by_item = compact(features)
    by_word = compact(sp.csr_array(features.T.tocsr()))
    weights = largest_products(by_item, by_word, k=k)
    if watched is not None:
        backward = largest_products(by_item, by_word, k=sources, scale=watched.astype(np.float32))
        weights = sp.csr_array(weights.maximum(backward.T.tocsr()))
    weights.data *= weights.data
    weights.sort_indices()
    return ItemToItem("content", weights)


def _words(a: Anime) -> Iterator[str]:
    for title in (a.title, a.title_english):
        yield from (f"title {word.lower()}" for word in _WORD.findall(title or ""))
    yield from (f"genre {genre}" for genre in a.genres)
    yield from (f"tag {tag}" for tag in a.tags)
    yield from (f"studio {studio}" for studio in a.studios)
    if a.source:
        yield f"source {a.source}"
    if a.type:
        yield f"type {a.type}"
    if a.franchise:
        yield f"franchise {a.franchise}"
