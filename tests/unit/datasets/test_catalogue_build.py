"""One row an anime, the source of each value, names that differ: on small made sources."""

from __future__ import annotations

import csv
import io
import tarfile
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest

from gars.datasets.catalogue import precedence as of
from gars.datasets.catalogue.build import build_catalogue
from gars.datasets.catalogue.by_title import TitleIndex
from gars.datasets.catalogue.join import join_fields
from gars.datasets.catalogue.names import name_apart, spell_english
from gars.datasets.catalogue.relate import relate
from gars.datasets.catalogue.synopsis import plain_text
from gars.datasets.catalogue.vocabulary import GENRES, TAGS, genres_of, tags_of
from gars.datasets.enrich.anilist_seasons import read_seasons
from gars.datasets.enrich.mapper import RELATIONS, read_mapper
from gars.datasets.enrich.relations import PAIRS
from gars.datasets.readers.recommendations import read_recommendations, unknown_recommendations
from gars.datasets.schema import CATALOGUE, conform_catalogue
from gars.domain.errors import DataError, InvalidInputError


def mapper_entry(mal_id: int, romaji: str | None, **more: Any) -> dict[str, Any]:
    title = {"romaji": romaji, "english": more.pop("english", None), "native": more.pop("native", None)}
    entry: dict[str, Any] = {
        "id": mal_id,
        "idMal": mal_id,
        "title": title | {"synonyms": more.pop("synonyms", [])},
        "mappings": {"mal": mal_id, "anilist": more.pop("anilist", None)},
        "aired": {"from": more.pop("begins", None), "to": None},
        "meta": {"sourcesUsed": more.pop("read_from", ["jikan", "anilist"])},
        "genres": [],
        "studios": [],
    }
    return entry | more


def mapper_tar(folder: Path, *entries: dict[str, Any]) -> Path:
    path = folder / "mapper.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for entry in entries:
            content = msgspec.json.encode(entry)
            member = tarfile.TarInfo(f"data/anime/000/{entry['id']}.json")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        archive.addfile(tarfile.TarInfo("data/anime/.gitkeep"))
    return path


SEASON_HEADER = (
    *("anime_id", "mal_id", "title", "english_title", "japanese_title", "type", "episodes", "duration", "status"),
    *("source", "season", "season_year", "main_studios", "genres", "tags", "score", "mean_score", "members"),
    *("start_date", "synopsis", "country_of_origin", "cover_image_large", "cover_image_color", "trailer_site"),
    *("trailer_id", "streaming_sites", "is_adult", "synonyms", "collected_at"),
)


def seasons_csv(folder: Path, *rows: dict[str, str]) -> Path:
    path = folder / "seasons.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, SEASON_HEADER, restval="")
        writer.writeheader()
        writer.writerows({"season": "FALL 2026", "collected_at": "2026-08-22T04:00:00+00:00"} | row for row in rows)
    return path


def catalogue(*rows: dict[str, Any]) -> pl.DataFrame:
    schema = {name: kind for name, kind in CATALOGUE.items() if any(name in row for row in rows)}
    return conform_catalogue(pl.DataFrame(rows, schema))


def test_the_first_source_that_knows_a_value_wins_and_is_named() -> None:
    first = pl.DataFrame({"anime_id": [1, 2], "title": ["A", None], "genres": [["Drama"], []]})
    second = pl.DataFrame({"anime_id": [2, 3], "title": ["B", "C"], "genres": [["Action"], ["Drama", "Action"]]})
    third = pl.DataFrame({"anime_id": [1], "genres": [["Action", "Drama"]]})
    order = {"title": ("first", "second"), "genres": ("first", "second", "third"), "image": ("first", "away")}
    values, origins = join_fields({"first": first, "second": second, "third": third}, order, frozenset({"genres"}))
    assert values["title"].to_list() == ["A", "B", "C"]
    assert origins["title"].to_list() == ["first", "second", "second"]
    assert values["genres"].to_list() == [["Drama", "Action"], ["Action"], ["Drama", "Action"]]
    assert origins["genres"].to_list() == ["first+third", "second", "second"]
    assert values["image"].to_list() == [None] * 3 == origins["image"].to_list()


def test_every_field_has_sources_and_every_source_is_known() -> None:
    computed = {"anime_id", "franchise"}
    assert set(of.PRECEDENCE) == set(CATALOGUE) - computed
    assert all(names[0] == of.GIVEN for names in of.PRECEDENCE.values())


def test_any_subset_of_the_sources_makes_a_catalogue(tmp_path: Path) -> None:
    paths = {
        "anime-mapper-2026": mapper_tar(
            tmp_path,
            mapper_entry(7, "Hoshi no Kissa", english="Star Café", native="星の喫茶", type="TV", begins="2024-01-05"),
            mapper_entry(8, None),
        ),
        "anilist-seasons-2026": seasons_csv(
            tmp_path, {"anime_id": "90", "mal_id": "9.0", "title": "Yoru", "type": "TV", "members": "50"}
        ),
    }
    for names in (["anime-mapper-2026"], ["anilist-seasons-2026"], list(paths)):
        built = build_catalogue({name: paths[name] for name in names})
        assert built.catalogue.schema == pl.Schema(CATALOGUE)
        assert built.catalogue["anime_id"].is_sorted()
        assert built.provenance["anime_id"].equals(built.catalogue["anime_id"])
    assert built.catalogue["title"].to_list() == ["Hoshi no Kissa", "Yoru"]
    assert built.report.without_title == 1
    assert built.report.origins["title"] == {"anilist-seasons-2026": 1, "anime-mapper-2026": 1}
    with pytest.raises(InvalidInputError, match="no catalogue can be built from: elsewhere"):
        build_catalogue({"elsewhere": tmp_path})
    with pytest.raises(InvalidInputError, match="no source of titles"):
        build_catalogue({})


def test_a_catalogue_of_the_user_s_own_keeps_its_rows_and_words(tmp_path: Path) -> None:
    given = catalogue({"anime_id": 7, "title": "My name", "genres": ["Mine"], "score": 5.0})
    mapped = mapper_tar(
        tmp_path,
        mapper_entry(7, "Hoshi", type="TV", genres=["Drama"], score={"malScore": 8.0}, rating="Rx - Hentai"),
        mapper_entry(8, "Other"),
    )
    built = build_catalogue({"anime-mapper-2026": mapped}, given)
    (row,) = built.catalogue.to_dicts()
    assert (row["title"], row["score"], row["type"], row["adult"]) == ("My name", 5.0, "TV", True)
    assert row["synonyms"] == ["Hoshi"]
    assert row["genres"][0] == "Mine"
    assert built.provenance["score"].to_list() == ["given"]


def test_the_mapper_in_a_folder_reads_as_in_a_tar_file(tmp_path: Path) -> None:
    entries = [mapper_entry(number, f"Title {number}", genres=["Earth", "Drama"]) for number in (10, 9)]
    folder = tmp_path / "unpacked" / "data" / "anime" / "000"
    folder.mkdir(parents=True)
    for entry in entries:
        (folder / f"{entry['id']}.json").write_bytes(msgspec.json.encode(entry))
    (folder / "notes.json").write_text("{")
    unpacked, packed = read_mapper(tmp_path / "unpacked"), read_mapper(mapper_tar(tmp_path, *entries))
    assert unpacked.mal.sort("anime_id").equals(packed.mal.sort("anime_id"))
    assert unpacked.dropped_words == {"Earth": 2} == packed.dropped_words


def test_a_mapper_that_is_none_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "broken.tar.gz"
    broken.write_bytes(b"no archive")
    with pytest.raises(DataError, match="cannot be unpacked"):
        read_mapper(broken)
    with pytest.raises(DataError, match="is not a title of the Anime Mapper"):
        read_mapper(mapper_tar(tmp_path, {"id": 1, "idMal": "x"}))
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="holds no titles"):
        read_mapper(tmp_path / "empty")


def test_fields_read_from_the_mapper(tmp_path: Path) -> None:
    entry = mapper_entry(
        7,
        "Hoshi",
        type="TV Special",
        begins="2023-01-01T00:00:00+00:00",
        source="Unknown",
        status="Not yet aired",
        episodeLength=0,
        score={"malScore": None, "anilistScore": 7.1},
        genres=["Science Fiction", "Thriller", "Zombies", "Slice of Life"],
        synopsis="One.\n\n(Source: ANN)",
        sequence=[{"malId": 8, "relationType": "SEQUEL"}, {"malId": None, "relationType": "PARENT"}],
    )
    read = read_mapper(mapper_tar(tmp_path, entry))
    (row,) = read.mal.to_dicts()
    assert (row["released"], row["year"]) == (None, 2023), "1 January without a season is a year alone"
    assert (row["type"], row["source"], row["airing"], row["duration_min"]) == ("Special", None, "upcoming", None)
    assert (row["genres"], row["tags"]) == (["Suspense", "Slice of Life"], ["Zombie"])
    assert row["score"] is None
    assert read.elsewhere.select("anime_id", "score").rows() == [(7, 7.1)]
    assert read.relations.rows() == [(7, 8, "SEQUEL")]


def test_genres_have_one_vocabulary() -> None:
    assert genres_of(["Yaoi", "Shounen Ai", "action", "Earth", "Dementia"]) == ["Boys Love", "Action", "Avant Garde"]
    assert tags_of(["Soccer", "Pirate", "Tokyo"]) == ["Football", "Pirates"]
    assert len(set(GENRES)) == len(GENRES)
    assert len(set(TAGS)) == len(TAGS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "The <i>second</i> season.<br><br>\nIt&rsquo;s a &lt;3.\n\n\n\n(Source: ANN)",
            "The second season.\n\nIt’s a <3.\n\n(Source: ANN)",
        ),
        ("<p>One</p><p>Two</p>", "One\nTwo"),
        ("A < B and ~!C!~", "A < B and C"),
        ("No synopsis has been added for this series yet.", None),
        ("<br>", None),
        ("Cut off.<br", "Cut off."),
        ("", None),
        (None, None),
    ],
)
def test_synopses_are_plain_text(text: str | None, expected: str | None) -> None:
    assert plain_text(text) == expected


def test_titles_of_the_latest_seasons(tmp_path: Path) -> None:
    path = seasons_csv(
        tmp_path,
        {
            "anime_id": "1",
            "mal_id": "11.0",
            "title": "A",
            "members": "5",
            "streaming_sites": "Twitter;iQ;YouTube;iQIYI",
        },
        {"anime_id": "2", "mal_id": "11.0", "title": "A part 2", "members": "9", "score": "84.0", "tags": "Space;Elf"},
        {"anime_id": "3", "cover_image_color": "red", "title": "B", "start_date": "2026-10-02", "is_adult": "True"},
        {
            "anime_id": "4",
            "title": "C",
            "source": "LIGHT_NOVEL",
            "cover_image_color": "#E45093",
            "trailer_site": "youtube",
            "trailer_id": "abc",
        },
    )
    read = read_seasons(path, {3: 33})
    rows = {row["anime_id"]: row for row in read.titles.to_dicts()}
    assert set(rows) == {11, 33}
    assert (rows[11]["title"], rows[11]["score"], rows[11]["members_at"]) == ("A part 2", 8.4, date(2026, 8, 22))
    assert (rows[33]["released"], rows[33]["season"], rows[33]["adult"]) == (date(2026, 10, 2), "2026-fall", True)
    assert read.repeated == 1
    (left,) = read.without_id.to_dicts()
    assert (left["title"], left["source"]) == ("C", "Light novel")
    assert left["trailer"] == "https://www.youtube.com/watch?v=abc"
    assert left["streaming"] == []
    assert (left["cover_colour"], rows[33]["cover_colour"]) == ("#e45093", None)


def test_social_networks_are_no_streaming_sites(tmp_path: Path) -> None:
    path = seasons_csv(
        tmp_path, {"anime_id": "1", "mal_id": "1", "title": "A", "streaming_sites": "Twitter;iQ;Hulu;iQIYI"}
    )
    (row,) = read_seasons(path, {}).titles.to_dicts()
    assert [where["site"] for where in row["streaming"]] == ["iQIYI", "Hulu"]


def test_a_title_only_anilist_lists_is_found_by_name_and_day(tmp_path: Path) -> None:
    paths = {
        "anime-mapper-2026": mapper_tar(
            tmp_path,
            mapper_entry(1, "Yoru no Machi!", begins="2026-10-03", season="fall", year=2026),
            mapper_entry(2, "Asa", begins="2025-10-03", season="fall", year=2025),
        ),
        "anilist-seasons-2026": seasons_csv(
            tmp_path,
            {"anime_id": "5", "title": "Yoru no Machi", "start_date": "2026-10-02", "members": "40"},
            {"anime_id": "6", "title": "Asa", "start_date": "2026-10-02"},
        ),
    }
    built = build_catalogue(paths)
    assert built.catalogue.select("anime_id", "members").rows() == [(1, 40), (2, None)]
    assert built.report.seasons_without_id == 1


def test_an_entry_of_bangumi_that_is_another_work_is_left_out(tmp_path: Path) -> None:
    def entry(mal_id: int, title: str, begin: str) -> dict[str, Any]:
        sites = [{"site": "mal", "id": str(mal_id)}]
        names = {"zh-Hans": [f"{title} 中文"]}
        return {"title": title, "type": "tv", "lang": "ja", "begin": begin, "titleTranslate": names, "sites": sites}

    entries = [
        entry(1, "星 第二部", "2022-01-09T00:00:00.000Z"),  # its own part two
        entry(2, "月！", "2022-01-09T00:00:00.000Z"),  # broadcast in Japan two years later
        entry(3, "日", "2022-01-09T00:00:00.000Z"),
    ]
    path = tmp_path / "bangumi.json"
    path.write_bytes(msgspec.json.encode({"siteMeta": {}, "items": entries}))
    mapped = mapper_tar(
        tmp_path,
        mapper_entry(1, "Hoshi", native="星", begins="2020-12-07"),
        mapper_entry(2, "Tsuki", native="月", begins="2020-12-07"),
        mapper_entry(3, "Hi", native="火", begins="2022-01-08"),
    )
    built = build_catalogue({"anime-mapper-2026": mapped, "bangumi-data": path})
    assert built.catalogue["title_chinese"].to_list() == [None, "月！ 中文", "日 中文"]
    assert built.catalogue["released"].dt.year().to_list() == [2020, 2020, 2022]
    assert built.report.contradicted == 1


def test_no_two_anime_show_one_name_in_a_language() -> None:
    frame = catalogue(
        {"anime_id": 1, "title": "Kanon", "type": "TV", "year": 2002, "members": 10, "title_english": "Kanon"},
        {"anime_id": 2, "title": "Kanon (2006)", "type": "TV", "year": 2006, "members": 99, "title_english": "Kanon"},
        {"anime_id": 3, "title": "Kanon", "type": "Movie", "year": 2002, "members": 5},
        {
            "anime_id": 4,
            "title": "Working!!",
            "title_english": "Wagnaria!!",
            "title_chinese": "迷糊餐厅",
            "members": 90,
        },
        {
            "anime_id": 5,
            "title": "Working'!!",
            "title_english": "Wagnaria!!",
            "title_chinese": "迷糊餐厅",
            "members": 80,
            "synonyms": ["Working!! 2nd Season"],
        },
        {"anime_id": 6, "title": "Rule", "year": 2009, "type": "Movie", "released": date(2009, 2, 1)},
        {"anime_id": 7, "title": "Rule", "year": 2009, "type": "Movie", "released": date(2009, 3, 1)},
        {"anime_id": 8, "title": "Rule"},
    )
    apart = {row["anime_id"]: row for row in name_apart(frame).to_dicts()}
    assert [apart[number]["title"] for number in (1, 2, 3)] == ["Kanon", "Kanon (2006)", "Kanon (Movie)"]
    assert [apart[number]["title_english"] for number in (1, 2, 3)] == ["Kanon (2002)", "Kanon", None]
    assert apart[5]["title_english"] == "Wagnaria!! Season 2"
    assert apart[5]["title_chinese"] == "迷糊餐厅 第2季"
    assert "Wagnaria!!" in apart[5]["synonyms"]
    assert [apart[number]["title"] for number in (6, 7, 8)] == ["Rule", "Rule (Movie, 2009)", "Rule (MyAnimeList 8)"]
    for language in ("title", "title_english", "title_japanese", "title_chinese"):
        shown = [row[language] or row["title"] for row in apart.values()]
        assert len(set(shown)) == len(shown)


def test_english_titles_are_spelled_by_other_names() -> None:
    frame = catalogue(
        {"anime_id": 1, "title": "Shingeki", "title_english": "attack on titan", "synonyms": ["Attack on Titan"]},
        {"anime_id": 2, "title": "Prison School", "title_english": "Prison Schoo"},
        {"anime_id": 3, "title": "Free! Eternal", "title_english": "Free!"},
        {"anime_id": 4, "title": "Kai", "title_english": "K", "synonyms": ["Kaiser"]},
    )
    assert spell_english(frame).to_list() == ["Attack on Titan", "Prison School", "Free!", "K"]


def test_relations_of_the_mapper_become_sequels_and_franchises() -> None:
    frame = catalogue(*({"anime_id": number, "title": str(number)} for number in range(1, 11)))
    typed = [
        (1, 2, "SEQUEL"),
        (3, 2, "PREQUEL"),
        (1, 4, "SIDE_STORY"),
        (7, 8, "CHARACTER"),
        # 5 and 6 meet in 9
        (9, 5, "PARENT"),
        (9, 6, "PARENT"),
        (6, 10, "SEQUEL"),
        (5, 99, "SEQUEL"),
    ]
    related = relate(
        frame,
        typed=pl.DataFrame(typed, RELATIONS, orient="row"),
        lists=pl.DataFrame([(1, 7), (1, 2), (5, 6), (5, 8)], PAIRS, orient="row"),
    )
    rows = {row["anime_id"]: row for row in conform_catalogue(related).to_dicts()}
    assert (rows[2]["prequels"], rows[2]["sequels"]) == ([1], [3])
    assert rows[1]["related"] == [4]
    assert rows[5]["sequels"] == []
    assert rows[5]["franchise"] == rows[9]["franchise"] != rows[6]["franchise"]
    assert {rows[number]["franchise"] for number in (1, 2, 3, 4)} == {"mal:1"}
    assert rows[7]["franchise"] == "mal:1", "a list places what nothing else relates"


def test_titles_are_found_by_main_title_first() -> None:
    index = TitleIndex(
        catalogue(
            {"anime_id": 1, "title": "Days", "synonyms": ["Nights", "Both"]},
            {"anime_id": 2, "title": "Nights", "synonyms": ["Days", "Both", "Old name"]},
        )
    )
    assert [index.find(name) for name in ("days", "Nights", "Both", "Old  Name", "None")] == [1, 2, None, 2, None]


def test_recommendations_are_read_as_literals(tmp_path: Path) -> None:
    frame = catalogue(
        {"anime_id": 1, "title": "A"}, {"anime_id": 2, "title": "It's & B"}, {"anime_id": 3, "title": "C, D"}
    )
    path = tmp_path / "recommendations.csv"
    path.write_text("uid,recommendations\n1,\"['Gone', \"\"It's &amp; B\"\", 'C, D', 'A']\"\n99,['A']\n")
    assert read_recommendations(path, frame).rows() == [(1, 2, 2), (1, 3, 3)]
    assert unknown_recommendations(path, frame) == {"Gone": 1}
    path.write_text("uid,recommendations\n1,\"__import__('os').getcwd()\"\n")
    with pytest.raises(DataError, match="line 2 holds no list of titles"):
        read_recommendations(path, frame)
