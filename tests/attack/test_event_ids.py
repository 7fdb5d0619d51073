"""With her own token a user asks which event ids are taken, or takes those of somebody else first.

The ids of an import are computed from the user, the title and the value, so anybody can compute them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest

from gars.bootstrap import Service
from gars.testing.anime import sample_catalogue

VICTIM, MALLORY = "victim", "mallory"
TITLES = [anime.anime_id for anime in sample_catalogue()][:120]
LIST = {anime_id: 1 + anime_id * 7 % 10 for anime_id in TITLES}
CSV = "anime_id,rating\n" + "".join(f"{anime_id},{rating}\n" for anime_id, rating in LIST.items())

AsUser = Callable[[str], Callable[..., Any]]


def import_id(user_id: str, anime_id: int, value: object) -> str:
    """Compute the id an import gives to the first rating of a title."""
    content = f"{user_id}\x1f{anime_id}\x1f{value}\x1f"
    return "l-" + hashlib.blake2b(content.encode(), digest_size=16).hexdigest()


def guesses(user_id: str, titles: list[int]) -> list[dict[str, object]]:
    """Every rating that a user may have given, as events of the attacker under the victim's ids."""
    return [
        {"user_id": MALLORY, "anime_id": 1, "kind": "click", "event_id": import_id(user_id, anime_id, value)}
        for anime_id in titles
        for value in range(1, 11)
    ]


def test_used_event_ids_reveal_nothing_of_another_user(as_user: AsUser, guarded: Service) -> None:
    imported = as_user(VICTIM)("POST", f"/api/v1/lists/import?user_id={VICTIM}", content=CSV.encode()).json()
    assert imported["taken"] == len(LIST)
    held = {event.event_id for _, event in guarded.log.read() if event.user_id == VICTIM}
    computed = {import_id(VICTIM, anime_id, rating) for anime_id, rating in LIST.items()}
    print(f"{len(held & computed)} of {len(held)} ids computed from outside")

    mallory = as_user(MALLORY)
    recovered: dict[int, int] = {}
    for start in range(0, len(TITLES), 50):
        events = guesses(VICTIM, TITLES[start : start + 50])
        answer = mallory("POST", "/api/v1/interactions", json={"events": events}).json()
        free = set(answer["accepted"])
        assert answer["duplicates"] == len(events) - len(free)
        for anime_id in TITLES[start : start + 50]:
            for value in range(1, 11):
                if import_id(VICTIM, anime_id, value) not in free:
                    recovered[anime_id] = value
    right = sum(LIST[anime_id] == value for anime_id, value in recovered.items())
    print(f"{right} of {len(LIST)} ratings recovered")
    assert right == 0


def test_taking_ids_first_does_not_block_an_import(as_user: AsUser) -> None:
    mallory, victim = as_user(MALLORY), as_user(VICTIM)
    for start in range(0, len(TITLES), 50):
        events = guesses(VICTIM, TITLES[start : start + 50])
        assert mallory("POST", "/api/v1/interactions", json={"events": events}).status_code == 202
    report = victim("POST", f"/api/v1/lists/import?user_id={VICTIM}", content=CSV.encode()).json()
    shown = victim("GET", f"/api/v1/users/{VICTIM}/history?limit=1000").json()["items"]
    ratings = {entry["anime"]["anime_id"]: entry["rating"] for entry in shown}
    print(f"{report['events']} of {len(LIST)} events written, {len(ratings)} titles in the history")
    assert (report["taken"], report["events"]) == (len(LIST), len(LIST))
    assert ratings == LIST
    again = victim("POST", f"/api/v1/lists/import?user_id={VICTIM}", content=CSV.encode()).json()
    assert (again["unchanged"], again["events"]) == (len(LIST), 0)


def test_the_same_id_in_one_batch_of_two_users(as_gateway: Callable[..., Any]) -> None:
    """A gateway with the service token sends the events of many users."""
    events = [{"user_id": user, "anime_id": 1, "kind": "rate", "value": 9, "event_id": "1"} for user in ("a", "b")]
    answer = as_gateway("POST", "/api/v1/interactions", json={"events": events}).json()
    assert answer == {"accepted": ["1", "1"], "duplicates": 0, "versions": {"a": 1, "b": 1}, "refused": []}


@pytest.mark.parametrize(
    "other",
    [{"value": 8}, {"anime_id": 5}, {"kind": "like", "value": None}, {"event_time": "2020-01-01T00:00:00Z"}],
    ids=["value", "title", "kind", "time"],
)
def test_an_id_with_other_content_is_a_conflict(as_user: AsUser, guarded: Service, other: dict[str, object]) -> None:
    send = as_user(VICTIM)
    first = {"user_id": VICTIM, "anime_id": 1, "kind": "rate", "value": 9, "event_id": "mine"}
    assert send("POST", "/api/v1/interactions", json=first).json()["accepted"] == ["mine"]
    assert send("POST", "/api/v1/interactions", json=first).json()["duplicates"] == 1

    second, fresh = {**first, **other}, {**first, "event_id": "fresh", "anime_id": 1535}
    alone = send("POST", "/api/v1/interactions", json=second)
    assert (alone.status_code, alone.json()["error"]["code"]) == (409, "conflict")
    assert "'mine'" in alone.json()["error"]["message"]
    batch = {"events": [fresh, second, first]}
    assert send("POST", "/api/v1/interactions", json=batch).status_code == 409
    assert [event.event_id for _, event in guarded.log.read()] == ["mine"], "nothing of a refused batch is kept"

    skipped = send("POST", "/api/v1/interactions?on_error=skip", json=batch).json()
    assert (skipped["accepted"], skipped["duplicates"]) == (["fresh"], 1)
    (refused,) = skipped["refused"]
    assert (refused["index"], refused["event_id"], refused["code"]) == (1, "mine", "conflict")


def test_an_id_twice_in_one_batch_with_other_content_is_a_conflict(as_user: AsUser, guarded: Service) -> None:
    send = as_user(VICTIM)
    events = [
        {"user_id": VICTIM, "anime_id": 1, "kind": "rate", "value": value, "event_id": "same"} for value in (3, 9, 3)
    ]
    assert send("POST", "/api/v1/interactions", json={"events": events}).status_code == 409
    assert list(guarded.log.read()) == []
    skipped = send("POST", "/api/v1/interactions?on_error=skip", json={"events": events}).json()
    assert (skipped["accepted"], skipped["duplicates"]) == (["same"], 1)
    assert [one["index"] for one in skipped["refused"]] == [1]
