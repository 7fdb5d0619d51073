"""What a data set covers is derived from its rows."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from gars.datasets.coverage import coverage_of
from gars.datasets.dataset import Dataset, SourceUsed
from gars.datasets.schema import CATALOGUE, INTERACTIONS, conform_catalogue
from gars.datasets.writing import write_dataset
from gars.library.fit_config import FitConfig
from gars.pipeline.lineage import lineage


def written(folder: Path, rows: list[tuple[Any, ...]], titles: list[dict[str, Any]]) -> Dataset:
    schema = {name: kind for name, kind in CATALOGUE.items() if any(name in title for title in titles)}
    return write_dataset(
        folder / "x",
        name="x",
        dialect="plain",
        simulated=False,
        sources=[SourceUsed("somewhere", "0" * 64, "CC0")],
        parts=[pl.DataFrame(rows, INTERACTIONS, orient="row").sort("user_id", "anime_id")],
        catalogue=conform_catalogue(pl.DataFrame(titles, schema)),
    )


TITLES: list[dict[str, Any]] = [
    {"anime_id": 1, "title": "A", "released": date(1998, 4, 3)},
    {"anime_id": 2, "title": "B", "year": 2010},
    {"anime_id": 3, "title": "C", "released": date(2022, 10, 4)},
    {"anime_id": 4, "title": "D", "released": date(2026, 10, 4)},
    {"anime_id": 5, "title": "E", "season": "2026-winter"},
    {"anime_id": 6, "title": "F"},
]


def test_years_are_those_of_the_titles_where_ratings_have_no_time(tmp_path: Path) -> None:
    rows = [
        *((user, 1, 8, "completed", None) for user in range(1, 11)),
        *((user, 2, None, "completed", None) for user in range(1, 11)),
        (1, 3, 7, None, None),
        *((user, 4, None, "planned", None) for user in range(1, 11)),
        (1, 6, 9, None, None),
    ]
    covered = coverage_of(written(tmp_path, rows, TITLES))
    assert (covered.titles, covered.users, covered.ratings) == (6, 10, 12)
    assert (covered.ratings_from, covered.ratings_to, covered.years_of) == (1998, 2010, "titles")
    assert covered.rated_until == date(2022, 10, 4), "planned is not rated"
    assert covered.titles_to == "2026-fall"
    assert [(source.name, source.licence) for source in covered.sources] == [("somewhere", "CC0")]


def test_years_are_those_of_the_ratings_where_they_have_times(tmp_path: Path) -> None:
    rows = [(user, 1, 8, None, datetime(2009 + user, 5, 1, tzinfo=UTC)) for user in range(1, 11)]
    covered = coverage_of(written(tmp_path, rows, TITLES))
    assert (covered.ratings_from, covered.ratings_to, covered.years_of) == (2010, 2019, "times")


def test_a_data_set_without_years_covers_none(tmp_path: Path) -> None:
    dataset = written(tmp_path, [(1, 6, 9, None, None)], TITLES[-1:])
    covered = coverage_of(dataset)
    assert (covered.titles_to, covered.ratings_from, covered.ratings_to, covered.rated_until) == (None,) * 4
    assert lineage(dataset, FitConfig())["coverage"]["titles"] == 1


@pytest.mark.sample
def test_the_sample_covers_the_years_to_2016(mirror: Path, tmp_path: Path) -> None:
    from gars.datasets.build import build_sample
    from gars.runtime.progress import Silent

    covered = coverage_of(build_sample(tmp_path, mirror=mirror, progress=Silent()))
    assert covered.ratings_to is not None
    assert 2012 <= covered.ratings_to <= 2016
    assert covered.rated_until is not None
    assert covered.rated_until.year in (2016, 2017)
