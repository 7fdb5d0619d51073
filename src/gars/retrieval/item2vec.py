"""Item2Vec: skip-gram with negative sampling over sequences of items, and the item-to-item form of what it learned.

Barkan & Koenigstein, "Item2Vec: Neural Item Embedding for Collaborative Filtering", MLSP 2016; Mikolov et al., NIPS 2013.
A user is scored by what the model was trained for: the probability that j stands next to i,
``P(j|i) = softmax_j(in_i · out_j + ns · log count_j)``. It needs the *output* vectors; the usual cosine of input
vectors throws them away, and with them most of the quality.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from gars.domain.errors import MissingExtraError
from gars.retrieval.item_to_item import ItemToItem, keep_largest

NS_EXPONENT = 0.75


@dataclass(frozen=True, slots=True, eq=False)
class ItemVectors:
    """Input and output vectors (n, dim) float32 and token counts (n,); an item never met has zeros."""

    input: NDArray[np.float32]
    output: NDArray[np.float32]
    counts: NDArray[np.int64]


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
    vectors = ItemVectors(
        np.zeros((n_items, dim), np.float32), np.zeros((n_items, dim), np.float32), np.zeros(n_items, np.int64)
    )
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
    vectors.counts[rows] = [model.wv.get_vecattr(word, "count") for word in model.wv.index_to_key]
    return vectors


def to_item_to_item(vectors: ItemVectors, *, name: str = "deepwalk", keep: int = 200, block: int = 1024) -> ItemToItem:
    """``P(j|i)`` for the ``keep`` most probable j of every i, a block of rows at a time."""
    n = len(vectors.counts)
    known = vectors.counts > 0
    prior = np.where(known, NS_EXPONENT * np.log(np.maximum(1, vectors.counts)), -np.inf).astype(np.float32)
    blocks = []
    for start in range(0, n, block):
        rows = np.arange(start, min(n, start + block))
        logits = vectors.input[rows] @ vectors.output.T + prior
        logits[np.arange(len(rows)), rows] = -np.inf
        with np.errstate(invalid="ignore"):
            p = np.exp(logits - logits.max(axis=1, keepdims=True))
            p /= p.sum(axis=1, keepdims=True)
        p[~known[rows]] = 0
        blocks.append(keep_largest(np.nan_to_num(p).astype(np.float32), keep))
    return ItemToItem(name, sp.csr_array(sp.vstack(blocks, format="csr")))
