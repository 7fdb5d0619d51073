from __future__ import annotations

from typing import Any

import pytest

from gars.bootstrap import Service
from gars.domain import user_state
from gars.domain.user_state import Row

Client = Any


def post(client: Client, *events: dict[str, Any]) -> None:
    answer = client.post("/api/v1/interactions", json={"events": list(events)})
    assert answer.status_code == 202, answer.text


def act(anime_id: int, kind: str, value: Any = None, *, user: str = "7", second: int = 0) -> dict[str, Any]:
    return {
        "user_id": user,
        "anime_id": anime_id,
        "kind": kind,
        "value": value,
        "event_time": f"2026-01-01T00:00:{second:02}Z",
    }


def test_unknown_user_is_no_error(client: Client) -> None:
    assert client.get("/api/v1/users/unknown-user").json() == {
        "user_id": "unknown-user",
        "known": False,
        "version": 0,
        "titles": 0,
        "ratings": 0,
        "rating_mean": None,
        "clicks": 0,
        "recent": [],
    }
    assert client.get("/api/v1/users/unknown-user/history").json() == {"user_id": "unknown-user", "items": []}
    assert client.get("/api/v1/users/unknown-user/similar-users").json() == {"user_id": "unknown-user", "items": []}


def test_summary(client: Client) -> None:
    post(
        client, act(1, "rate", 9), act(5, "rate", 6, second=1), act(1535, "click", second=2), act(1, "click", second=3)
    )
    body = client.get("/api/v1/users/7").json()
    assert [card["anime_id"] for card in body.pop("recent")] == [1, 1535, 5]
    assert body == {
        "user_id": "7",
        "known": True,
        "version": 4,
        "titles": 2,
        "ratings": 2,
        "rating_mean": 7.5,
        "clicks": 2,
    }


def test_recent_are_at_most_five(client: Client) -> None:
    post(client, *(act(anime_id, "seen", second=anime_id - 100) for anime_id in range(100, 110)))
    recent = client.get("/api/v1/users/7").json()["recent"]
    assert [card["anime_id"] for card in recent] == [109, 108, 107, 106, 105]


def test_history(client: Client) -> None:
    post(
        client,
        act(1, "rate", 9),
        act(1, "status", "completed", second=1),
        act(5, "dislike", second=2),
        act(1535, "click", second=3),
        act(5114, "dismiss", second=4),
        act(100, "seen", second=5),
    )
    items = client.get("/api/v1/users/7/history").json()["items"]
    nothing = {"rating": None, "status": None, "reaction": None, "seen": False, "clicked": False, "dismissed": False}
    assert [(item.pop("anime")["anime_id"], item) for item in items] == [
        (100, nothing | {"seen": True}),
        (5114, nothing | {"dismissed": True}),
        (1535, nothing | {"clicked": True}),
        (5, nothing | {"reaction": -1}),
        (1, nothing | {"rating": 9, "status": "completed"}),
    ]
    assert len(client.get("/api/v1/users/7/history?limit=2").json()["items"]) == 2


def test_what_left_the_catalogue_is_not_shown(client: Client, service: Service) -> None:
    service.states.put([user_state.initial("old", [Row(77), Row(1)])])
    assert [item["anime"]["anime_id"] for item in client.get("/api/v1/users/old/history").json()["items"]] == [1]
    assert [card["anime_id"] for card in client.get("/api/v1/users/old").json()["recent"]] == [1]


def test_users_come_in_pages(client: Client) -> None:
    post(client, *(act(1, "click", user=name) for name in ("10", "9", "a", "b")))
    first = client.get("/api/v1/users?limit=3").json()
    assert ([user["user_id"] for user in first["users"]], first["next"]) == (["10", "9", "a"], "a")
    second = client.get("/api/v1/users", params={"limit": 3, "after": first["next"]}).json()
    assert ([user["user_id"] for user in second["users"]], second["next"]) == (["b"], None)


def test_similar_users(client: Client, service: Service) -> None:
    service.states.put([user_state.initial("twin", [Row(1, 9), Row(1535, 8), Row(100)])])
    post(client, act(1, "rate", 6), act(1535, "rate", 10, second=1), act(5, "seen", second=2))
    (twin,) = client.get("/api/v1/users/7/similar-users").json()["items"]
    assert (twin["user_id"], twin["shared"]) == ("twin", 2)
    assert 0 < twin["similarity"] <= 1
    assert [card["anime_id"] for card in twin["shared_titles"]] == [1535, 1], "what both like best comes first"
    assert twin["overlap"] == pytest.approx(2 / 4)  # of 1, 1535, 5 and 100
    assert (twin["taste"]["titles"], twin["taste"]["rating_mean"]) == (3, 8.5)
    assert twin["taste"]["genres"][0] == "Drama"


@pytest.mark.parametrize("user_id", ["x" * 129, "a%00b", "%0A", "%ED%A0%80"])
def test_impossible_ids_are_refused(client: Client, user_id: str) -> None:
    for route in ("", "/recommendations", "/history", "/similar-users", "/events"):
        answer = client.get(f"/api/v1/users/{user_id}{route}")
        assert answer.status_code in (400, 404), answer.text
        assert answer.json()["error"]["code"] in ("invalid_input", "not_found")


def test_ids_of_any_script(client: Client) -> None:
    client.post("/clicks", json={"user_id": "ユーザー 七・8", "anime_id": 1})
    assert client.get("/api/v1/users").json()["users"][0]["user_id"] == "ユーザー 七・8"
    client.post("/clicks", json={"user_id": "ユーザー", "anime_id": 1})
    assert client.get("/api/v1/users/ユーザー").json()["version"] == 1


def test_planned_titles_are_a_list_of_their_own(client: Client) -> None:
    def say(anime_id: int, **event: Any) -> None:
        assert (
            client.post("/api/v1/interactions", json={"user_id": 7, "anime_id": anime_id, **event}).status_code == 202
        )

    assert client.get("/api/v1/users/7/plan").json() == {"user_id": "7", "version": 0, "items": []}
    say(5114, kind="rate", value=9)
    for anime_id in (1, 1535, 5):
        say(anime_id, kind="status", value="planned")
    say(5, kind="seen")
    body = client.get("/api/v1/users/7/plan").json()
    assert {entry["anime"]["anime_id"] for entry in body["items"]} == {1, 1535}
    assert next(entry for entry in body["items"] if entry["anime"]["anime_id"] == 1)["duration_min"] == 24
    chances = [entry["p_like"] for entry in body["items"]]
    assert chances == sorted(chances, reverse=True)
    say(1, kind="status", value="completed")
    assert [entry["anime"]["anime_id"] for entry in client.get("/api/v1/users/7/plan").json()["items"]] == [1535]
