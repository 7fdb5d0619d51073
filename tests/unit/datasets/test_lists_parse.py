"""Every kind of personal list, its oddities, and what a person reads when it is none."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gars.datasets.lists.draft import MAX_ENTRIES
from gars.datasets.lists.parse import parse
from gars.domain.errors import InvalidInputError
from gars.domain.interaction import Status
from gars.domain.personal_list import ListEntry, PersonalList, SkippedEntry

LISTS = Path(__file__).parents[2] / "fixtures" / "lists"


def read(name: str) -> PersonalList:
    return listed((LISTS / name).read_bytes())


def listed(content: bytes | str | object) -> PersonalList:
    if not isinstance(content, bytes):
        content = (content if isinstance(content, str) else json.dumps(content)).encode()
    found = parse(content)
    assert isinstance(found, PersonalList)
    return found


def ms(*parts: int) -> int:
    return round(datetime(*parts, tzinfo=UTC).timestamp() * 1000)  # type: ignore[arg-type, misc]


def test_myanimelist_xml() -> None:
    found = read("myanimelist.xml")
    assert found.source == "MyAnimeList XML export"
    assert found.entries == (
        ListEntry(anime_id=1, title="Cowboy Bebop", status=Status.COMPLETED, rating=9, watched_ms=ms(2011, 3, 5)),
        ListEntry(anime_id=1535, title="Death Note", status=Status.ON_HOLD),
        ListEntry(anime_id=5114, title="Fullmetal Alchemist: Brotherhood", status=Status.COMPLETED, rating=10),
        ListEntry(anime_id=5, title="Cowboy Bebop: Tengoku no Tobira", status=Status.PLANNED),
        ListEntry(anime_id=99999, title="A Title of Next Year", status=Status.DROPPED, rating=7),
    )
    assert found.skipped == (SkippedEntry("No Id at All", "it has no MyAnimeList id (series_animedb_id)"),)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-8"])
def test_packed_and_in_any_encoding(encoding: str) -> None:
    text = (LISTS / "myanimelist.xml").read_text().replace('encoding="UTF-8"', f'encoding="{encoding[:6].rstrip("-")}"')
    packed = gzip.compress(text.encode(encoding))
    assert parse(packed) == read("myanimelist.xml")
    half = len(text) // 2
    two = b"".join(gzip.compress(part.encode()) for part in (text[:half], text[half:]))
    if encoding == "utf-8":
        assert parse(two) == read("myanimelist.xml")
        pieces = [text[place : place + 10].encode() for place in range(0, len(text), 10)]
        assert len(pieces) > 100
        assert parse(b"".join(map(gzip.compress, pieces))) == read("myanimelist.xml")


def test_what_other_programs_write() -> None:
    """Namespaces, old numbers, halves, missing fields, nonsense."""
    found = read("myanimelist-third-party.xml")
    assert found.entries == (
        ListEntry(anime_id=1, status=Status.COMPLETED, rating=9, updated_ms=1_400_000_000_000),
        ListEntry(anime_id=1535),
        ListEntry(anime_id=5, status=Status.PLANNED),
    )
    assert found.skipped == (SkippedEntry("anime 5114", "its status 'someday' is not known"),)
    assert found.notes == (
        "a score is not on the scale and was left out: 85",
        "a score was not understood and left out: 'n/a'",
        "a status was not understood and left out: 'someday'",
        "1 manga left out",
    )


def test_a_dtd_is_ignored_and_never_fetched() -> None:
    xml = '<!DOCTYPE myanimelist SYSTEM "http://127.0.0.1:9/list.dtd"><myanimelist></myanimelist>'
    assert listed(xml).entries == ()


def test_anilist() -> None:
    found = read("anilist.json")
    assert found.source == "AniList list"
    bebop = ListEntry(
        anime_id=1,
        anilist_id=1,
        title="Cowboy Bebop",
        status=Status.COMPLETED,
        rating=9,
        updated_ms=1_500_000_000_000,
        watched_ms=ms(2014, 5, 1),
    )
    assert found.entries[0] == bebop
    assert found.entries[1].status is Status.COMPLETED
    assert [(one.anime_id, one.anilist_id, one.rating) for one in found.entries] == [
        (1, 1, 9),
        (1535, 1535, None),
        (1, 1, 9),
        (None, 777, None),
        (None, 1, 1),
    ]
    assert found.notes == ()


@pytest.mark.parametrize(
    ("scale", "ratings"),
    [
        ("POINT_100", {1: 1, 44: 4, 45: 5, 70: 7, 71: 7, 75: 8, 100: 10, 0: None, 101: None}),
        ("POINT_10_DECIMAL", {0.1: 1, 7.4: 7, 7.5: 8, 10.0: 10}),
        ("POINT_10", {1: 1, 10: 10, 11: None}),
        ("POINT_5", {1: 2, 4: 8, 5: 10, 6: None}),
        ("POINT_3", {1: 4, 2: 6, 3: 9, 4: None}),
    ],
)
def test_anilist_score_formats(scale: str, ratings: dict[float, int | None]) -> None:
    for score, rating in ratings.items():
        found = listed(_anilist([score], scale))
        assert (score, found.entries[0].rating) == (score, rating)
        assert len(found.notes) == (rating is None and score != 0)


@pytest.mark.parametrize(
    ("scores", "fits", "rating"),
    [([85, 3], "POINT_100", 9), ([9, 8], "POINT_10", 9), ([4, 5], "POINT_5", 8), ([3, 1], "POINT_3", 9)],
)
def test_anilist_without_a_score_format(scores: list[float], fits: str, rating: int) -> None:
    found = listed(_anilist(scores, None))
    assert found.entries[0].rating == rating
    assert found.notes == (f"the list does not say its score format; its scores fit {fits}",)


def _anilist(scores: list[float], scale: str | None) -> object:
    entries = [{"mediaId": 1, "score": score, "media": {"id": 1, "idMal": 1}} for score in scores]
    user = {"mediaListOptions": {"scoreFormat": scale}} if scale else None
    return {"lists": [{"entries": entries}], "user": user}


def test_myanimelist_api() -> None:
    found = read("myanimelist-api.json")
    assert found.source == "MyAnimeList API list"
    assert found.entries == (
        ListEntry(
            anime_id=1,
            title="Cowboy Bebop",
            status=Status.COMPLETED,
            rating=9,
            updated_ms=ms(2017, 11, 11, 19, 51, 22),
            watched_ms=ms(2011, 3, 5),
        ),
        ListEntry(anime_id=1535, title="Death Note", status=Status.COMPLETED, updated_ms=ms(2018, 1, 1)),
        ListEntry(
            anime_id=5,
            title="Cowboy Bebop: Tengoku no Tobira",
            status=Status.PLANNED,
            updated_ms=ms(2018, 1, 2),
        ),
    )
    assert found.skipped == (
        SkippedEntry("Fullmetal Alchemist: Brotherhood", "it has no list_status: ask for fields=list_status"),
    )
    assert found.notes == ()


def test_pages_may_be_one_after_the_other_or_in_an_array() -> None:
    text = (LISTS / "myanimelist-api.json").read_text()
    first, second = text.split("\n{")
    array = f"[{first},{{{second}]"
    assert listed(array) == read("myanimelist-api.json")
    assert listed(first).notes == ("the list has more pages than were given: the last one here names a next one",)


def test_kitsu() -> None:
    found = read("kitsu.json")
    assert found.source == "Kitsu library"
    assert found.entries == (
        ListEntry(
            anime_id=1,
            title="Cowboy Bebop",
            status=Status.COMPLETED,
            rating=9,
            updated_ms=ms(2019, 5, 5, 10),
            watched_ms=ms(2015, 1, 1),
        ),
        ListEntry(anime_id=1535, title="Death Note", status=Status.WATCHING, updated_ms=ms(2019, 5, 6, 10)),
    )
    assert found.skipped == (
        SkippedEntry(
            "Without a Mapping", "the file holds no mapping to MyAnimeList for it: ask for include=anime.mappings"
        ),
    )
    assert found.notes == ("1 manga left out",)


def test_a_table() -> None:
    found = read("plain.csv")
    assert found.source == "CSV table"
    assert found.entries == (
        ListEntry(
            anime_id=1,
            title="Cowboy Bebop",
            status=Status.COMPLETED,
            rating=9,
            updated_ms=ms(2016, 1, 2, 3, 4, 5),
        ),
        ListEntry(anime_id=1535, title="Death Note"),
        ListEntry(anime_id=5114, title="Fullmetal Alchemist: Brotherhood", status=Status.WATCHING),
        ListEntry(anime_id=5, title="Tengoku, no Tobira", status=Status.DROPPED, updated_ms=1_500_000_000_000),
    )
    assert found.skipped == (SkippedEntry("Nobody Knows", "'?' is no MyAnimeList id"),)
    assert found.notes == ("a score is not on the scale and was left out: 11",)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_tables_of_any_separator(separator: str) -> None:
    rows = [["user_id", "MAL_ID", "Rating"], ["me", "1", "8"], ["me", "5", "1600000000000"]]
    found = listed("\ufeff" + "\r\n".join(separator.join(row) for row in rows))
    assert [(one.anime_id, one.rating) for one in found.entries] == [(1, 8), (5, None)]


def test_an_empty_list_is_one() -> None:
    empty: object
    for empty in (
        "<myanimelist><myinfo><user_export_type>1</user_export_type></myinfo></myanimelist>",
        {"lists": []},
        {"data": [], "paging": {}},
        {"data": [], "jsonapi": {"version": "1.0"}},
        "anime_id,rating\n",
    ):
        assert listed(empty).entries == ()


MANGA = [
    (LISTS / "myanimelist-manga.xml").read_bytes(),
    b"<myanimelist><myinfo><user_export_type>2</user_export_type></myinfo></myanimelist>",
    b'{"lists": [{"entries": [{"media": {"id": 1, "type": "MANGA"}}]}]}',
    b'{"data": [{"node": {"id": 2}, "list_status": {"status": "plan_to_read"}}], "paging": {}}',
    b'{"data": [{"type": "libraryEntries", "relationships": {"manga": {"data": {"type": "manga", "id": "4"}}}}]}',
]


@pytest.mark.parametrize("content", MANGA, ids=range(len(MANGA)))
def test_manga_is_refused_politely(content: bytes) -> None:
    with pytest.raises(InvalidInputError) as caught:
        parse(content)
    assert "is a list of manga; GARS knows anime only" in caught.value.message
    assert "export the anime list instead" in (caught.value.hint or "")


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><myanimelist><anime>&b;</anime></myanimelist>'
FILE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><myanimelist><anime>&a;</anime></myanimelist>'
GZIP = gzip.compress(b"<myanimelist/>" * 50)


@pytest.mark.parametrize(
    ("content", "message", "hint"),
    [
        (b"", "the list is empty", "MyAnimeList's XML export"),
        (b" \n", "the list is empty", "CSV with a column anime_id"),
        (b"hello, world", "no list begins like this: 'hello, world'", "AniList (MediaListCollection)"),
        (b"\x00\x01\xff", "this is no list and no text (byte 2 is no UTF-8)", "known are"),
        (b"<!DOCTYPE html><html>", "this is a web page, not a list", "log in first"),
        (b"<opml><body/></opml>", "its outermost element is <opml>", "panel.php?go=export"),
        (b"<myanimelist><anime>", "the XML cannot be read: no element found", "download the export again"),
        (b'<?xml version="1.0" encoding="klingon"?><a/>', "the XML cannot be read: ", "download the export again"),
        (BOMB.encode(), "the XML cannot be read: EntitiesForbidden", "do not edit it"),
        (FILE.encode(), "the XML cannot be read: EntitiesForbidden", "do not edit it"),
        (b"<a>" * 100, "elements are 16 deep and deeper", "download the export again"),
        (GZIP[:30], "the gzip file is damaged: it ends too early", "download the export again"),
        (GZIP[:8] + b"\xff" * 20, "the gzip file is damaged: ", "download the export again"),
        (gzip.compress(b"") * 110_000, "the gzip file has more than 1,000 members", "unpack it"),
        (gzip.compress(b"") * 1_001, "the gzip file has more than 1,000 members", "unpack it"),
        (b'{"a": ', "the JSON cannot be read: line 1, column", "as it came"),
        (b"[1, 2]", "the JSON cannot be read: it holds no objects", "as it came"),
        (b"[" * 100_000, "the JSON cannot be read: it is nested too deeply", "as it came"),
        (b'{"a": ' + b"1" * 5000 + b"}", "the JSON cannot be read: Exceeds the limit", "as it came"),
        (b'{"a": "\xff"}', "the JSON cannot be read: byte 7 is no utf-8", "as it came"),
        (b'{"name": 1, "city": 2}', "no list looks like this JSON (its keys are name, city)", "known are"),
        (
            b'{"errors": [{"message": "User not found"}], "data": null}',
            "this is an error message, not a list: User not found",
            "fetch the list again",
        ),
        (b'{"error": "not_found"}', "this is an error message, not a list: not_found", "fetch the list again"),
        (b"user_id,anime_id\n1,1\n2,1\n", "the table holds the lists of 2 users", "gars data import FILE"),
        (b'anime_id,title\n1,"' + b"x" * 20_000_000, "the list is longer than 16,000,000 bytes", "GARS_MAX_LIST_BYTES"),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else "",
)
def test_file_that_is_no_list_is_an_error(content: bytes, message: str, hint: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        parse(content)
    assert message in caught.value.message
    assert hint in (caught.value.hint or "")


def test_a_small_file_may_not_become_a_large_one() -> None:
    with pytest.raises(InvalidInputError, match="longer than 1,000 bytes"):
        parse(gzip.compress(b" " * 1001), limit=1000)
    with pytest.raises(InvalidInputError, match="longer than 1,000 bytes"):
        parse(gzip.compress(b" " * 600) * 2, limit=1000)


def test_no_person_has_so_long_a_list() -> None:
    with pytest.raises(InvalidInputError) as caught:
        parse(b"anime_id\n" + b"1\n" * (MAX_ENTRIES + 1))
    assert "more than 50,000 entries: it is no list of one person" in caught.value.message
    assert "gars data import FILE" in (caught.value.hint or "")


def test_text_of_a_file_is_cleaned_before_it_is_shown() -> None:
    found = listed({"lists": [{"entries": [{"media": {"id": 1, "title": {"romaji": "a\u0000\ud800\n" + "b" * 100}}}]}]})
    assert found.entries[0].title == "a " + "b" * 77 + "…"


def test_notes_are_counted_and_not_endless() -> None:
    rows = [f"1,{score}" for score in [*range(11, 111), 11, 11]]
    found = listed("anime_id,score\n" + "\n".join(rows))
    assert len(found.notes) == 21
    assert found.notes[0] == "a score is not on the scale and was left out: 11 (3 times)"
    assert found.notes[-1] == "and 80 more of this kind"
