"""Item2Vec: skip-gram with negative sampling over sequences of items, and the item-to-item form of the result.

Barkan & Koenigstein, "Item2Vec: Neural Item Embedding for Collaborative Filtering", MLSP 2016; Mikolov et al., NIPS
2013.
A user is scored by the training objective: the probability that j stands next to i,
``P(j|i) = softmax_j(in_i · out_j + ns · log viewers_j)``. It needs the *output* vectors; the usual cosine of input
vectors throws them away, and with them most of the quality. The prior takes the viewers of j, not how often walks
passed it: sampling removed the prior of the walks, and held-out entries follow the viewers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from gars.domain.errors import MissingExtraError
from gars.retrieval.item_to_item import ItemToItem, keep_largest, no_edges, scatter

NS_EXPONENT = 0.75


@dataclass(frozen=True, slots=True, eq=False)
class ItemVectors:
    """Input and output vectors (n, dim) float32; an item never met has zeros."""

    input: NDArray[np.float32]
    output: NDArray[np.float32]
    known: NDArray[np.bool_]
    """(n,) whether the item was in any sequence."""


class _Sentences:
    """Sequences of item rows as gensim wants them: re-iterable lists of words."""

    def __init__(self, sequences: NDArray[np.int32]) -> None:
        self._words = np.array([str(i) for i in range(int(sequences.max(initial=-1)) + 1)], object)
        self._sequences = sequences

    def __iter__(self) -> Iterator[list[str]]:
        for start in range(0, len(self._sequences), 4096):
            yield from self._words[self._sequences[start : start + 4096]].tolist()


def fit(
    sequences: NDArray[np.int32],
    n_items: int,
    seed: int,
    *,
    dim: int = 128,
    window: int = 2,
    negative: int = 5,
    epochs: int = 3,
) -> ItemVectors:
    """Train on (m, length) sequences of item rows. One thread: more would make the result depend on timing.

    Raises:
        MissingExtraError: gensim is not installed.
    """
    zeros = (np.zeros((n_items, dim), np.float32), np.zeros((n_items, dim), np.float32))
    vectors = ItemVectors(*zeros, np.zeros(n_items, np.bool_))
    if not len(sequences):
        return vectors
    try:
        from gensim.models import Word2Vec
    except ImportError as error:
        raise MissingExtraError("Item2Vec", "train") from error
    model = Word2Vec(
        _Sentences(sequences),
        vector_size=dim,
        window=window,
        negative=negative,
        ns_exponent=NS_EXPONENT,
        epochs=epochs,
        sg=1,
        min_count=1,
        sample=0,
        workers=1,
        seed=seed % 2**32,
    )
    rows = np.array(model.wv.index_to_key, np.int64)
    vectors.input[rows] = model.wv.vectors
    vectors.output[rows] = model.syn1neg
    vectors.known[rows] = True
    return vectors


def to_item_to_item(
    vectors: ItemVectors, viewers: NDArray[np.int64], *, name: str = "deepwalk", keep: int = 200, block: int = 1024
) -> ItemToItem:
    """``P(j|i)`` for the ``keep`` most probable j of every i, by blocks of rows; ``viewers`` (n,) counts users."""
    n, rows = len(viewers), np.flatnonzero(vectors.known)
    if not len(rows):
        return ItemToItem(name, no_edges(n))
    source, target = vectors.input[rows], vectors.output[rows]
    prior = (NS_EXPONENT * np.log(np.maximum(1, viewers[rows]))).astype(np.float32)
    blocks = []
    for start in range(0, len(rows), block):
        logits = source[start : start + block] @ target.T + prior
        own = np.arange(len(logits))
        logits[own, start + own] = -np.inf
        blocks.append(keep_largest(_softmax(logits), keep))
    return ItemToItem(name, scatter(sp.csr_array(sp.vstack(blocks, format="csr")), rows, n))


def _softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Row-wise softmax. (b, m) → (b, m)"""
    highest = logits.max(axis=1, keepdims=True)
    p = np.exp(logits - np.where(np.isfinite(highest), highest, 0))  # an item without any other has no finite logit
    return np.asarray(p / np.maximum(p.sum(axis=1, keepdims=True), np.float32(1e-30)), np.float32)
