"""The rules of asking: permission, pace, a User-Agent that can be answered, and a log without names."""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

pytest.importorskip("scrapy", reason="needs the spider extra")

from gars.config import from_environment
from gars.datasets.crawled import CrawledAnime
from gars.datasets.forgotten import forget, forgotten
from gars.datasets.importing import import_files
from gars.domain.errors import DataError, GarsError, InvalidInputError
from gars.entrypoints.cli import spider as cli
from gars.runtime.progress import Silent
from gars.spider import permission, refresh
from gars.spider.backoff import retry_after_s
from gars.spider.output import write_lists
from gars.spider.permission import PermissionMissingError
from gars.spider.politeness import check, is_this_machine, user_agent
from gars.spider.project import scrapy_settings
from gars.spider.redaction import Redacting, redacted
from gars.spider.store import CrawledList, RecordStore

NOW = datetime(2026, 1, 2, tzinfo=UTC)
SITE = "https://anime.example"


def polite(**changes: object) -> dict[str, object]:
    contact = "me@anime.example"
    return {
        "delay_s": 2.0,
        "least_s": 2.0,
        "obeys_robots": True,
        "agent": user_agent(contact),
        "contact": contact,
        **changes,
    }


def test_a_polite_run_may_start() -> None:
    check(SITE, **polite())  # type: ignore[arg-type]
    check("http://127.0.0.1:80", **polite(delay_s=0, contact=""))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"obeys_robots": False}, "the spider obeys robots.txt, always"),
        ({"delay_s": 1.9}, r"1.9 s between requests is too fast, at least 2 s\n.*GARS_SPIDER_DELAY_MS=2000"),
        ({"contact": ""}, r"must be able to see who asks.*\n.*GARS_SPIDER_CONTACT"),
        ({"agent": "Mozilla/5.0"}, "must be able to see who asks"),
    ],
)
def test_a_rude_run_may_not(changes: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        check(SITE, **polite(**changes))  # type: ignore[arg-type]


def test_robots_count_on_this_machine_too() -> None:
    with pytest.raises(InvalidInputError, match=r"obeys robots\.txt"):
        check("http://localhost", **polite(obeys_robots=False))  # type: ignore[arg-type]


def test_what_this_machine_is() -> None:
    here = ["http://127.0.0.1:8000/x", "http://localhost", "http://[::1]:5", "http://127.9.9.9"]
    away = ["https://anime.example", "http://10.0.0.1", "http://127.0.0.1.anime.example", "nothing"]
    assert [is_this_machine(address) for address in here + away] == [True] * 4 + [False] * 4


def test_a_site_elsewhere_is_never_asked_in_a_hurry() -> None:
    settings = scrapy_settings(from_environment({"GARS_SPIDER_DELAY_MS": "0"}))
    assert (settings["CONCURRENT_REQUESTS_PER_DOMAIN"], settings["AUTOTHROTTLE_ENABLED"]) == (1, True)
    assert (settings["ROBOTSTXT_OBEY"], settings["DOWNLOAD_DELAY_JITTER"]) == (True, 0)
    settings = scrapy_settings(from_environment({}))
    assert (settings["DOWNLOAD_DELAY"], settings["USER_AGENT"]) == (2, user_agent(""))


def test_permission_is_shown_once_a_site(tmp_path: Path) -> None:
    with pytest.raises(
        PermissionMissingError, match=r"anime\.example: there is no permission.*\n.*--i-have-permission"
    ):
        permission.require(tmp_path, SITE)
    permission.grant(tmp_path, SITE, NOW)
    permission.grant(tmp_path, SITE, NOW)
    permission.require(tmp_path, f"{SITE}:443/anything")
    with pytest.raises(PermissionMissingError, match=r"other\.example: there is no permission"):
        permission.require(tmp_path, "https://other.example")
    stored = tmp_path / "spider" / "permissions.json"
    assert stored.read_text().count("anime.example") == 1
    stored.write_text("{")
    with pytest.raises(DataError, match=r"permissions\.json: is damaged"):
        permission.require(tmp_path, SITE)


def test_ages_ids_and_seasons() -> None:
    assert [refresh.age(text) for text in ("30d", "12 h", "2W", "90m")] == [
        timedelta(days=30),
        timedelta(hours=12),
        timedelta(weeks=2),
        timedelta(minutes=90),
    ]
    assert list(refresh.ids("3, 5-7\n9")) == [3, 5, 6, 7, 9]
    assert list(refresh.seasons("1998-spring,1999/Fall")) == [(1998, "spring"), (1999, "fall")]
    with pytest.raises(InvalidInputError, match=r"'soon' is not an age\n.*30d"):
        refresh.age("soon")
    with pytest.raises(InvalidInputError, match=r"'x' is not an anime id\n.*1,5,20-30"):
        list(refresh.ids("1,x"))
    with pytest.raises(InvalidInputError, match=r"'1998-autumn' is not a season\n.*1998-spring"):
        list(refresh.seasons("1998-autumn"))


def test_how_long_a_site_wants_us_to_wait() -> None:
    answers = [b"120", b"Fri, 02 Jan 2026 00:01:00 GMT", b"Thu, 01 Jan 2026 00:00:00 GMT", b"soon", None]
    assert [retry_after_s(answer, NOW) for answer in answers] == [120, 60, 0, None, None]


def test_names_are_blotted_out() -> None:
    assert redacted("<GET https://anime.example/animelist/Aki/load.json?offset=0>") == (
        "<GET https://anime.example/animelist/…/load.json?offset=0>"
    )
    assert redacted("/profile/Aki") == "/profile/…"
    assert redacted("/anime/1/Aki") == "/anime/1/Aki"


def test_no_line_of_the_log_names_a_list(caplog: pytest.LogCaptureFixture) -> None:
    factory = logging.getLogRecordFactory()
    try:
        Redacting.from_crawler(None)  # type: ignore[arg-type]
        try:
            raise ValueError("at /animelist/Aki/load.json")
        except ValueError:
            logging.getLogger("x").exception("asked %s", "/animelist/Aki/load.json")
    finally:
        logging.setLogRecordFactory(factory)
    assert "asked /animelist/…/load.json" in caplog.text
    assert "ValueError: at /animelist/…/" in caplog.text
    assert "Aki" not in caplog.text


def record(anime_id: int, title: str = "x", at: datetime = NOW) -> CrawledAnime:
    return CrawledAnime(anime_id=anime_id, title=title, crawled_at=at)


def test_records_outlive_a_killed_process(tmp_path: Path) -> None:
    path = tmp_path / "spider" / "anime.jsonl"
    store = RecordStore(path, CrawledAnime)
    store.add(record(1))
    store.add(record(2))
    assert path.read_bytes().count(b"\n") == 2, "a record is there as soon as it was added"
    store.close()
    with path.open("ab") as file:
        file.write(b'{"anime_id":3,"ti')
    again = RecordStore(path, CrawledAnime)
    assert (1 in again, 3 in again, len(again)) == (True, False, 2)
    again.add(record(1, "newer", NOW + timedelta(days=1)))
    again.close()
    assert [one.title for one in RecordStore(path, CrawledAnime).records()] == ["newer", "x"]


def test_what_is_fresh(tmp_path: Path) -> None:
    store = RecordStore(tmp_path / "a.jsonl", CrawledAnime)
    store.add(record(1))
    day = timedelta(days=1)
    assert store.is_fresh(1, NOW + 40 * day, None), "any record, when no age is given"
    assert store.is_fresh(1, NOW + 40 * day, 40 * day)
    assert not store.is_fresh(1, NOW + 40 * day, 39 * day)
    assert not store.is_fresh(2, NOW, None)
    store.close()


def test_the_deletion_list(tmp_path: Path) -> None:
    assert forgotten(tmp_path) == set()
    assert forget(tmp_path, [5, 3]) == 2
    assert forget(tmp_path, [5]) == 0
    assert forgotten(tmp_path) == {3, 5}
    (tmp_path / "forgotten-users.txt").write_text("3\nAki\n")
    with pytest.raises(DataError, match=r"forgotten-users\.txt: line 2 is not a user id: 'Aki'"):
        forgotten(tmp_path)


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_lists_are_rows_that_can_be_imported(tmp_path: Path, ending: str) -> None:
    store = RecordStore(tmp_path / "spider" / "lists.jsonl", CrawledList)
    store.add(CrawledList(user_id=9, crawled_at=NOW, rows=((5, 8, "completed", NOW), (2, None, "planned", None))))
    store.add(CrawledList(user_id=4, crawled_at=NOW, rows=((5, 1, None, None),)))
    store.add(CrawledList(user_id=7, crawled_at=NOW))
    store.close()
    out = tmp_path / f"out.{ending}"
    assert write_lists(tmp_path, out) == 3
    dataset = import_files([out], home=tmp_path, name="fresh", progress=Silent(), enrich=False)
    assert dataset.interactions().collect().rows() == [
        (4, 5, 1, None, None),
        (9, 2, None, "planned", None),
        (9, 5, 8, "completed", NOW),
    ]
    with pytest.raises(InvalidInputError, match=r"x\.xml: a crawl is not written as 'xml'\n.*csv, jsonl, parquet"):
        write_lists(tmp_path, tmp_path / "x.xml")


def test_broken_json_lines_are_reported(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text('{"user_id": 1, "anime_id": 2, "rating": 3}\n{"user_id": \n')
    with pytest.raises(DataError, match=r"x\.jsonl: is not JSON lines: .*\n.*one JSON object a line"):
        import_files([path], home=tmp_path, name="fresh", progress=Silent(), enrich=False)
    path.write_text("nothing\n")
    with pytest.raises(DataError, match=r"x\.jsonl: line 1 is not a JSON object"):
        import_files([path], home=tmp_path, name="fresh", progress=Silent(), enrich=False)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["manga"], "there is no spider 'manga'"),
        (["season", "--ids", "1"], "the spider season has no --ids"),
        (["anime", "--out", "x.xml"], "there is no permission"),
    ],
)
def test_mistakes_on_the_command_line(
    words: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GARS_HOME", str(tmp_path))
    result = CliRunner().invoke(cli.app, ["run", *words])
    assert isinstance(result.exception, GarsError)
    assert message in str(result.exception)


def test_command_without_its_extra_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gars.spider.run", None)
    result = CliRunner().invoke(cli.app, ["run", "anime", "--home", str(tmp_path)])
    assert "pip install 'gars[spider]'" in str(result.exception)
