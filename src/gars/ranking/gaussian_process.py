"""Each user's liking as a Gaussian process over the catalogue, conditioned on their ratings (kriging).

The kernel correlates titles that have common viewers, similar descriptions or similar embeddings, or are alike in age,
popularity, quality and length. The residuals of a user's ratings from the items' means are interpolated to the
candidates, the user's level with them (Rasmussen & Williams, "Gaussian Processes for Machine Learning", 2006, ch. 2).
The kernel is stored as rank 64 plus the 50 largest corrections of each row, which loses nothing against the full matrix
and costs a fraction of it. A request costs the product of the factors of its ratings and candidates, a pass over it
(``kernels.gaussian_process``), and a Cholesky factorisation of the ratings or, where they are many, a few iterations of
``kernels.conjugate_gradient``. At most ``MAX_RATINGS`` are used.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.linalg.lapack import sposv, spotrf, strtri
from scipy.sparse.linalg import LinearOperator, eigsh

from gars.domain.features.gaussian_process import NAMES
from gars.domain.history import LIKED_ABOVE
from gars.domain.item_table import ItemTable
from gars.domain.normalise import standardise
from gars.kernels import cooccurrence, neighbours
from gars.kernels.conjugate_gradient import CONVERGED, NOT_POSITIVE, UNFINISHED, conjugate_gradient
from gars.kernels.few_ratings import condition_on_few
from gars.kernels.gaussian_process import (
    add_squares,
    add_submatrix,
    complete_predictions,
    posterior_moments,
    read_residuals,
)

Floats = NDArray[np.float32]

RANK = 64
CORRECTIONS = 50
NOISE = 1.0
"""Variance of the noise of a rating; the variances below are on its scale."""
LEVEL = 0.4
"""Variance of a user's level: their mean residual."""
CO_WATCH, DESCRIBED, WALKED = 1.04, 0.65, 0.3
"""Variances of the kernels of common viewers, of descriptions, and of embeddings of walks."""
FAME, AGE, QUALITY, LENGTH = 0.06, 0.015, 0.015, 0.04
"""Variances of a user's slope over popularity, age, quality and length, per squared deviation."""
MAX_RATINGS = 2000
"""Only so many latest ratings of a user are used. With 300, validation AUC of the process alone is .8635, not .8689."""
MAX_LIST = 5000
"""Longer lists are left out of the kernel."""
ITEM_PRIOR, USER_PRIOR = 5.0, 4.0
"""Pseudo-ratings of deviation 0 that an item's or a user's deviation is shrunk by."""
PRIOR_WEIGHT = 0.1
"""Weight of the mean in the weighted means over the nearest titles."""
FEW = 24
"""Up to so many ratings one compiled call is faster than several of LAPACK."""
DIRECT_UP_TO = 150
"""Lists with more ratings are solved by conjugate gradients."""
TOLERANCE, MAX_ITERATIONS = 2e-6, 60
"""Residual of conjugate gradients, relative to the right-hand side, and number of iterations, at which they end."""


@dataclass(frozen=True, slots=True, eq=False)
class Baseline:
    """``value = mean + item deviation + user deviation``, the additive model."""

    mean: float
    items: Floats
    """(n,) deviation of each item."""

    def user(self, rows: NDArray[np.int64], values: Floats) -> float:
        """Estimate the deviation of a user with these values (r,)."""
        return float((values - self.mean - self.items[rows]).sum() / (len(rows) + USER_PRIOR))


@dataclass(frozen=True, slots=True, eq=False)
class GaussianProcess:
    """The fitted kernel and baselines over n items."""

    factors: Floats
    """(n, RANK)"""
    corrections: sp.csr_array
    """(n, n) symmetric float32: kernel minus factors, at the largest errors."""
    like: Baseline
    rating: Baseline
    _priors: Floats = field(init=False)
    """(n, 3) prior mean of liking and of rating, and variance by the factors alone, of each item."""
    _corrections: neighbours.CSR = field(init=False)
    """The corrections as kernels read them."""

    def __post_init__(self) -> None:
        kept = self.corrections
        if kept.nnz < np.iinfo(np.int32).max:  # half the memory to read in each request
            indices, indptr = kept.indices.astype(np.int32, copy=False), kept.indptr.astype(np.int32, copy=False)
            kept = sp.csr_array((kept.data, indices, indptr), shape=kept.shape)
            object.__setattr__(self, "corrections", kept)
        means = self.like.mean + self.like.items, self.rating.mean + self.rating.items
        priors = np.stack([*means, np.vecdot(self.factors, self.factors)], axis=1)
        object.__setattr__(self, "_priors", priors.astype(np.float32))
        object.__setattr__(self, "_corrections", neighbours.CSR(kept.indptr, kept.indices, kept.data))

    def predict(self, rows: NDArray[np.int64], ratings: Floats, candidates: NDArray[np.int64]) -> Floats:
        """Predict liking and rating of m candidates, with the posterior variance and statistics of the nearest ratings.

        (r,), (r,), (m,) → (m, len(NAMES)); the columns are those of ``domain.features.gaussian_process``.
        """
        rows, ratings = rows[-MAX_RATINGS:], ratings[-MAX_RATINGS:]
        r, m = len(rows), len(candidates)
        if not r or not m:
            return self._without_ratings(candidates)
        columns = np.empty((len(NAMES), m), np.float32)
        residuals, values, deviations = (
            np.empty((2, r), np.float32),
            np.empty((4, r), np.float32),
            np.empty(2, np.float32),
        )
        read_residuals(
            self._priors, rows, ratings, np.float32(LIKED_ABOVE), np.float32(USER_PRIOR), residuals, values, deviations
        )
        covariance, dual = self._condition(rows, residuals, candidates, columns[4])  # (r, m), (2, r)
        # neighbours are weighted by squared covariance, so that many distant ones do not outweigh a few near ones
        posterior_moments(
            self._corrections, rows, candidates, len(self.factors), covariance, dual, residuals[1], values,
            columns[2:4], columns[5:9], columns[9:11],
        )  # fmt: skip
        shifts = np.float32(LEVEL) * dual.sum(axis=1)
        complete_predictions(
            self._priors, candidates, deviations, shifts, np.float32(PRIOR_WEIGHT), np.float32(self.like.mean), columns
        )
        np.log1p(columns[5], out=columns[5])
        return columns.T

    def _without_ratings(self, candidates: NDArray[np.int64]) -> Floats:
        """Return the prior means and variances of some candidates (m,). → (m, len(NAMES))"""
        found = np.zeros((len(NAMES), len(candidates)), np.float32)
        found[:2] = found[2:4] = self._priors[candidates, :2].T
        found[4] = 1
        return found.T

    def _condition(
        self, rows: NDArray[np.int64], residuals: Floats, candidates: NDArray[np.int64], variance: Floats
    ) -> tuple[Floats, Floats]:
        """Condition on the residuals (2, r) of some rows (r,) for m candidates. → (r, m), (2, r)

        Returned are the covariance by the factors and the weights of the residuals; the posterior variance by the
        factors is written to ``variance`` (m,).
        """
        r, m = len(rows), len(candidates)
        if r <= FEW:
            covariance, dual = np.empty((r, m), np.float32), np.empty((2, r), np.float32)
            condition_on_few(
                self.factors, self._priors, self._corrections, rows, residuals, np.float32(LEVEL), np.float32(NOISE),
                candidates, covariance, dual, variance,
            )  # fmt: skip
            return covariance, dual
        of_rated, of_candidates = self.factors.take(rows, axis=0), self.factors.take(candidates, axis=0).T
        covariance = of_rated @ of_candidates
        root = root_of_inverse(of_rated) if r >= len(of_candidates) else None
        posterior_variance(of_rated, of_candidates, covariance, self._priors[:, 2].take(candidates), root, variance)
        return covariance, self._solve(rows, of_rated, residuals, root)

    def _solve(self, rows: NDArray[np.int64], factors: Floats, rhs: Floats, root: Floats | None = None) -> Floats:
        """Solve ``(K + NOISE I + LEVEL) x = rhs`` for the kernel K of these rows (r,). (2, r) → (2, r)

        ``factors`` (r, RANK) are those of the rows, ``root`` is ``root_of_inverse(factors)``.
        """
        outcome = UNFINISHED
        if len(rows) > DIRECT_UP_TO:
            root = root_of_inverse(factors) if root is None else root
            solution, outcome = conjugate_gradients(factors, root, self._corrections, rows, rhs)
        if outcome == UNFINISHED:
            covariance = _covariance(factors, level=LEVEL)
            add_submatrix(self._corrections, rows, len(self.factors), covariance)
            _, direct, failed = sposv(covariance.T, rhs.T, lower=True, overwrite_a=True)
            solution, outcome = direct.T, NOT_POSITIVE if failed else CONVERGED
        if outcome == NOT_POSITIVE:
            # corrections are cut to the largest, so the kernel need not be positive definite; the factors alone are
            root = root_of_inverse(factors) if root is None else root
            solution, _ = conjugate_gradients(factors, root, _no_entries(len(self.factors)), rows, rhs)
        return np.ascontiguousarray(solution, np.float32)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays that ``from_arrays`` reads."""
        return {
            "factors": self.factors,
            "indptr": self.corrections.indptr.astype(np.int64),
            "indices": self.corrections.indices.astype(np.int32),
            "data": self.corrections.data,
            "means": np.array([self.like.mean, self.rating.mean]),
            "like_items": self.like.items,
            "rating_items": self.rating.items,
        }


def posterior_variance(
    of_rated: Floats, of_candidates: Floats, covariance: Floats, prior: Floats, root: Floats | None, out: Floats
) -> None:
    """Write the posterior variance of m candidates, given the rated items, to ``out`` (m,).

    Factors are ``of_rated`` (r, d) and ``of_candidates`` (d, m), their products ``covariance`` (r, m); ``prior`` (m,)
    are the variances without ratings. ``root`` is ``root_of_inverse(of_rated)``, or ``None`` to solve by the ratings,
    which is cheaper where r < d.
    """
    if root is None:
        out[:], sign, half = prior, -1.0, _inverse_root(_covariance(of_rated)).T @ covariance
    else:
        out[:], sign, half = 0, NOISE, root[:-1, :-1].T @ of_candidates
    add_squares(half, np.float32(sign), out)


def _no_entries(n: int) -> neighbours.CSR:
    """Return a sparse (n, n) matrix of zeros."""
    return neighbours.CSR(np.zeros(n + 1, np.int32), np.empty(0, np.int32), np.empty(0, np.float32))


def root_of_inverse(factors: Floats) -> Floats:
    """Return ``R`` with ``R Rᵀ`` the inverse of ``Fᵀ F + NOISE I``. (r, d) → (d + 1, d + 1)

    F are the factors and a last column for the level. ``R`` is upper triangular, so without its last row and column it
    is the root for the factors alone.
    """
    return _inverse_root(_covariance(_with_level(factors).T))


def _with_level(factors: Floats) -> Floats:
    """Append a column for the user's level. (r, d) → (r, d + 1)"""
    extended = np.empty((len(factors), factors.shape[1] + 1), np.float32)
    extended[:, :-1] = factors
    extended[:, -1] = LEVEL**0.5
    return extended


def _covariance(factors: Floats, *, level: float = 0) -> Floats:
    """Return the covariance of ratings of items with these factors (r, d), noise included. → (r, r)"""
    covariance = factors @ factors.T
    covariance += np.float32(level)
    covariance.ravel()[:: len(covariance) + 1] += np.float32(NOISE)
    return np.asarray(covariance, np.float32)


def _inverse_root(matrix: Floats) -> Floats:
    """Return ``R`` with ``R Rᵀ`` the inverse of a symmetric matrix (d, d) far from singular, which is overwritten."""
    lower, _ = spotrf(matrix.T, lower=True, clean=True, overwrite_a=True)
    inverse, _ = strtri(lower, lower=True, overwrite_c=True)
    return np.asarray(inverse.T, np.float32)


def conjugate_gradients(
    factors: Floats, root: Floats, corrections: neighbours.CSR, rows: NDArray[np.int64], rhs: Floats
) -> tuple[Floats, int]:
    """Solve ``(F Fᵀ + LEVEL + NOISE I + corrections) x = rhs``. (r, d), …, rows (r,), (2, r) → (2, r), outcome

    The preconditioner is the inverse of all but the corrections, which has a closed form, so few iterations are enough
    for any r, and one without corrections.
    """
    extended, x = _with_level(factors), np.zeros_like(rhs)
    outcome = conjugate_gradient(
        extended, np.ascontiguousarray(extended.T), root @ root.T, np.float32(NOISE), corrections, rows,
        len(corrections.indptr) - 1, rhs, TOLERANCE, MAX_ITERATIONS, x,
    )  # fmt: skip
    return x, outcome


def from_arrays(arrays: Mapping[str, NDArray[Any]]) -> GaussianProcess:
    """Rebuild the model from ``GaussianProcess.arrays``."""
    n = len(arrays["factors"])
    corrections = sp.csr_array((arrays["data"], arrays["indices"], arrays["indptr"]), shape=(n, n))
    like, rating = (float(mean) for mean in arrays["means"])
    return GaussianProcess(
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
) -> GaussianProcess:
    """Fit the kernel and the baselines.

    ``lists`` are (users, items), ``ratings`` (nnz,) those of their entries (NaN = not rated), ``content`` unit rows of
    words (n, words), ``vectors`` unit embeddings (n, dim); ``items`` has the statistics of the same lists. ``hidden``
    rows get the factors they would have without viewers; the others are not changed by that.
    """
    rated = ~np.isnan(ratings)
    user = np.repeat(np.arange(lists.shape[0]), np.diff(lists.indptr))[rated]
    item, observed = lists.indices[rated].astype(np.int64), ratings[rated]
    like = baseline(user, item, (observed > LIKED_ABOVE).astype(np.float32), lists.shape)
    rating = baseline(user, item, observed, lists.shape)
    viewers, described = CO_WATCH**0.5 * _unit_columns(lists).T, DESCRIBED**0.5 * content
    half = sp.csr_array(sp.hstack([viewers, described], format="csr"), dtype=np.float32)
    dense = _dense(vectors, items, items.counts, rating.items)
    factors = _leading_factors(half, dense, seed)  # the kernel is half halfᵀ + dense denseᵀ
    corrections = _corrections(half, dense, factors)
    if hidden is None or not len(hidden):
        return GaussianProcess(factors, corrections, like, rating)
    seen = np.ones(len(factors), np.float32)
    seen[hidden] = 0
    quality = rating.items * seen
    no_viewers = sp.csr_array((len(hidden), viewers.shape[1]), dtype=np.float32)
    half_alone = sp.hstack([no_viewers, described[hidden]], format="csr")
    dense_alone = _dense(vectors * seen[:, None], items, items.counts * seen, quality)[hidden]
    # the factors of further rows of a kernel, by the Nyström method (Williams & Seeger, NIPS 2000)
    to_all = half_alone @ (half.T @ factors) + dense_alone @ (dense.T @ factors)
    factors[hidden] = to_all / np.maximum((factors**2).sum(axis=0), np.float32(1e-6))
    among_seen = sp.diags_array(seen).tocsr()
    corrections = sp.csr_array(among_seen @ corrections @ among_seen)
    corrections.eliminate_zeros()
    return GaussianProcess(factors, corrections, Baseline(like.mean, like.items * seen), Baseline(rating.mean, quality))


def _dense(vectors: Floats, items: ItemTable, counts: Floats, quality: Floats) -> Floats:
    """Return D of the kernel's dense part ``D Dᵀ``: embeddings, popularity, age, quality and length. → (n, dim + 4)"""
    slopes = (FAME, np.log1p(counts)), (AGE, items.years), (QUALITY, quality), (LENGTH, np.log1p(items.episodes))
    columns = [variance**0.5 * standardise(column) for variance, column in slopes]
    return np.column_stack([WALKED**0.5 * vectors, *columns]).astype(np.float32)


def baseline(user: NDArray[np.int64], item: NDArray[np.int64], value: Floats, shape: tuple[int, int]) -> Baseline:
    """Fit the additive model by eight rounds of alternating, shrunk means. (t,), (t,), (t,) for t ratings"""
    mean = float(value.mean()) if len(value) else 0.0
    n_users, n_items = shape
    per_user, per_item = np.bincount(user, minlength=n_users), np.bincount(item, minlength=n_items)
    users, items = np.zeros(n_users), np.zeros(n_items)
    for _ in range(8):
        items = np.bincount(item, value - mean - users[user], n_items) / (per_item + ITEM_PRIOR)
        users = np.bincount(user, value - mean - items[item], n_users) / (per_user + USER_PRIOR)
    return Baseline(mean, items.astype(np.float32))


def _unit_columns(lists: sp.csr_array) -> sp.csr_array:
    """Weight users by 1/√length and scale columns to unit length: the Gram matrix is the cosine of items."""
    ones = sp.csr_array((np.ones(len(lists.indices), np.float32), lists.indices, lists.indptr), shape=lists.shape)
    length = np.diff(lists.indptr)
    # a list of nearly everything correlates nothing, and its cost is quadratic
    weight = np.where(length <= MAX_LIST, np.maximum(1, length) ** -0.5, 0).astype(np.float32)
    weighted = sp.csr_array(sp.diags_array(weight).tocsr() @ ones)
    weighted.eliminate_zeros()
    norm = np.sqrt(np.bincount(weighted.indices, weighted.data**2, int(lists.shape[1])))
    scale = np.divide(1, norm, out=np.zeros_like(norm), where=norm > 0).astype(np.float32)
    return sp.csr_array(weighted @ sp.diags_array(scale).tocsr())


def _leading_factors(half: sp.csr_array, dense: Floats, seed: int) -> Floats:
    """Return ``F`` with ``F Fᵀ`` the best rank-RANK approximation of the kernel. → (n, ≤ RANK + 1)"""
    n = int(half.shape[0])
    if n <= RANK + 1:  # all of it
        values, vectors = np.linalg.eigh((half @ half.T).toarray() + dense @ dense.T)
        return np.asarray(vectors * np.sqrt(np.maximum(values, 0)), np.float32)
    operator = LinearOperator((n, n), matvec=lambda x: half @ (half.T @ x) + dense @ (dense.T @ x), dtype=np.float64)
    values, vectors = eigsh(operator, k=RANK, v0=np.random.default_rng(seed).standard_normal(n), tol=1e-3)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0)), np.float32)


def _corrections(half: sp.csr_array, dense: Floats, factors: Floats, block: int = 1024) -> sp.csr_array:
    """Return the largest errors of the factors in each row, made symmetric. → (n, n)"""
    n = len(factors)
    left, right = np.hstack([dense, factors]), np.hstack([dense, -factors]).T
    columns, values = np.full((n, CORRECTIONS), -1, np.int32), np.zeros((n, CORRECTIONS), np.float32)
    by_row, by_column = (neighbours.CSR(one.indptr, one.indices, one.data) for one in (half, half.T.tocsr()))
    for start in range(0, n, block):
        rows = slice(start, min(n, start + block))
        cooccurrence.largest_sums(
            by_row, by_column, left[rows] @ right, np.arange(start, rows.stop), columns[rows], values[rows]
        )
    is_kept = columns >= 0
    indptr = np.concatenate([[0], np.cumsum(is_kept.sum(axis=1))])
    kept = sp.csr_array((values[is_kept], columns[is_kept], indptr), shape=(n, n))
    # the error is symmetric, so where both halves kept an entry it is the same number twice
    ones = sp.csr_array((np.ones_like(kept.data), kept.indices, kept.indptr), shape=kept.shape)
    times = sp.csr_array(ones + ones.T)
    times.data = 1 / times.data
    # multiplied, not divided place by place: what cancels out to nothing is not stored
    both = sp.csr_array((kept + kept.T).multiply(times))
    both.sort_indices()
    return both
