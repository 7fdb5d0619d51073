"""A user's taste in numbers, and what those like them love."""

from __future__ import annotations

from typing import Any

import pytest

Client = Any


def _post(client: Client, anime_id: int, kind: str, value: Any = None, *, user: str = "7") -> None:
    event = {"user_id": user, "anime_id": anime_id, "kind": kind, "value": value}
    assert client.post("/api/v1/interactions", json=event).status_code == 202


def test_counts_what_was_watched_and_liked(client: Client) -> None:
    _post(client, 1, "rate", 9)
    _post(client, 1535, "rate", 4)
    _post(client, 150, "status", "planned")  # not watched
    taste = client.get("/api/v1/users/7/taste").json()
    assert taste["titles"] == 2
    assert taste["ratings"] == [0, 0, 0, 1, 0, 0, 0, 0, 1, 0]
    one, other = (client.get(f"/api/v1/anime/{anime_id}").json() for anime_id in (1, 1535))
    for share in taste["genres"]:
        assert share["titles"] == (share["name"] in one["genres"]) + (share["name"] in other["genres"])
        assert share["liked"] == (share["name"] in one["genres"])
        assert share["share"] == share["titles"] / 2
    severity = ((9 - one["score"]) + (4 - other["score"])) / 2
    assert taste["severity"] == pytest.approx(severity)
    assert [contrast["anime"]["anime_id"] for contrast in taste["contrasts"]] == [1535, 1]


def test_what_others_watch_is_weighed_by_members(client: Client) -> None:
    _post(client, 1, "like")
    shares = {share["name"]: share["others"] for share in client.get("/api/v1/users/7/taste").json()["genres"]}
    assert shares
    assert all(0 < others <= 1 for others in shares.values())
    assert len(set(shares.values())) > 1


def test_unknown_user_has_an_empty_taste(client: Client) -> None:
    taste = client.get("/api/v1/users/unknown-user/taste").json()
    assert (taste["titles"], taste["severity"], taste["genres"], taste["contrasts"]) == (0, None, [], [])


def test_those_alike_love_what_the_user_does_not_know(client: Client) -> None:
    _post(client, 1, "rate", 9)
    _post(client, 1, "rate", 10, user="twin")
    _post(client, 150, "rate", 9, user="twin")
    _post(client, 1535, "rate", 8, user="twin")  # liked, not loved
    loved = {one["user_id"]: one["loved"] for one in client.get("/api/v1/users/7/similar-users/loved").json()["items"]}
    assert [anime["anime_id"] for anime in loved["twin"]] == [150]
