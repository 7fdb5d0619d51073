"""Whole crawls, in a process of their own, of a site on this machine."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

pytest.importorskip("scrapy", reason="needs the spider extra")

from gars.datasets.crawled import CrawledAnime, read_crawled
from gars.datasets.forgotten import forget
from gars.datasets.identities import name_hasher
from gars.datasets.importing import import_files
from gars.runtime.progress import Silent
from gars.spider import __file__ as project
from gars_test_support.anime_site import AnimeSite, serving

pytestmark = pytest.mark.slow


@pytest.fixture
def site() -> Iterator[AnimeSite]:
    with serving(AnimeSite()) as served:
        yield served


class Crawler:
    """Runs commands against one site with one home."""

    def __init__(self, home: Path, site: AnimeSite) -> None:
        self.home, self.site = home, site
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("GARS_")},
            "GARS_HOME": str(home),
            "GARS_SPIDER_SITE": site.address,
            "GARS_SPIDER_API": f"{site.address}/v4",
            "GARS_SPIDER_DELAY_MS": "0",
            "GARS_LOG_LEVEL": "debug",
            "COLUMNS": "200",
        }

    def start(self, *words: str, cwd: Path | None = None) -> subprocess.Popen[str]:
        command = [str(Path(sys.executable).parent / words[0]), *words[1:]]
        return subprocess.Popen(
            command, env=self.environment, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def ran(self, *words: str, cwd: Path | None = None, code: int = 0) -> str:
        with self.start(*words, cwd=cwd) as running:
            output, _ = running.communicate(timeout=120)
        assert running.returncode == code, output
        return output

    def spider(self, *words: str, code: int = 0) -> str:
        return self.ran("gars", "spider", "run", *words, "--i-have-permission", code=code)


@pytest.fixture
def crawler(tmp_path: Path, site: AnimeSite) -> Crawler:
    return Crawler(tmp_path / "home", site)


def ids(path: Path) -> list[int]:
    return [record.anime_id for record in read_crawled(path)]


def test_nothing_is_asked_without_permission(crawler: Crawler, tmp_path: Path) -> None:
    output = crawler.ran("gars", "spider", "run", "anime", code=1)
    assert "127.0.0.1: there is no permission to collect its pages" in output
    assert "forbid collecting their pages by program without consent" in output
    assert "add --i-have-permission" in output
    output = crawler.ran("scrapy", "crawl", "anime", "-o", str(tmp_path / "x.csv"), cwd=Path(project).parent, code=2)
    assert "there is no permission" in output
    assert crawler.site.asked == []


def test_the_missions_own_command(crawler: Crawler, tmp_path: Path) -> None:
    out = tmp_path / "output.csv"
    crawler.ran(
        *("scrapy", "crawl", "anime", "-o", str(out), "-t", "csv", "--i-have-permission"), cwd=Path(project).parent
    )
    assert sorted(ids(out)) == [1, 2, 3, 5], "4 is forbidden by robots.txt"
    first = next(record for record in read_crawled(out) if record.anime_id == 1)
    assert (first.title, first.title_japanese, first.aired, first.relations[0].id) == ("Title 1", "題 1", "2001", 2)
    assert crawler.site.paths()[0] == "/robots.txt"
    assert not [path for path in crawler.site.paths() if path.startswith("/anime/4")]
    agents = {headers["user-agent"] for _, headers in crawler.site.asked}
    assert len(agents) == 1
    assert agents.pop().startswith("gars-spider/")


def test_faults_are_waited_out_and_counted(crawler: Crawler, tmp_path: Path) -> None:
    crawler.site.faults = {
        "/anime/1/Title_1": deque(["429", "500", "cut"]),
        "/anime/2/Title_2": deque(["500"] * 9),
        "/anime/3/Title_3": deque(["404"]),
        "/anime/5/Title_5": deque(["challenge"]),
    }
    out = tmp_path / "out.jsonl"
    output = crawler.spider("anime", "--ids", "1-6", "--out", str(out))
    assert ids(out) == [1, 5]
    assert "everything waits" in output
    assert "1 gave nothing: status 500" in output
    assert "2 gave nothing: unknown (404)" in output
    assert "1 gave nothing: Forbidden by robots.txt" in output


def test_a_site_that_does_not_answer_is_given_up(crawler: Crawler, tmp_path: Path) -> None:
    crawler.site.faults = {"/anime/1/Title_1": deque(["slow"] * 2), "/anime/2/Title_2": deque(["slow"] * 9)}
    out = tmp_path / "out.jsonl"
    options = ("-s", "DOWNLOAD_TIMEOUT=1", "-s", "RETRY_TIMES=2", "-a", "ids=1-3", "--i-have-permission")
    output = crawler.ran("scrapy", "crawl", "anime", "-o", str(out), *options, cwd=Path(project).parent)
    assert sorted(ids(out)) == [1, 3]
    assert "Title_2: " in output
    assert "TimeoutError" in output


def test_a_site_that_asks_for_a_person_is_left(crawler: Crawler) -> None:
    crawler.site.faults = {f"/anime/{number}/Title_{number}": deque(["challenge"] * 20) for number in range(1, 6)}
    output = crawler.spider("anime", "--ids", "1-3", code=1)
    assert "stopped (asked_for_a_person)" in output
    assert len(crawler.site.asked) < 20


def test_site_that_asks_to_come_back_later_is_left(crawler: Crawler) -> None:
    crawler.site.faults = {"/anime/2/Title_2": deque(["later"] * 9)}
    output = crawler.spider("anime", "--ids", "2", code=1)
    assert "the site asked to come back in 120 minutes: the crawl ends here" in output
    assert "stopped (asked_to_come_later)" in output
    assert crawler.site.paths().count("/anime/2/Title_2") == 1


@pytest.mark.parametrize("fault", ["500", "cut"])
def test_without_robots_txt_nothing_is_asked(crawler: Crawler, fault: str) -> None:
    crawler.site.faults = {"/robots.txt": deque([fault] * 20)}
    output = crawler.spider("anime", "--ids", "1-3", code=1)
    assert "3 gave nothing: robots.txt cannot be read, so nothing is allowed" in output
    assert "✗ nothing was crawled: robots.txt cannot be read" in output
    assert set(crawler.site.paths()) == {"/robots.txt"}


def test_the_second_run_asks_for_what_is_new_or_old(crawler: Crawler, tmp_path: Path) -> None:
    out = tmp_path / "out.parquet"
    crawler.spider("anime", "--ids", "1-2", "--out", str(out))
    assert ids(out) == [1, 2]
    crawler.site.asked.clear()
    output = crawler.spider("anime", "--ids", "1-3", "--out", str(out))
    assert ids(out) == [1, 2, 3]
    assert "1 item(s) crawled, 2 fresh enough" in output
    assert [path for path in crawler.site.paths() if path != "/robots.txt"] == ["/anime/3", "/anime/3/Title_3"]
    stored = crawler.home / "spider" / "anime.jsonl"
    aged = [
        json.dumps({**json.loads(line), "crawled_at": (datetime.now(UTC) - timedelta(days=40)).isoformat()})
        for line in stored.read_text().splitlines()[:1]
    ]
    stored.write_text("\n".join([*aged, *stored.read_text().splitlines()[1:]]) + "\n")
    assert "1 item(s) crawled, 2 fresh enough" in crawler.spider("anime", "--ids", "1-3", "--older-than", "30d")


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGKILL])
def test_a_stopped_run_goes_on(crawler: Crawler, site: AnimeSite, tmp_path: Path, stop: signal.Signals) -> None:
    site.titles, site.robots = 120, ""
    out = tmp_path / "out.csv"
    words = ("gars", "spider", "run", "anime", "--out", str(out), "--i-have-permission")
    with crawler.start(*words) as running:
        stored = crawler.home / "spider" / "anime.jsonl"
        deadline = time.monotonic() + 60
        while not (stored.exists() and stored.read_bytes().count(b"\n") >= 10):
            assert time.monotonic() < deadline
            assert running.poll() is None
            time.sleep(0.01)
        running.send_signal(stop)
        running.communicate(timeout=60)
    before = {json.loads(line)["anime_id"] for line in stored.read_bytes().split(b"\n")[:-1]}
    assert 10 <= len(before) < 120, "it was stopped on its way"
    site.asked.clear()
    crawler.ran(*words)
    assert ids(out) == list(range(1, 121))
    # the site may answer a request of the killed run only now: that title was not stored
    pages = {int(path.split("/")[2]) for path in site.paths() if path.count("/") == 3}
    assert not pages & before, "what was there is not asked for again"


ENTRIES = [
    {"anime_id": number, "anime_title": number, "score": number % 11, "status": 2, "updated_at": 1_600_000_000}
    for number in range(1, 651)
]


def test_lists_without_names(crawler: Crawler, site: AnimeSite, tmp_path: Path) -> None:
    site.lists = {"Aki_Fox": ENTRIES, "Gone_Person": ENTRIES[:3], "Shy_One": "private", "Few": ENTRIES[:2]}
    crawler.home.mkdir()
    aki, gone = name_hasher(crawler.home)(pl.Series(["Aki_Fox", "Gone_Person"])).to_list()
    forget(crawler.home, [gone])
    names = tmp_path / "names.txt"
    names.write_text("Aki_Fox\naki_fox\nShy_One\nNobody_Here\nFew\nGone_Person\n")
    out = tmp_path / "lists.csv"
    site.faults = {"/animelist/Few/load.json": deque(["429"])}
    output = crawler.spider("lists", "--names", str(names), "--out", str(out))
    assert "1 gave nothing: private" in output
    assert "1 gave nothing: unknown" in output
    offsets = [path.split("?")[1] for path in site.paths() if "Aki_Fox" in path]
    assert offsets == [f"offset={offset}&status=7" for offset in (0, 300, 600, 650)]
    assert not any("Gone_Person" in path for path in site.paths())
    assert len(out.read_text().splitlines()) == 1 + 650 + 2
    files = [path for path in crawler.home.rglob("*") if path.is_file() and path.name != "user-names.key"]
    everything = output + out.read_text() + "".join(str(path) + path.read_bytes().decode("latin-1") for path in files)
    for name in ("Aki_Fox", "aki_fox", "Shy_One", "Nobody_Here", "Few/", "Gone_Person"):
        assert name not in everything
    dataset = import_files([out], home=crawler.home, name="fresh", progress=Silent(), enrich=False)
    rows = dataset.interactions().collect()
    assert set(rows["user_id"]) >= {aki}
    assert (rows.height, rows["rating"].null_count(), rows["status"].unique().to_list()) == (652, 59, ["completed"])
    site.asked.clear()
    crawler.spider("lists", "--names", str(names))
    assert not any("Aki_Fox" in path for path in site.paths()), "it is fresh"


def test_the_api_is_asked_again_by_its_mark(crawler: Crawler, site: AnimeSite, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    crawler.spider("jikan", "--out", str(out))
    assert ids(out) == [1, 2, 3, 4, 5]
    stored = crawler.home / "spider" / "anime.jsonl"
    stored.unlink()
    site.asked.clear()
    crawler.spider("jikan", "--out", str(out))
    marks = [headers for path, headers in site.asked if path.endswith("/full")]
    assert all("if-none-match" in headers for headers in marks)
    assert ids(out) == [1, 2, 3, 4, 5]


def test_top_and_season(crawler: Crawler, site: AnimeSite, tmp_path: Path) -> None:
    site.titles = 120
    out = tmp_path / "top.jsonl"
    assert f"{out}: 100 row(s)" in crawler.spider("top", "--pages", "2", "--out", str(out))
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert [row["rank"] for row in rows] == list(range(1, 101))
    out = tmp_path / "season.csv"
    crawler.spider("season", "--seasons", "1998-spring", "--out", str(out))
    assert len(out.read_text().splitlines()) == 4
    out = tmp_path / "anime.jsonl"
    crawler.spider("anime", "--seasons", "1998-spring", "--out", str(out))
    assert ids(out) == [1, 2, 3]


def test_relations_are_followed(crawler: Crawler, site: AnimeSite, tmp_path: Path) -> None:
    site.robots = ""
    out = tmp_path / "out.csv"
    crawler.spider("anime", "--ids", "4", "--relations", "--out", str(out))
    assert ids(out) == [1, 2, 3, 4, 5]


def test_from_a_crawl_to_an_accepted_snapshot(crawler: Crawler, site: AnimeSite, tmp_path: Path) -> None:
    """Crawl, merge, import, accept: by the commands a person would type."""
    site.lists = {"Aki": ENTRIES[:4], "Boa": ENTRIES[1:5]}
    (tmp_path / "names.txt").write_text("Aki\nBoa\n")
    original = "anime_id,name,genre,type,episodes,rating,members\n"
    (tmp_path / "anime.csv").write_text(original + "".join(f"{one},Old {one},Drama,TV,1,7,9\n" for one in (1, 2, 3)))
    crawler.spider("anime", "--out", str(tmp_path / "output.csv"))
    crawler.spider("lists", "--names", str(tmp_path / "names.txt"), "--out", str(tmp_path / "lists.csv"))
    commands = [
        "merge anime.csv output.csv --how full --out merged",
        "import lists.csv merged/catalogue.parquet --name fresh --no-enrich",
        "snapshot fresh",
        "snapshots --verify",
    ]
    outputs = [crawler.ran("gars", "data", *command.split(), cwd=tmp_path) for command in commands]
    assert "3 original, 4 crawled, 3 in both" in outputs[0]
    assert "8 rows, 2 users" in outputs[2]
    assert "fresh" in outputs[3]
    (accepted,) = (crawler.home / "snapshots").glob("*/catalogue.parquet")
    assert pl.read_parquet(accepted)["title"].to_list() == ["Title 1", "Title 2", "Title 3", "anime 4", "Title 5"]


def test_records_are_typed(crawler: Crawler, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    crawler.spider("anime", "--ids", "1", "--limit", "1", "--out", str(out))
    (record,) = read_crawled(out)
    assert isinstance(record, CrawledAnime)
    assert record.crawled_at.tzinfo is not None
