"""The trained MLP as plain numpy: what serves. One call scores a user's candidates.

Everything that depends on the item alone is multiplied through the first layer once, at load; a request pays for the
behaviour features only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.blas import sgemm

Floats = NDArray[np.float32]

REACH = 6.0
"""Features further than this many deviations from their mean count as this far: a rare user must not break the sums."""

WEIGHTS = (
    "mean", "deviation", "item_embedding", "type_embedding", "genre_embedding", "taste_embedding",
    "hidden_1", "bias_1", "order_hidden_2", "order_bias_2", "like_hidden_2", "like_bias_2",
    "order", "like", "like_bias",
)  # fmt: skip


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
    genres: Floats
    """(n, g) rows of unit sum."""
    _item_part: Floats = field(init=False)
    """(n, 2 h1) what the item alone contributes to the first layer, and the bias."""
    _item_genres: Floats = field(init=False)
    """(n, e)"""

    def __post_init__(self) -> None:
        f, e = len(self.mean), self.item_embedding.shape[1]
        by_part = np.split(self.hidden_1, [f, f + e, f + 2 * e, f + 3 * e, f + 4 * e])
        item_genres = self.genres @ self.genre_embedding
        item_part = (
            self.item_embedding @ by_part[1] + self.type_embedding[self.types] @ by_part[2] + item_genres @ by_part[3]
        )
        object.__setattr__(self, "_item_part", item_part + self.bias_1)
        object.__setattr__(self, "_item_genres", item_genres)

    def score(self, features: Floats, rows: NDArray[np.int64], taste: Floats) -> tuple[Floats, Floats]:
        """Order scores and like probabilities of m candidates. (m, f), (m,), (2g,) → (m,), (m,)"""
        if not len(rows):
            return np.empty(0, np.float32), np.empty(0, np.float32)  # BLAS refuses an empty matrix
        f, e = len(self.mean), self.item_embedding.shape[1]
        user = taste @ self.taste_embedding  # (e,)
        # genres ⊙ user, times its part of the layer, is genres times the part scaled by user
        crossed = self.hidden_1[f + 4 * e :] * user[:, None]  # (e, 2 h1)
        of_user = user @ self.hidden_1[f + 3 * e : f + 4 * e]  # (2 h1,), for the column of ones
        weights = np.concatenate([self.hidden_1[:f], crossed, of_user[None]])  # (f + e + 1, 2 h1)
        x = np.empty((len(rows), len(weights)), np.float32)
        standard = x[:, :f]
        np.subtract(features, self.mean, out=standard)
        standard /= self.deviation
        np.maximum(standard, np.float32(-REACH), out=standard)
        np.minimum(standard, np.float32(REACH), out=standard)
        x[:, f:-1] = self._item_genres[rows]
        x[:, -1] = 1
        # one product added onto the item part in place; BLAS counts columns first, hence the transposes
        start = self._item_part[rows]
        hidden = np.asarray(sgemm(1, weights.T, x.T, 1, start.T, overwrite_c=True).T, np.float32)  # (m, 2 h1)
        np.maximum(hidden, 0, out=hidden)
        h1 = len(self.order_hidden_2)
        order: Floats = hidden[:, :h1] @ self.order_hidden_2  # (m, h2)
        like: Floats = hidden[:, h1:] @ self.like_hidden_2  # (m, h2)
        for head, bias in ((order, self.order_bias_2), (like, self.like_bias_2)):
            head += bias
            np.maximum(head, 0, out=head)
        return np.asarray(order @ self.order, np.float32), _sigmoid(like @ self.like + self.like_bias)

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
    """Genre flags as rows of unit sum, so that many genres do not shout. (n, g) → (n, g)"""
    return np.asarray(genres / np.maximum(1, genres.sum(axis=1, keepdims=True)), np.float32)


def _sigmoid(x: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(x, -30, 30))), np.float32)
