"""What a crawl writes comes back as it was, in every format."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gars.datasets.crawled import CrawledAnime, Relation, latest, read_crawled, write_crawled
from gars.domain.errors import DataError, InvalidInputError

THEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
FULL = CrawledAnime(
    anime_id=5,
    title='Fox, "Lantern"\nand Sea',
    synonyms=("A, B", "星"),
    episodes=12,
    score=8.5,
    genres=("Action",),
    synopsis="One.\nTwo.",
    relations=(Relation("Sequel", "anime", 6, "Six"),),
    crawled_at=THEN,
)
BARE = CrawledAnime(anime_id=2, title="Null", crawled_at=THEN)


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_there_and_back(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"out.{ending}"
    write_crawled([FULL, BARE], path)
    assert read_crawled(path) == [BARE, FULL], "ascending by id"
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    write_crawled([], path)
    assert read_crawled(path) == []


def test_the_latest_record_of_an_anime_stays() -> None:
    older = CrawledAnime(anime_id=5, title="Old", crawled_at=THEN - timedelta(days=1))
    same = CrawledAnime(anime_id=5, title="Again", crawled_at=THEN)
    assert latest([FULL, older]) == {5: FULL}
    assert latest([FULL, same]) == {5: same}


def test_another_ending(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"x\.xml: a crawl is not written as 'xml'\n.*csv, jsonl, parquet"):
        write_crawled([], Path("x.xml"))


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("a.jsonl", '{"anime_id": 1}\n', 1),
        ("a.csv", "anime_id,title,crawled_at\n1,A,2026-01-02T00:00:00Z\nx,B,2026-01-02T00:00:00Z\n", 3),
        ("b.csv", "anime_id,title,genres,crawled_at\n1,A,Action,2026-01-02T00:00:00Z\n", 2),
    ],
)
def test_a_row_that_is_no_record_names_its_line(tmp_path: Path, name: str, text: str, line: int) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match=f"{name}: line {line} is not a crawled anime"):
        read_crawled(tmp_path / name)
    with pytest.raises(DataError, match=r"none\.csv: cannot be read"):
        read_crawled(tmp_path / "none.csv")
