"""Kriging: each user's liking as a Gaussian process over the catalogue, conditioned on what they rated.

Two titles are expected to be liked alike when they are watched by the same people, described in the same words, near
on the walks, or alike in age, fame, quality and length; that is the kernel. What an item's own mean leaves unexplained
of a user's ratings is interpolated to the candidates, the user's own level with it (Rasmussen & Williams, "Gaussian
Processes for Machine Learning", 2006, ch. 2). The kernel is kept as rank 64 plus the 50 strongest corrections of each
row, which loses nothing against the full matrix and costs a fraction of it. A request costs the product of the factors
of its ratings and candidates, a pass over it (``kernels.gaussian_process``), and a Cholesky of the ratings or, where
they are many, a few iterations of ``kernels.conjugate_gradient``. At most ``MAX_RATINGS`` count.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.linalg.lapack import sposv, spotrf, strtri
from scipy.sparse.linalg import LinearOperator, eigsh

from gars.domain.features.kriging import NAMES
from gars.domain.history import LIKED_ABOVE
from gars.domain.item_table import ItemTable
from gars.domain.normalise import standardise
from gars.domain.top_k import top_k_mask
from gars.kernels import neighbours
from gars.kernels.conjugate_gradient import conjugate_gradient
from gars.kernels.gaussian_process import add_squares, add_submatrix, gather_columns, posterior_moments

Floats = NDArray[np.float32]

RANK = 64
CORRECTIONS = 50
NOISE = 1.0
"""Variance of a rating that taste does not explain; the weights below are on its scale."""
LEVEL = 0.4
"""Variance of a user's level: how much they like everything."""
CO_WATCH, DESCRIBED, WALKED = 1.04, 0.65, 0.3
"""Variances explained by who watches what, by words, and by the embeddings of the walks."""
FAME, AGE, QUALITY, LENGTH = 0.06, 0.015, 0.015, 0.04
"""Variances of a user's leaning to the well known, the new, the well rated, the long, per squared deviation."""
MAX_RATINGS = 2000
"""The latest so many ratings of a user are used. With 300, validation AUC of the process alone is .8635, not .8689."""
MAX_LIST = 5000
"""Longer lists are left out of the kernel."""
ITEM_PRIOR, USER_PRIOR = 5.0, 4.0
"""How many ratings of average kind an item's or a user's deviation starts from."""
PRIOR_WEIGHT = 0.1
"""Weight of "as usual" in the means over the nearest titles."""
DIRECT_UP_TO = 150
"""Lists with more ratings are solved in rounds."""
TOLERANCE, MOST_ROUNDS = 2e-6, 60
"""Residual, relative to the ratings, at which the rounds end, and after how many they are given up."""


@dataclass(frozen=True, slots=True, eq=False)
class Baseline:
    """``value = mean + item deviation + user deviation``, the additive model."""

    mean: float
    items: Floats
    """(n,) deviation of each item."""

    def user(self, rows: NDArray[np.int64], values: Floats) -> float:
        """The deviation of a user with these values (r,)."""
        return float((values - self.mean - self.items[rows]).sum() / (len(rows) + USER_PRIOR))


@dataclass(frozen=True, slots=True, eq=False)
class Kriging:
    """The fitted kernel and baselines over n items."""

    factors: Floats
    """(n, RANK)"""
    corrections: sp.csr_array
    """(n, n) symmetric float32: what the factors miss of the strongest entries."""
    like: Baseline
    rating: Baseline
    _variances: Floats = field(init=False)
    """(n,) of the factors alone."""
    _usual: Floats = field(init=False)
    """(2, n) liking and rating of each item by those who are as others are."""
    _lists: neighbours.CSR = field(init=False)
    """The corrections as kernels read them."""

    def __post_init__(self) -> None:
        kept = self.corrections
        if kept.nnz < np.iinfo(np.int32).max:  # half the memory to read in each request
            indices, indptr = kept.indices.astype(np.int32, copy=False), kept.indptr.astype(np.int32, copy=False)
            kept = sp.csr_array((kept.data, indices, indptr), shape=kept.shape)
            object.__setattr__(self, "corrections", kept)
        usual = np.stack([self.like.mean + self.like.items, self.rating.mean + self.rating.items])
        object.__setattr__(self, "_variances", np.vecdot(self.factors, self.factors))
        object.__setattr__(self, "_usual", usual.astype(np.float32))
        object.__setattr__(self, "_lists", neighbours.CSR(kept.indptr, kept.indices, kept.data))

    def predict(self, rows: NDArray[np.int64], ratings: Floats, candidates: NDArray[np.int64]) -> Floats:
        """What the additive model and the process expect of liking and rating. (r,), (r,), (m,) → (m, len(NAMES))

        The columns are those of ``domain.features.kriging``.
        """
        rows, ratings = rows[-MAX_RATINGS:], ratings[-MAX_RATINGS:]
        r, m, n = len(rows), len(candidates), len(self.factors)
        columns = np.zeros((len(NAMES), m), np.float32)
        usual = self._usual.take(candidates, axis=1)  # (2, m)
        if not r or not m:
            columns[:2] = columns[2:4] = usual
            columns[4] = 1
            return columns.T
        stated = np.empty((2, r), np.float32)
        np.greater(ratings, LIKED_ABOVE, out=stated[0])
        stated[1] = ratings
        left = stated - self._usual.take(rows, axis=1)  # (2, r)
        of_user = left.sum(axis=1, keepdims=True) / (r + USER_PRIOR)
        own, wanted = self.factors.take(rows, axis=0), np.empty((self.factors.shape[1], m), np.float32)
        gather_columns(self.factors, candidates, wanted)
        known = own @ wanted  # (r, m)
        root = root_of_inverse(own) if r >= len(wanted) else None
        columns[4] = still_open(own, wanted, known, self._variances.take(candidates), root)
        weights = self._solve(rows, own, left, root)  # (2, r)
        # squared, so that the near ones speak and the crowd of far ones does not
        said, told, nearest = columns[2:4], columns[5:9], columns[9:11]
        voices = np.concatenate([np.ones((1, r), np.float32), stated[:1], left - of_user])
        posterior_moments(self._lists, rows, candidates, n, known, weights, left[1], voices, said, told, nearest)
        np.add(usual, of_user, out=columns[:2])
        said += usual + np.float32(LEVEL) * weights.sum(axis=1, keepdims=True)
        weight = told[0] + np.float32(PRIOR_WEIGHT)
        np.log1p(told[0], out=told[0])
        told[1] += np.float32(PRIOR_WEIGHT * self.like.mean)
        told[1:] /= weight
        return columns.T

    def _solve(self, rows: NDArray[np.int64], own: Floats, left: Floats, root: Floats | None = None) -> Floats:
        """Weights of the ratings of these rows: their covariance, noise and level with it, inverted. (2, r) → (2, r)

        ``own`` (r, RANK) are the factors of the rows, ``root`` what ``root_of_inverse`` makes of them.
        """
        if len(rows) > DIRECT_UP_TO:
            root = root_of_inverse(own) if root is None else root
            found = conjugate_gradients(own, root, self._lists, rows, left)
            if found is not None:
                return found
        noisy = _covariance(own, level=LEVEL)
        add_submatrix(self._lists, rows, len(self.factors), noisy)
        _, weights, failed = sposv(noisy.T, left.T, lower=True, overwrite_a=True)
        if failed:
            # corrections were cut to the strongest, so nothing promises a positive kernel; the factors alone do
            weights = cho_solve(cho_factor(_covariance(own, level=LEVEL), lower=True, overwrite_a=True), left.T)
        return np.ascontiguousarray(weights.T, np.float32)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What ``from_arrays`` takes back."""
        return {
            "factors": self.factors,
            "indptr": self.corrections.indptr.astype(np.int64),
            "indices": self.corrections.indices.astype(np.int32),
            "data": self.corrections.data,
            "means": np.array([self.like.mean, self.rating.mean]),
            "like_items": self.like.items,
            "rating_items": self.rating.items,
        }


def still_open(own: Floats, wanted: Floats, known: Floats, before: Floats, root: Floats | None) -> Floats:
    """The share of the variance ``before`` (m,) of items that ratings leave open. → (m,)

    Factors are ``own`` (r, d) and ``wanted`` (d, m), their products ``known`` (r, m). The cheaper way is by the ratings
    where they are fewer than the factors, else by the factors, with what ``root_of_inverse`` makes of ``own``.
    """
    if root is None:
        left, sign, half = before.copy(), -1.0, _inverse_root(_covariance(own)).T @ known
    else:
        left, sign, half = np.zeros_like(before), NOISE, root[:-1, :-1].T @ wanted
    add_squares(half, np.float32(sign), left)
    left /= np.maximum(before, np.float32(1e-6))
    return left


def root_of_inverse(own: Floats) -> Floats:
    """``R`` with ``R Rᵀ`` the inverse of ``wideᵀ wide + NOISE I``. (r, d) → (d + 1, d + 1)

    ``wide`` are the factors and a last column for the level. ``R`` is upper triangular, so that without its last row
    and column it is the same of the factors alone.
    """
    return _inverse_root(_covariance(_with_level(own).T))


def _with_level(own: Floats) -> Floats:
    """Factors (r, d) with a column of which the products are the variance of the level. → (r, d + 1)"""
    wide = np.empty((len(own), own.shape[1] + 1), np.float32)
    wide[:, :-1], wide[:, -1] = own, LEVEL**0.5
    return wide


def _covariance(own: Floats, *, level: float = 0) -> Floats:
    """Covariances of ratings of items of these factors (r, d), their noise with them. → (r, r)"""
    covariance = own @ own.T
    covariance += np.float32(level)
    covariance.ravel()[:: len(covariance) + 1] += np.float32(NOISE)
    return np.asarray(covariance, np.float32)


def _inverse_root(matrix: Floats) -> Floats:
    """``R`` with ``R Rᵀ`` the inverse of a symmetric matrix (d, d) without eigenvalues near 0, which is overwritten."""
    lower, _ = spotrf(matrix.T, lower=True, clean=True, overwrite_a=True)
    inverse, _ = strtri(lower, lower=True, overwrite_c=True)
    return np.asarray(inverse.T, np.float32)


def conjugate_gradients(
    own: Floats, root: Floats, lists: neighbours.CSR, rows: NDArray[np.int64], left: Floats
) -> Floats | None:
    """Solve ``(own ownᵀ + LEVEL + NOISE I + corrections) x = left``. (r, d), …, (r,) of the lists, (2, r) → (2, r)

    Preconditioned by all but the corrections, which has a closed inverse, so a few rounds are enough however long the
    list. ``None`` if it does not converge: the matrix is not positive.
    """
    wide, x = _with_level(own), np.zeros_like(left)
    ended = conjugate_gradient(
        wide, np.ascontiguousarray(wide.T), root @ root.T, np.float32(NOISE), lists, rows, len(lists.indptr) - 1, left,
        TOLERANCE, MOST_ROUNDS, x,
    )  # fmt: skip
    return x if ended else None


def from_arrays(arrays: Mapping[str, NDArray[Any]]) -> Kriging:
    """The model back from its arrays."""
    n = len(arrays["factors"])
    corrections = sp.csr_array((arrays["data"], arrays["indices"], arrays["indptr"]), shape=(n, n))
    like, rating = (float(mean) for mean in arrays["means"])
    return Kriging(
        arrays["factors"], corrections, Baseline(like, arrays["like_items"]), Baseline(rating, arrays["rating_items"])
    )


def fit(
    lists: sp.csr_array,
    ratings: Floats,
    content: sp.csr_array,
    vectors: Floats,
    items: ItemTable,
    *,
    seed: int,
    hidden: NDArray[np.int64] | None = None,
) -> Kriging:
    """Fit on (users, items) lists, the ``ratings`` (nnz,) of their entries (NaN = not rated), unit rows of words
    (n, words) and unit embeddings (n, dim); ``items`` carries the statistics of the same lists.

    ``hidden`` rows of the items are left as they would be without viewers; the others are as if all were there.
    """
    rated = ~np.isnan(ratings)
    user = np.repeat(np.arange(lists.shape[0]), np.diff(lists.indptr))[rated]
    item, stated = lists.indices[rated].astype(np.int64), ratings[rated]
    like = baseline(user, item, (stated > LIKED_ABOVE).astype(np.float32), lists.shape)
    rating = baseline(user, item, stated, lists.shape)
    watched, described = CO_WATCH**0.5 * _unit_columns(lists).T, DESCRIBED**0.5 * content
    half = sp.csr_array(sp.hstack([watched, described], format="csr"), dtype=np.float32)
    dense = _dense(vectors, items, items.counts, rating.items)
    factors = _leading_factors(half, dense, seed)  # the kernel is half halfᵀ + dense denseᵀ
    corrections = _corrections(half, dense, factors)
    if hidden is None or not len(hidden):
        return Kriging(factors, corrections, like, rating)
    seen = np.ones(len(factors), np.float32)
    seen[hidden] = 0
    quality = rating.items * seen
    none_watched = sp.csr_array((len(hidden), watched.shape[1]), dtype=np.float32)
    half_alone = sp.hstack([none_watched, described[hidden]], format="csr")
    dense_alone = _dense(vectors * seen[:, None], items, items.counts * seen, quality)[hidden]
    # the factors of further rows of a kernel, by the Nyström method (Williams & Seeger, NIPS 2000)
    to_all = half_alone @ (half.T @ factors) + dense_alone @ (dense.T @ factors)
    factors[hidden] = to_all / np.maximum((factors**2).sum(axis=0), np.float32(1e-6))
    among_seen = sp.diags_array(seen).tocsr()
    corrections = sp.csr_array(among_seen @ corrections @ among_seen)
    corrections.eliminate_zeros()
    return Kriging(factors, corrections, Baseline(like.mean, like.items * seen), Baseline(rating.mean, quality))


def _dense(vectors: Floats, items: ItemTable, counts: Floats, quality: Floats) -> Floats:
    """The dense half of the kernel: embeddings, fame, age, quality and length. → (n, dim + 4)"""
    leanings = (FAME, np.log1p(counts)), (AGE, items.years), (QUALITY, quality), (LENGTH, np.log1p(items.episodes))
    columns = [variance**0.5 * standardise(column) for variance, column in leanings]
    return np.column_stack([WALKED**0.5 * vectors, *columns]).astype(np.float32)


def baseline(user: NDArray[np.int64], item: NDArray[np.int64], value: Floats, shape: tuple[int, int]) -> Baseline:
    """Ridge-regularised deviations by a few rounds of alternating means."""
    mean = float(value.mean()) if len(value) else 0.0
    n_users, n_items = shape
    per_user, per_item = np.bincount(user, minlength=n_users), np.bincount(item, minlength=n_items)
    users, items = np.zeros(n_users), np.zeros(n_items)
    for _ in range(8):
        items = np.bincount(item, value - mean - users[user], n_items) / (per_item + ITEM_PRIOR)
        users = np.bincount(user, value - mean - items[item], n_users) / (per_user + USER_PRIOR)
    return Baseline(mean, items.astype(np.float32))


def _unit_columns(lists: sp.csr_array) -> sp.csr_array:
    """Lists with each user weighted by 1/√length, and columns of unit length: their Gram matrix is the cosine."""
    ones = sp.csr_array((np.ones(len(lists.indices), np.float32), lists.indices, lists.indptr), shape=lists.shape)
    length = np.diff(lists.indptr)
    # who has nearly everything says nothing of what belongs together, and costs the square of it
    weight = np.where(length <= MAX_LIST, np.maximum(1, length) ** -0.5, 0).astype(np.float32)
    weighted = sp.csr_array(sp.diags_array(weight).tocsr() @ ones)
    weighted.eliminate_zeros()
    norm = np.sqrt(np.bincount(weighted.indices, weighted.data**2, int(lists.shape[1])))
    scale = np.divide(1, norm, out=np.zeros_like(norm), where=norm > 0).astype(np.float32)
    return sp.csr_array(weighted @ sp.diags_array(scale).tocsr())


def _leading_factors(half: sp.csr_array, dense: Floats, seed: int) -> Floats:
    """``F`` with ``F Fᵀ`` the best approximation of the kernel of rank RANK. → (n, ≤ RANK + 1)"""
    n = int(half.shape[0])
    if n <= RANK + 1:  # all of it
        values, vectors = np.linalg.eigh((half @ half.T).toarray() + dense @ dense.T)
        return np.asarray(vectors * np.sqrt(np.maximum(values, 0)), np.float32)
    operator = LinearOperator((n, n), matvec=lambda x: half @ (half.T @ x) + dense @ (dense.T @ x), dtype=np.float64)
    values, vectors = eigsh(operator, k=RANK, v0=np.random.default_rng(seed).standard_normal(n), tol=1e-3)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0)), np.float32)


def _corrections(half: sp.csr_array, dense: Floats, factors: Floats, block: int = 1024) -> sp.csr_array:
    """The largest errors of the factors in each row, made symmetric. → (n, n)"""
    blocks = []
    for start in range(0, len(factors), block):
        rows = slice(start, start + block)
        missed = (half[rows] @ half.T).toarray()
        missed += dense[rows] @ dense.T
        missed -= factors[rows] @ factors.T
        row, column = np.nonzero(top_k_mask(missed, CORRECTIONS, by_magnitude=True))
        counts = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=len(missed)))])
        blocks.append(sp.csr_array((missed[row, column], column.astype(np.int32), counts), shape=missed.shape))
    kept = sp.csr_array(sp.vstack(blocks, format="csr"))
    # the error is symmetric, so where both halves kept an entry it is the same number twice
    ones = sp.csr_array((np.ones_like(kept.data), kept.indices, kept.indptr), shape=kept.shape)
    times = sp.csr_array(ones + ones.T)
    times.data = 1 / times.data
    # multiplied, not divided place by place: what cancels out to nothing is not stored
    both = sp.csr_array((kept + kept.T).multiply(times))
    both.sort_indices()
    return both
