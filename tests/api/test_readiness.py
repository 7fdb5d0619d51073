"""What ``/health/ready`` says while the service starts, stops, and when the world around it is odd."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from litestar.testing import TestClient

from gars.application.recommend import rerank
from gars.bootstrap import Live, Service, live, open_service, warm
from gars.config import from_environment
from gars.domain.errors import ArtefactError
from gars.entrypoints.api import server as server_module
from gars.entrypoints.api.app import create_app
from gars_test_support.faults import FaultyEngine

Client = Any
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class HandClock:
    def __init__(self) -> None:
        self.time = NOON

    def now(self) -> datetime:
        return self.time


@pytest.fixture
def hand() -> HandClock:
    return HandClock()


@pytest.fixture
def faulty() -> FaultyEngine:
    return FaultyEngine()


@pytest.fixture
def running(tmp_path: Path, faulty: FaultyEngine, hand: HandClock) -> Iterator[Live]:
    service = open_service(from_environment({}, home=tmp_path), faulty, clock=hand)
    yield live(service)
    service.close()


@pytest.fixture
def app_client(running: Live) -> Iterator[Client]:
    with TestClient(create_app(running), raise_server_exceptions=False) as client:
        yield client


@pytest.mark.parametrize("phase", ["starting", "stopping"])
def test_not_yet_and_no_more(app_client: Client, running: Live, phase: Any) -> None:
    running.phase = phase
    answer = app_client.get("/api/v1/health/ready")
    assert (answer.status_code, answer.json()["status"]) == (503, phase)
    assert answer.headers["retry-after"] == "1"
    assert app_client.get("/api/v1/health/live").status_code == 200
    running.phase = "ready"
    assert app_client.get("/api/v1/health/ready").json()["status"] == "ready"


def test_warm(running: Live, faulty: FaultyEngine, caplog: pytest.LogCaptureFixture) -> None:
    with faulty.failing("recommend_history"), pytest.raises(ArtefactError) as caught:
        warm(running.current)
    assert caught.value.message == "the model fake-1 cannot make a list: the first one was retrieval"
    assert "gars model rollback" in (caught.value.hint or "")
    warm(running.current)


def test_fallback_lists_are_served_and_reported_when_ranking_fails(
    app_client: Client, running: Live, faulty: FaultyEngine, caplog: pytest.LogCaptureFixture
) -> None:
    with faulty.failing("recommend_history"):
        vars(server_module)["_warm"](running)
        ready = app_client.get("/api/v1/health/ready")
        assert ready.status_code == 200
        assert "cannot make a list" in ready.json()["warnings"]["model"]
        assert app_client.get("/api/v1/users/7/recommendations").json()["fallback"] == "retrieval"


def test_a_service_that_can_make_no_list_is_not_ready(
    app_client: Client, running: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Compiled code that finds no place for its cache breaks every level of the fallback chain."""
    with monkeypatch.context() as broken:
        for step in ("best", "collapse"):
            broken.setattr(rerank, step, Mock(side_effect=RuntimeError("no locator available")))
        vars(server_module)["_warm"](running)
        ready = app_client.get("/api/v1/health/ready")
        assert (ready.status_code, ready.json()["status"]) == (503, "degraded")
        assert ready.json()["checks"]["model"] == "no list can be made: RuntimeError: no locator available"
        assert app_client.get("/api/v1/users/7/recommendations").status_code == 500
    assert app_client.get("/api/v1/health/ready").json()["checks"]["model"] == "ok"


def test_error_of_a_warm_up_is_a_warning(running: Live, faulty: FaultyEngine, caplog: pytest.LogCaptureFixture) -> None:
    with faulty.failing("similar_ids"):
        vars(server_module)["_warm"](running)  # raises nothing: the service is ready after it
    assert running.warnings()["model"] == "RuntimeError: similar_ids is on fire"
    assert "the model failed on its first answers: RuntimeError" in caplog.text


def test_a_clock_that_goes_back_loses_no_event(app_client: Client, running: Live, hand: HandClock) -> None:
    rate = {"user_id": "7", "anime_id": 1, "kind": "rate"}
    app_client.post("/api/v1/interactions", json={**rate, "value": 9})
    hand.time = NOON - timedelta(hours=2)
    ready = app_client.get("/api/v1/health/ready")
    assert ready.status_code == 200, "requests are served"
    assert ready.json()["warnings"] == {
        "clock": "the clock went back 7200 s: events keep their order, their times stand still"
    }
    assert app_client.post("/api/v1/interactions", json={**rate, "value": 3}).status_code == 202
    (entry,) = app_client.get("/api/v1/users/7/history").json()["items"]
    assert entry["rating"] == 3, "the later rating counts"
    assert app_client.get("/api/v1/users/7").json()["version"] == 2
    hand.time = NOON + timedelta(minutes=1)
    assert app_client.get("/api/v1/health/ready").json()["warnings"] == {}


def test_impressions_that_cannot_be_written(client: Client, service: Service) -> None:
    database: Any = vars(service.impressions)["_database"]
    database.close()
    client.get("/api/v1/users/7/recommendations")
    service.recorder.flush()
    ready = client.get("/api/v1/health/ready")
    assert ready.status_code == 200
    assert "impressions.sqlite is closed" in ready.json()["warnings"]["impressions"]
