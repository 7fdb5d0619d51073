"""A list asked for again is sent again as it was; anything that would change it makes it anew."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient

from gars.bootstrap import Service, live, open_service, with_model
from gars.config import from_environment
from gars.entrypoints.api import response_cache
from gars.entrypoints.api.app import create_app
from gars.testing.engine import FakeEngine

LIST = "/api/v1/users/7/recommendations"


def click(client: Any, anime_id: int, user_id: str = "7") -> None:
    event = {"user_id": user_id, "anime_id": anime_id, "kind": "click"}
    assert client.post("/api/v1/interactions", json=event).status_code == 202


@pytest.fixture
def service(tmp_path: Path, engine: FakeEngine) -> Iterator[Service]:
    """A service without a deadline: the first list compiles, and a fallback is not cached."""
    opened = open_service(from_environment({"GARS_RANK_BUDGET_MS": "0"}, home=tmp_path), engine)
    yield opened
    opened.close()


@pytest.fixture
def fan(client: Any) -> Any:
    click(client, 1)
    return client


def test_sent_again_it_is_the_same_impression(fan: Any, service: Service) -> None:
    first, again = fan.get(LIST), fan.get(LIST)
    assert again.content == first.content
    headers = {name: value for name, value in first.headers.items() if name != "server-timing"}
    assert {name: value for name, value in again.headers.items() if name != "server-timing"} == headers
    assert "state;" in first.headers["server-timing"], "the first was made"
    assert again.headers["server-timing"].startswith("total;dur="), "the second was not"
    service.recorder.flush()
    assert service.recorder.recorded == 1


def test_sent_again_compressed_it_was_compressed_once(fan: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    gzip = {"Accept-Encoding": "gzip"}
    first = fan.get(f"{LIST}?k=20", headers=gzip)
    again = fan.get(f"{LIST}?k=20", headers=gzip)
    monkeypatch.setattr("gars.entrypoints.api.compression._gzip", None)
    third = fan.get(f"{LIST}?k=20", headers=gzip)
    plain = fan.get(f"{LIST}?k=20", headers={"Accept-Encoding": "identity"})
    refused = fan.get(f"{LIST}?k=20", headers={"Accept-Encoding": "gzip;q=0"})
    assert first.content == again.content == third.content == plain.content == refused.content
    for one in (first, again, third):
        assert one.headers["content-encoding"] == "gzip"
        assert one.headers["vary"] == "accept-encoding"
        assert one.headers["content-length"] == first.headers["content-length"]
    for one in (plain, refused):
        assert "content-encoding" not in one.headers
        assert int(one.headers["content-length"]) == len(one.content)


def test_a_click_changes_it_at_once(fan: Any) -> None:
    before = fan.get(LIST).json()
    click(fan, 5114)
    after = fan.get(LIST).json()
    assert after["version"] == before["version"] + 1
    assert after["request_id"] != before["request_id"]


@pytest.mark.parametrize("other", ["?k=3", "?k=3&k=3", "?type=Movie", "?explain=full"])
def test_another_question_is_another_answer(fan: Any, other: str) -> None:
    first = fan.get(LIST)
    assert fan.get(LIST + other).content != first.content
    assert fan.get(LIST).content == first.content


def test_list_of_an_unknown_user_is_made_again(client: Any) -> None:
    first, again = client.get(LIST).json(), client.get(LIST).json()
    assert first["request_id"] != again["request_id"]


def test_after_a_minute_it_is_another_impression(fan: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = fan.app.state.response_cache
    first = fan.get(LIST).json()
    later = time.monotonic() + response_cache.SAME_VIEW_S
    monkeypatch.setattr(cache, "_now", lambda: later)
    again = fan.get(LIST).json()
    assert again["request_id"] != first["request_id"]
    assert again["items"] == first["items"]
    assert len(cache) == 1


def test_another_model_makes_it_anew(service: Service, engine: FakeEngine) -> None:
    running = live(service)
    with TestClient(create_app(running)) as client:
        click(client, 1)
        before = client.get(LIST).json()
        other = FakeEngine(version="fake-2")
        running.swap.current = with_model(service, other, service.about)
        after = client.get(LIST).json()
    assert (before["model_version"], after["model_version"]) == (engine.version, "fake-2")


def test_a_fallback_is_not_kept(fan: Any, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> list[Any]:
        raise RuntimeError("broken")

    with monkeypatch.context() as patch:
        patch.setattr(FakeEngine, "recommend_history", broken)
        assert fan.get(LIST).json()["fallback"] is not None
    assert fan.get(LIST).json()["fallback"] is None


def test_who_is_forgotten_is_forgotten_here_too(fan: Any) -> None:
    fan.get(LIST)
    fan.get(f"{LIST}?k=3")
    click(fan, 1, user_id="8")
    fan.get("/api/v1/users/8/recommendations")
    cache = fan.app.state.response_cache
    assert len(cache) == 3
    fan.delete("/api/v1/users/7")
    assert [key[0] for key in cache._kept] == ["8"]
    assert fan.get(LIST).json()["cold"] is True


def test_a_list_being_made_while_its_user_is_forgotten_is_not_kept(
    fan: Any, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = fan.app.state.response_cache
    real = FakeEngine.recommend_history

    def slow(engine: FakeEngine, *args: Any, **more: Any) -> list[Any]:
        cache.forget("7")  # as a deletion in the meantime does
        return real(engine, *args, **more)

    monkeypatch.setattr(FakeEngine, "recommend_history", slow)
    assert fan.get(LIST).status_code == 200
    assert len(cache) == 0


@pytest.fixture
def guarded(tmp_path: Path, engine: FakeEngine) -> Iterator[Any]:
    patient = {"GARS_SERVICE_TOKEN": "a long random word", "GARS_RANK_BUDGET_MS": "0"}
    settings = from_environment(patient, home=tmp_path)
    opened = open_service(settings, engine)
    with TestClient(create_app(opened), raise_server_exceptions=False) as client:
        yield client
    opened.close()


SERVICE = {"Authorization": "Bearer a long random word"}


def token(guarded: Any, user_id: str) -> dict[str, str]:
    issued = guarded.post(f"/api/v1/users/{user_id}/token", headers=SERVICE).json()
    return {"Authorization": f"Bearer {issued['token']}"}


def test_a_cached_response_needs_the_token_that_the_list_needs(guarded: Any) -> None:
    event = {"user_id": "7", "anime_id": 1, "kind": "click"}
    assert guarded.post("/api/v1/interactions", json=event, headers=SERVICE).status_code == 202
    own, other = token(guarded, "7"), token(guarded, "8")
    first = guarded.get(LIST, headers=SERVICE)
    for headers in (SERVICE, own):
        assert guarded.get(LIST, headers=headers).content == first.content
    assert guarded.app.state.response_cache.hits == 2
    assert guarded.get(LIST).status_code == 401
    assert guarded.get(LIST, headers=other).status_code == 403
    assert guarded.get(f"{LIST}?user_id=8", headers=own).status_code == 403
    guarded.post("/api/v1/tokens/revoke", json={"token": own["Authorization"].split()[1]}, headers=SERVICE)
    assert guarded.get(LIST, headers=own).status_code == 401
    assert guarded.app.state.response_cache.hits == 2


def test_cached_responses_count_against_the_rate(
    tmp_path: Path, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    limited = {"GARS_SERVICE_TOKEN": "a long random word", "GARS_RATE_PER_S": "1", "GARS_RATE_BURST": "3"}
    patient = {**limited, "GARS_RANK_BUDGET_MS": "0"}
    service = open_service(from_environment(patient, home=tmp_path), engine)
    with TestClient(create_app(service)) as client:
        monkeypatch.setattr(client.app.state.guard._limit, "_now", lambda: 0.0)
        event = {"user_id": "7", "anime_id": 1, "kind": "click"}
        client.post("/api/v1/interactions", json=event, headers=SERVICE)
        own = token(client, "7")
        assert [client.get(LIST, headers=own).status_code for _ in range(5)] == [200, 200, 200, 429, 429]
        assert client.app.state.response_cache.hits == 2
    service.close()


def test_not_modified(fan: Any) -> None:
    first = fan.get(LIST)
    etag = first.headers["etag"]
    again = fan.get(LIST, headers={"If-None-Match": f'"other", {etag}'})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == etag
    assert "content-length" not in again.headers
    assert fan.get(LIST, headers={"If-None-Match": '"other"'}).content == first.content
    click(fan, 5114)
    changed = fan.get(LIST, headers={"If-None-Match": etag})
    assert changed.status_code == 200
    assert changed.headers["etag"] != etag


@pytest.mark.parametrize("most", [1, 0])
def test_the_answers_kept_are_bounded(tmp_path: Path, engine: FakeEngine, most: int) -> None:
    service = open_service(from_environment({"GARS_LIST_CACHE": str(most)}, home=tmp_path), engine)
    with TestClient(create_app(service)) as client:
        click(client, 1)
        for k in (3, 4, 5):
            client.get(f"{LIST}?k={k}")
        assert len(client.app.state.response_cache) == most
    service.close()


def test_answers_sent_again_are_counted(fan: Any) -> None:
    for _ in range(3):
        fan.get(LIST)
    counted = fan.get("/metrics").text
    assert 'route="/api/v1/users/{user_id}/recommendations",status="200"} 3.0' in counted
