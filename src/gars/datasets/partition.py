"""Sort more rows than fit in memory: split them by ranges of user ids on disk, then sort one range at a time.

Ranges rather than a hash of the user, so that the parts come out in order of user id, one after the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gars.datasets.schema import INTERACTIONS

ROWS_PER_RANGE = 2_000_000
MOST_RANGES = 512


def bounds_from_sample(
    user_ids: NDArray[np.int64], rows: int, *, rows_per_range: int = ROWS_PER_RANGE
) -> NDArray[np.int64]:
    """Return ascending first ids of ranges 1, 2, … with about equally many rows; range 0 has smaller ids.

    ``user_ids`` is a sample of the column, ``rows`` the estimated number of rows. (m,) → (≤ ranges - 1,)
    """
    ranges = min(MOST_RANGES, -(-rows // rows_per_range))
    if ranges < 2 or not len(user_ids):
        return np.empty(0, np.int64)
    inner = np.linspace(0, 1, ranges + 1)[1:-1]
    return np.unique(np.quantile(user_ids, inner, method="inverted_cdf").astype(np.int64))


class Ranges:
    """Rows on their way to sorted parts, in ``folder``; row order within a range is that of arrival."""

    def __init__(self, folder: Path, bounds: NDArray[np.int64]) -> None:
        self.folder = folder
        self.bounds = bounds
        self.duplicates = 0
        self._pieces = 0

    def add(self, rows: pl.DataFrame) -> None:
        """Put rows (columns of ``INTERACTIONS``) on disk, each in its range."""
        if not rows.height:
            return
        number = np.searchsorted(self.bounds, rows["user_id"].to_numpy(), side="right")
        for code in np.unique(number):
            within = rows.filter(pl.Series(number == code))
            within.write_parquet(self.folder / f"range-{code:04d}-{self._pieces:06d}.parquet", compression="lz4")
        self._pieces += 1

    def parts(self) -> Iterator[pl.DataFrame]:
        """Yield the ranges in order, each sorted by user and anime, the last row of a pair kept, the others counted."""
        for code in range(len(self.bounds) + 1):
            files = sorted(self.folder.glob(f"range-{code:04d}-*.parquet"))
            if files:
                rows = pl.concat([pl.read_parquet(file) for file in files])
                part = keep_last(rows)
                self.duplicates += rows.height - part.height
                del rows
                for file in files:
                    file.unlink()
                yield part


def keep_last(rows: pl.DataFrame) -> pl.DataFrame:
    """Keep the last row of each (user, anime); sorted by both."""
    ordered = rows.sort("user_id", "anime_id", maintain_order=True)
    last = (pl.col("user_id") != pl.col("user_id").shift(-1)) | (pl.col("anime_id") != pl.col("anime_id").shift(-1))
    return ordered.filter(last.fill_null(True)).select(*INTERACTIONS)
