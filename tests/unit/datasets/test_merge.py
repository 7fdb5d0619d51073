"""The original catalogue and a crawl of it become one, and nothing is lost on the way."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from gars.datasets.crawled import CrawledAnime, Relation, write_crawled
from gars.datasets.dataset import Dataset
from gars.datasets.importing import import_files
from gars.datasets.merge import merge_catalogues
from gars.datasets.merged_files import merge_files
from gars.datasets.refreshed import refreshed
from gars.datasets.schema import conform_catalogue
from gars.datasets.validate import validate
from gars.domain.errors import DataError, InvalidInputError
from gars.entrypoints.cli import data as cli
from gars.runtime.progress import Silent

THEN = datetime(2026, 1, 2, tzinfo=UTC)
ORIGINAL = """anime_id,name,genre,type,episodes,rating,members
5,Kaze &amp; Ame,"Drama, Space",TV,26,8.1,100
7,Yoru,,Movie,1,,5
9,Only Here,Comedy,OVA,Unknown,6.5,50
"""
KAZE = CrawledAnime(
    anime_id=5,
    title="Kaze to Ame",
    synonyms=("Wind, Rain",),
    type="TV",
    episodes=25,
    aired="Apr 3, 1998 to Apr 24, 1999",
    premiered="Spring 1998",
    genres=("Drama",),
    themes=("Space",),
    duration="24 min. per ep.",
    score=8.2,
    members=120,
    relations=(Relation("Sequel", "anime", 11, "Kaze 2"), Relation("Adaptation", "manga", 7, "Kaze")),
    crawled_at=THEN,
)
YORU = CrawledAnime(anime_id=7, title="Yoru", aired="Not available", rating="Rx - Hentai", crawled_at=THEN)
NEW = CrawledAnime(anime_id=11, title="Kaze 2", aired="Apr 2003 to ?", crawled_at=THEN)


@pytest.fixture
def original(tmp_path: Path) -> Path:
    path = tmp_path / "anime.csv"
    path.write_text(ORIGINAL)
    return path


def crawl(folder: Path, *records: CrawledAnime, name: str = "output.csv") -> Path:
    write_crawled(records, folder / name)
    return folder / name


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_left_join(original: Path, tmp_path: Path) -> None:
    report = merge_files(original, [crawl(tmp_path, KAZE, YORU, NEW)], tmp_path / "out")
    merged = rows(tmp_path / "out" / "merged.csv")
    assert [row["anime_id"] for row in merged] == ["5", "7", "9"], "every row of the original, in its order"
    assert [merged[0][name] for name in ("name", "genre", "rating")] == ["Kaze &amp; Ame", "Drama, Space", "8.1"]
    assert [merged[0][name] for name in ("title", "rating_crawled", "score", "genres")] == [
        "Kaze to Ame",
        "",
        "8.2",
        '["Drama"]',
    ]
    assert merged[0]["aired"] == "Apr 3, 1998 to Apr 24, 1999"
    assert merged[2]["title"] == merged[2]["crawled_at"] == ""
    assert (report.original, report.crawled, report.both) == (3, 3, 2)
    assert (report.only_original, report.only_crawled, report.catalogue) == (1, 1, 3)


def test_dates_in_one_form(original: Path, tmp_path: Path) -> None:
    strange = CrawledAnime(anime_id=9, title="Only Here", aired="2001", premiered="Fall 2001", crawled_at=THEN)
    report = merge_files(original, [crawl(tmp_path, KAZE, YORU, NEW, strange)], tmp_path / "out", how="full")
    parsed = {row["anime_id"]: row for row in rows(tmp_path / "out" / "parsed_anime.csv")}
    dates = {
        anime_id: [row[name] for name in ("aired_from", "aired_to", "aired_precision", "premiered")]
        for anime_id, row in parsed.items()
    }
    assert dates == {
        "5": ["1998-04-03", "1999-04-24", "day", "1998-04"],
        "7": ["", "", "", ""],
        "9": ["2001", "", "year", "2001-10"],
        "11": ["2003-04", "..", "month", ""],
    }
    assert "aired" not in parsed["5"]
    assert parsed["5"]["name"] == "Kaze &amp; Ame"
    assert report.dates == {"day": 1, "month": 1, "none": 1, "year": 1}


def test_one_catalogue_with_the_source_of_every_field(original: Path, tmp_path: Path) -> None:
    merge_files(original, [crawl(tmp_path, KAZE, YORU, NEW)], tmp_path / "out", how="full")
    catalogue = {row["anime_id"]: row for row in pl.read_parquet(tmp_path / "out" / "catalogue.parquet").to_dicts()}
    kaze, yoru, only, new = (catalogue[one] for one in (5, 7, 9, 11))
    assert (kaze["title"], kaze["synonyms"]) == ("Kaze to Ame", ["Wind, Rain", "Kaze & Ame"]), "the old title is kept"
    assert (kaze["score"], kaze["members"], kaze["episodes"], kaze["duration_min"]) == (8.2, 120, 25, 24)
    assert (kaze["genres"], kaze["sequels"], kaze["related"]) == (["Drama", "Space"], [11], [11])
    assert (str(kaze["released"]), kaze["year"]) == ("1998-04-03", 1998)
    assert (yoru["members"], yoru["type"], yoru["adult"]) == (5, "Movie", True), "what the crawl does not know stays"
    assert (only["title"], only["score"]) == ("Only Here", 6.5)
    assert (new["title"], new["year"], new["franchise"]) == ("Kaze 2", 2003, "mal:11")
    provenance = {row["anime_id"]: row for row in pl.read_parquet(tmp_path / "out" / "provenance.parquet").to_dicts()}
    assert [provenance[5][name] for name in ("title", "score", "synopsis")] == ["output.csv", "output.csv", None]
    assert [provenance[7][name] for name in ("title", "members", "adult")] == ["output.csv", "original", "output.csv"]
    assert provenance[9]["title"] == "original"


def test_disagreements_are_reported(original: Path, tmp_path: Path) -> None:
    report = merge_files(original, [crawl(tmp_path, KAZE, YORU)], tmp_path / "out")
    assert report.conflicts == {"episodes": 1, "title": 1}
    found = rows(tmp_path / "out" / "conflicts.csv")
    assert [(row["anime_id"], row["field"], row["original"], row["fresh"], row["kept"]) for row in found] == [
        ("5", "episodes", "26", "25", "output.csv"),
        ("5", "title", "Kaze & Ame", "Kaze to Ame", "output.csv"),
    ]
    assert report.taken_from["members"] == {"output.csv": 1, "original": 2}


def test_of_several_crawls_the_latest_counts(original: Path, tmp_path: Path) -> None:
    older = CrawledAnime(anime_id=5, title="Older", crawled_at=THEN - timedelta(days=9))
    paths = [crawl(tmp_path, KAZE, name="new.jsonl"), crawl(tmp_path, older, YORU, name="old.parquet")]
    merge_files(original, paths, tmp_path / "out")
    assert [row["title"] for row in rows(tmp_path / "out" / "merged.csv")] == ["Kaze to Ame", "Yoru", ""]
    sources = pl.read_parquet(tmp_path / "out" / "provenance.parquet")["title"].to_list()
    assert sources == ["new.jsonl", "old.parquet", "original"]


def test_unreadable_date_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "anime.csv"
    path.write_text("MAL_ID,Name,Genres,Aired,Premiered\n5,Kaze,Drama,Soon,Spring 1998\n7,Yoru,,Apr 2001,Unknown\n")
    report = merge_files(path, [crawl(tmp_path, NEW)], tmp_path / "out")
    assert (report.unreadable_dates, report.unreadable_examples) == (1, ["Soon"])
    parsed = rows(tmp_path / "out" / "parsed_anime.csv")
    assert [(row["aired_from"], row["premiered"]) for row in parsed] == [("", "1998-04"), ("2001-04", "")]
    assert json.loads((tmp_path / "out" / "merge.json").read_text())["unreadable_dates"] == 1


def test_it_can_be_imported(original: Path, tmp_path: Path) -> None:
    merge_files(original, [crawl(tmp_path, KAZE, YORU)], tmp_path / "out")
    ratings = tmp_path / "rating.csv"
    ratings.write_text("user_id,anime_id,rating\n1,5,9\n1,7,8\n")
    files = [ratings, tmp_path / "out" / "catalogue.parquet"]
    dataset = import_files(files, home=tmp_path, name="fresh", progress=Silent(), enrich=False)
    assert dataset.catalogue()["sequels"].to_list() == [[11], [], []]


@pytest.mark.parametrize("name", ["crawl.csv", "crawl.jsonl", "crawl.parquet"])
def test_a_crawl_is_a_catalogue_too(tmp_path: Path, name: str) -> None:
    ratings = tmp_path / "rating.csv"
    ratings.write_text("user_id,anime_id,rating\n1,5,9\n1,7,8\n")
    path = crawl(tmp_path, KAZE, YORU, name=name)
    dataset = import_files([ratings, path], home=tmp_path, name="fresh", progress=Silent(), enrich=False)
    kaze = dataset.catalogue().row(0, named=True)
    assert (kaze["title"], kaze["genres"], kaze["year"]) == ("Kaze to Ame", ["Drama", "Space"], 1998)
    write_crawled([CrawledAnime(anime_id=5, title="x", aired="soon", crawled_at=THEN)], path)
    dataset = import_files([ratings, path], home=tmp_path, name="odd", progress=Silent(), enrich=False)
    assert dataset.catalogue()["year"].to_list() == [None, None], "an unreadable date is unknown"


def test_what_cannot_be_merged(original: Path, tmp_path: Path) -> None:
    ratings = tmp_path / "rating.csv"
    ratings.write_text("user_id,anime_id,rating\n1,5,9\n")
    with pytest.raises(InvalidInputError, match=r"rating\.csv: is not a catalogue of MyAnimeList ids"):
        merge_files(ratings, [crawl(tmp_path, KAZE)], tmp_path / "out")
    with pytest.raises(InvalidInputError, match="crawls must be one or more files with names of their own"):
        merge_files(original, [], tmp_path / "out")
    (tmp_path / "bad.jsonl").write_text("nothing\n")
    with pytest.raises(DataError, match=r"bad\.jsonl: line 1 is not a crawled anime"):
        merge_files(original, [tmp_path / "bad.jsonl"], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_command(original: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    words = ["merge", str(original), str(crawl(tmp_path, KAZE, YORU, NEW)), "--out", str(tmp_path / "out")]
    output = CliRunner().invoke(cli.app, words).output
    assert "3 original, 3 crawled, 2 in both" in output
    assert "1 only in the crawl, left out" in output
    assert "1 episodes, 1 title" in output
    result = CliRunner().invoke(cli.app, [*words, "--how", "right"])
    assert "--how right is not known" in str(result.exception)


def some_lists(home: Path, name: str, text: str) -> Dataset:
    ratings = home / f"{name}.csv"
    ratings.write_text(f"user_id,anime_id,rating\n{text}")
    files = [ratings, home / "anime.csv"]
    return import_files(files, home=home, name=name, progress=Silent(), enrich=False, rows_per_range=2)


def test_a_data_set_with_fresher_pages_and_lists(
    original: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GARS_HOME", str(tmp_path))
    old = some_lists(tmp_path, "old", "1,5,9\n1,7,8\n3,5,7\n5,9,6\n5,5,4\n")
    some_lists(tmp_path, "lists", "2,5,1\n3,7,2\n9,13,3\n")
    crawled = crawl(tmp_path, KAZE, NEW)
    words = ["refresh", "old", "--crawl", str(crawled), "--lists", "lists", "--name", "fresh"]
    output = CliRunner().invoke(cli.app, words).output
    assert "fresh: 7 rows, 5 users, 5 anime known" in output.replace("\n", "")
    fresh = Dataset.open(tmp_path / "data" / "fresh")
    assert fresh.interactions().select("user_id", "anime_id", "rating").collect().rows() == [
        (1, 5, 9),
        (1, 7, 8),
        (2, 5, 1),
        (3, 7, 2),
        (5, 5, 4),
        (5, 9, 6),
        (9, 13, 3),
    ]
    report = validate(fresh)
    assert (report.faults, report.orphans, report.duplicates) == ([], 0, 0)
    assert fresh.catalogue()["title"].to_list() == ["Kaze to Ame", "Yoru", "Only Here", "Kaze 2", "anime 13"]
    assert fresh.manifest.report == {"refreshed_from": old.content_hash, "new_anime": 1, "conflicts": 2}
    assert [source.name for source in fresh.manifest.sources][-3:] == ["output.csv", "lists.csv", "anime.csv"]
    with pytest.raises(InvalidInputError, match="is the data set itself"):
        refreshed(old, old.path, crawls=[crawled])
    with pytest.raises(InvalidInputError, match="there is nothing to refresh with"):
        refreshed(old, tmp_path / "data" / "x")
    result = CliRunner().invoke(cli.app, [*words[:-1], "../x"])
    assert "'../x' is not a name for a data set" in str(result.exception)


def test_merging_with_itself_changes_nothing() -> None:
    frame = conform_catalogue(
        pl.DataFrame({"anime_id": [1, 2], "title": ["A", "B"], "genres": [["X"], []], "franchise": ["f", None]})
    )
    origins = pl.DataFrame({"anime_id": [1, 2], "origin": ["o", "o"]})
    merged = merge_catalogues(frame, frame, origins)
    assert merged.catalogue.equals(frame)
    assert merged.conflicts.height == 0
