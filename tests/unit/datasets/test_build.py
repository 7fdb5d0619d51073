"""The built-in data set: the shipped sample, without sources that cannot be fetched; never a silent change."""

from __future__ import annotations

import sqlite3
import urllib.request
from contextlib import closing
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from gars.datasets import build, catalogues, fetched
from gars.datasets.build import build_default, build_sample, standing
from gars.datasets.importing import import_files
from gars.datasets.readers.caserec import Sample
from gars.datasets.schema import INTERACTIONS
from gars.datasets.simulated import invented_catalogue
from gars.datasets.simulator import BLOCK, Simulator
from gars.datasets.sources import ENRICHING, SOURCES, Source
from gars.datasets.validate import validate
from gars.domain.errors import FetchError
from gars.runtime.progress import Silent

NEEDED = {"mal-2016-sample", "mal-2016-catalogue"}
OPTIONAL = {source.name for source in ENRICHING}


class Notes(Silent):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def note(self, text: str) -> None:
        self.lines.append(text)


class World:
    """Small stand-ins for every source; those not in ``reachable`` cannot be fetched."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.reachable = {"mal-2016-catalogue", *OPTIONAL}
        self.asked: list[str] = []
        folder.mkdir()
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
    for module in (build, catalogues, fetched):
        monkeypatch.setattr(module, "fetch", world.fetch)
    rows = pl.DataFrame({"user_id": [1, 1], "anime_id": [30, 40], "rating": [8, None], "status": None, "time": None})
    sample = Sample(rows.cast(INTERACTIONS), pl.DataFrame({"sample_id": [1, 2], "anime_id": [30, 40]}))  # type: ignore[arg-type]
    monkeypatch.setattr(build, "shipped_sample", lambda _catalogue: sample)
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
    provenance = dataset.provenance()
    assert provenance is not None
    assert provenance.select("anime_id", "title", "title_japanese").row(0) == (30, "given", "bangumi-data")


def test_a_second_build_reads_nothing(world: World, tmp_path: Path) -> None:
    first = build_sample(tmp_path, mirror=None, progress=Silent())
    world.asked.clear()
    again = build_sample(tmp_path, mirror=None, progress=Silent())
    assert again.content_hash == first.content_hash
    assert world.asked == []


def test_source_that_cannot_be_fetched_is_left_out_and_reported(world: World, tmp_path: Path) -> None:
    world.reachable -= {"bangumi-data", "anime-relations"}
    notes = Notes()
    dataset = build_sample(tmp_path, mirror=None, progress=notes)
    assert [note.split(" (")[0] for note in notes.lines] == [
        "without bangumi-data",
        "without anime-relations",
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
    assert set(world.asked) == {"mal-2016-catalogue"} | OPTIONAL


def test_without_any_network_the_viewers_are_real(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(source: Source, *_: object, **__: object) -> Path:
        raise FetchError(f"{source.name}: no network")

    monkeypatch.setattr(fetched, "fetch", away)
    monkeypatch.setattr(urllib.request, "urlopen", away)
    dataset = build_sample(tmp_path, mirror=None, progress=Silent())
    assert not dataset.simulated
    assert (dataset.manifest.rows, dataset.manifest.users, dataset.manifest.anime) == (520_609, 5_000, 7_390)
    assert set(dataset.manifest.report["skipped_sources"]) == OPTIONAL
    assert validate(dataset).faults == []


def test_the_default_data_set_is_built_without_any_network(world: World, tmp_path: Path) -> None:
    world.reachable = {"mal-2016-catalogue"}
    notes = Notes()
    dataset = build_default(tmp_path, mirror=None, progress=notes)
    assert (dataset.name, dataset.simulated, dataset.manifest.users) == ("mal", False, 1)
    assert dataset.users().rows() == [(1, "mal-2016-sample", False, date(2016, 12, 31))]
    wanted = {source.name for source in SOURCES if source.use != "evaluation"} - NEEDED
    assert set(dataset.manifest.report["skipped_sources"]) == wanted
    assert len(notes.lines) == len(wanted)
    assert {"mal-lists-2023", "arm", "mal-recommendations-2024"} <= wanted
    assert "gowalla" not in world.asked
    assert validate(dataset).faults == []


def test_sources_without_a_licence_are_named_and_can_be_left_out(world: World, tmp_path: Path) -> None:
    (world.folder / "mal-scores-2021").write_text("user_id,title,score\n5,Yoru,9\n")
    world.reachable = {"mal-2016-catalogue", "mal-scores-2021", "anime-relations"}
    notes = Notes()
    everything = build_default(tmp_path, mirror=None, progress=notes)
    assert everything.manifest.users == 2
    assert (
        "no licence is stated by the publishers of mal-scores-2021: used here, not to be redistributed"
        in (notes.lines[-1])
    )
    world.asked.clear()
    licensed = build_default(tmp_path, mirror=None, progress=notes, licensed_only=True)
    assert licensed.manifest.users == 1
    assert "mal-scores-2021" not in world.asked
    assert not any("none stated" in source.licence for source in licensed.manifest.sources)
    assert standing(tmp_path) is None


def test_a_default_data_set_is_never_made_poorer(world: World, tmp_path: Path) -> None:
    (world.folder / "mal-scores-2021").write_text("user_id,title,score\n5,Yoru,9\n")
    world.reachable = {"mal-2016-catalogue", "mal-scores-2021"}
    richer = build_default(tmp_path, mirror=None, progress=Silent())
    world.reachable = {"mal-2016-catalogue"}
    assert build_default(tmp_path, mirror=None, progress=Silent()).content_hash == richer.content_hash


def test_an_import_without_a_catalogue_gets_that_of_the_sources(world: World, tmp_path: Path) -> None:
    world.reachable = {"mal-2016-catalogue", "anime-relations"}
    ratings = tmp_path / "ratings.csv"
    ratings.write_text("user_id,anime_id,rating\n1,30,8\n1,999,7\n")
    dataset = import_files([ratings], home=tmp_path, name="mine", progress=Silent())
    titles = dict(dataset.catalogue().select("anime_id", "title").iter_rows())
    assert titles == {30: "Yoru", 40: "Asa", 999: "anime 999"}
    assert dataset.manifest.report["without_catalogue_entry"] == 1


def test_import_keeps_fields_of_its_catalogue_and_fills_missing_ones(world: World, tmp_path: Path) -> None:
    world.reachable = {"mal-2016-catalogue", "anime-relations"}
    (tmp_path / "ratings.csv").write_text("user_id,anime_id,rating\n1,30,8\n1,40,7\n")
    (tmp_path / "mine.csv").write_text("anime_id,title,episodes\n40,Morning,7\n")
    files = [tmp_path / "ratings.csv", tmp_path / "mine.csv"]
    yoru, asa = import_files(files, home=tmp_path, name="mine", progress=Silent()).catalogue().to_dicts()
    assert (yoru["anime_id"], yoru["title"]) == (30, "Yoru")
    assert (asa["title"], asa["episodes"], asa["type"], yoru["sequels"]) == ("Morning", 7, "TV", [40])


def test_simulated_lists_look_like_those_of_the_sample() -> None:
    rows = pl.concat(list(Simulator(invented_catalogue(3000), seed=0).blocks(2 * BLOCK)))
    assert 80 < rows.height / (2 * BLOCK) < 130
    assert 0.5 < (rows["rating"].drop_nulls() > 7).mean() < 0.7  # type: ignore[operator]
    assert 0.1 < rows["rating"].null_count() / rows.height < 0.35
