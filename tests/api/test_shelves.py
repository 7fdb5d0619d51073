from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from gars.domain.candidates import SERVICE_DEFAULTS, Filters
from gars.testing.anime import sample_catalogue
from gars.testing.engine import FakeEngine

Client = Any
BY_ID = {entry.anime_id: entry for entry in sample_catalogue()}


def say(client: Client, anime_id: int, kind: str, value: Any = None, user: str = "7") -> None:
    body = {"user_id": user, "anime_id": anime_id, "kind": kind, "value": value}
    assert client.post("/api/v1/interactions", json=body).status_code == 202


def get(client: Client, path: str, **parameters: Any) -> Any:
    answer = client.get(f"/api/v1{path}", params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


def ids(cards: list[dict[str, Any]]) -> list[int]:
    return [(card.get("anime") or card)["anime_id"] for card in cards]


def test_pages_by_cursor_show_everything_once(client: Client) -> None:
    say(client, 5114, "rate", 9)
    whole = ids(get(client, "/users/7/recommendations", k=100, diversity=0)["items"])
    seen: list[int] = []
    cursor: str | None = ""
    while cursor is not None:
        page = get(client, "/users/7/recommendations", k=9, diversity=0, **({"cursor": cursor} if cursor else {}))
        assert page["changed"] == []
        seen += ids(page["items"])
        cursor = page["next"]
    assert seen == whole


def test_click_between_two_pages_is_reported_and_repeats_nothing(client: Client) -> None:
    first = get(client, "/users/7/recommendations", k=10)
    say(client, 1535, "click")
    second = get(client, "/users/7/recommendations", k=10, cursor=first["next"])
    assert second["changed"] == ["state"]
    assert not set(ids(first["items"])) & set(ids(second["items"]))
    franchises = [BY_ID[anime_id].franchise for anime_id in ids(first["items"]) + ids(second["items"])]
    assert len(franchises) == len(set(franchises))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"offset": 3}, "cursor and offset both say where the page begins"),
        ({"genre": "Action"}, "cursor: of another user's list or of other filters"),
        ({"cursor": "nonsense"}, "cursor: not one of this service"),
    ],
)
def test_a_cursor_that_does_not_fit_is_refused(client: Client, parameters: dict[str, Any], message: str) -> None:
    cursor = get(client, "/users/7/recommendations")["next"]
    answer = client.get("/api/v1/users/7/recommendations", params={"cursor": cursor, **parameters})
    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == message


def test_positions_go_on_where_the_page_before_ended(client: Client, service: Any) -> None:
    first = get(client, "/users/7/recommendations", k=4)
    get(client, "/users/7/recommendations", k=4, cursor=first["next"])
    service.recorder.flush()
    positions = [[item.position for item in one.items] for one in service.impressions.read(user_id="7")]
    assert positions == [[0, 1, 2, 3], [4, 5, 6, 7]]


def test_continue_shows_the_next_season_of_what_was_completed(client: Client) -> None:
    assert get(client, "/users/7/continue") == {"user_id": "7", "items": []}
    say(client, 1, "status", "completed")
    say(client, 100, "status", "watching")
    shelf = get(client, "/users/7/continue")["items"]
    assert [(item["anime"]["anime_id"], item["after"]["anime_id"]) for item in shelf] == [(5, 1)]
    say(client, 5, "seen")
    assert get(client, "/users/7/continue")["items"] == []


def test_continue_begins_with_what_was_liked_and_leaves_out_what_was_not(client: Client) -> None:
    for anime_id, rating in ((100, 7), (103, 10), (106, 3)):
        say(client, anime_id, "rate", rating)
    assert ids(get(client, "/users/7/continue")["items"]) == [104, 101]
    assert ids(get(client, "/users/7/continue", k=1)["items"]) == [104]


def test_trending_begins_with_what_is_clicked_and_is_full(client: Client) -> None:
    quiet = get(client, "/anime/trending", k=10)["items"]
    assert [item["heat"] for item in quiet] == [0] * 10
    for user in ("a", "b", "c", "d"):
        say(client, 1535, "click", user=user)
    for user in ("a", "b", "c"):
        say(client, 1, "click", user=user)
    say(client, 100, "like")  # one user makes no trend
    hot = get(client, "/anime/trending", k=10)["items"]
    assert ids(hot)[:2] == [1535, 1]
    assert [item["heat"] for item in hot[:2]] == pytest.approx([4, 3], rel=0.01)
    assert [item["heat"] for item in hot[2:]] == [0] * 8
    assert len(hot) == 10
    assert 1535 not in ids(get(client, "/anime/trending", genre="Action")["items"])


def test_trending_of_a_deleted_user_is_gone(client: Client) -> None:
    for user in ("7", "a", "b"):
        say(client, 1535, "click", user=user)
    assert get(client, "/anime/trending", k=1)["items"][0]["heat"] > 0
    client.delete("/api/v1/users/7")
    assert get(client, "/anime/trending", k=1)["items"][0]["heat"] == 0


def test_season_by_release(client: Client) -> None:
    spring = get(client, "/anime/season", year=1998, season="spring")
    assert (spring["year"], spring["season"], ids(spring["items"])) == (1998, "spring", [1])
    assert get(client, "/anime/season", year=1998, season="fall")["items"] == []


def test_season_defaults_to_the_current_one(client: Client) -> None:
    body = get(client, "/anime/season")
    today = datetime.now(UTC).date()
    assert abs((date(body["year"], 1, 1) - date(today.year, 1, 1)).days) <= 366
    assert body["season"] in ("winter", "spring", "summer", "fall")


def test_calendar_has_the_day_of_each_title(client: Client) -> None:
    body = get(client, "/anime/calendar", k=5)
    assert sorted(body) == ["later", "on", "today"]
    assert abs((date.fromisoformat(body["today"]) - datetime.now(UTC).date()).days) <= 1
    for item in body["on"] + body["later"]:
        assert sorted(item) == ["anime", "released", "season"]


def test_hidden_gems_are_less_known_and_page_on(client: Client) -> None:
    say(client, 5114, "rate", 9)
    page = get(client, "/users/7/hidden-gems", k=5)
    members = [BY_ID[anime_id].members or 0 for anime_id in ids(page["items"])]
    known = sorted(m for a in BY_ID.values() if (m := a.members) and m >= (SERVICE_DEFAULTS.min_members or 0))
    assert members
    assert max(members) <= known[len(known) // 2]
    after = get(client, "/users/7/hidden-gems", k=5, cursor=page["next"])
    assert not set(ids(after["items"])) & set(ids(page["items"]))


def test_new_anime_are_a_shelf_of_their_own(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(get(client, "/users/7/new", k=3)["items"]) == 3, "this double is not trained, so all are new"
    queries: list[tuple[int, Filters]] = []

    def new_ids(_engine: FakeEngine, _history: Any, *, k: int, filters: Filters) -> list[tuple[int, float]]:
        queries.append((k, filters))
        return [(1535, 2.0), (5114, 1.0)][:k]

    monkeypatch.setattr(FakeEngine, "new_ids", new_ids)
    found = get(client, "/users/7/new", k=2, genre="Action", max_members=10_000_000)
    assert ids(found["items"]) == [1535, 5114]
    ((k, filters),) = queries
    assert k >= 2
    assert (filters.genres, filters.min_members, filters.adult) == (("Action",), None, False)
    assert filters.released_by is not None
    get(client, "/users/7/new", min_members=9)
    assert queries[-1][1].min_members == 9


def test_a_title_that_many_people_list_is_not_new(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gars.application.recommend.shelves._NEW_MEMBERS", 1000)
    order = sorted(BY_ID, key=lambda anime_id: -(BY_ID[anime_id].members or 0))

    def new_ids(_engine: FakeEngine, _history: Any, *, k: int, filters: Filters) -> list[tuple[int, float]]:
        return [(anime_id, 1.0) for anime_id in order][:k]

    monkeypatch.setattr(FakeEngine, "new_ids", new_ids)
    few = [anime_id for anime_id in order if (BY_ID[anime_id].members or 0) <= 1000]
    assert 0 < len(few) < len(order)
    assert ids(get(client, "/users/7/new", k=3)["items"]) == few[:3]
    assert ids(get(client, "/users/7/new", k=3, max_members=1_000_000)["items"]) == order[:3]
