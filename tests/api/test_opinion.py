"""One anime in a user's eyes."""

from __future__ import annotations

from typing import Any

Client = Any


def _post(client: Client, anime_id: int, kind: str, value: Any = None, *, user: str = "7", undo: bool = False) -> None:
    event = {"user_id": user, "anime_id": anime_id, "kind": kind, "value": value, "undo": undo}
    assert client.post("/api/v1/interactions", json=event).status_code == 202


def test_returns_the_users_opinion_of_a_title_and_its_franchise(client: Client) -> None:
    franchise = [entry["anime_id"] for entry in client.get("/api/v1/anime/1").json()["franchise"]]
    assert len(franchise) > 1
    other = next(one for one in franchise if one != 1)
    _post(client, 1, "rate", 9)
    _post(client, other, "status", "planned")
    _post(client, 1535, "like")
    answer = client.get("/api/v1/users/7/anime/1").json()
    nothing: dict[str, Any] = {"rating": None, "status": None, "reaction": None, "seen": False, "dismissed": False}
    expected = [nothing | {"anime_id": 1, "rating": 9}, nothing | {"anime_id": other, "status": "planned"}]
    assert answer["opinions"] == sorted(expected, key=lambda one: one["anime_id"])
    assert answer["version"] == 3


def test_what_was_taken_back_is_not_there(client: Client) -> None:
    _post(client, 1, "dismiss")
    assert client.get("/api/v1/users/7/anime/1").json()["opinions"][0]["dismissed"] is True
    _post(client, 1, "dismiss", undo=True)
    assert client.get("/api/v1/users/7/anime/1").json()["opinions"] == []


def test_returns_opinions_of_similar_users(client: Client) -> None:
    _post(client, 1, "rate", 9)
    _post(client, 1535, "rate", 8)
    neighbours = client.get("/api/v1/users/7/anime/1").json()["neighbours"]
    assert neighbours["asked"] > 0
    _post(client, 1, "rate", 10, user="twin")
    after = client.get("/api/v1/users/7/anime/1").json()["neighbours"]
    assert (after["watched"], after["rated"], after["liked"], after["rating_mean"]) == (1, 1, 1, 10.0)


def test_unknown_user_has_no_opinion_and_unknown_anime_is_an_error(client: Client) -> None:
    assert client.get("/api/v1/users/unknown-user/anime/1").json()["opinions"] == []
    answer = client.get("/api/v1/users/7/anime/99999999")
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "unknown_anime"


def test_names_the_chance_of_a_like_where_something_is_known(client: Client) -> None:
    assert client.get("/api/v1/users/7/anime/1").json()["p_like"] is None
    _post(client, 1535, "like")
    assert 0 <= client.get("/api/v1/users/7/anime/1").json()["p_like"] <= 1
