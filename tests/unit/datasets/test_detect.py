"""The dialect is detected from the header; a file of no known dialect is refused with a message."""

from __future__ import annotations

import zipfile
from pathlib import Path

import polars as pl
import pytest

from gars.datasets.readers.dialects import detect
from gars.domain.errors import DataError

FILES = Path(__file__).parents[2] / "fixtures" / "datasets"


@pytest.mark.parametrize(
    ("name", "dialect", "role"),
    [
        ("kaggle-2016/anime.csv", "kaggle-2016", "catalogue"),
        ("kaggle-2016/rating.csv", "kaggle-2016", "interactions"),
        ("kaggle-2018/AnimeList.csv", "kaggle-2018", "catalogue"),
        ("kaggle-2018/UserAnimeList.csv", "kaggle-2018", "interactions"),
        ("kaggle-2020/anime.csv", "kaggle-2020", "catalogue"),
        ("kaggle-2020/anime_with_synopsis.csv", "kaggle-2020", "synopses"),
        ("kaggle-2020/animelist.csv", "kaggle-2020", "interactions"),
        ("kaggle-2020/rating_complete.csv", "kaggle-2016", "interactions"),
        ("kaggle-2020/watching_status.csv", "kaggle-2020", "statuses"),
        ("kaggle-2023/anime-dataset-2023.csv", "kaggle-2023", "catalogue"),
        ("kaggle-2023/users-score-2023.csv", "kaggle-2023", "interactions"),
        ("movielens/ratings.csv", "movielens", "interactions"),
        ("movielens/movies.csv", "movielens", "catalogue"),
        ("movielens/u.data", "movielens", "interactions"),
        ("movielens/ratings.dat", "movielens", "interactions"),
        ("movielens/movies.dat", "movielens", "catalogue"),
    ],
)
def test_fixture(name: str, dialect: str, role: str) -> None:
    layout = detect(FILES / name)
    assert (layout.dialect, layout.role) == (dialect, role)
    assert (layout.columns is not None) == (role == "interactions")


@pytest.mark.parametrize(
    ("header", "role"),
    [
        ("user_id,item_id", "interactions"),
        ("item_id;user_id;rating;time", "interactions"),
        ("\ufeffuser_id\tanime_id\trating\ttimestamp", "interactions"),
        ("user_id,anime_id", "interactions"),
        ("item_id,title", "catalogue"),
    ],
)
def test_plain(tmp_path: Path, header: str, role: str) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(header + "\n", encoding="utf-8")
    layout = detect(path)
    assert (layout.dialect, layout.role) == ("plain", role)


def test_parquet_file_is_recognised_by_its_columns(tmp_path: Path) -> None:
    path = tmp_path / "mine.parquet"
    pl.DataFrame({"user_id": [1], "item_id": [2], "rating": [3.0]}).write_parquet(path)
    assert detect(path).dialect == "plain"


def test_sample_is_recognised_by_the_files_of_the_zip(tmp_path: Path) -> None:
    path = tmp_path / "anime.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("anime_ratings.dat", "anime_history.dat", "anime_info.dat"):
            archive.writestr(f"anime/{name}", "")
    assert (detect(path).dialect, detect(path).role) == ("caserec", "interactions")


def test_unknown_header_names_the_known_ones(tmp_path: Path) -> None:
    path = tmp_path / "users.csv"
    path.write_text("username,gender\nx,y\n")
    with pytest.raises(DataError, match=r"no dialect has the header username, gender\n.*rename the columns to user_id"):
        detect(path)


def test_missing_empty_and_doubled(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        detect(tmp_path / "absent.csv")
    empty = tmp_path / "empty.csv"
    empty.write_text("\n")
    with pytest.raises(DataError, match="is empty"):
        detect(empty)
    doubled = tmp_path / "doubled.csv"
    doubled.write_text("user_id,item_id,item_id\n")
    with pytest.raises(DataError, match="column 'item_id' is there twice"):
        detect(doubled)


def test_a_zip_of_something_else_and_a_false_parquet(tmp_path: Path) -> None:
    path = tmp_path / "archive.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("animelist.csv", "")
    with pytest.raises(DataError, match=r"a zip GARS does not know \(animelist.csv\)\n.*unpack it"):
        detect(path)
    false = tmp_path / "false.parquet"
    false.write_text("user_id,item_id\n")
    with pytest.raises(DataError, match="is not a Parquet file"):
        detect(false)
