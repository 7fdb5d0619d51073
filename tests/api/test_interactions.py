from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gars.bootstrap import Service

Client = Any
JSON = {"Content-Type": "application/json"}


def post(client: Client, body: object) -> Any:
    return client.post("/api/v1/interactions", json=body)


def error_of(answer: Any, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert list(body) == ["error"]
    error: dict[str, Any] = body["error"]
    assert list(error) == ["code", "message", "hint"]
    return error


CLICK = {"user_id": "7", "anime_id": 1, "kind": "click"}


def test_one_event(client: Client, service: Service) -> None:
    answer = post(client, {**CLICK, "event_id": "mine", "request_id": "r1"})
    assert answer.status_code == 202
    assert answer.json() == {"accepted": ["mine"], "duplicates": 0, "versions": {"7": 1}, "refused": []}
    ((offset, kept),) = service.log.read()
    assert (offset, kept.event_id, kept.user_id, kept.anime_id, kept.request_id) == (1, "mine", "7", 1, "r1")


def test_a_batch(client: Client) -> None:
    events = [
        {**CLICK, "event_id": "a"},
        {**CLICK, "event_id": "b", "user_id": 8},
        {**CLICK, "event_id": "a"},
        {**CLICK, "event_id": "c", "kind": "rate", "value": 10},
    ]
    answer = post(client, {"events": events})
    assert answer.json() == {"accepted": ["a", "b", "c"], "duplicates": 1, "versions": {"7": 2, "8": 1}, "refused": []}
    again = post(client, {"events": events}).json()
    assert again == {"accepted": [], "duplicates": 4, "versions": {"7": 2, "8": 1}, "refused": []}


def test_without_an_id_the_same_content_is_the_same_event(client: Client) -> None:
    timed = {**CLICK, "event_time": "2026-01-01T00:00:00Z"}
    first = post(client, timed).json()
    assert post(client, timed).json() == {"accepted": [], "duplicates": 1, "versions": {"7": 1}, "refused": []}
    later = post(client, {**timed, "event_time": "2026-01-01T00:00:00.001Z"}).json()
    assert len(first["accepted"]) == len(later["accepted"]) == 1
    assert first["accepted"] != later["accepted"]


def test_user_ids_may_be_numbers(client: Client) -> None:
    post(client, {**CLICK, "user_id": 7})
    post(client, {**CLICK, "user_id": "7", "event_id": "x"})
    assert client.get("/api/v1/users/7").json()["version"] == 2


@pytest.mark.parametrize(
    ("change", "message", "hint"),
    [
        ({"kind": "rate"}, "a rate event needs a value from 1 to 10, got None", "undo"),
        ({"kind": "rate", "value": 11}, "a rate event needs a value from 1 to 10, got 11", "undo"),
        ({"kind": "rate", "value": "9"}, "a rate event takes no text, got '9'", "a number from 1 to 10"),
        ({"kind": "status", "value": "done"}, "needs one of watching, completed, on_hold, dropped, planned", "undo"),
        ({"kind": "status"}, "got None", "undo"),
        ({"value": 3}, "a click event takes no value, got 3", "leave value out"),
        ({"kind": "look"}, "kind: Invalid enum value 'look'", "/docs"),
        ({"anime_id": "1"}, "anime_id: Expected `int`, got `str`", "/docs"),
        ({"anime_id": -1}, "anime_id: Expected `int` >= 0", "/docs"),
        ({"anime_id": 2**40}, "anime_id: Expected `int` <= 2147483647", "/docs"),
        ({"user_id": ""}, "user_id must be 1 to 128 printable characters", "stable id"),
        ({"user_id": "x" * 129}, "user_id must be 1 to 128 printable characters", "stable id"),
        ({"user_id": "a\u0000b"}, "user_id must be 1 to 128 printable characters", "stable id"),
        ({"user_id": "a/b"}, "user_id 'a/b' cannot stand in an address", "leave / out"),
        ({"user_id": ".."}, "user_id '..' cannot stand in an address", "leave / out"),
        ({"event_id": ""}, "event_id must be 1 to 128 characters", "UUID"),
        ({"event_id": "x" * 129}, "event_id must be at most 128 printable characters", "UUID"),
        ({"request_id": "x\n"}, "request_id must be at most 128 printable characters", "UUID"),
        ({"event_time": "yesterday"}, "event_time: Invalid RFC3339", "/docs"),
        ({"event_time": "2026-01-01T00:00:00"}, "event_time has no time zone", "ISO 8601"),
        ({"event_time": "1999-12-31T00:00:00Z"}, "is before 2000-01-01", "seconds for milliseconds"),
    ],
    ids=str,
)
def test_malformed_events_are_refused(client: Client, change: dict[str, Any], message: str, hint: str) -> None:
    error = error_of(post(client, {**CLICK, **change}), 400)
    assert error["code"] == "invalid_input"
    assert message in error["message"]
    assert hint in error["hint"]


def test_events_from_the_future_are_refused(client: Client) -> None:
    soon = datetime.now(UTC) + timedelta(minutes=4)
    late = datetime.now(UTC) + timedelta(minutes=6)
    assert post(client, {**CLICK, "event_time": soon.isoformat()}).status_code == 202
    error = error_of(post(client, {**CLICK, "event_time": late.isoformat()}), 400)
    assert "is in the future (the server's clock says" in error["message"]
    assert "check the client's clock" in error["hint"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "the event lacks user_id, anime_id, kind"),
        ({"user_id": 1, "kind": "click"}, "the event lacks anime_id"),
        ({"events": []}, "events: Expected `array` of length >= 1"),
        ({"events": [CLICK], "user_id": 1}, "the body has both events and the fields of a single event"),
        ({"events": [CLICK, {"user_id": 1}]}, "events[1]: Object missing required field `anime_id`"),
        ({"events": [CLICK] * 1001}, "a batch takes at most 1000 events, got 1001"),
        ([CLICK], "Expected `object`, got `array`"),
        ("click", "Expected `object`, got `str`"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_malformed_bodies_are_refused(client: Client, body: object, message: str) -> None:
    assert message in error_of(post(client, body), 400)["message"]


def test_what_is_no_json_is_refused(client: Client) -> None:
    for content in (b"", b"{", b"\xff\xfe", b'{"user_id": "\\ud800", "anime_id": 1, "kind": "click"}'):
        error_of(client.post("/api/v1/interactions", content=content, headers=JSON), 400)


def test_unknown_anime_refuse_the_whole_batch(client: Client) -> None:
    error = error_of(post(client, {"events": [CLICK, {**CLICK, "anime_id": 99}, {**CLICK, "anime_id": 98}]}), 422)
    assert error["code"] == "unknown_anime"
    assert error["message"] == "2 anime id(s) not in the catalogue: 98, 99"
    assert "GET /api/v1/anime?query=TITLE" in error["hint"]
    assert client.get("/api/v1/users/7").json()["known"] is False


def test_one_bad_event_refuses_the_whole_batch(client: Client) -> None:
    for bad, message in (
        ({**CLICK, "kind": "rate", "value": 0}, "events[1]: a rate event needs a value from 1 to 10, got 0"),
        ({**CLICK, "kind": "rate", "value": "x"}, "events[1]: a rate event takes no text, got 'x'"),
    ):
        assert error_of(post(client, {"events": [CLICK, bad]}), 400)["message"] == message
    assert client.get("/api/v1/users/7").json()["known"] is False


def test_too_large_a_body(client: Client) -> None:
    error = error_of(client.post("/api/v1/interactions", content=b" " * 1_000_001), 413)
    assert error["code"] == "body_too_large"
    assert "send smaller batches" in error["hint"]


def test_clicks_route(client: Client) -> None:
    first = client.post("/clicks", json={"user_id": 7, "anime_id": 1})
    second = client.post("/clicks", json={"user_id": 7, "anime_id": 1})
    assert first.status_code == second.status_code == 202
    assert second.json()["versions"] == {"7": 2}
    error_of(client.post("/clicks", json={"user_id": 7, "anime_id": 99}), 422)
    assert "anime_id" in error_of(client.post("/clicks", json={"user_id": 7}), 400)["message"]


def test_undo_ignores_a_value(client: Client) -> None:
    post(client, {**CLICK, "kind": "rate", "value": 3})
    assert post(client, {**CLICK, "kind": "rate", "value": 10**30, "undo": True}).status_code in (202, 400)
    assert post(client, {**CLICK, "kind": "rate", "value": 99, "undo": True}).status_code == 202
    assert client.get("/api/v1/users/7").json()["ratings"] == 0


def test_skipping_keeps_the_rest_and_names_what_was_refused(client: Client) -> None:
    late = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    events = [
        {**CLICK, "event_id": "good"},
        {**CLICK, "anime_id": 99, "event_id": "unknown"},
        {**CLICK, "event_time": late},
        {**CLICK, "event_time": "1970-01-20T00:00:00Z"},
        {**CLICK, "kind": "rate", "value": "nine"},
        {**CLICK, "user_id": ""},
        {**CLICK, "event_id": "good"},
        {**CLICK, "user_id": "8", "kind": "like", "event_id": "also good"},
    ]
    answer = client.post("/api/v1/interactions?on_error=skip", json={"events": events})
    assert answer.status_code == 202
    body = answer.json()
    assert (body["accepted"], body["duplicates"], body["versions"]) == (["good", "also good"], 1, {"7": 1, "8": 1})
    assert [(one["index"], one["event_id"], one["code"]) for one in body["refused"]] == [
        (1, "unknown", "unknown_anime"),
        (2, None, "invalid_input"),
        (3, None, "invalid_input"),
        (4, None, "invalid_input"),
        (5, None, "invalid_input"),
    ]
    messages = [one["message"] for one in body["refused"]]
    assert messages[0] == "1 anime id(s) not in the catalogue: 99"
    assert "is in the future" in messages[1]
    assert "is before 2000-01-01" in messages[2]
    assert "takes no text, got 'nine'" in messages[3]
    assert "user_id must be" in messages[4]
    assert all(one["hint"] for one in body["refused"])


def test_skipping_may_leave_nothing(client: Client) -> None:
    body = client.post("/api/v1/interactions?on_error=skip", json={**CLICK, "anime_id": 99}).json()
    assert (body["accepted"], body["versions"], len(body["refused"])) == ([], {}, 1)
    assert client.get("/api/v1/users/7").json()["known"] is False


def test_on_error_has_two_values(client: Client) -> None:
    error = error_of(client.post("/api/v1/interactions?on_error=ignore", json=CLICK), 400)
    assert "on_error: Invalid enum value 'ignore'" in error["message"]


def test_every_unknown_anime_is_named(client: Client) -> None:
    unknown = range(50_000, 50_030)
    error = error_of(post(client, {"events": [CLICK, *({**CLICK, "anime_id": one} for one in unknown)]}), 422)
    assert error["message"] == f"30 anime id(s) not in the catalogue: {', '.join(map(str, unknown))}"


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("click", None),
        ("rate", 9),
        *(("status", word) for word in ("watching", "completed", "on_hold", "dropped", "planned")),
        ("like", None),
        ("dislike", None),
        ("seen", None),
        ("dismiss", None),
    ],
)
def test_every_kind_can_be_taken_back(client: Client, kind: str, value: int | str | None) -> None:
    before = client.get("/?user_id=7").json()
    payload = {"user_id": "7", "anime_id": 5114, "kind": kind, "value": value, "event_time": "2026-01-01T00:00:00Z"}
    assert post(client, payload).status_code == 202
    assert client.get("/api/v1/users/7/history").json()["items"] or kind == "seen"
    undone = {**payload, "value": None, "undo": True, "event_time": "2026-01-01T00:00:01Z"}
    assert post(client, undone).json()["versions"] == {"7": 2}
    assert client.get("/api/v1/users/7/history").json()["items"] == []
    assert client.get("/?user_id=7").json() == before
    # what happened before the undo stays undone, also when it arrives after it
    post(client, {**payload, "event_id": "late", "event_time": "2026-01-01T00:00:00.500Z"})
    assert client.get("/?user_id=7").json() == before
