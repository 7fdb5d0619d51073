"""This week's anime: asked of a server of our own, added to a catalogue that keeps what it knows."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import polars as pl
import pytest

from gars import Recommender
from gars.adapters.sites import polite
from gars.config import Settings, from_environment
from gars.datasets.airing import add_airing, read_airing
from gars.datasets.dataset import Dataset, SourceUsed
from gars.datasets.schema import CATALOGUE, INTERACTIONS, conform_catalogue
from gars.datasets.writing import write_dataset
from gars.domain.errors import DataError, FetchError
from gars.entrypoints.cli import app as cli
from gars.entrypoints.season import KEPT_FOR, fetch_season
from gars.library import configuration
from gars.library.registry import Registry
from gars.pipeline.runs import runs
from gars.runtime.progress import Silent
from gars_test_support.datasets import small_dataset
from gars_test_support.world import SMALL

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


def media(number: int, mal: int | None, **changes: Any) -> dict[str, Any]:
    return {
        "id": number,
        "idMal": mal,
        "title": {"romaji": f"Title {number}", "english": None, "native": "題"},
        "startDate": {"year": 2026, "month": 10, "day": 4},
        "season": "FALL",
        "seasonYear": 2026,
        "format": "TV",
        "status": "RELEASING",
        "genres": ["Drama"],
        "tags": [{"name": "Iyashikei", "rank": 90}, {"name": "Ships", "rank": 20}],
        "studios": {"nodes": [{"name": "Studio"}]},
        "description": "One.<br>Two.",
        "coverImage": {"large": "https://example.org/1.jpg"},
        "source": "LIGHT_NOVEL",
        "isAdult": False,
    } | changes


class Site:
    """Answers as AniList does; ``busy`` answers "too many requests" that often first."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.busy = 0
        self.status = 200
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                question = json.loads(self.rfile.read(int(self.headers["content-length"])))["variables"]
                if site.busy:
                    site.busy -= 1
                    self._send(429, b"", {"Retry-After": "7"})
                    return
                site.asked.append(question)
                self._send(site.status, json.dumps(site.answer(question)).encode(), {})

            def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    def answer(self, question: dict[str, Any]) -> dict[str, Any]:
        entries = {
            ("FALL", 1): [media(1, 101), media(2, None)],
            ("FALL", 2): [media(3, 103)],
            ("WINTER", 1): [media(4, 104, status="NOT_YET_RELEASED", season="WINTER", seasonYear=2027)],
            (None, 1): [media(1, 101, episodes=13)],
        }[question.get("season"), question["page"]]
        more = (question.get("season"), question["page"]) == ("FALL", 1)
        return {"data": {"Page": {"pageInfo": {"hasNextPage": more}, "media": entries}}}


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Sleeping takes no time."""
    slept: list[float] = []
    real = polite.PoliteClient

    def client_of(site: str, **options: Any) -> polite.PoliteClient:
        return real(site, **options, sleep=slept.append)

    monkeypatch.setattr("gars.bootstrap.stores.PoliteClient", client_of)
    return slept


@pytest.fixture
def site(slept: list[float]) -> Iterator[Site]:
    running = Site()
    yield running
    running.server.shutdown()
    running.thread.join()
    running.server.server_close()


@pytest.fixture
def settings(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("GARS_ANILIST_URL", f"http://127.0.0.1:{site.server.server_address[1]}")
    return from_environment({"GARS_ANILIST_URL": os.environ["GARS_ANILIST_URL"]}, home=tmp_path)


def fetched(settings: Settings) -> Path:
    return fetch_season(settings, Silent(), now=lambda: NOW)


def test_this_season_the_next_and_what_is_running_are_asked_page_by_page(site: Site, settings: Settings) -> None:
    titles = pl.read_parquet(fetched(settings))
    assert site.asked == [
        {"season": "FALL", "year": 2026, "page": 1},
        {"season": "FALL", "year": 2026, "page": 2},
        {"season": "WINTER", "year": 2027, "page": 1},
        {"status": "RELEASING", "page": 1},
    ]
    assert dict(titles.schema) == CATALOGUE
    assert titles["anime_id"].to_list() == [101, 103, 104]
    first = titles.to_dicts()[0]
    assert (first["episodes"], first["airing"], first["season"]) == (13, "airing", "2026-fall"), "the last answer"
    assert (first["released"], first["tags"], first["source"]) == (date(2026, 10, 4), ["Iyashikei"], "Light novel")
    assert "<" not in first["synopsis"]
    assert titles["members"].null_count() == 3, "members of AniList are not those of MyAnimeList"


def test_a_busy_site_is_waited_for_as_long_as_it_asks(site: Site, settings: Settings, slept: list[float]) -> None:
    site.busy = 1
    fetched(settings)
    assert 7.0 in slept
    assert len(site.asked) == 4


def test_the_answer_is_kept_for_half_a_day(site: Site, settings: Settings) -> None:
    path = fetched(settings)
    os.utime(path, (NOW.timestamp(), NOW.timestamp()))
    fetched(settings)
    assert len(site.asked) == 4
    old = (NOW - KEPT_FOR - timedelta(seconds=1)).timestamp()
    os.utime(path, (old, old))
    fetched(settings)
    assert len(site.asked) == 8


def test_a_site_that_refuses_leaves_the_earlier_answer(site: Site, settings: Settings) -> None:
    path = fetched(settings)
    before = path.read_bytes()
    os.utime(path, (0, 0))
    site.status = 403
    with pytest.raises(FetchError, match="AniList answered 403"):
        fetched(settings)
    assert path.read_bytes() == before


@pytest.mark.parametrize("body", [b"[]", b'{"data": {"Page": {"media": [{"id": "x"}]}}}', b"<html>"])
def test_an_answer_of_another_form_is_refused(body: bytes) -> None:
    with pytest.raises(DataError, match="is not a page of anime"):
        read_airing([body])


def test_known_anime_keep_their_names_and_new_ones_are_added() -> None:
    known = conform_catalogue(
        pl.DataFrame(
            [
                {"anime_id": 101, "title": "Daimei", "airing": "upcoming", "score": 8.0, "genres": ["Comedy"]},
                {"anime_id": 7, "title": "Old", "airing": "finished"},
            ],
            {name: CATALOGUE[name] for name in ("anime_id", "title", "airing", "score", "genres")},
        )
    )
    page = {"data": {"Page": {"media": [media(1, 101), media(3, 103)]}}}
    added = add_airing(known, read_airing([json.dumps(page).encode()]).titles)
    assert (added.new, added.changed) == (1, 1)
    old, renamed, new = added.catalogue.to_dicts()
    assert old["airing"] == "finished"
    assert (renamed["title"], renamed["airing"], renamed["score"]) == ("Daimei", "airing", 8.0)
    assert (renamed["genres"], renamed["tags"], renamed["image"]) == (
        ["Comedy"],
        ["Iyashikei"],
        "https://example.org/1.jpg",
    )
    assert (new["title"], new["title_japanese"]) == ("Title 3", "題")


def test_the_command_makes_a_data_set_with_this_weeks_anime(
    site: Site, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = {"user_id": [1], "anime_id": [7], "rating": [8], "status": None, "time": None}
    write_dataset(
        settings.home / "data" / "mal",
        name="mal",
        dialect="gars",
        simulated=False,
        sources=[SourceUsed("x", "0" * 64)],
        parts=[pl.DataFrame(rows).cast(INTERACTIONS)],  # type: ignore[arg-type]
        catalogue=conform_catalogue(pl.DataFrame({"anime_id": [7], "title": ["Old"]})),
    )
    monkeypatch.setattr("sys.argv", ["gars", "data", "refresh", "--season", "--home", str(settings.home)])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert not stop.value.code
    dataset = Dataset.open(settings.home / "data" / "mal-fresh")
    assert dataset.manifest.report["new_anime"] == len(dataset.catalogue()) - 1
    assert dataset.manifest.sources[-1].name == "anilist-api"
    assert site.asked


def test_the_pipeline_trains_a_model_that_knows_this_weeks_anime(
    site: Site, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_dataset(settings.home)
    configuration.write(settings.home / "small.json", SMALL)
    words = ["gars", "pipeline", "run", "--data", "small", "--season", "--config", str(settings.home / "small.json")]
    monkeypatch.setattr("sys.argv", [*words, "--home", str(settings.home)])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert not stop.value.code
    (run,) = runs(settings.home)
    assert [step.name for step in run.steps()][:4] == ["start", "season", "merge", "validate"]
    registry = Registry(settings.home / "models")
    version = registry.current()
    assert version is not None
    model = Recommender.load(registry.folder / version)
    assert {101, 103} <= set(model.item_ids.tolist())
    assert site.asked
