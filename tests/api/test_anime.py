from __future__ import annotations

from typing import Any

import pytest

Client = Any


def search(client: Client, query: str, **parameters: Any) -> list[dict[str, Any]]:
    answer = client.get("/api/v1/anime", params={"query": query, **parameters})
    assert answer.status_code == 200, answer.text
    assert answer.json()["query"] == query
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


@pytest.mark.parametrize(
    ("query", "anime_id", "matched"),
    [
        ("fulmetal alchmist", 5114, "鋼の錬金術師 FULLMETAL ALCHEMIST"),
        ("鋼の錬金", 5114, "鋼の錬金術師 FULLMETAL ALCHEMIST"),
        ("hagane no renkin", 5114, "Hagane no Renkinjutsushi"),
        ("cowboy bebop the movie", 5, "Cowboy Bebop: The Movie"),
        ("デスノート", 1535, "デスノート"),
        ("dn", 1535, "DN"),
    ],
)
def test_search(client: Client, query: str, anime_id: int, matched: str) -> None:
    first = search(client, query)[0]
    assert (first["anime"]["anime_id"], first["matched"]) == (anime_id, matched)
    assert 0 < first["match"] <= 100


def test_search_limit(client: Client) -> None:
    assert len(search(client, "story", limit=3)) == 3
    assert search(client, "qqxzvw kkpt") == []


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({}, "Missing required query parameter 'query'"),
        ({"query": ""}, "query is empty"),
        ({"query": "  "}, "query is empty"),
        ({"query": "x" * 201}, "query: Expected `str` of length <= 200"),
        ({"query": "a", "limit": 0}, "limit: Expected `int` >= 1"),
    ],
)
def test_search_mistakes(client: Client, parameters: dict[str, Any], message: str) -> None:
    answer = client.get("/api/v1/anime", params=parameters)
    assert answer.status_code == 400
    assert message in answer.json()["error"]["message"]
    assert answer.json()["error"]["hint"]


def test_detail(client: Client) -> None:
    body = client.get("/api/v1/anime/5114").json()
    assert body["title_chinese"] == "钢之炼金术师"
    assert body["synonyms"] == ["Hagane no Renkinjutsushi", "FMA:B"]
    assert body["released"] == "2009-04-05"
    assert body["links"] == {
        "myanimelist": "https://myanimelist.net/anime/5114",
        "anilist": None,
        "anidb": "https://anidb.net/anime/6107",
        "tmdb": "https://www.themoviedb.org/tv/31911",
    }
    assert body["franchise"] == []
    assert client.get("/api/v1/anime/1").json()["streaming"] == [{"site": "Example", "url": "https://stream.example/1"}]


def test_what_is_not_known_is_null(client: Client) -> None:
    body = client.get("/api/v1/anime/9001").json()
    unknown = (
        "type",
        "episodes",
        "year",
        "score",
        "members",
        "image",
        "source",
        "released",
        "duration_min",
        "synopsis",
    )
    assert {name: body[name] for name in unknown} == dict.fromkeys(unknown)
    assert body["genres"] == body["tags"] == body["studios"] == body["streaming"] == []


def test_franchise_in_order_of_release(client: Client) -> None:
    movie = client.get("/api/v1/anime/5").json()["franchise"]
    assert [(entry["anime_id"], entry["relation"]) for entry in movie] == [(1, "prequel"), (5, "this")]
    series = client.get("/api/v1/anime/1").json()["franchise"]
    assert [(entry["anime_id"], entry["relation"]) for entry in series] == [(1, "this"), (5, "sequel")]


def test_unknown_anime(client: Client) -> None:
    for route in ("/api/v1/anime/99", "/api/v1/anime/99/similar", "/sim?anime_id=99"):
        answer = client.get(route)
        assert answer.status_code == 404
        error = answer.json()["error"]
        assert error["code"] == "unknown_anime"
        assert error["message"] == "1 anime id(s) not in the catalogue: 99"
        assert "MyAnimeList ids" in error["hint"]


def test_similar(client: Client) -> None:
    body = client.get("/api/v1/anime/1/similar?k=5").json()
    assert body["anime_id"] == 1
    assert body["items"][0]["anime"]["anime_id"] == 5
    scores = [item["similarity"] for item in body["items"]]
    assert scores == sorted(scores, reverse=True)
    elsewhere = client.get("/api/v1/anime/1/similar?k=100&same_franchise=false").json()
    assert 5 not in [item["anime"]["anime_id"] for item in elsewhere["items"]]


def test_onboarding_is_known_and_diverse(client: Client) -> None:
    items = client.get("/api/v1/onboarding?k=6").json()["items"]
    assert len(items) == 6
    assert items[0]["anime_id"] == 5114, "the best known comes first"
    popular = client.get("/api/v1/users/unknown-user/recommendations?k=6&diversity=0").json()["items"]

    def sameness(cards: list[dict[str, Any]]) -> float:
        genres = [set(card["genres"]) for card in cards]
        pairs = [(a, b) for i, a in enumerate(genres) for b in genres[i + 1 :]]
        return sum(len(a & b) / len(a | b) for a, b in pairs) / len(pairs)

    assert sameness(items) < sameness([item["anime"] for item in popular])


def test_genres(client: Client) -> None:
    body = client.get("/api/v1/genres").json()
    assert body["types"] == ["Movie", "OVA", "Special", "TV"]
    assert body["genres"] == sorted(body["genres"])
    assert "Sci-Fi" in body["genres"]


def test_about(client: Client) -> None:
    body = client.get("/api/v1/about").json()
    assert body["name"] == "GARS"
    assert body["model"] == {"version": "fake-1", "trained": None, "metrics": None}
    assert body["data"]["anime"] == 120
    assert body["coverage"] is None, "the double was trained on nothing"


def test_about_returns_coverage_of_titles_and_ratings(of_2001: Client) -> None:
    coverage = of_2001.get("/api/v1/about").json()["coverage"]
    assert (coverage["titles_to"], coverage["ratings_from"], coverage["ratings_to"]) == ("2016-summer", 1999, 2015)
    assert coverage["rated_until"] == "2001-01-01"
    assert coverage["sources"] == [{"name": "mal-2016-sample", "licence": "CC0"}]


def test_a_search_for_a_title_that_is_not_there_is_poor(client: Client) -> None:
    poor = {query: client.get("/api/v1/anime", params={"query": query}).json()["poor"] for query in ("frieren", "qqqq")}
    assert poor == {"frieren": True, "qqqq": True}
    found = {
        query: client.get("/api/v1/anime", params={"query": query}).json()["poor"] for query in ("bebop", "DETH NOTE")
    }
    assert found == {"bebop": False, "DETH NOTE": False}
