"""Pages in, records out: both layouts, and every word for nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

pytest.importorskip("parsel", reason="needs the spider extra")

from gars.datasets.crawled import CrawledAnime, Relation
from gars.spider.pages import animelist, jikan
from gars.spider.pages.anime import AnimePage, filled
from gars.spider.pages.challenge import is_challenge
from gars.spider.pages.listings import SeasonPage, TopPage
from gars.spider.pages.words import PageError, linked, number

PAGES = Path(__file__).parents[2] / "fixtures" / "spider"
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def page(name: str) -> str:
    return (PAGES / f"{name}.html").read_text()


def read(name: str, url: str = "https://anime.example/anime/7") -> CrawledAnime:
    return AnimePage(page(name), url).record(NOW)


def test_a_whole_page_with_the_table_of_relations() -> None:
    assert read("anime_table") == CrawledAnime(
        anime_id=101,
        title='Hoshi no Umi: Part 2 & the "Last" Harbour',
        title_english="Sea of Stars 2",
        title_japanese="星の海 第二部",
        synonyms=("HnU 2", "Steröid"),
        type="TV",
        episodes=26,
        status="Finished Airing",
        aired="Apr 3, 1998 to Apr 24, 1999",
        premiered="Spring 1998",
        broadcast="Saturdays at 01:00 (JST)",
        producers=("Lantern, Inc.", "Kaze & Ame"),
        licensors=(),
        studios=("Studio Moth",),
        source="Original",
        genres=("Action", "Sci-Fi"),
        themes=("Space", "Adult Cast"),
        demographics=("Seinen",),
        duration="24 min. per ep.",
        rating="R - 17+ (violence & profanity)",
        score=8.75,
        scored_by=917_204,
        rank=1_047,
        popularity=43,
        members=1_771_505,
        favorites=78_525,
        synopsis="The crew of the Moth sails on.\nIt's a café at the end of the sea.",
        image="https://pictures.example/101.jpg",
        url="https://anime.example/anime/7",
        relations=(
            Relation("Adaptation", "manga", 173, "Hoshi no Umi"),
            Relation("Adaptation", "manga", 174, "Hoshi no Umi: S"),
            Relation("Prequel", "anime", 100, "Hoshi no Umi"),
            Relation("Side story", "anime", 105, "Umi & Yama"),
        ),
        crawled_at=NOW,
    )


def test_page_with_tiles_and_missing_fields() -> None:
    read_ = read("anime_tiles")
    assert (read_.anime_id, read_.title_english, read_.type) == (100, "Sea of Stars", "Movie")
    assert (read_.episodes, read_.rating, read_.synopsis, read_.rank, read_.favorites) == (None,) * 5
    assert (read_.aired, read_.score, read_.scored_by, read_.members) == ("Apr 2003 to ?", 7.1, 1_204, 12_000)
    assert (read_.genres, read_.themes, read_.demographics) == (("Drama",), ("Space",), ())
    assert read_.relations == (
        Relation("Sequel", "anime", 101, "Hoshi no Umi: Part 2"),
        Relation("Adaptation", "manga", 173, "Hoshi no Umi"),
        Relation("Other", "anime", 107, "Uta"),
        Relation("Other", "anime", 108, "Yume: 89"),
    )


def test_a_bare_page_knows_its_title_and_nothing_else() -> None:
    assert read("anime_bare", "/anime/7/Unknown") == CrawledAnime(
        anime_id=7, title="Unknown", url="/anime/7/Unknown", crawled_at=NOW
    )


def test_error_of_a_page_names_the_missing_field() -> None:
    with pytest.raises(PageError, match=r"x: has no labelled lines.*\n.*mend the parser"):
        AnimePage("<h1>Not here</h1>", "x").record(NOW)
    with pytest.raises(PageError, match="/manga/3: names no anime id"):
        AnimePage(page("anime_bare"), "/manga/3").record(NOW)
    with pytest.raises(PageError, match="/anime/3: has no title"):
        AnimePage('<p><b><span class="dark_text">Type:</span> TV</b></p>', "/anime/3").record(NOW)


def test_the_share_of_known_fields_shows_a_changed_layout() -> None:
    shares = filled([read("anime_table"), read("anime_tiles"), read("anime_bare", "/anime/7")])
    assert (shares["title"], shares["score"], shares["relations"]) == (1, 2 / 3, 2 / 3)
    assert filled([]) == {}


def test_top_page() -> None:
    top = TopPage(page("top"), "/topanime.php")
    first, second = top.entries()
    assert (first.anime_id, first.title, first.rank, first.score) == (101, "Hoshi no Umi: Part 2", 1, 8.75)
    assert (first.type, first.episodes, first.aired, first.members) == ("TV", 26, "Apr 1998 to Apr 1999", 1_771_505)
    assert (second.anime_id, second.title, second.rank, second.score) == (109, "86", None, None)
    assert (second.type, second.episodes, second.members) == ("Movie", None, 12)
    assert top.next_page() == "?limit=50"
    assert TopPage("<p>", "").next_page() is None
    with pytest.raises(PageError, match="top: an entry has no link to an anime"):
        TopPage('<table><tr class="ranking-list"><td>?</td></tr></table>', "top").entries()


def test_season_page_lists_every_anime_once() -> None:
    season = SeasonPage(page("season"), "https://anime.example/anime/season/1998/spring")
    entries = {entry.anime_id: entry for entry in season.entries()}
    assert list(entries) == [101, 109]
    assert {entry.season for entry in entries.values()} == {"Spring 1998"}
    assert SeasonPage("", "/anime/season/later").season() is None


def test_season_entries_have_the_fields_of_the_card() -> None:
    season = SeasonPage(page("season"), "/anime/season/1998/spring")
    entry = season.entries()[0]
    assert (entry.aired, entry.episodes, entry.score, entry.members) == ("Apr 3, 1998", 26, 8.75, 1_771_505)


LIST = [
    {"anime_id": 1, "anime_title": 86, "score": 9, "status": 2, "updated_at": 1_500_000_000, "tags": ""},
    {"anime_id": 2, "anime_title": "x", "score": 0, "status": 6},
    {"anime_id": 3, "score": 10, "status": 33},
]


def test_a_page_of_a_list() -> None:
    rows = animelist.entries(json.dumps(LIST).encode(), "a list")
    assert [(row.anime_id, row.rating, row.status) for row in rows] == [
        (1, 9, "completed"),
        (2, None, "planned"),
        (3, 10, None),
    ]
    assert animelist.plain_row(5, rows[0])["time"] == "2017-07-14T02:40:00+00:00"
    assert animelist.entries(b"[]", "a list") == ()
    assert animelist.page_address("aki", 300) == "/animelist/aki/load.json?offset=300&status=7"
    assert [animelist.why_closed(code) for code in (400, 403, 404, 429)] == ["private", "private", "unknown", None]


@pytest.mark.parametrize(
    ("body", "message"),
    [(b"<html>", "is not a page of a list"), (b'{"errors": []}', "is not a page"), (b'[{"anime_id": "x"}]', "is not")],
)
def test_what_is_not_a_list(body: bytes, message: str) -> None:
    with pytest.raises(PageError, match=f"a list: {message}"):
        animelist.entries(body, "a list")


def test_a_score_out_of_range_is_an_error() -> None:
    with pytest.raises(PageError, match="a score of 11"):
        animelist.entries(b'[{"anime_id": 1, "score": 11}]', "a list")


def test_the_api_gives_the_same_fields() -> None:
    body = {
        "data": {
            "mal_id": 101,
            "url": "https://anime.example/anime/101",
            "images": {"jpg": {"image_url": "https://pictures.example/101.jpg"}},
            "title": "Hoshi no Umi: Part 2",
            "title_synonyms": ["HnU, 2"],
            "type": "TV",
            "episodes": None,
            "aired": {"string": "Apr 3, 1998 to ?"},
            "season": "spring",
            "year": 1998,
            "score": 8.75,
            "genres": [{"mal_id": 1, "name": "Action"}],
            "explicit_genres": [{"mal_id": 12, "name": "Hentai"}],
            "synopsis": " One.\n\nTwo. ",
            "relations": [
                {"relation": "Prequel", "entry": [{"mal_id": 100, "type": "anime", "name": "Hoshi no Umi"}]},
            ],
        }
    }
    read_ = jikan.anime(json.dumps(body).encode(), "api", NOW)
    assert (read_.anime_id, read_.premiered, read_.aired) == (101, "Spring 1998", "Apr 3, 1998 to ?")
    assert (read_.synonyms, read_.genres, read_.episodes) == (("HnU, 2",), ("Action", "Hentai"), None)
    assert read_.relations == (Relation("Prequel", "anime", 100, "Hoshi no Umi"),)
    assert read_.synopsis == "One.\n\nTwo."
    with pytest.raises(PageError, match="api: is not an anime"):
        jikan.anime(b'{"status": 404}', "api", NOW)


def test_pages_of_the_api() -> None:
    body = b'{"data": [{"mal_id": 4}, {"mal_id": 2}], "pagination": {"has_next_page": true}}'
    assert jikan.listed(body, "api") == ((4, 2), True)
    with pytest.raises(PageError, match="api: is not a page of anime"):
        jikan.listed(b"{}", "api")


def test_challenges_are_distinguished_from_pages() -> None:
    assert is_challenge({"x-amzn-waf-action": "captcha"}, b"")
    assert is_challenge({}, b'<div class="g-recaptcha"></div>')
    assert not is_challenge({}, page("anime_table").encode() + b"g-recaptcha")
    assert not is_challenge({"server": "x"}, b"[]")


def test_words() -> None:
    assert [linked(address) for address in ("/anime/1", "/anime/1/x", "/manga/2?x", "/anime/season/1998", None)] == [
        ("anime", 1),
        ("anime", 1),
        ("manga", 2),
        None,
        None,
    ]
    assert [number(text) for text in ("#1,234", "8.75", "N/A", "0", None)] == [1234, 8.75, None, None, None]
