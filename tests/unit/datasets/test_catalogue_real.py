"""The catalogue of the real sources: it reaches autumn 2026, and its titles are right."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from gars.adapters.embedded.title_search import MemoryTitleSearch
from gars.application.catalogue.search import is_poor
from gars.datasets.catalogue.build import SOURCES, Built, build_catalogue
from gars.datasets.catalogue.vocabulary import GENRES
from gars.datasets.dataset import catalogue_anime
from gars.datasets.readers.recommendations import read_recommendations
from gars.datasets.sources import SOURCES as REGISTERED

pytestmark = pytest.mark.sample
LANGUAGES = ("title", "title_english", "title_japanese", "title_chinese")
OF_2016 = {"mal-2016-catalogue", "mal-2020-titles", "anime-ids", "anime-relations", "anilist-tags"}


def mirrored(mirror: Path, names: set[str] | frozenset[str]) -> dict[str, Path]:
    files = {source.name: mirror / source.file_name for source in REGISTERED if source.name in names}
    return {name: path for name, path in files.items() if path.exists()}


@pytest.fixture(scope="module")
def full(mirror: Path) -> Built:
    return build_catalogue(mirrored(mirror, SOURCES))


@pytest.fixture(scope="module")
def search(full: Built) -> MemoryTitleSearch:
    return MemoryTitleSearch(catalogue_anime(full.catalogue))


@pytest.fixture(scope="module")
def of_2016(mirror: Path) -> Built:
    return build_catalogue(mirrored(mirror, OF_2016))


def test_the_catalogue_reaches_autumn_2026(full: Built) -> None:
    titles = full.catalogue
    assert titles.height >= 27_000
    assert titles["anime_id"].is_unique().all()
    modern = titles.filter(pl.col("year") >= 2017)
    assert modern["synopsis"].is_not_null().mean() >= 0.8  # type: ignore[operator]
    assert titles["image"].is_not_null().mean() >= 0.95  # type: ignore[operator]
    assert titles.filter(pl.col("season") == "2026-fall").height >= 80
    assert titles["type"].is_not_null().mean() >= 0.99  # type: ignore[operator]
    assert titles["year"].is_not_null().mean() >= 0.97  # type: ignore[operator]
    assert not titles["synopsis"].str.contains(r"</?(?:br|i|b|p|em|a)\b").any()
    assert titles.filter(pl.col("members").is_not_null() & pl.col("members_at").is_null()).is_empty()
    assert set(titles["genres"].explode().drop_nulls()) <= set(GENRES)
    sites = set(titles["streaming"].explode().struct.field("site").drop_nulls())
    assert not sites & {"Twitter", "TikTok", "Instagram", "Facebook", "Official Site"}


def test_seasons_follow_each_other(full: Built) -> None:
    rows = {row["anime_id"]: row for row in full.catalogue.to_dicts()}
    frieren, second = rows[52991], rows[59978]
    assert 59978 in frieren["sequels"]
    assert 52991 in second["prequels"]
    assert frieren["franchise"] == second["franchise"]
    # Isekai Quartet brings them together; they are still franchises of their own.
    assert len({rows[anime]["franchise"] for anime in (29803, 31240, 30831)}) == 3


@pytest.mark.parametrize(
    ("anime_id", "shown"),
    [
        (5081, "Bakemonogatari"),
        (6746, "Durarara!!"),
        (227, "FLCL"),
        (30484, "Steins;Gate 0"),
        (30240, "Prison School"),
        (12549, "So, I Can't Play H!"),
        (25777, "Attack on Titan Season 2"),
        (52991, "Frieren: Beyond Journey's End"),
    ],
)
def test_english_titles_are_official(full: Built, anime_id: int, shown: str) -> None:
    row = full.catalogue.row(by_predicate=pl.col("anime_id") == anime_id, named=True)
    assert row["title_english"] == shown


@pytest.mark.parametrize("anime_id", [5081, 6746, 227, 30484, 30240, 12549, 25157, 24455])
def test_a_synonym_is_no_english_title(of_2016: Built, anime_id: int) -> None:
    row = of_2016.catalogue.row(by_predicate=pl.col("anime_id") == anime_id, named=True)
    assert row["title_english"] in (None, row["title"]), "the main title shows where no English one is known"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("which", ["full", "of_2016"])
def test_well_known_titles_show_names_of_their_own(language: str, which: str, request: pytest.FixtureRequest) -> None:
    built: Built = request.getfixturevalue(which)
    known = built.catalogue.filter(pl.col("members") > 5_000)
    shown = known.select(name=pl.coalesce(language, "title").str.to_lowercase())
    assert known.height > 5_000
    assert shown.filter(pl.col("name").is_duplicated()).is_empty()


@pytest.mark.parametrize(
    ("query", "anime_id"),
    [("Frieren", 52991), ("Oshi no Ko", 52034), ("Dandadan", 57334), ("葬送のフリーレン", 52991), ("咒术回战", 40748)],
)
def test_titles_of_today_are_found_first(search: MemoryTitleSearch, query: str, anime_id: int) -> None:
    found = search.search(query, limit=5)
    assert found[0].anime_id == anime_id
    assert not is_poor(found)


def test_a_title_that_a_catalogue_of_2016_lacks_is_a_poor_match(of_2016: Built) -> None:
    old = of_2016.catalogue.filter(pl.col("year") < 2017)
    found = MemoryTitleSearch(catalogue_anime(old)).search("frieren", limit=5)
    assert is_poor(found)


def test_recommendations_lead_to_newer_titles(full: Built, mirror: Path) -> None:
    pairs = read_recommendations(mirror / "mal-recommendations-2024.csv", full.catalogue)
    assert pairs.height > 60_000
    years = full.catalogue.select("anime_id", "year")
    newer = pairs.join(years, left_on="recommended_id", right_on="anime_id").filter(pl.col("year") >= 2017)
    assert newer.height > 13_000
