"""The trained MLP as a few matrix products: what serves. One call scores a user's candidates.

An item is read as its type and one short record, embedding and genres: the first layer's output for every item would
be eight times as much to read, and reading it costs more than the product.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import InitVar, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gars.kernels.mlp import add_bias_relu, write_inputs

Floats = NDArray[np.float32]

REACH = 6.0
"""Features further than this many deviations from their mean count as this far: a rare user must not break the sums."""

WEIGHTS = (
    "mean", "deviation", "item_embedding", "type_embedding", "genre_embedding", "taste_embedding",
    "hidden_1", "bias_1", "order_hidden_2", "order_bias_2", "like_hidden_2", "like_bias_2",
    "order", "like", "like_bias",
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class _Head:
    """One head with its share of the first layer, cut up by what it is multiplied with."""

    inputs: Floats
    """(f + 2e, h1) of features, item and genres"""
    types: Floats
    """(types + 1, h1) what the type contributes, and the bias."""
    user: Floats
    """(e, h1)"""
    crossed: Floats
    """(e, h1) of genres ⊙ taste"""
    hidden_2: Floats
    """(h1, h2)"""
    bias_2: Floats
    out: Floats
    """(h2,)"""


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """The MLP of ``ranking.mlp`` over one catalogue of n items, f features, g genres, embeddings of width e.

    ``x = [standardised features, item, type, genres, taste, genres ⊙ taste]``, then for each head two ReLU layers and a
    linear one. The first layers of both heads lie side by side.
    """

    mean: Floats
    """(f,)"""
    deviation: Floats
    """(f,)"""
    item_embedding: Floats
    """(n, e)"""
    type_embedding: Floats
    """(types + 1, e)"""
    genre_embedding: Floats
    """(g, e)"""
    taste_embedding: Floats
    """(2g, e)"""
    hidden_1: Floats
    """(f + 5e, 2 h1) the order head's columns, then the like head's"""
    bias_1: Floats
    """(2 h1,)"""
    order_hidden_2: Floats
    """(h1, h2)"""
    order_bias_2: Floats
    """(h2,)"""
    like_hidden_2: Floats
    """(h1, h2)"""
    like_bias_2: Floats
    """(h2,)"""
    order: Floats
    """(h2,)"""
    like: Floats
    """(h2,)"""
    like_bias: Floats
    """()"""
    types: NDArray[np.int64]
    """(n,) type code of each item, the last code for unknown."""
    genres: InitVar[Floats]
    """(n, g) rows of unit sum; only their embeddings are kept."""
    _order: _Head = field(init=False)
    _like: _Head = field(init=False)
    _records: Floats = field(init=False)
    """(n, 2e) embedding and genres of each item"""
    _scale: Floats = field(init=False)
    """(f,) one over the deviation."""

    def __post_init__(self, genres: Floats) -> None:
        f, e, h1 = len(self.mean), self.item_embedding.shape[1], len(self.order_hidden_2)
        features, item, type_, genre, user, crossed = np.split(self.hidden_1, [f + place * e for place in range(5)])
        inputs = np.concatenate([features, item, genre])
        types = self.type_embedding @ type_ + self.bias_1
        records = np.hstack([self.item_embedding, genres @ self.genre_embedding])
        object.__setattr__(self, "_records", np.asarray(records, np.float32))
        object.__setattr__(self, "_scale", (1 / self.deviation).astype(np.float32))

        def head(columns: slice, hidden_2: Floats, bias_2: Floats, out: Floats) -> _Head:
            of_inputs, of_types, of_user, of_crossed = (_cut(part, columns) for part in (inputs, types, user, crossed))
            return _Head(of_inputs, of_types, of_user, of_crossed, hidden_2, bias_2, out)

        object.__setattr__(self, "_order", head(slice(None, h1), self.order_hidden_2, self.order_bias_2, self.order))
        object.__setattr__(self, "_like", head(slice(h1, None), self.like_hidden_2, self.like_bias_2, self.like))

    def score(self, features: Floats, rows: NDArray[np.int64], taste: Floats) -> tuple[Floats, Floats]:
        """Order scores and like probabilities of m candidates. (m, f), (m,), (2g,) → (m,), (m,)"""
        return self.order_scores(features, rows, taste), self.like_chances(features, rows, taste)

    def order_scores(self, features: Floats, rows: NDArray[np.int64], taste: Floats) -> Floats:
        """Score the candidates for their order. (m, f), (m,), (2g,) → (m,)"""
        return self._of(self._order, features, rows, taste)

    def like_chances(self, features: Floats, rows: NDArray[np.int64], taste: Floats) -> Floats:
        """Predict P(rating > 7), for the few that are shown. (m, f), (m,), (2g,) → (m,)"""
        return _sigmoid(self._of(self._like, features, rows, taste) + self.like_bias)

    def _of(self, head: _Head, features: Floats, rows: NDArray[np.int64], taste: Floats) -> Floats:
        if not len(rows):
            return np.empty(0, np.float32)  # BLAS refuses an empty matrix
        user = taste @ self.taste_embedding  # (e,)
        weights: Floats = head.inputs.copy()
        bias = np.asarray(head.types + user @ head.user, np.float32)
        # genres ⊙ user, times its part of the layer, is genres times the part scaled by user
        weights[-len(user) :] += head.crossed * user[:, None]
        x = np.empty((len(weights), len(rows)), np.float32)
        columns = np.ascontiguousarray(features.T)  # as they are: features come column by column
        write_inputs(columns, self.mean, self._scale, np.float32(REACH), self._records, rows, x)
        groups = self.types.take(rows)
        hidden: Floats = x.T @ weights  # (m, h1)
        add_bias_relu(hidden, bias, groups)
        second: Floats = hidden @ head.hidden_2  # (m, h2)
        add_bias_relu(second, head.bias_2[None], groups)
        return np.asarray(second @ head.out, np.float32)

    def arrays(self) -> dict[str, Floats]:
        """The weights by name, as ``from_arrays`` takes them back."""
        return {name: getattr(self, name) for name in WEIGHTS}


def from_arrays(arrays: Mapping[str, Floats], types: NDArray[np.int16], genres: Floats) -> Network:
    """Build from weights and the catalogue's type codes (n,) (-1 = unknown) and genre flags (n, g)."""
    n_types = len(arrays["type_embedding"]) - 1
    return Network(
        **{name: np.ascontiguousarray(arrays[name], np.float32) for name in WEIGHTS},
        types=type_codes(types, n_types),
        genres=genre_shares(genres),
    )


def type_codes(types: NDArray[np.int16], n_types: int) -> NDArray[np.int64]:
    """Codes for the embedding: unknown (-1) takes the last place."""
    return np.where(types < 0, n_types, types).astype(np.int64)


def genre_shares(genres: Floats) -> Floats:
    """Scale genre flags to rows of unit sum, so that many genres do not count more. (n, g) → (n, g)"""
    return np.asarray(genres / np.maximum(1, genres.sum(axis=1, keepdims=True)), np.float32)


def _cut(layer: NDArray[Any], columns: slice) -> Floats:
    """Some columns of a layer, on their own: BLAS reads them without a step."""
    return np.ascontiguousarray(layer[:, columns], np.float32)


def _sigmoid(x: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(np.maximum(np.minimum(-x, 30), -30))), np.float32)
