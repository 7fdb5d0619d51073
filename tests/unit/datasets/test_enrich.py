"""Fields of the other sources are joined by id; a field no source has stays null."""

from __future__ import annotations

import csv
import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest

from gars.datasets.catalogue.build import build_catalogue
from gars.datasets.enrich.anilist_tags import read_tags
from gars.datasets.enrich.bangumi import read_bangumi
from gars.datasets.enrich.franchise import components, franchise_keys
from gars.datasets.enrich.ids import IDS, read_ids
from gars.datasets.enrich.relations import PAIRS, read_relations, relation_columns, season_pairs
from gars.datasets.enrich.titles2020 import read_titles
from gars.datasets.schema import conform_catalogue
from gars.domain.errors import DataError


def item(title: str, sites: dict[str, str], **more: Any) -> dict[str, Any]:
    listed = [{"site": site, "id": name} for site, name in sites.items()]
    return {"title": title, "type": "tv", "lang": "ja", "begin": "", "titleTranslate": {}, "sites": listed} | more


def bangumi_file(folder: Path, *items: dict[str, Any]) -> Path:
    meta = {
        "mal": {"title": "MyAnimeList", "type": "info"},
        "tmdb": {"title": "TMDB", "type": "info"},
        "crunchyroll": {"title": "Crunchyroll", "urlTemplate": "https://example.org/{{id}}", "type": "onair"},
    }
    path = folder / "data.json"
    path.write_bytes(msgspec.json.encode({"siteMeta": meta, "items": list(items)}))
    return path


def test_bangumi_days_are_those_of_japan_and_ids_are_numbers(tmp_path: Path) -> None:
    entry = item(
        "星の喫茶",
        {"mal": "41", "aniList": "410", "anidb": "411", "tmdb": "tv/77/season/2", "crunchyroll": "star"},
        begin="2021-07-06T15:30:00.000Z",
        titleTranslate={"en": ["Star Café", "Cafe of Stars"], "zh-Hans": ["星之咖啡"]},
    )
    (row,) = read_bangumi(bangumi_file(tmp_path, entry, item("no id", {}), item("odd id", {"mal": "x"}))).to_dicts()
    assert row["released"] == date(2021, 7, 7)
    assert (row["title_japanese"], row["title_english"], row["title_chinese"]) == ("星の喫茶", "Star Café", "星之咖啡")
    assert (row["anilist_id"], row["anidb_id"], row["tmdb_id"]) == (410, 411, "tv/77")
    assert row["streaming"] == [{"site": "Crunchyroll", "url": "https://example.org/star"}]
    assert "Cafe of Stars" in row["synonyms"]


def test_earliest_bangumi_item_of_an_id_is_used(tmp_path: Path) -> None:
    late = item("second part", {"mal": "1"}, begin="2020-04-01T00:00:00.000Z")
    early = item("first part", {"mal": "1"}, begin="2020-01-01T00:00:00.000Z")
    assert read_bangumi(bangumi_file(tmp_path, late, early))["title_japanese"].to_list() == ["first part"]


def test_titles_2020(tmp_path: Path) -> None:
    path = tmp_path / "titles.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "CREATE TABLE anime_meta "
            "(anime_id, titles, genres, rating, members, episodes, duration, release_date, related_ids)"
        )
        connection.executemany(
            "INSERT INTO anime_meta VALUES (?,?,?,?,?,?,?,?,?)",
            [
                (5, "Yoru,YR,Night, and Day,夜", "Action, Drama", 7.5, 100, 12, 24, 2009, "6,7"),
                (6, "Asa", "", 0, 0, 0, 0, 0, ""),
            ],
        )
        connection.commit()
    first, second = read_titles(path).to_dicts()
    assert "title_english" not in first, "the list does not say which name is the English one"
    assert first["synonyms"] == ["YR", "Night, and Day", "夜"]
    assert (first["related"], first["year"], first["score"]) == ([6, 7], 2009, 7.5)
    assert {name: second[name] for name in ("score", "members", "episodes", "duration_min", "year")} == dict.fromkeys(
        ("score", "members", "episodes", "duration_min", "year")
    )


def test_ids_of_an_entry_with_several_anime(tmp_path: Path) -> None:
    path = tmp_path / "ids.json"
    entries = {
        "12": {"mal_id": "3,4", "anilist_id": 30, "tvdb_id": 9, "tvdb_season": 1},
        "8": {"mal_id": 4, "tvdb_id": 9, "tvdb_season": 2, "tvdb_epoffset": 12},
        "9": {"anilist_id": 1},
    }
    path.write_bytes(msgspec.json.encode(entries))
    assert read_ids(path).rows() == [(3, 12, 30, 9, 1, 0), (4, 8, None, 9, 2, 12)]


def test_relation_rules_become_direct_pairs(tmp_path: Path) -> None:
    path = tmp_path / "relations.txt"
    path.write_text(
        "::rules\n"
        "# Show -> Show II -> Show III\n"
        "- 10|1|100:14-26 -> 20|2|200:1-13!\n"
        "- 10|1|100:27-39 -> 30|3|300:1-13\n"
        "- 40|4|400:13-24 -> ~|~|~:1-12\n"
        "- 50|?|?:0 -> 60|?|?:1\n"
    )
    assert read_relations(path).rows() == [(10, 20), (20, 30)]
    path.write_text("::meta\n")
    with pytest.raises(DataError, match="holds no relation rules"):
        read_relations(path)


def ids_frame(*rows: tuple[int, int, int, int]) -> pl.DataFrame:
    return pl.DataFrame(
        [(anime, None, None, tvdb, season, offset) for anime, tvdb, season, offset in rows], IDS, orient="row"
    )


def test_seasons_are_ordered_and_specials_and_ties_are_not() -> None:
    frame = ids_frame((3, 9, 2, 0), (1, 9, 1, 0), (2, 9, 1, 12), (4, 9, 0, 0), (5, 8, 1, 0), (6, 8, 1, 0), (7, 8, 2, 0))
    assert season_pairs(frame).rows() == [(1, 2), (2, 3)]


def test_relations_go_both_ways_and_stay_within_the_catalogue() -> None:
    known = pl.Series("anime_id", [1, 2, 3])
    pairs = pl.DataFrame([(1, 3), (1, 2), (3, 99), (1, 2)], PAIRS, orient="row")
    rows = {row["anime_id"]: row for row in relation_columns(known, pairs).to_dicts()}
    assert rows[1] == {"anime_id": 1, "sequels": [2, 3], "prequels": None}
    assert rows[2] == {"anime_id": 2, "sequels": None, "prequels": [1]}
    assert rows[3] == {"anime_id": 3, "sequels": None, "prequels": [1]}


def test_franchise_keys() -> None:
    catalogue = pl.DataFrame(
        {"anime_id": [1, 2, 3, 4, 5, 6], "tmdb_id": [None, "tv/7", "tv/7", None, None, "movie/3"]},
        schema={"anime_id": pl.Int64, "tmdb_id": pl.String},
    )
    pairs = pl.DataFrame([(4, 5)], PAIRS, orient="row")
    keys = dict(franchise_keys(catalogue, ids_frame((1, 9, 1, 0), (2, 9, 2, 0)), pairs).iter_rows())
    assert keys == {1: "tvdb:9", 2: "tvdb:9", 3: "tvdb:9", 4: "mal:4", 5: "mal:4", 6: "tmdb:movie/3"}


def test_tmdb_does_not_join_what_tvdb_parts() -> None:
    catalogue = pl.DataFrame({"anime_id": [1, 2], "tmdb_id": ["tv/7", "tv/7"]})
    none = pl.DataFrame(schema=PAIRS)
    keys = dict(franchise_keys(catalogue, ids_frame((1, 8, 1, 0), (2, 9, 1, 0)), none).iter_rows())
    assert keys == {1: "tvdb:8", 2: "tvdb:9"}


def test_an_anthology_is_no_franchise() -> None:
    catalogue = pl.DataFrame({"anime_id": [1, 2, 3, 4], "tmdb_id": [None] * 4}, schema_overrides={"tmdb_id": pl.String})
    crowd = ids_frame(*((anime, 9, 1, 0) for anime in (1, 2, 3, 4)))
    keys = franchise_keys(catalogue, crowd, pl.DataFrame(schema=PAIRS))
    assert keys["franchise"].to_list() == ["mal:1", "mal:2", "mal:3", "mal:4"]


def test_components() -> None:
    assert components([5, 1, 2, 3], [(5, 2), (2, 99), (3, 3)]) == [[1], [2, 5], [3]]


def test_tags_are_shown_as_people_write_them(tmp_path: Path) -> None:
    path = tmp_path / "tags.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, ["id", "tags", "studios", "source"])
        writer.writeheader()
        writer.writerow(
            {"id": 1, "tags": '["MALE PROTAGONIST", "CGI"]', "studios": '["MAPPA"]', "source": "LIGHT_NOVEL"}
        )
        writer.writerow({"id": 2, "tags": "[]", "studios": "", "source": "OTHER"})
    assert read_tags(path).rows() == [
        (1, ["Male Protagonist", "CGI"], ["MAPPA"], "Light novel"),
        (2, [], [], None),
    ]
    path.write_text("id,tags,studios,source\nx,[],[],\n")
    with pytest.raises(DataError, match="row 1 is not a row of the AniList table"):
        read_tags(path)


def base(**columns: Any) -> pl.DataFrame:
    return conform_catalogue(pl.DataFrame(columns))


def test_the_base_is_kept_and_gaps_are_filled(tmp_path: Path) -> None:
    catalogue = base(
        anime_id=[1, 2, 3, 99],
        title=["Yoru", "Asa", None, None],
        score=[None, 5.0, None, None],
        episodes=[12, None, None, None],
        type=["Movie", "TV", None, None],
    )
    titles = tmp_path / "titles.sqlite"
    with closing(sqlite3.connect(titles)) as connection:
        connection.execute(
            "CREATE TABLE anime_meta "
            "(anime_id, titles, genres, rating, members, episodes, duration, release_date, related_ids)"
        )
        connection.execute(
            "INSERT INTO anime_meta VALUES (?,?,?,?,?,?,?,?,?)",
            (1, "Yoru,Night,yoru", "", 8.0, 100, 99, 1, 2009, "2,3,1"),
        )
        connection.commit()
    tags = tmp_path / "tags.csv"
    tags.write_text('id,tags,studios,source\n10,"[""SPACE""]","[""LAGOON""]",MANGA\n')
    bangumi = bangumi_file(
        tmp_path,
        item("夜", {"mal": "1", "aniList": "10"}, begin="2009-04-05T00:00:00.000Z", titleTranslate={"en": ["night"]}),
        item("新", {"mal": "3"}),
        item("no one asked", {"mal": "4"}),
    )
    paths = {"mal-2020-titles": titles, "anilist-tags": tags, "bangumi-data": bangumi}
    built = build_catalogue(paths, catalogue)
    first, second, third = built.catalogue.to_dicts()
    assert (first["score"], first["episodes"]) == (8.0, 12)
    assert first["duration_min"] is None, "a film of one minute is an hour misread"
    assert first["title_english"] == "Night", "spelled as the other source spells it"
    assert first["synonyms"] == []
    assert (first["year"], first["tags"], first["studios"], first["source"]) == (2009, ["Space"], ["Lagoon"], "Manga")
    assert first["related"] == [2, 3], "only what is in the catalogue, and never itself"
    assert (second["title"], second["score"], second["tags"], second["released"]) == ("Asa", 5.0, [], None)
    assert (third["anime_id"], third["title"]) == (3, "新"), "a source names what the base does not"
    assert built.report.without_title == 1
    assert built.provenance["score"].to_list() == ["mal-2020-titles", "given", None]


def test_nothing_to_join_changes_nothing() -> None:
    catalogue = base(anime_id=[2, 1], title=["Asa", "Yoru"], sequels=[[1], []])
    result = build_catalogue({}, catalogue).catalogue
    assert result["sequels"].to_list() == [[], [1]]
    assert result["prequels"].to_list() == [[2], []]
    assert result["franchise"].to_list() == ["mal:1", "mal:1"], "a typed relation is a franchise"
    assert build_catalogue({}, catalogue.clear()).catalogue.is_empty()


def test_a_source_that_is_not_itself_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("{}")
    with pytest.raises(DataError, match="is not bangumi-data"):
        read_bangumi(path)
    path.write_text("[]")
    with pytest.raises(DataError, match="is not the Anime-IDs file"):
        read_ids(path)
    with pytest.raises(DataError, match="is not the titles database"):
        read_titles(path)
