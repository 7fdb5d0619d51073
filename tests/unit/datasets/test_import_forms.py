"""``gars data import`` of files as spreadsheets, data frames and other programs write them."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from gars.datasets.dataset import Dataset
from gars.datasets.importing import import_files
from gars.datasets.merged_files import merge_files
from gars.datasets.names import split_names
from gars.datasets.validate import validate
from gars.domain.errors import DataError, GarsError, InvalidInputError
from gars.runtime.progress import Silent

TABLE = "user_id,item_id,rating\nmäx,1,9\nmäx,2,8\nanna,1,10\n"


class Notes(Silent):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def note(self, text: str) -> None:
        self.lines.append(text)


def imported(
    home: Path, content: str | bytes | Path, name: str = "ratings.csv", *more: Path, notes: Any = None
) -> Dataset:
    path = content if isinstance(content, Path) else home / name
    if isinstance(content, str):
        content = content.encode()
    if isinstance(content, bytes):
        path.write_bytes(content)
    return import_files([path, *more], home=home, name="mine", progress=notes or Silent(), enrich=False)


def rows(dataset: Dataset) -> list[tuple[Any, ...]]:
    return dataset.interactions().collect().rows()


def zipped(path: Path, *names: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, TABLE)
    return path


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends_give_the_same_data(tmp_path: Path, encoding: str, end: str) -> None:
    plain = imported(tmp_path, TABLE)
    other = imported(tmp_path, TABLE.replace("\n", end).encode(encoding), "other.csv")
    assert other.content_hash == plain.content_hash
    assert len({row[0] for row in rows(other)}) == 2


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("ratings.csv.gz", gzip.compress(TABLE.encode())),
        ("ratings.csv.bz2", bz2.compress(TABLE.encode())),
        ("ratings.csv.xz", lzma.compress(TABLE.encode())),
        ("ratings.csv", ("sep=;\n" + TABLE.replace(",", ";")).encode()),
        ("ratings.csv", ("\n" + TABLE.replace(",", "|")).encode()),
        ("ratings.csv", gzip.compress(TABLE.encode("utf-16"))),
    ],
    # Named: bytes as identifiers would carry the time inside a gzip header, and processes of one run would disagree.
    ids=["gzip", "bz2", "xz", "sep line", "blank line", "gzip without its suffix"],
)
def test_wrappers_are_taken_off(tmp_path: Path, name: str, content: bytes) -> None:
    plain = imported(tmp_path, TABLE, "plain.csv")
    found = imported(tmp_path, content, name)
    assert found.content_hash == plain.content_hash
    assert [one.name for one in found.manifest.sources] == [name]


def test_a_zip_of_one_file_is_read_and_one_of_several_refused(tmp_path: Path) -> None:
    plain = imported(tmp_path, TABLE, "plain.csv")
    assert imported(tmp_path, zipped(tmp_path / "a.zip", "ratings.csv")).content_hash == plain.content_hash
    with pytest.raises(GarsError, match=r"b\.zip is a zip archive of 2 files \(x\.csv, y\.csv\)"):
        imported(tmp_path, zipped(tmp_path / "b.zip", "x.csv", "y.csv"))


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"%PDF-1.7\n", "a PDF document"),
        (b"<!DOCTYPE html><html></html>", "a web page"),
        (b"PAR1\x15\x04", "a Parquet file"),
        (b"\x28\xb5\x2f\xfd\x04", "a Zstandard file"),
    ],
)
def test_other_kinds_are_refused_by_name(tmp_path: Path, content: bytes, kind: str) -> None:
    with pytest.raises(InvalidInputError, match=rf"ratings\.csv is {kind}"):
        imported(tmp_path, content)


def test_status_words_are_of_the_same_vocabulary_as_in_lists(tmp_path: Path) -> None:
    notes = Notes()
    dataset = imported(
        tmp_path,
        "user_id,item_id,rating,status\n1,1,9,Completed\n1,2,,Plan to Watch\n1,3,8,someday\n1,4,,someday\n1,5,,在看\n"
        "1,6,7,2.0\n",
        notes=notes,
    )
    assert [row[1:4] for row in rows(dataset)] == [
        (1, 9, "completed"),
        (2, None, "planned"),
        (3, 8, None),
        (5, None, "watching"),
        (6, 7, "completed"),
    ]
    assert notes.lines[0] == (
        "2 row(s) have a status that is not known: 'someday' (2); 1 of them have no rating and were left out"
    )
    report = dataset.manifest.report
    assert (report["stray_status_codes"], report["unknown_statuses"]) == (2, {"someday": 2})


def test_words_in_the_file_of_2020(tmp_path: Path) -> None:
    content = "user_id,anime_id,rating,watching_status\n1,5114,9,Completed\n1,1,0,Plan to Watch\n1,2,0,Plan to Read\n"
    dataset = imported(tmp_path, content)
    assert [row[1:4] for row in rows(dataset)] == [(1, None, "planned"), (5114, 9, "completed")]
    assert dataset.manifest.report["left_out_manga"] == 1


def test_manga_rows_are_left_out(tmp_path: Path) -> None:
    notes = Notes()
    dataset = imported(tmp_path, "user_id,anime_id,type,rating\n1,21,Manga,10\n1,5114,TV,9\n", notes=notes)
    assert [row[1:3] for row in rows(dataset)] == [(5114, 9)]
    assert notes.lines[0] == "1 row(s) of manga were left out"


@pytest.mark.parametrize(
    ("ratings", "expected", "scale"),
    [
        (["5", "1", "4"], [10, 2, 8], "1 to 5 stars"),
        (["4.5", "0.5", "3"], [9, 1, 6], "1 to 5 stars"),
        (["95", "80", "10"], [10, 8, 1], "1 to 100"),
        (["20", "14", "2"], [10, 7, 1], "1 to 20"),
        (["8.5", "7.4", "10"], [9, 7, 10], "1 to 10"),
        (["8,5", "7,4", "10"], [9, 7, 10], "1 to 10"),
        (["8/10", "4/5", "70%"], [8, 8, 7], "1 to 10"),
        (["NULL", "N/A", "7"], [None, None, 7], "1 to 10"),
        (["10.0", "8.0", "-1.0"], [10, 8, None], "1 to 10"),
    ],
)
def test_a_scale_is_decided_once_for_a_file(
    tmp_path: Path, ratings: list[str], expected: list[int | None], scale: str
) -> None:
    lines = "".join(f'1,{number},"{rating}"\n' for number, rating in enumerate(ratings, 1))
    dataset = imported(tmp_path, f"user_id,anime_id,rating\n{lines}")
    assert [row[2] for row in rows(dataset)] == expected
    assert dataset.manifest.report["rating_scale"] == scale


def test_ratings_of_no_known_scale_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"ratings fit no known scale; the commonest are '85', '9'"):
        imported(tmp_path, "user_id,item_id,rating\n1,1,85\n1,2,9\n")


def test_two_files_have_one_scale(tmp_path: Path) -> None:
    more = tmp_path / "more.csv"
    more.write_text("user_id,item_id,rating\n2,1,9\n")
    dataset = imported(tmp_path, "user_id,item_id,rating\n1,1,5\n1,2,1\n", "ratings.csv", more)
    assert [row[2] for row in rows(dataset)] == [5, 1, 9]


def test_ids_as_data_frames_write_them(tmp_path: Path) -> None:
    dataset = imported(tmp_path, "user_id,anime_id,rating\n1.0,5114.0,10.0\n1.0,1.0,8.0\n")
    assert [row[:3] for row in rows(dataset)] == [(1, 1, 8), (1, 5114, 10)]
    with pytest.raises(DataError, match=r"column anime_id: is not an id from 1 \(1×\): line 3: '5\.5'"):
        imported(tmp_path, "user_id,anime_id,rating\n1.0,5114.0,10.0\n1.0,5.5,8.0\n")


def test_times_of_any_unit(tmp_path: Path) -> None:
    times = [
        *("1672900000", "1672900000000", "1672900000000000", "1672900000000000000", "1672900000.0"),
        *("2023-01-05T06:26:40Z", "2023-01-05 07:26:40+01:00", "2023-01-05 06:26:40 UTC", "2023/01/05 06:26:40"),
    ]
    lines = "".join(f"{number},5114,9,{time}\n" for number, time in enumerate(times))
    dataset = imported(tmp_path, f"user_id,item_id,rating,timestamp\n{lines}0,1,9,nan\n")
    found = [row[4] for row in rows(dataset)]
    assert found == [None] + [datetime(2023, 1, 5, 6, 26, 40, tzinfo=UTC)] * len(times)
    assert validate(dataset).last_day == datetime(2023, 1, 5, tzinfo=UTC).date()


@pytest.mark.parametrize("time", ["99999999999999999999", "12", "5000000000", "yesterday"])
def test_times_that_cannot_be_are_refused(tmp_path: Path, time: str) -> None:
    with pytest.raises(DataError, match=rf"is not a time \(ISO 8601, or unix seconds\) \(1×\): line 2: '{time}'"):
        imported(tmp_path, f"user_id,item_id,rating,timestamp\n1,5114,9,{time}\n")


def test_parquet_of_categories_bytes_floats_and_dates(tmp_path: Path) -> None:
    path = tmp_path / "r.parquet"
    pl.DataFrame(
        {
            "user_id": pl.Series(["a", "b"], dtype=pl.Categorical()),
            "item_id": [5114.0, 1.0],
            "rating": pl.Series([b"9", b"8"], dtype=pl.Binary()),
            "status": pl.Series(["Completed", "Dropped"], dtype=pl.Enum(["Completed", "Dropped"])),
            "date": [datetime(2020, 1, 1).date(), None],
        }
    ).write_parquet(path)
    found = sorted(row[1:] for row in rows(imported(tmp_path, path)))
    assert found == [(1, 8, "dropped", None), (5114, 9, "completed", datetime(2020, 1, 1, tzinfo=UTC))]


def test_a_column_of_lists_is_named(tmp_path: Path) -> None:
    path = tmp_path / "r.parquet"
    pl.DataFrame({"user_id": [1], "item_id": [[1, 2]]}).write_parquet(path)
    with pytest.raises(DataError, match=r"column 'item_id' holds List\(Int64\)"):
        imported(tmp_path, path)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("['Action', 'Drama']", ["Action", "Drama"]),
        ('["Action", "Slice of Life, Daily"]', ["Action", "Slice of Life, Daily"]),
        ("['Action' 'Drama']", ["Action", "Drama"]),
        ("('Action', \"It's\")", ["Action", "It's"]),
        ("[Action, Drama]", ["Action", "Drama"]),
        ("{'Action'}", ["Action"]),
        ('[{"mal_id": 1, "name": "Action"}, {"mal_id": 8, "name": "Drama"}]', ["Action", "Drama"]),
        ("Action|Drama", ["Action", "Drama"]),
        ("Action; Drama;", ["Action", "Drama"]),
        ("Action, Drama, Action", ["Action", "Drama"]),
        ("[]", []),
        ("", []),
    ],
)
def test_lists_in_a_cell(tmp_path: Path, text: str, names: list[str]) -> None:
    assert split_names(text) == names
    ratings = tmp_path / "r.csv"
    ratings.write_text("user_id,anime_id,rating\n1,5114,9\n")
    cell = text.replace('"', '""')
    dataset = imported(tmp_path, f'item_id,title,genres\n5114,a,"{cell}"\n', "catalogue.csv", ratings)
    assert dataset.catalogue()["genres"].to_list() == [names]


def test_a_parquet_catalogue_with_lists(tmp_path: Path) -> None:
    ratings, path = tmp_path / "r.csv", tmp_path / "c.parquet"
    ratings.write_text("user_id,item_id,rating\n1,5114,9\n")
    pl.DataFrame({"item_id": [5114], "title": ["a"], "genres": [["Action, fast", "Drama"]]}).write_parquet(path)
    assert imported(tmp_path, path, "", ratings).catalogue()["genres"].to_list() == [["Action, fast", "Drama"]]


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ('user_id,item_id,note\n1,1,"open\n1,2,b\n1,3,c\n', "line 2"),
        ('user_id,item_id,note\n1,1,a\n1,2,"open\n1,3,c\n1,4,"\n', "line 3"),
        ('user_id,item_id,note\n1,1,a\n1,2,"open\n1,3,c\n1,4,d"\n', "line 3"),
    ],
)
def test_an_unclosed_quote_swallows_no_rows(tmp_path: Path, content: str, line: str) -> None:
    with pytest.raises(DataError, match=f"{line}: a quote is opened and not closed"):
        imported(tmp_path, content)


def test_an_unclosed_quote_in_a_catalogue(tmp_path: Path) -> None:
    ratings = tmp_path / "r.csv"
    ratings.write_text("user_id,item_id,rating\n1,5114,9\n")
    for content in ('item_id,title\n5114,"open\n1,b\n20,c\n', 'item_id,title\n5114,"open\n1,b\n20,"\n'):
        with pytest.raises(DataError, match="line 2: a quote is opened and not closed"):
            imported(tmp_path, content, "catalogue.csv", ratings)


def test_cells_of_several_lines_stay(tmp_path: Path) -> None:
    dataset = imported(tmp_path, 'user_id,item_id,note\n1,1,"a\nb, c"\n1,2,"say ""hi"""\n')
    assert [row[1] for row in rows(dataset)] == [1, 2]


def test_merge_reads_the_same_forms(tmp_path: Path) -> None:
    anime = "anime_id,name,genre,type,episodes,rating,members\n5114,Alchémists,Action,TV,64,9.26,793665\n"
    (tmp_path / "anime.csv.gz").write_bytes(gzip.compress(anime.encode("utf-16")))
    (tmp_path / "output.csv").write_text("anime_id,title,aired,crawled_at\n5114,A,2009,2026-01-01T00:00:00Z\n")
    merge_files(tmp_path / "anime.csv.gz", [tmp_path / "output.csv"], tmp_path / "out")
    assert "Alchémists" in (tmp_path / "out" / "merged.csv").read_text()
