"""Simulated viewers: latent tastes over a catalogue, with genre, franchise, quality and popularity effects.

Viewers come in blocks of ``BLOCK``; each block has a generator of its own, seeded by (seed, block number). So a
viewer's list depends on the seed and the viewer alone: not on how many are asked for, nor on how they are written.
Memory is that of one block, whatever the number of viewers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gars.datasets.schema import INTERACTIONS, STATUSES

BLOCK = 500
DIM = 16
_POOL = 4
"""Candidate titles drawn for each title of a list."""
_FIRST_DAY_MS = 1_325_376_000_000  # 2012-01-01
_LAST_DAY_MS = 1_577_836_800_000  # 2020-01-01

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Effects:
    """Strength of each effect; the defaults reproduce figures of the 2016 sample."""

    list_mean: float = 105.0
    """Mean length of a list."""
    list_spread: float = 0.85
    """Standard deviation of the log length."""
    popularity: float = 1.1
    """Exponent of the member count in the sampling of candidates."""
    taste: float = 1.5
    """Weight of (viewer · title) in the choice among candidates."""
    quality: float = 0.5
    """Weight of the title's quality in the choice among candidates."""
    franchise: float = 0.5
    """Probability that the next title of a franchise becomes a candidate too; a franchise shares its Gumbel noise."""
    mean_rating: float = 7.75
    unrated: float = 0.19
    """Mean share of a list that is left without a rating."""


class Simulator:
    """Draws viewers' lists over ``catalogue`` (anime_id, genres, franchise, score, members)."""

    def __init__(self, catalogue: pl.DataFrame, *, seed: int, effects: Effects | None = None) -> None:
        self.effects = effects or Effects()
        self.seed = seed
        ordered = catalogue.sort("anime_id")
        rng = np.random.default_rng([seed, 2**32 - 1])
        self.anime_ids: Ints = ordered["anime_id"].to_numpy()
        codes = ordered["franchise"].rank("dense").to_numpy().astype(np.int64) - 1
        self.franchise: Ints = codes
        self.next_of: Ints = _next_of(codes)
        self.vectors: Floats = _vectors(ordered, codes, rng)
        self.quality: Floats = _standard(ordered["score"], rng)
        members = ordered["members"].fill_null(0).to_numpy().astype(np.float64)
        weights = (members + 30.0) ** self.effects.popularity
        self.popularity_cdf = np.cumsum(weights / weights.sum())
        self.archetypes: Floats = rng.standard_normal((24, DIM)).astype(np.float32)

    def blocks(self, viewers: int) -> Iterator[pl.DataFrame]:
        """Interactions of viewers 1 … ``viewers`` in the normal form, one frame a block, sorted by viewer and anime."""
        for first in range(0, viewers, BLOCK):
            block = self._block(first // BLOCK)
            yield block if first + BLOCK <= viewers else block.filter(pl.col("user_id") <= viewers)

    def _block(self, number: int) -> pl.DataFrame:
        rng = np.random.default_rng([self.seed, number])
        taste = self._tastes(rng)
        viewer, item = self._lists(taste, rng)
        liking = np.einsum("ij,ij->i", taste[viewer], self.vectors[item])  # (rows,) about N(0, 1)
        rating, status = self._opinions(viewer, item, liking, rng)
        joined = rng.integers(_FIRST_DAY_MS, _LAST_DAY_MS, BLOCK)
        time = joined[viewer] + (rng.random(len(viewer)) * (_LAST_DAY_MS - joined[viewer])).astype(np.int64)
        frame = pl.DataFrame(
            {
                "user_id": number * BLOCK + 1 + viewer,
                "anime_id": self.anime_ids[item],
                "rating": pl.Series(rating).replace(0, None),
                "status": pl.Series(status, dtype=pl.UInt32).replace_strict(
                    dict(enumerate(STATUSES)), return_dtype=pl.String
                ),
                "time": pl.Series(time).cast(pl.Datetime("ms", "UTC")),
            }
        )
        return frame.select(pl.col(name).cast(kind) for name, kind in INTERACTIONS.items())

    def _tastes(self, rng: np.random.Generator) -> Floats:
        """Draw each viewer's taste vector near one of the archetypes. → (BLOCK, DIM), rows of length √DIM"""
        nearest = self.archetypes[rng.integers(len(self.archetypes), size=BLOCK)]
        taste = nearest + 0.8 * rng.standard_normal((BLOCK, DIM)).astype(np.float32)
        length = np.linalg.norm(taste, axis=1, keepdims=True)
        return np.asarray(taste / length * np.sqrt(DIM), np.float32)

    def _lists(self, taste: Floats, rng: np.random.Generator) -> tuple[Ints, Ints]:
        """Draw the titles each viewer watched: viewer and item of each row, sorted by viewer, then item."""
        effects = self.effects
        n = len(self.anime_ids)
        centre = np.log(effects.list_mean) - effects.list_spread**2 / 2
        lengths = np.clip(rng.lognormal(centre, effects.list_spread, BLOCK).round(), 5, n // 3 + 1).astype(np.int64)
        viewer = np.repeat(np.arange(BLOCK), lengths * _POOL + 20)
        item = np.searchsorted(self.popularity_cdf, rng.random(len(viewer))).clip(max=n - 1)
        follow = (rng.random(len(viewer)) < effects.franchise) & (self.next_of[item] >= 0)
        pool = np.unique(np.r_[viewer * n + item, viewer[follow] * n + self.next_of[item[follow]]])
        viewer, item = np.divmod(pool, n)
        _, pair = np.unique(viewer * n + self.franchise[item], return_inverse=True)
        shared = rng.gumbel(size=int(pair.max()) + 1)[pair]
        score = (
            effects.taste * np.einsum("ij,ij->i", taste[viewer], self.vectors[item])
            + effects.quality * self.quality[item]
            + rng.gumbel(size=len(pool))
            + shared
        )
        order = np.lexsort((-score, viewer))
        place = np.arange(len(order)) - np.searchsorted(viewer, viewer)  # viewer stays sorted in ``order``
        chosen = np.sort(order[place < lengths[viewer]])
        return viewer[chosen], item[chosen]

    def _opinions(self, viewer: Ints, item: Ints, liking: Floats, rng: np.random.Generator) -> tuple[Ints, Ints]:
        """Rating (0 = none) and status (index into ``STATUSES``) of each row."""
        effects = self.effects
        rows = len(viewer)
        kindness = rng.normal(0.0, 0.75, BLOCK)
        spread = rng.lognormal(0.0, 0.25, BLOCK)
        opinion = 0.6 * self.quality[item] + 0.5 * liking + rng.normal(0.0, 1.1, rows) - 1.0
        rating = (
            (effects.mean_rating + kindness[viewer] + spread[viewer] * opinion).round().clip(1, 10).astype(np.int64)
        )
        status = np.full(rows, STATUSES.index("completed"))
        draw = rng.random(rows)
        status[draw < 0.10] = STATUSES.index("watching")
        status[draw < 0.05] = STATUSES.index("on_hold")
        status[(rng.random(rows) < 0.35) & (rating <= 5)] = STATUSES.index("dropped")
        planned = rng.random(rows) < 0.04
        status[planned] = STATUSES.index("planned")
        silent = rng.beta(0.4, 0.4 / effects.unrated - 0.4, BLOCK)
        rating[planned | (rng.random(rows) < silent[viewer])] = 0
        return rating, status


def _next_of(codes: Ints) -> Ints:
    """Row of the next title of the same franchise, -1 for its last. Rows are in id order, roughly that of release."""
    following = np.full(len(codes), -1, np.int64)
    by_code = np.argsort(codes, kind="stable")
    together = codes[by_code[1:]] == codes[by_code[:-1]]
    following[by_code[:-1][together]] = by_code[1:][together]
    return following


def _vectors(catalogue: pl.DataFrame, codes: Ints, rng: np.random.Generator) -> Floats:
    """Unit vectors: the mean of a title's genres, its franchise, and a share of its own. → (n, DIM)"""
    n = catalogue.height
    pairs = catalogue.select(pl.int_range(pl.len()).alias("row"), pl.col("genres").alias("genre")).explode("genre")
    pairs = pairs.drop_nulls().with_columns(code=pl.col("genre").rank("dense") - 1)
    genre_vectors = rng.standard_normal((int(pairs["genre"].n_unique()) + 1, DIM))
    vectors = np.zeros((n, DIM))
    rows = pairs["row"].to_numpy()
    np.add.at(vectors, rows, genre_vectors[pairs["code"].to_numpy()])
    vectors /= np.sqrt(np.maximum(np.bincount(rows, minlength=n), 1))[:, None]
    vectors += 0.7 * rng.standard_normal((int(codes.max()) + 1, DIM))[codes]
    vectors += 0.5 * rng.standard_normal((n, DIM))
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def _standard(scores: pl.Series, rng: np.random.Generator) -> Floats:
    """Scores to mean 0, deviation 1; an unknown score is drawn."""
    values = scores.cast(pl.Float64).fill_null(float("nan")).to_numpy().copy()
    unknown = np.isnan(values)
    if unknown.all():
        return rng.standard_normal(len(values)).astype(np.float32)
    mean, deviation = np.nanmean(values), max(float(np.nanstd(values)), 1e-6)
    values = (values - mean) / deviation
    values[unknown] = rng.normal(-0.5, 1.0, int(unknown.sum()))
    return np.asarray(values, np.float32)
