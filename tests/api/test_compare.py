from __future__ import annotations

from typing import Any

Client = Any


def rate(client: Client, user_id: str, anime_id: int, value: int) -> None:
    event = {"user_id": user_id, "anime_id": anime_id, "kind": "rate", "value": value}
    assert client.post("/api/v1/interactions", json=event).status_code == 202


def test_two_users_are_compared(client: Client) -> None:
    for user_id, other in (("a", 10), ("b", 8)):
        rate(client, user_id, 5114, other)
    rate(client, "a", 1535, 2)
    rate(client, "b", 1535, 9)
    body = client.get("/api/v1/users/a/compare/b").json()
    assert (body["user_id"], body["other_id"]) == ("a", "b")
    assert body["match"] == 0.5
    assert (body["titles"], body["shared"], body["rated"], body["agreed"]) == (2, 2, 2, 1)
    (loved,) = body["both_love"]
    assert (loved["anime"]["anime_id"], loved["rating"], loved["other_rating"]) == (5114, 10, 8)
    (differ,) = body["differ"]
    assert (differ["anime"]["anime_id"], differ["rating"], differ["other_rating"]) == (1535, 2, 9)


def test_an_unknown_user_is_an_error(client: Client) -> None:
    rate(client, "a", 5114, 10)
    answer = client.get("/api/v1/users/a/compare/unknown-user")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "unknown_user")
    assert client.get("/api/v1/users/a/compare/%20%00").status_code == 400
