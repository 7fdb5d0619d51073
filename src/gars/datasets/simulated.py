"""Write simulated viewers: as a data set in the normal form, or as a CSV of a dialect to try an import with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Literal

import polars as pl

from gars.datasets.dataset import Dataset, SourceUsed
from gars.datasets.durable import whole_file
from gars.datasets.ownership import never, refuse_foreign_file
from gars.datasets.schema import conform_catalogue
from gars.datasets.simulator import Effects, Simulator
from gars.datasets.statuses import STATUS_CODES
from gars.datasets.writing import write_dataset
from gars.domain.errors import InvalidInputError
from gars.runtime.progress import Advance, Progress

Shape = Literal["2016", "2020", "2025"]
SHAPES: dict[str, Effects] = {
    "2016": Effects(),
    "2020": Effects(list_mean=186.0),
    "2025": Effects(list_mean=87.0, unrated=0.0001),
}
"""Effects by shape, fitted to the list length: 104 titles a user in the 2016 sample, 186 in ``rating_complete`` of
2020, 83.5 ratings in 2025 (there 4 % of the simulated entries are planned, have no rating, and are left out).
"""
_ROWS_A_PART = 1_000_000


def simulate_dataset(
    catalogue: pl.DataFrame,
    viewers: int,
    target: Path,
    *,
    seed: int,
    effects: Effects | None = None,
    sources: list[SourceUsed],
    report: dict[str, Any],
    progress: Progress,
) -> Dataset:
    """Write ``viewers`` simulated lists over ``catalogue`` to ``target`` in the normal form, marked as simulated."""
    check_viewers(viewers)
    with progress.task(f"simulate {viewers:,} viewers", viewers) as advance:
        return write_dataset(
            target,
            name=target.name,
            dialect="simulated",
            simulated=True,
            sources=sources,
            parts=_parts(Simulator(catalogue, seed=seed, effects=effects), viewers, advance),
            catalogue=catalogue,
            report=report,
        )


def simulate_csv(
    catalogue: pl.DataFrame, viewers: int, file: Path, *, shape: Shape, seed: int, progress: Progress
) -> int:
    """Write simulated lists as a CSV atomically; returns the number of rows.

    Shape 2016 is ``rating.csv`` of that year (-1 = not scored), 2020 is ``animelist.csv`` (0 = not scored), 2025 is
    ``ratings.csv`` of that year (ratings alone; the site's ids are row numbers in ``catalogue``, which ``animes_csv``
    writes).
    Memory is bounded by one block of viewers.

    Raises:
        InvalidInputError: ``file`` exists: it has no mark that distinguishes simulated lists from real ones.
    """
    check_viewers(viewers)
    refuse_foreign_file(file, never)
    simulator = Simulator(catalogue, seed=seed, effects=SHAPES[shape])
    places = dict(zip(catalogue["anime_id"], range(catalogue.height), strict=True))
    tables: dict[Shape, Callable[[pl.DataFrame], pl.DataFrame]] = {
        "2016": _table_2016,
        "2020": _table_2020,
        "2025": partial(_table_2025, places=places),
    }
    rows = 0
    with progress.task(f"simulate {viewers:,} viewers", viewers) as advance, whole_file(file, is_ours=never) as out:
        for number, block in enumerate(simulator.blocks(viewers)):
            table = tables[shape](block)
            table.write_csv(out, include_header=number == 0)
            rows += table.height
            advance(float(block["user_id"].n_unique()))
    return rows


def animes_csv(catalogue: pl.DataFrame, file: Path) -> None:
    """Write ``catalogue`` as ``animes.csv`` of 2025: the site's ids are places, MyAnimeList ids are in addresses.

    Raises:
        InvalidInputError: ``file`` exists.
    """
    refuse_foreign_file(file, never)
    words = pl.col("genres").list.join(", ")
    table = catalogue.with_row_index("animeID").select(
        "animeID",
        "title",
        pl.lit("").alias("alternative_title"),
        "type",
        "year",
        "score",
        "episodes",
        pl.format("https://myanimelist.net/anime/{}", "anime_id").alias("mal_url"),
        pl.lit("").alias("sequel"),
        pl.col("image").alias("image_url"),
        words.alias("genres"),
        words.alias("genres_detailed"),
    )
    with whole_file(file, is_ours=never) as out:
        table.write_csv(out)


def invented_catalogue(titles: int) -> pl.DataFrame:
    """Generate a catalogue of numbered titles whose score falls with popularity rank; franchises have three titles."""
    genres = ("Action", "Comedy", "Drama", "Fantasy", "Romance", "Sci-Fi", "Slice of Life", "Sports")
    ids = range(1, titles + 1)
    frame = pl.DataFrame(
        {
            "anime_id": list(ids),
            "title": [f"Title {number}" for number in ids],
            "genres": [[genres[number % 8], genres[number // 8 % 8]] for number in ids],
            "type": ["Movie" if number % 7 == 0 else "TV" for number in ids],
            "episodes": [1 if number % 7 == 0 else 12 for number in ids],
            "score": [8.3 - 2.6 * number / titles + (number * 37 % 100) / 100 for number in ids],
            "members": [int(2_000_000 / number) + 50 for number in ids],
            "franchise": [f"invented:{number - number % 3}" for number in ids],
        }
    )
    return conform_catalogue(frame)


def check_viewers(viewers: int) -> None:
    """Refuse a number of viewers that makes no data set."""
    if viewers < 1:
        raise InvalidInputError(f"cannot simulate {viewers} viewers", hint="ask for at least one: --users 5000")


def _parts(simulator: Simulator, viewers: int, advance: Advance) -> Iterator[pl.DataFrame]:
    """Blocks put together, so that a large data set is not thousands of small files."""
    waiting: list[pl.DataFrame] = []
    for block in simulator.blocks(viewers):
        waiting.append(block)
        advance(float(block["user_id"].n_unique()))
        if sum(one.height for one in waiting) >= _ROWS_A_PART:
            yield pl.concat(waiting)
            waiting = []
    if waiting:
        yield pl.concat(waiting)


def _table_2016(block: pl.DataFrame) -> pl.DataFrame:
    return block.select("user_id", "anime_id", pl.col("rating").fill_null(-1))


def _table_2020(block: pl.DataFrame) -> pl.DataFrame:
    codes = {word: int(code) for code, word in STATUS_CODES.items()}
    planned = pl.col("status") == "planned"
    return block.select(
        "user_id",
        "anime_id",
        pl.col("rating").fill_null(0),
        pl.col("status").replace_strict(codes, return_dtype=pl.Int8).alias("watching_status"),
        pl.when(planned).then(0).otherwise(12).alias("watched_episodes"),
    )


def _table_2025(block: pl.DataFrame, *, places: dict[int, int]) -> pl.DataFrame:
    return block.drop_nulls("rating").select(
        pl.col("user_id").alias("userID"),
        pl.col("anime_id").replace_strict(places, return_dtype=pl.Int64).alias("animeID"),
        "rating",
    )
