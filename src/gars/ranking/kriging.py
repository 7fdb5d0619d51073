"""Kriging: each user's liking as a Gaussian process over the catalogue, conditioned on what they rated.

Two titles are expected to be liked alike when they are watched by the same people, described in the same words, near
on the walks, or alike in age, fame, quality and length; that is the kernel. What an item's own mean leaves unexplained
of a user's ratings is interpolated to the candidates, the user's own level with it (Rasmussen & Williams, "Gaussian
Processes for Machine Learning", 2006, ch. 2). The kernel is kept as rank 64 plus the 50 strongest corrections of each
row, which loses nothing against the full matrix and costs a fraction of it. Cost: one r × r Cholesky a request, r =
ratings of the user; a few products with the factors where r is large. At most ``MAX_RATINGS`` count.
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
from gars.domain.largest import largest
from gars.loops import neighbours

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
DIRECT_UP_TO = 300
"""Lists with more ratings are solved in rounds."""
TOLERANCE, MOST_ROUNDS = 1e-5, 60
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

    def __post_init__(self) -> None:
        object.__setattr__(self, "_variances", np.maximum(np.vecdot(self.factors, self.factors), np.float32(1e-6)))
        kept = self.corrections
        if kept.nnz < np.iinfo(np.int32).max:  # half the memory to read in each request
            indices, indptr = kept.indices.astype(np.int32, copy=False), kept.indptr.astype(np.int32, copy=False)
            object.__setattr__(self, "corrections", sp.csr_array((kept.data, indices, indptr), shape=kept.shape))

    def predict(self, rows: NDArray[np.int64], ratings: Floats, candidates: NDArray[np.int64]) -> Floats:
        """What the additive model and the process expect of liking and rating. (r,), (r,), (m,) → (m, len(NAMES))

        The columns are those of ``domain.features.kriging``.
        """
        rows, ratings = rows[-MAX_RATINGS:], ratings[-MAX_RATINGS:]
        liked = (ratings > LIKED_ABOVE).astype(np.float32)
        columns = np.zeros((len(NAMES), len(candidates)), np.float32)
        item_like = self.like.mean + self.like.items[candidates]
        item_rating = self.rating.mean + self.rating.items[candidates]
        columns[0] = item_like + self.like.user(rows, liked)
        columns[1] = item_rating + self.rating.user(rows, ratings)
        if not len(rows):
            columns[2:4], columns[4] = columns[:2], 1
            return columns.T
        left = np.stack(
            [liked - self.like.mean - self.like.items[rows], ratings - self.rating.mean - self.rating.items[rows]],
            axis=1,
        )  # (r, 2)
        own, wanted = self.factors[rows], self.factors[candidates]
        across = self._kernel(candidates, rows, wanted @ own.T)  # (m, r)
        weights = self._solve(rows, own, left)  # (r, 2)
        said = across @ weights + np.float32(LEVEL) * weights.sum(axis=0)  # (m, 2)
        columns[2], columns[3] = item_like + said[:, 0], item_rating + said[:, 1]
        columns[4] = still_open(own, wanted) / self._variances[candidates]
        nearest = across.argmax(axis=1)
        columns[9] = across[np.arange(len(candidates)), nearest]
        columns[10] = left[nearest, 1]
        # squared, so that the near ones speak and the crowd of far ones does not
        np.maximum(across, 0, out=across)
        across *= across
        usual = left.sum(axis=0) / (len(rows) + USER_PRIOR)
        told = across @ np.column_stack([np.ones_like(liked), liked, left - usual])  # (m, 4)
        weight = told[:, 0] + PRIOR_WEIGHT
        columns[5] = np.log1p(told[:, 0])
        columns[6] = (told[:, 1] + PRIOR_WEIGHT * self.like.mean) / weight
        columns[7:9] = (told[:, 2:] / weight[:, None]).T
        return columns.T

    def _solve(self, rows: NDArray[np.int64], own: Floats, left: Floats) -> Floats:
        """Weights of the ratings of these rows: their covariance, noise and level with it, inverted. (r, 2) → (r, 2)

        ``own`` (r, RANK) are the factors of the rows.
        """
        r = len(rows)
        if r > DIRECT_UP_TO:
            found = conjugate_gradients(own, _among(self.corrections, rows), left)
            if found is not None:
                return found
        diagonal = np.diag_indices(r)
        noisy = self._kernel(rows, rows, own @ own.T)
        noisy += np.float32(LEVEL)
        noisy[diagonal] += NOISE
        _, weights, failed = sposv(noisy, left, lower=True, overwrite_a=True)
        if failed:
            # corrections were cut to the strongest, so nothing promises a positive kernel; the factors alone do
            noisy = own @ own.T + np.float32(LEVEL)
            noisy[diagonal] += NOISE
            weights = cho_solve(cho_factor(noisy, lower=True, overwrite_a=True), left)
        return np.asarray(weights, np.float32)

    def _kernel(self, some: NDArray[np.int64], rows: NDArray[np.int64], known: Floats) -> Floats:
        """Covariances of two sets of items; ``known`` is what the factors say of it. (a,), (r,), (a, r) → (a, r)"""
        kernel = np.zeros((len(some) + 1, len(rows)), np.float32)
        kernel[:-1] = known
        place = np.full(len(self.factors), len(some), np.int32)
        place[some] = np.arange(len(some), dtype=np.int32)
        missed = self.corrections
        neighbours.add_block(neighbours.Lists(missed.indptr, missed.indices, missed.data), rows, place, kernel)
        return kernel[:-1]

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


def still_open(own: Floats, wanted: Floats) -> Floats:
    """The variance of items of factors (m, d) that ratings of items of factors (r, d) leave open. → (m,)"""
    r, d = own.shape
    if r < d:  # by the ratings: what they explain is taken away
        covariance = own @ own.T
        covariance[np.diag_indices(r)] += np.float32(NOISE)
        explained = wanted @ (own.T @ _root_of_inverse(covariance))  # (m, r)
        return np.asarray(np.vecdot(wanted, wanted) - np.vecdot(explained, explained), np.float32)
    precision = own.T @ own / np.float32(NOISE)
    precision[np.diag_indices(d)] += 1
    half = wanted @ _root_of_inverse(precision)  # (m, d)
    return np.asarray(np.vecdot(half, half), np.float32)


def _root_of_inverse(matrix: Floats) -> Floats:
    """``R`` with ``R Rᵀ`` the inverse of a symmetric matrix without eigenvalues near 0. (d, d) → (d, d)"""
    lower, _ = spotrf(matrix, lower=True, clean=True)
    inverse, _ = strtri(lower, lower=True)
    return np.asarray(inverse.T, np.float32)


def conjugate_gradients(factors: Floats, among: sp.csr_array, left: Floats) -> Floats | None:
    """Solve ``(factors factorsᵀ + LEVEL + NOISE I + among) x = left``. (r, d), (r, r) sparse, (r, c) → (r, c)

    Preconditioned by all but the corrections, which has a closed inverse, so a few rounds are enough however long the
    list (Saad, "Iterative Methods for Sparse Linear Systems", 2003, alg. 9.1). ``None`` if it does not converge:
    the matrix is not positive.
    """
    wide = np.column_stack([factors, np.full(len(factors), LEVEL**0.5, np.float32)])  # (r, d + 1)
    inner = wide.T @ wide
    inner[np.diag_indices(len(inner))] += NOISE
    core = cho_factor(inner, overwrite_a=True)

    def precondition(v: Floats) -> Floats:
        return np.asarray((v - wide @ cho_solve(core, wide.T @ v, check_finite=False)) / np.float32(NOISE), np.float32)

    def multiply(v: Floats) -> Floats:
        return np.asarray(wide @ (wide.T @ v) + np.float32(NOISE) * v + among @ v, np.float32)

    x = precondition(left)
    residual = left - multiply(x)
    direction = away = precondition(residual)
    fit_of = np.einsum("rc,rc->c", residual, away)
    enough = TOLERANCE * np.linalg.norm(left, axis=0)
    for _ in range(MOST_ROUNDS):
        if (np.linalg.norm(residual, axis=0) <= enough).all():
            return x
        image = multiply(direction)
        curvature = np.einsum("rc,rc->c", direction, image)
        if (curvature < 0).any():
            return None
        step = fit_of / np.maximum(curvature, np.float32(1e-30))
        x = x + step * direction
        residual = residual - step * image
        away = precondition(residual)
        before, fit_of = fit_of, np.einsum("rc,rc->c", residual, away)
        direction = away + fit_of / np.maximum(before, np.float32(1e-30)) * direction
    return None


def _among(corrections: sp.csr_array, rows: NDArray[np.int64]) -> sp.csr_array:
    """The corrections (n, n) of some rows among themselves. (r,) → (r, r)"""
    own = corrections[rows]
    place = np.full(corrections.shape[0], -1, np.int32)
    place[rows] = np.arange(len(rows), dtype=np.int32)
    target = place.take(own.indices)
    inside = target >= 0
    indptr = np.concatenate([[0], np.cumsum(inside)])[own.indptr]
    return sp.csr_array((own.data[inside], target[inside], indptr), shape=(len(rows), len(rows)))


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
) -> Kriging:
    """Fit on (users, items) lists, the ``ratings`` (nnz,) of their entries (NaN = not rated), unit rows of words
    (n, words) and unit embeddings (n, dim); ``items`` carries the statistics of the same lists.
    """
    rated = ~np.isnan(ratings)
    user = np.repeat(np.arange(lists.shape[0]), np.diff(lists.indptr))[rated]
    item, stated = lists.indices[rated].astype(np.int64), ratings[rated]
    like = baseline(user, item, (stated > LIKED_ABOVE).astype(np.float32), lists.shape)
    rating = baseline(user, item, stated, lists.shape)
    watched, described = CO_WATCH**0.5 * _unit_columns(lists).T, DESCRIBED**0.5 * content
    half = sp.csr_array(sp.hstack([watched, described], format="csr"), dtype=np.float32)
    leanings = (
        (FAME, np.log1p(items.counts)),
        (AGE, items.years),
        (QUALITY, rating.items),
        (LENGTH, np.log1p(items.episodes)),
    )
    dense = np.column_stack(
        [WALKED**0.5 * vectors, *(variance**0.5 * _standard(column) for variance, column in leanings)]
    ).astype(np.float32)
    factors = _leading_factors(half, dense, seed)  # the kernel is half halfᵀ + dense denseᵀ
    return Kriging(factors, _corrections(half, dense, factors), like, rating)


def _standard(column: NDArray[np.floating[Any]]) -> Floats:
    """Mean 0, deviation 1 over the known values; what is not known is as usual. (n,) → (n,)"""
    known = np.isfinite(column)
    if not known.any():
        return np.zeros(len(column), np.float32)
    centred = np.where(known, column - column[known].mean(), 0)
    deviation = float(column[known].std())
    return np.asarray(centred / (deviation if deviation > 0 else 1), np.float32)


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
        row, column = np.nonzero(largest(missed, CORRECTIONS, by_magnitude=True))
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
