from __future__ import annotations

from typing import Any

import msgspec
import pytest

from gars.application.recommend.engine import Reason
from gars.domain.candidates import SERVICE_DEFAULTS, Filters
from gars.domain.history import from_ratings
from gars.entrypoints.api.cards import matches
from gars.entrypoints.api.shapes import ReasonBody
from gars.testing.anime import sample_catalogue

Client = Any
BY_ID = {entry.anime_id: entry for entry in sample_catalogue()}


def shown(client: Client, user: str = "7", **parameters: Any) -> list[int]:
    answer = client.get(f"/api/v1/users/{user}/recommendations", params=parameters)
    assert answer.status_code == 200, answer.text
    return [item["anime"]["anime_id"] for item in answer.json()["items"]]


def test_shape(client: Client) -> None:
    body = client.get("/api/v1/users/7/recommendations?k=3").json()
    assert list(body) == [
        "user_id",
        "version",
        "model_version",
        "request_id",
        "cold",
        "fallback",
        "items",
        "next",
        "changed",
    ]
    assert (body["user_id"], body["version"], body["cold"], body["fallback"]) == ("7", 0, True, None)
    first = body["items"][0]
    assert list(first) == ["anime", "score", "match", "p_like", "channels", "reasons"]
    assert list(first["anime"]) == [
        "anime_id", "title", "title_english", "title_japanese", "title_chinese", "type", "episodes", "year",
        "score", "members", "genres", "image", "adult",
    ]  # fmt: skip
    assert list(first["reasons"][0]) == [
        "kind", "text", "anime_id", "title", "title_english", "title_japanese", "title_chinese", "contribution",
        "verb", "names",
    ]  # fmt: skip


def test_the_very_next_list_knows_of_the_click(client: Client) -> None:
    before = client.get("/api/v1/users/7/recommendations").json()
    clicked = client.post("/clicks", json={"user_id": 7, "anime_id": 1535})
    assert clicked.status_code == 202
    after = client.get("/api/v1/users/7/recommendations").json()
    assert [item["anime"]["anime_id"] for item in after["items"]] != [
        item["anime"]["anime_id"] for item in before["items"]
    ]
    assert (before["version"], after["version"]) == (0, 1)
    assert (before["cold"], after["cold"]) == (True, False)
    assert after["items"][0]["reasons"][0] == {
        "kind": "click",
        "text": "Because of Death Note",
        "anime_id": 1535,
        "title": "Death Note",
        "title_english": None,
        "title_japanese": "デスノート",
        "title_chinese": None,
        "contribution": pytest.approx(after["items"][0]["reasons"][0]["contribution"]),
        "verb": "opened",
        "names": [],
    }
    assert before["request_id"] != after["request_id"]


@pytest.mark.parametrize(
    "event",
    [
        {"kind": "rate", "value": 9},
        {"kind": "status", "value": "completed"},
        {"kind": "like"},
        {"kind": "dislike"},
        {"kind": "seen"},
        {"kind": "dismiss"},
    ],
    ids=lambda event: event["kind"],
)
def test_every_opinion_takes_the_title_out_and_undo_puts_it_back(client: Client, event: dict[str, Any]) -> None:
    before = shown(client)
    title = before[0]
    client.post("/api/v1/interactions", json={"user_id": 7, "anime_id": title, **event})
    assert title not in shown(client, k=100)
    undone = {"user_id": 7, "anime_id": title, "kind": event["kind"], "undo": True}
    assert client.post("/api/v1/interactions", json=undone).status_code == 202
    assert shown(client) == before


def test_users_do_not_move_each_other(client: Client) -> None:
    before = shown(client, "other")
    client.post("/clicks", json={"user_id": 7, "anime_id": 1})
    assert shown(client, "other") == before


def test_paging(client: Client) -> None:
    assert shown(client, k=5) + shown(client, k=5, offset=5) == shown(client, k=10)
    assert shown(client, k=100, offset=10_000) == []


def test_defaults_are_the_service_rules(client: Client) -> None:
    entries = [BY_ID[anime_id] for anime_id in shown(client, k=100)]
    assert not any(entry.adult for entry in entries)
    before = [(entry, BY_ID[anime_id]) for entry in entries for anime_id in entry.prequels]
    assert all(prequel.type == "Special" or (prequel.year or 0) > (entry.year or 0) for entry, prequel in before)
    assert len(before) < len([entry for entry in BY_ID.values() if entry.prequels]) / 2
    assert all((entry.members or 0) >= 500 for entry in entries)
    franchises = [entry.franchise for entry in entries]
    assert len(franchises) == len(set(franchises))


@pytest.mark.parametrize(
    ("parameters", "keeps"),
    [
        ({"type": "Movie"}, lambda a: a.type == "Movie"),
        ({"type": ["Movie", "OVA"]}, lambda a: a.type in ("Movie", "OVA")),
        ({"genre": "action"}, lambda a: "Action" in a.genres),
        ({"genre": ["Action", "Drama"]}, lambda a: {"Action", "Drama"} <= set(a.genres)),
        ({"exclude_genre": ["Drama", "Comedy"]}, lambda a: not {"Drama", "Comedy"} & set(a.genres)),
        ({"year_min": 2000, "year_max": 2005}, lambda a: 2000 <= a.year <= 2005),
        ({"episodes_min": 12, "episodes_max": 13}, lambda a: 12 <= a.episodes <= 13),
        ({"min_members": 50_000}, lambda a: a.members >= 50_000),
        ({"min_score": 8}, lambda a: a.score >= 8),
        ({"studio": "Sunrise"}, lambda a: "Sunrise" in a.studios),
        ({"source": "original"}, lambda a: a.source == "Original"),
        ({"site": "Example"}, lambda a: bool(a.streaming)),
        ({"duration_min": 20, "duration_max": 30}, lambda a: a.duration_min is not None and 20 <= a.duration_min <= 30),
        ({"max_members": 50_000}, lambda a: a.members <= 50_000),
        ({"exclude_id": [5114, 1535]}, lambda a: a.anime_id not in (5114, 1535)),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_filters(client: Client, parameters: dict[str, Any], keeps: Any) -> None:
    rules: dict[str, Any] = {"one_per_franchise": False, "hide_sequels": False, "diversity": 0}
    everything = shown(client, k=100, **rules) + shown(client, k=100, offset=100, **rules)
    filtered = shown(client, k=100, **rules, **parameters)
    assert filtered == [anime_id for anime_id in everything if keeps(BY_ID[anime_id])][:100]
    assert filtered


def test_niche_and_diversity_reorder_the_same_titles(client: Client) -> None:
    client.post("/api/v1/interactions", json={"user_id": 7, "anime_id": 5114, "kind": "rate", "value": 9})
    plain = shown(client, k=100, type="TV", diversity=0)  # one of a franchise at most: the others are of other types
    diverse = shown(client, k=100, type="TV", diversity=1)
    niche = shown(client, k=100, type="TV", diversity=0, niche=1)
    assert sorted(diverse) == sorted(plain) == sorted(niche)
    assert diverse[0] == plain[0]
    assert diverse != plain
    fame = [sum(BY_ID[anime_id].members or 0 for anime_id in some[:10]) for some in (plain, niche)]
    assert fame[1] < fame[0]


def test_rules_can_be_turned_off(client: Client) -> None:
    off: dict[str, Any] = dict.fromkeys(("hide_sequels", "one_per_franchise", "hide_specials"), False)
    every_rule_off = shown(client, k=100, adult=True, min_members=0, **off)
    assert 9002 in every_rule_off, "adult"
    assert 5 in every_rule_off, "a sequel"
    assert len(every_rule_off) == 100
    assert 9001 in shown(client, k=100, offset=100, adult=True, min_members=0, **off)


def test_a_disliked_title_can_take_its_franchise_along(client: Client) -> None:
    client.post("/api/v1/interactions", json={"user_id": 7, "anime_id": 1, "kind": "rate", "value": 2})
    loose: dict[str, Any] = {"hide_sequels": False, "k": 100}
    assert 5 in shown(client, **loose)
    assert 5 not in shown(client, hide_dropped_franchises=True, **loose)


def test_a_dropped_title_takes_its_series_along_unless_asked(client: Client) -> None:
    client.post("/api/v1/interactions", json={"user_id": 7, "anime_id": 5, "kind": "status", "value": "dropped"})
    loose: dict[str, Any] = {"hide_sequels": False, "one_per_franchise": False, "k": 100}
    assert 1 not in shown(client, **loose)
    assert 1 in shown(client, hide_dropped_series=False, **loose)


def test_specials_come_only_where_asked(client: Client) -> None:
    def types(**parameters: Any) -> set[str | None]:
        return {BY_ID[anime_id].type for anime_id in shown(client, k=100, min_members=0, **parameters)}

    assert "Special" not in types()
    assert "Special" in types(hide_specials=False)
    assert types(type="Special") == {"Special"}


@pytest.mark.parametrize(
    ("parameters", "message", "hint"),
    [
        ("k=0", "k: Expected `int` >= 1", "/docs"),
        ("k=101", "k: Expected `int` <= 100", "/docs"),
        ("k=many", "k: Expected `int`, got `str`", "/docs"),
        ("offset=-1", "offset: Expected `int` >= 0", "/docs"),
        ("adult=perhaps", "adult: Expected `bool | null`", "/docs"),
        ("genre=Acton", "unknown genre: Acton", "known: Action, Adventure"),
        ("type=Film", "unknown type: Film", "known: Movie, OVA"),
        ("year_min=2005&year_max=2000", "year_min=2005 is above year_max=2000", "swap"),
        ("episodes_min=5&episodes_max=1", "episodes_min=5 is above episodes_max=1", "swap"),
        ("exclude_id=x", "exclude_id: Expected `int`, got `str`", "/docs"),
        ("exclude_id=-4", "exclude_id: no anime has such an id", "MyAnimeList"),
        ("genres=Action", "no such parameter: genres", "genre"),
    ],
)
def test_mistakes_are_reported(client: Client, parameters: str, message: str, hint: str) -> None:
    answer = client.get(f"/api/v1/users/7/recommendations?{parameters}")
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["code"] == "invalid_input"
    assert message in error["message"]
    assert hint in error["hint"]


class TestFallback:
    def test_ranking_fails(self, client: Client, engine: Any, caplog: pytest.LogCaptureFixture) -> None:
        expected = engine.retrieve_ids(from_ratings([]), k=20, filters=SERVICE_DEFAULTS).tolist()
        engine.recommend_history = _broken
        body = client.get("/api/v1/users/7/recommendations").json()
        assert body["fallback"] == "retrieval"
        assert [item["anime"]["anime_id"] for item in body["items"]] == expected
        assert {channel for item in body["items"] for channel in item["channels"]} == {"retrieval"}
        assert "ranking failed; using the next best list" in caplog.text

    def test_alike_in_content(self, client: Client, engine: Any, caplog: pytest.LogCaptureFixture) -> None:
        client.post("/clicks", json={"user_id": 7, "anime_id": 5114})
        engine.recommend_history = engine.retrieve_ids = _broken
        body = client.get("/api/v1/users/7/recommendations").json()
        assert body["fallback"] == "similar"
        assert {channel for item in body["items"] for channel in item["channels"]} == {"content"}
        assert "retrieval failed; using the next best list" in caplog.text

    def test_both_stages_fail(self, client: Client, engine: Any, caplog: pytest.LogCaptureFixture) -> None:
        client.post("/api/v1/interactions", json={"user_id": 7, "anime_id": 5114, "kind": "seen"})
        popular = engine.popular_ids(k=21, filters=SERVICE_DEFAULTS).tolist()
        engine.recommend_history = engine.retrieve_ids = _broken
        body = client.get("/api/v1/users/7/recommendations").json()
        assert body["fallback"] == "popular"
        assert [item["anime"]["anime_id"] for item in body["items"]] == [a for a in popular if a != 5114]
        assert body["items"][0]["reasons"][0]["text"] == "Popular with everybody"
        page = client.get("/api/v1/users/7/recommendations?k=5&offset=5").json()
        assert page["items"] == body["items"][5:10]

    def test_the_whole_model_fails(self, client: Client, engine: Any, caplog: pytest.LogCaptureFixture) -> None:
        engine.recommend_history = engine.retrieve_ids = engine.popular_ids = engine.similar_ids = _broken
        body = client.get("/api/v1/users/7/recommendations").json()
        assert body["fallback"] == "popular"
        assert len(body["items"]) == 20

    def test_a_callers_mistake_is_not_a_failure(self, client: Client) -> None:
        assert client.get("/api/v1/users/7/recommendations?genre=x").status_code == 400


def _broken(*_arguments: object, **_named: object) -> Any:
    raise RuntimeError("the model is on fire")


def test_defaults_are_those_of_the_domain() -> None:
    assert (
        Filters(
            adult=False,
            hide_sequels=True,
            one_per_franchise=True,
            hide_dropped_sequels=True,
            hide_recaps=True,
            hide_dropped_series=True,
            hide_specials=True,
            min_members=500,
            diversity=0.25,
        )
        == SERVICE_DEFAULTS
    )


class TestMissionRoutes:
    def test_root_with_a_user_is_their_list(self, client: Client) -> None:
        answer = client.get("/?user_id=42")
        assert answer.headers["content-type"] == "application/json"
        assert answer.json() == shown(client, "42")
        client.post("/clicks", json={"user_id": "42", "anime_id": 1})
        assert client.get("/?user_id=42").json() == shown(client, "42") != answer.json()

    def test_sim(self, client: Client) -> None:
        similar = client.get("/api/v1/anime/1/similar?k=20").json()["items"]
        assert client.get("/sim?anime_id=1").json() == [item["anime"]["anime_id"] for item in similar]
        assert client.get("/sim?anime_id=99").status_code == 404
        assert client.get("/sim").status_code == 400


def test_reasons_are_written_as_they_were_made() -> None:
    assert ReasonBody.__struct_fields__ == Reason.__struct_fields__
    assert msgspec.json.encode(Reason("because", "Because you liked it")) == msgspec.json.encode(
        ReasonBody("because", "Because you liked it", None, None, None, None, None, None, None, [])
    )


def test_the_match_agrees_with_the_order(client: Client) -> None:
    cold = client.get("/api/v1/users/7/recommendations?k=5").json()
    assert {item["match"] for item in cold["items"]} == {None}, "nothing is known of the user yet"
    assert client.post("/clicks", json={"user_id": 7, "anime_id": 1535}).status_code == 202
    first = client.get("/api/v1/users/7/recommendations?k=20").json()
    grades = ["best", "great", "good", "fair"]
    places = [grades.index(item["match"]) for item in first["items"]]
    assert places[0] == 0
    assert places == sorted(places)
    after = client.get(f"/api/v1/users/7/recommendations?k=5&cursor={first['next']}").json()
    assert {item["match"] for item in after["items"]} <= {None}


def test_matches_grade_positions_by_odds_against_the_best() -> None:
    assert matches([1.0, 0.0, 0.9, -1.0, -2.0]) == ["best", "best", "great", "good", "fair"]
    assert matches([]) == []


def test_a_request_in_words_makes_the_list(client: Client) -> None:
    body = client.get("/api/v1/users/7/recommendations", params={"ask": "funny, no drama, since 2000", "k": 100}).json()
    shown_ = [BY_ID[item["anime"]["anime_id"]] for item in body["items"]]
    assert shown_
    assert all("Comedy" in one.genres and "Drama" not in one.genres and (one.year or 0) >= 2000 for one in shown_)
    assert body["asked"] == {
        "text": "funny, no drama, since 2000",
        "parts": [
            {"kind": "genre", "text": "funny", "start": 0, "end": 5, "negated": False, "names": ["Comedy"],
             "anime_id": None, "title": None, "low": None, "high": None},
            {"kind": "genre", "text": "drama", "start": 10, "end": 15, "negated": True, "names": ["Drama"],
             "anime_id": None, "title": None, "low": None, "high": None},
            {"kind": "years", "text": "since 2000", "start": 17, "end": 27, "negated": False, "names": [],
             "anime_id": None, "title": None, "low": 2000.0, "high": None},
        ],
        "unread": [],
    }  # fmt: skip


def test_a_request_names_titles_to_be_like(client: Client) -> None:
    body = client.get("/api/v1/users/7/recommendations", params={"ask": "like Cowboy Bebop"}).json()
    part = body["asked"]["parts"][0]
    assert (part["kind"], part["anime_id"], part["title"]) == ("like", 1, "Cowboy Bebop")
    assert body["items"]
    assert not {1, 5} & {item["anime"]["anime_id"] for item in body["items"]}


def test_pages_of_a_request_follow_each_other(client: Client) -> None:
    asked = {"ask": "like Cowboy Bebop", "k": 5}
    first = client.get("/api/v1/users/7/recommendations", params=asked).json()
    second = client.get("/api/v1/users/7/recommendations", params={**asked, "cursor": first["next"]}).json()
    ids = [item["anime"]["anime_id"] for page in (first, second) for item in page["items"]]
    assert len(ids) == len(set(ids)) == 10
    other = client.get(
        "/api/v1/users/7/recommendations", params={"ask": "like Death Note", "k": 5, "cursor": first["next"]}
    )
    assert other.status_code == 400


@pytest.mark.parametrize("text", ["", " ", "a" * 301])
def test_an_empty_or_endless_request_is_refused(client: Client, text: str) -> None:
    answer = client.get("/api/v1/users/7/recommendations", params={"ask": text})
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "invalid_input"
