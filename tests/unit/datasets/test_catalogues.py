"""Each dialect's catalogue, read from a small file of its own: every quirk ends as a value or as null."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from gars.datasets.catalogues import read_catalogue
from gars.datasets.readers.dialects import detect
from gars.datasets.schema import CATALOGUE
from gars.domain.errors import DataError

FILES = Path(__file__).parents[2] / "fixtures" / "datasets"


def read(name: str) -> dict[int, dict[str, Any]]:
    frame = read_catalogue(detect(FILES / name))
    assert dict(frame.schema) == CATALOGUE
    return {row["anime_id"]: row for row in frame.to_dicts()}


def known(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if value not in (None, [])}


def test_2016_decodes_entities_and_leaves_the_unknown_null() -> None:
    rows = read("kaggle-2016/anime.csv")
    assert rows[12]["title"] == "Fox & Lantern: Kaze no Uta's End"
    assert rows[11]["genres"] == ["Adventure", "Drama"]
    assert known(rows[13]) == {
        "anime_id": 13,
        "title": "Paper Moon, Again",
        "type": "OVA",
        "members": 310,
        "adult": False,
        "franchise": "mal:13",
    }
    assert rows[14]["type"] is None
    assert rows[14]["adult"]


def test_2018_reads_python_dicts_without_running_them() -> None:
    rows = read("kaggle-2018/AnimeList.csv")
    first = rows[21]
    assert first["released"] == date(2009, 4, 5)
    assert (first["sequels"], first["prequels"], first["related"]) == ([22], [], [22, 24])
    assert first["synonyms"] == ["Iron Flower", "Tetsuhana"]
    assert first["studios"] == ["Studio North", "Studio South"]
    assert first["duration_min"] == 24
    assert first["image"] == "https://example.org/21.jpg"
    second = rows[22]
    assert (second["released"], second["year"]) == (None, 2011), "a month is not a day"
    assert (second["episodes"], second["score"], second["duration_min"]) == (None, None, None)
    assert second["prequels"] == [21]
    third = rows[23]
    assert (third["released"], third["year"]) == (None, 1997), "January 1st of a bare year is not a day"
    assert (third["source"], third["duration_min"], third["adult"]) == (None, 91, True)


def test_2018_counts_a_relation_cell_that_is_no_dict(tmp_path: Path) -> None:
    lines = (FILES / "kaggle-2018/AnimeList.csv").read_text().replace("[],", "__import__('os').getcwd(),")
    broken = tmp_path / "AnimeList.csv"
    broken.write_text(lines)
    with pytest.raises(DataError) as caught:
        read_catalogue(detect(broken))
    assert "column related: is not a Python dict (1×): line 4: \"__import__('os').getcwd()\"" in str(caught.value)


def test_2020_takes_unknown_for_null() -> None:
    rows = read("kaggle-2020/anime.csv")
    assert rows[31]["title_english"] == "Sea and Moon"
    assert rows[31]["title_japanese"] == "海と月"
    assert (rows[31]["released"], rows[31]["year"]) == (date(2015, 1, 10), 2015)
    assert known(rows[32]) == {
        "anime_id": 32,
        "title": "Kumo",
        "title_japanese": "雲",
        "members": 12,
        "adult": False,
        "franchise": "mal:32",
    }
    assert (rows[33]["year"], rows[33]["released"], rows[33]["duration_min"], rows[33]["adult"]) == (
        1999,
        None,
        1,
        True,
    )


def test_2023_keeps_pictures_and_drops_empty_synopses() -> None:
    rows = read("kaggle-2023/anime-dataset-2023.csv")
    assert rows[41]["synopsis"] == 'A café, "between" stars.\nIt opens at night.'
    assert (rows[41]["episodes"], rows[41]["duration_min"], rows[41]["type"]) == (12, 12, "ONA")
    assert rows[41]["released"] == date(2021, 7, 7)
    assert rows[42]["synopsis"] is None
    assert rows[42]["image"] == "https://example.org/42.jpg"
    assert rows[42]["genres"] == []


def test_movielens_splits_genres_and_takes_the_year_from_the_title() -> None:
    rows = read("movielens/movies.csv")
    assert (rows[1]["title"], rows[1]["year"], rows[1]["genres"]) == (
        "Marble Story (1995)",
        1995,
        ["Adventure", "Comedy"],
    )
    assert rows[2]["genres"] == []
    assert rows[3]["year"] is None
    old = read("movielens/movies.dat")
    assert (old[1193]["title"], old[661]["genres"]) == ("Café Noir (1975)", ["Animation", "Comedy"])


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_plain_takes_any_of_the_columns(tmp_path: Path, form: str) -> None:
    frame = pl.DataFrame(
        {"item_id": [0, 7], "title": ["Zero", None], "genres": ["A, B", ""], "released": ["2001-02-03", None]}
    )
    path = tmp_path / f"things.{form}"
    if form == "csv":
        frame.write_csv(path)
    else:
        frame.with_columns(pl.col("genres").str.split(", "), pl.col("released").str.to_date()).write_parquet(path)
    layout = detect(path)
    assert (layout.dialect, layout.role) == ("plain", "catalogue")
    rows = read_catalogue(layout).to_dicts()
    assert [row["title"] for row in rows] == ["Zero", "item 7"]
    assert (rows[0]["genres"], rows[0]["released"], rows[0]["year"]) == (["A", "B"], date(2001, 2, 3), 2001)
    assert rows[1]["genres"] == []


def test_every_fault_of_a_catalogue_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "anime.csv"
    path.write_text(
        'anime_id,name,genre,type,episodes,rating,members\n1,"Two\nlines",,TV,x,11,5\nnine,,,TV,1.5,7,5\n3,Short,,TV\n'
    )
    with pytest.raises(DataError) as caught:
        read_catalogue(detect(path))
    error = str(caught.value)
    assert "6 bad value(s), nothing was written" in error
    assert "column episodes: is not a number (1×): line 2: 'x'" in error
    assert "column rating: is above 10 (1×): line 2: '11'" in error
    assert "column anime_id: is not an id from 1 (1×): line 4: 'nine'" in error
    assert "column title: is empty (1×): line 4: ''" in error
    assert "column episodes: is not a whole number (1×): line 4: '1.5'" in error
    assert "column (all): the line has another number of cells than the header's 7 (1×): line 5: '3,Short,,TV'" in error


def test_error_of_a_catalogue_that_is_not_utf8_has_the_conversion(tmp_path: Path) -> None:
    path = tmp_path / "anime.csv"
    path.write_bytes("anime_id,name,genre,type,episodes,rating,members\n1,Café,,TV,1,7,5\n".encode("latin-1"))
    with pytest.raises(DataError, match=r"is not UTF-8 text \(byte 54.*\n.*iconv"):
        read_catalogue(detect(path))
