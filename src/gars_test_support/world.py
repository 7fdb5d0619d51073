"""A small simulated data set with known preferences; a recommender is fitted and evaluated on it in a second."""

from __future__ import annotations

import numpy as np
import polars as pl

from gars.library.fit_config import FitConfig
from gars.ranking.mlp import RankingConfig
from gars.retrieval.retriever import RetrievalConfig

SMALL = FitConfig(
    retrieval=RetrievalConfig(dim=16, walks_per_node=5, min_count=2),
    ranking=RankingConfig(epochs=12, batch=16),
    search_trials=0,
    folds=2,
    repeats=1,
    list_length=40,
    per_channel=20,
)


def small_world(seed: int = 0) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Simulate 150 users in two groups over 60 titles: each prefers titles of its parity. → interactions, catalogue"""
    rng = np.random.default_rng(seed)
    rows = []
    for user in range(150):
        for item in rng.choice(60, 20, replace=False):
            own = item % 2 == user % 2
            rating = None if rng.random() < 0.2 else int(rng.choice([8, 9, 10] if own else [3, 5, 6, 7]))
            rows.append((user, 100 + int(item), rating))
    interactions = pl.DataFrame(
        rows, schema={"user_id": pl.Int64(), "item_id": pl.Int64(), "rating": pl.Int8()}, orient="row"
    )
    catalogue = pl.DataFrame(
        {
            "item_id": range(100, 160),
            "title": [f"Title {n}" for n in range(60)],
            "genres": ["Even, All" if n % 2 == 0 else "Odd, All" for n in range(60)],
            "type": ["TV" if n % 3 else "Movie" for n in range(60)],
            "released": [f"{1990 + n % 30}-04-01" for n in range(60)],
            "franchise": [f"series {n // 4}" for n in range(60)],
            "members": [1000 * (n + 1) for n in range(60)],
        }
    )
    return interactions, catalogue
