from __future__ import annotations

import gzip
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gars.bootstrap import Service

LISTS = Path(__file__).parents[1] / "fixtures" / "lists"
XML = (LISTS / "myanimelist.xml").read_bytes()
ROUTE = "/api/v1/lists/import?user_id=fan"

Client = Any


def error_of(answer: Any, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    error: dict[str, Any] = answer.json()["error"]
    return error


def test_a_list_is_taken_and_moves_the_recommendations(client: Client) -> None:
    before = client.get("/?user_id=fan").json()
    answer = client.post(ROUTE, content=XML)
    assert answer.status_code == 200
    assert answer.json() == {
        "source": "MyAnimeList XML export",
        "user_id": "fan",
        "entries": 6,
        "taken": 4,
        "unchanged": 0,
        "duplicates": 0,
        "newer_than_data": 0,
        "newer_titles": [],
        "unknown": [{"name": "A Title of Next Year", "anime_id": 99999, "anilist_id": None}],
        "skipped": [{"name": "No Id at All", "why": "it has no MyAnimeList id (series_animedb_id)"}],
        "notes": [],
        "events": 6,
        "version": 6,
    }
    assert client.get("/?user_id=fan").json() != before
    held = {entry["anime"]["anime_id"]: entry for entry in client.get("/api/v1/users/fan/history").json()["items"]}
    assert {anime_id: (entry["status"], entry["rating"]) for anime_id, entry in held.items()} == {
        1: ("completed", 9),
        1535: ("on_hold", None),
        5114: ("completed", 10),
        5: ("planned", None),
    }


def test_titles_newer_than_the_ratings_are_counted(of_2001: Client) -> None:
    report = of_2001.post(ROUTE, content=XML).json()
    assert (report["taken"], report["newer_than_data"]) == (4, 3)
    assert report["newer_titles"] == [
        "Fullmetal Alchemist: Brotherhood",
        "Death Note",
        "Cowboy Bebop: Tengoku no Tobira",
    ]


def test_twice_changes_nothing(client: Client, service: Service) -> None:
    client.post(ROUTE, content=XML)
    again = client.post(ROUTE, content=XML).json()
    assert (again["taken"], again["unchanged"], again["events"], again["version"]) == (0, 4, 0, 6)
    assert len(list(service.log.read())) == 6


@pytest.mark.parametrize(
    "sent",
    [
        {"content": gzip.compress(XML), "headers": {"Content-Type": "application/gzip"}},
        {"content": XML, "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
        {"files": {"file": ("animelist.xml.gz", gzip.compress(XML), "application/gzip")}},
        {"files": {"text": (None, XML.decode())}},
    ],
    ids=["packed", "curl -d", "form with a file", "form with text"],
)
def test_ways_to_send_it(client: Client, sent: dict[str, Any]) -> None:
    answer = client.post(ROUTE, **sent)
    assert answer.status_code == 200, answer.text
    assert answer.json()["taken"] == 4


def test_every_kind_of_list(client: Client) -> None:
    for name, taken in (
        ("myanimelist-third-party.xml", 3),  # a status that is not known is skipped
        ("anilist.json", 2),
        ("myanimelist-api.json", 3),
        ("kitsu.json", 2),
        ("plain.csv", 4),
    ):
        answer = client.post(f"/api/v1/lists/import?user_id={name}", content=(LISTS / name).read_bytes())
        assert (name, answer.status_code, answer.json().get("taken")) == (name, 200, taken)


def test_anilist_repeats_and_entries_without_a_myanimelist_id(client: Client) -> None:
    body = client.post(ROUTE, content=(LISTS / "anilist.json").read_bytes()).json()
    assert (body["entries"], body["taken"], body["duplicates"]) == (5, 2, 2)
    assert body["unknown"] == [{"name": "Only on AniList", "anime_id": None, "anilist_id": 777}]
    (bebop,) = [
        entry for entry in client.get("/api/v1/users/fan/history").json()["items"] if entry["anime"]["anime_id"] == 1
    ]
    assert (bebop["status"], bebop["rating"]) == ("completed", 9), "the older row of 2014 does not win"


def test_what_is_no_list(client: Client) -> None:
    error = error_of(client.post(ROUTE, content=b"hello"), 400)
    assert "no list begins like this: 'hello'" in error["message"]
    assert "MyAnimeList's XML export" in error["hint"]
    assert (
        "manga" in error_of(client.post(ROUTE, content=(LISTS / "myanimelist-manga.xml").read_bytes()), 400)["message"]
    )
    error = error_of(client.post(ROUTE, files={"other": ("x", b"y")}), 400)
    assert error["message"] == "the form has neither file nor text"
    assert "the field file" in error["hint"]
    error_of(client.post(ROUTE, content=b"--", headers={"Content-Type": "multipart/form-data"}), 400)
    error_of(client.post(ROUTE, content=b"--x", headers={"Content-Type": "multipart/form-data; boundary=x"}), 400)
    assert "user_id" in error_of(client.post("/api/v1/lists/import", content=XML), 400)["message"]
    assert client.get("/api/v1/users/fan").json()["known"] is False


def test_limits(client: Client) -> None:
    assert client.post(ROUTE, content=b"anime_id,title\n" + b"1,a long name of an anime\n" * 45_000).status_code == 200
    error = error_of(client.post(ROUTE, content=b" " * 16_000_001), 413)
    assert "GARS_MAX_LIST_BYTES" in error["hint"]
    error = error_of(client.post(ROUTE, content=gzip.compress(b" " * 16_000_001)), 400)
    assert "longer than 16,000,000 bytes" in error["message"]


def test_more_than_one_batch(client: Client, service: Service) -> None:
    rows = [f"{entry.anime_id},{1 + entry.anime_id % 10},completed" for entry in service.catalogue.anime] * 20
    body = client.post(ROUTE, content="\n".join(["anime_id,rating,status", *rows]).encode()).json()
    known = len(service.catalogue)
    assert (body["taken"], body["duplicates"], body["events"]) == (known, 19 * known, 2 * known)


def test_a_list_of_long_ago(client: Client) -> None:
    """Dates before there were lists count as the first day there could be."""
    client.post(ROUTE, content=b"anime_id,rating,time\n1,9,1985-05-05\n")
    (item,) = client.get("/api/v1/users/fan/history").json()["items"]
    assert item["rating"] == 9
    now = datetime.now(UTC).year
    assert client.post(ROUTE, content=f"anime_id,rating,time\n1,8,{now + 5}-01-01\n".encode()).json()["events"] == 1
