"""The clicks service answers as the api does; what it accepts is in the log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient

from gars.application.catalogue.about import About
from gars.application.events.ingest import Batch
from gars.bootstrap.collector import Collector, collecting
from gars.config import from_environment
from gars.domain.errors import ArtefactError, GarsError, InvalidInputError, StorageError
from gars.domain.interaction import Interaction
from gars.entrypoints.clicks.app import create_app
from gars.runtime.live_service import LiveService
from gars.testing.engine import FakeEngine
from gars.testing.memory import MemoryEventLog

CLICK = {"user_id": "7", "anime_id": 1, "kind": "click"}


class FailingLog(MemoryEventLog):
    """A log that can be away."""

    away = False

    def append(self, events: Sequence[Interaction]) -> list[int | None]:
        self.check()
        return super().append(events)

    def check(self) -> None:
        if self.away:
            raise StorageError("Kafka at 127.0.0.1:1 does not answer", hint="gars stack status")


@pytest.fixture
def log() -> FailingLog:
    return FailingLog()


@pytest.fixture
def refused() -> list[str]:
    return []


@pytest.fixture
def running(
    tmp_path: Path, engine: FakeEngine, log: FailingLog, refused: list[str]
) -> Iterator[LiveService[Collector]]:
    def record_refusal(_batch: Batch, error: GarsError) -> None:
        refused.append(error.message)

    opened = collecting(
        from_environment({}, home=tmp_path),
        engine.anime,
        About(model_version="fake-1"),
        log=log,
        refused=record_refusal,
    )
    yield opened
    opened.current.close()


@pytest.fixture
def clicks(running: LiveService[Collector]) -> Iterator[Any]:
    with TestClient(create_app(running), raise_server_exceptions=False) as opened:
        yield opened


def test_a_click(clicks: Any, log: FailingLog) -> None:
    answer = clicks.post("/clicks", json={"user_id": "7", "anime_id": 1})
    assert answer.status_code == 202
    ((_, kept),) = log.read()
    assert answer.json() == {"accepted": [kept.event_id], "duplicates": 0, "versions": {}, "refused": []}
    assert (kept.user_id, kept.anime_id, kept.kind) == ("7", 1, "click")
    assert kept.accepted_ms == kept.time_ms


def test_a_batch_with_a_bad_event(clicks: Any, log: FailingLog) -> None:
    body = {"events": [{**CLICK, "event_id": "a"}, {**CLICK, "anime_id": 99, "event_id": "b"}]}
    answer = clicks.post("/api/v1/interactions?on_error=skip", json=body)
    assert answer.status_code == 202
    assert answer.json()["accepted"] == ["a"]
    assert [one["event_id"] for one in answer.json()["refused"]] == ["b"]
    assert [one.event_id for _, one in log.read()] == ["a"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"user_id": "7"},
        {**CLICK, "anime_id": "1"},
        {**CLICK, "anime_id": 99},
        {**CLICK, "kind": "rate", "value": 11},
        {**CLICK, "event_time": "2126-01-01T00:00:00Z"},
        {**CLICK, "user_id": "a/b"},
        {"events": [CLICK, {**CLICK, "kind": "status", "value": "seen"}]},
        "text",
    ],
    ids=str,
)
def test_refusals_are_those_of_the_api(clicks: Any, client: Any, log: FailingLog, body: object) -> None:
    here, there = (one.post("/api/v1/interactions", json=body) for one in (clicks, client))
    assert here.status_code == there.status_code >= 400
    mine, theirs = here.json()["error"], there.json()["error"]
    assert {**mine, "message": mine["message"].partition(" (the server")[0]} == {
        **theirs,
        "message": theirs["message"].partition(" (the server")[0],
    }
    assert list(log.read()) == []


def test_refused_events_are_reported(clicks: Any, refused: list[str]) -> None:
    clicks.post("/clicks", json={"user_id": "7", "anime_id": 99})
    assert refused == ["1 anime id(s) not in the catalogue: 99"]


def test_without_its_log_it_accepts_nothing(clicks: Any, log: FailingLog) -> None:
    assert clicks.get("/api/v1/health/ready").status_code == 200
    log.away = True
    answer = clicks.post("/clicks", json={"user_id": "7", "anime_id": 1})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.json() == {
        "error": {"code": "storage", "message": "Kafka at 127.0.0.1:1 does not answer", "hint": "gars stack status"}
    }
    ready = clicks.get("/api/v1/health/ready")
    assert ready.status_code == 503
    assert ready.json()["status"] == "degraded"
    assert "Kafka at 127.0.0.1:1 does not answer" in ready.json()["checks"]["log"]
    assert clicks.get("/api/v1/health/live").status_code == 200
    log.away = False
    assert clicks.post("/clicks", json={"user_id": "7", "anime_id": 1}).status_code == 202
    assert len(list(log.read())) == 1


def test_it_has_metrics_and_documentation(clicks: Any) -> None:
    clicks.post("/api/v1/interactions", json={"events": [{**CLICK, "event_id": "a"}, {**CLICK, "event_id": "a"}]})
    text = clicks.get("/metrics").text
    assert "gars_events_accepted_total 1.0" in text
    assert "gars_events_duplicate_total 1.0" in text
    assert 'gars_http_requests_total{method="POST",route="/api/v1/interactions",status="202"} 1.0' in text
    assert set(clicks.get("/docs/openapi.json").json()["paths"]) == {
        "/api/v1/interactions", "/api/v1/health/live", "/api/v1/health/ready", "/clicks", "/metrics",
    }  # fmt: skip


def test_it_serves_nothing_else(clicks: Any) -> None:
    assert clicks.get("/api/v1/users/7/recommendations").status_code == 404


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("sqlite:gars.sqlite", "only the process that keeps this log may write it"),
        ("kafka://nowhere", "no address of a Kafka"),
    ],
)
def test_logs_it_cannot_write(tmp_path: Path, engine: FakeEngine, address: str, message: str) -> None:
    settings = from_environment({"GARS_EVENT_LOG": address}, home=tmp_path)
    with pytest.raises(InvalidInputError, match=message) as caught:
        collecting(settings, engine.anime, About(model_version="fake-1"))
    assert "kafka://HOST:PORT" in (caught.value.hint or "")


def test_it_needs_a_catalogue(tmp_path: Path) -> None:
    from gars.bootstrap.collector import open_collector

    with pytest.raises(ArtefactError, match="there is no trained model in"):
        open_collector(from_environment({}, home=tmp_path))
