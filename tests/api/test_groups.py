from __future__ import annotations

from typing import Any

import pytest

Client = Any


def ask(client: Client, *members: Any, **parameters: Any) -> Any:
    body = {"members": [member if isinstance(member, dict) else {"user_id": member} for member in members]}
    return client.post("/api/v1/groups/recommendations", json=body, params=parameters)


def test_a_group_gets_titles_with_everybodys_joy(client: Client) -> None:
    client.post("/api/v1/interactions", json={"user_id": 7, "anime_id": 5114, "kind": "rate", "value": 9})
    for user_id in ("eight", 8):
        client.post("/api/v1/interactions", json={"user_id": user_id, "anime_id": 1, "kind": "click"})
    answer = ask(client, 7, {"user_id": "eight", "weight": 2}, k=5)
    assert answer.status_code == 200, answer.text
    items = answer.json()["items"]
    assert len(items) == 5
    assert list(items[0]) == ["anime", "score", "least", "joys"]
    assert set(items[0]["joys"]) == {"7", "eight"}
    assert 5114 not in [item["anime"]["anime_id"] for item in items]
    assert all(item["anime"]["type"] == "Movie" for item in ask(client, 7, 8, type="Movie").json()["items"])


@pytest.mark.parametrize(
    "members", [[], [{"user_id": "a", "weight": 0}], ["a", "a"], ["a/b"], [str(n) for n in range(21)]]
)
def test_bad_groups_are_refused(client: Client, members: list[Any]) -> None:
    answer = ask(client, *members)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "invalid_input"


def test_a_member_who_does_not_exist_is_an_error(client: Client) -> None:
    client.post("/api/v1/interactions", json={"user_id": 7, "anime_id": 5114, "kind": "rate", "value": 9})
    answer = ask(client, 7, "unknown-user")
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "unknown_user"
    assert "unknown-user" in answer.json()["error"]["message"]


def test_nothing_is_kept_of_a_group(client: Client, service: Any) -> None:
    for user_id in (7, 8):
        client.post("/api/v1/interactions", json={"user_id": user_id, "anime_id": 5114, "kind": "rate", "value": 9})
    assert ask(client, 7, 8).status_code == 200
    service.recorder.flush()
    assert service.impressions.users() == []


def test_explained_in_full(client: Client) -> None:
    item = client.get("/api/v1/users/7/recommendations?explain=full&k=1&niche=1").json()["items"][0]
    assert item["explanation"]["score"]["model"] == pytest.approx(item["score"])
    assert item["explanation"]["features"] == {}  # the double has none
    assert "explanation" not in client.get("/api/v1/users/7/recommendations?k=1").json()["items"][0]
    assert client.get("/api/v1/users/7/recommendations?explain=some").status_code == 400
