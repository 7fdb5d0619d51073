"""The report counts what is there and names what breaks the normal form."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from gars.datasets.dataset import Dataset, catalogue_anime
from gars.datasets.schema import INTERACTIONS, conform_catalogue
from gars.datasets.simulated import invented_catalogue
from gars.datasets.validate import validate
from gars.datasets.writing import write_dataset
from gars.domain.errors import DataError

ALL_SAME = pl.DataFrame({"user_id": [5] * 600, "anime_id": range(1, 601), "rating": [10] * 600})


def frame(*rows: tuple[int, int, int | None]) -> pl.DataFrame:
    return pl.DataFrame(rows, {"user_id": pl.Int64, "anime_id": pl.Int64, "rating": pl.Int8}, orient="row")


def dataset(folder: Path, *parts: pl.DataFrame, titles: int = 700) -> Dataset:
    full = [
        part.with_columns(
            pl.lit(None, kind).alias(name) for name, kind in INTERACTIONS.items() if name not in part.columns
        ).select(pl.col(name).cast(kind) for name, kind in INTERACTIONS.items())
        for part in parts
    ]
    options: dict[str, Any] = {"name": "x", "dialect": "plain", "simulated": False, "sources": []}
    return write_dataset(folder / "x", parts=full, catalogue=invented_catalogue(titles), **options)


def test_counts(tmp_path: Path) -> None:
    first = frame((1, 1, 8), (1, 2, None)).with_columns(
        status=pl.Series([None, "dropped"]), time=pl.Series([datetime(2019, 5, 6, tzinfo=UTC), None])
    )
    report = validate(dataset(tmp_path, first, frame((2, 1, 8), (2, 3, 3)), titles=4))
    assert (report.rows, report.users, report.anime, report.catalogue, report.orphans) == (4, 2, 3, 4, 0)
    assert report.ratings == {3: 1, 8: 2}
    assert report.unrated_share == 0.25
    assert report.statuses == {"dropped": 1}
    assert report.first_day == report.last_day == date(2019, 5, 6)
    assert (report.null_share["title"], report.null_share["synopsis"], report.null_share["tags"]) == (0, 1, 1)
    assert (report.duplicates, report.suspicious, report.faults) == (0, [], [])


def test_users_who_do_not_look_like_people(tmp_path: Path) -> None:
    varied = ALL_SAME.with_columns(user_id=6, rating=pl.col("anime_id") % 10 + 1)
    nearly = ALL_SAME.with_columns(user_id=7, rating=pl.when(pl.col("anime_id") < 20).then(1).otherwise(10))
    report = validate(dataset(tmp_path, ALL_SAME, varied, nearly))
    assert [(odd.user_id, odd.titles, odd.why) for odd in report.suspicious] == [
        (5, 600, "600 of 600 ratings are the same"),
    ]
    endless = pl.DataFrame({"user_id": [1] * 5000, "anime_id": range(1, 5001), "rating": [None] * 5000})
    report = validate(dataset(tmp_path, endless, titles=5000))
    assert [odd.why for odd in report.suspicious] == ["a list this long"]


def test_orphans_duplicates_and_disorder(tmp_path: Path) -> None:
    report = validate(dataset(tmp_path, frame((1, 5, 1), (1, 5, 2), (1, 2, 3)), frame((1, 2, 1)), titles=3))
    assert report.orphans == 1
    assert report.duplicates == 2, "also across parts"
    assert report.faults == ["part-00000.parquet: 1 row(s) are not in order of user and anime"]


def test_faults_of_a_meddled_data_set(tmp_path: Path) -> None:
    data = dataset(tmp_path, frame((1, 1, 8), (1, 2, 9)), titles=3)
    (part,) = data.parts()
    rows = pl.read_parquet(part)
    rows.with_columns(rating=pl.lit(11, pl.Int8), status=pl.lit("seen")).head(1).write_parquet(part)
    assert validate(data).faults == [
        "part-00000.parquet: 1 rating(s) of 11",
        "part-00000.parquet: 1 row(s) of unknown status 'seen'",
        "dataset.json promises 2 rows, there are 1",
    ]
    rows.with_columns(pl.col("rating").cast(pl.Float64)).write_parquet(part)
    assert "part-00000.parquet: column rating is Float64, not Int8" in validate(data).faults
    part.write_bytes(b"nothing")
    with pytest.raises(DataError, match=r"part-00000\.parquet: cannot be read"):
        validate(data)


def test_faults_of_a_meddled_catalogue(tmp_path: Path) -> None:
    data = dataset(tmp_path, frame((1, 1, 8)), titles=3)
    twice = pl.concat([data.catalogue(), data.catalogue().head(1).with_columns(title=pl.lit(None, pl.String))])
    twice.write_parquet(data.path / "catalogue.parquet")
    assert validate(data).faults == ["catalogue: 1 row(s) without title", "catalogue: 1 anime_id(s) are there twice"]
    twice.drop("season").write_parquet(data.path / "catalogue.parquet")
    assert data.catalogue()["season"].null_count() == 4, "an older data set has no such column"
    twice.drop("score").write_parquet(data.path / "catalogue.parquet")
    with pytest.raises(DataError, match=r"catalogue\.parquet: column score is None, not Float64"):
        validate(data)


def test_the_content_hash_is_of_the_rows_not_of_the_files(tmp_path: Path) -> None:
    one, two = frame((1, 1, 8), (1, 2, None)), frame((2, 1, 5))
    together = dataset(tmp_path, pl.concat([one, two])).content_hash
    assert dataset(tmp_path, one, two).content_hash == together
    assert dataset(tmp_path, one, frame((2, 1, 6))).content_hash != together
    assert dataset(tmp_path, one, two, titles=699).content_hash != together


def test_no_rows_is_no_data_set(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no interactions to write for 'x'"):
        dataset(tmp_path, frame())
    assert list(tmp_path.iterdir()) == []


def test_opening_what_is_not_there_or_not_whole(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"there is no data set in .*\n.*gars data build"):
        Dataset.open(tmp_path / "none")
    data = dataset(tmp_path, frame((1, 1, 8)))
    (data.path / "catalogue.parquet").unlink()
    with pytest.raises(DataError, match=r"half-written: catalogue\.parquet missing"):
        Dataset.open(data.path)
    (data.path / "catalogue.parquet").touch()
    (data.path / "dataset.json").write_text("{")
    with pytest.raises(DataError, match=r"dataset\.json is damaged"):
        Dataset.open(data.path)


def test_a_catalogue_as_domain_values() -> None:
    catalogue = conform_catalogue(
        pl.DataFrame(
            {
                "anime_id": [2, 1],
                "title": ["Asa", "Yoru"],
                "genres": [["Drama"], None],
                "streaming": [[{"site": "S", "url": "U"}], None],
                "released": [date(2000, 1, 2), None],
            }
        )
    )
    yoru, asa = catalogue_anime(catalogue)
    assert (yoru.anime_id, yoru.genres, yoru.released, yoru.franchise) == (1, (), None, "mal:1")
    assert (asa.genres, asa.streaming[0].url, asa.released) == (("Drama",), "U", date(2000, 1, 2))
