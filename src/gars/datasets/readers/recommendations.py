"""Read recommendations between anime by users of MyAnimeList."""

from __future__ import annotations

import ast
import csv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from gars.datasets.catalogue.by_title import TitleIndex
from gars.domain.errors import DataError

RECOMMENDATIONS: dict[str, pl.DataType] = {
    "anime_id": pl.Int64(),
    "recommended_id": pl.Int64(),
    "rank": pl.Int32(),
}
"""One row per pair, sorted by ``anime_id``, then ``rank``: 1 is the anime recommended most."""


def read_recommendations(path: Path, catalogue: pl.DataFrame) -> pl.DataFrame:
    """Read the pairs whose two anime are in ``catalogue``: columns of ``RECOMMENDATIONS``. Raises ``DataError``.

    The file names what is recommended by its main title on MyAnimeList, so the titles are looked up in ``catalogue``
    (columns of ``schema.CATALOGUE``). ``rank`` is the place in the file: a title that is not found leaves a gap.
    """
    index, known = TitleIndex(catalogue), set(catalogue["anime_id"].to_list())
    rows = [
        (anime_id, found, rank)
        for anime_id, titles in _lists(path)
        if anime_id in known
        for rank, title in enumerate(titles, 1)
        if (found := index.find(title)) is not None and found != anime_id
    ]
    pairs = pl.DataFrame(rows, RECOMMENDATIONS, orient="row").sort("anime_id", "rank")
    return pairs.unique(["anime_id", "recommended_id"], keep="first", maintain_order=True)


def unknown_recommendations(path: Path, catalogue: pl.DataFrame) -> Counter[str]:
    """Count the recommended titles that ``catalogue`` does not have under this name. Raises ``DataError``."""
    index = TitleIndex(catalogue)
    return Counter(title for _, titles in _lists(path) for title in titles if index.find(title) is None)


def _lists(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield each anime and the titles recommended for it, best first."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            for number, row in enumerate(csv.DictReader(file), 2):
                yield int(row["uid"]), _titles(row["recommendations"], path, number)
    except (KeyError, TypeError, ValueError, UnicodeDecodeError) as error:
        raise DataError(
            f"{path}: is not the table of recommendations: {error!r}", hint="gars data fetch mal-recommendations-2024"
        ) from error


def _titles(cell: str, path: Path, line: int) -> list[str]:
    """Parse a Python list of strings as a literal, without executing it."""
    try:
        titles = ast.literal_eval(cell)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        titles = None
    if not isinstance(titles, list) or not all(isinstance(title, str) for title in titles):
        raise DataError(
            f"{path}: line {line} holds no list of titles: {cell[:80]!r}",
            hint="gars data fetch mal-recommendations-2024",
        )
    return titles
