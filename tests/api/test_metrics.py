"""Counters for Prometheus, and the time each answer took."""

from __future__ import annotations

import re
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from gars.bootstrap import Service
from gars.runtime.stage_times import stage

Client = Any


def scraped(client: Client) -> dict[tuple[str, ...], float]:
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    return {
        (sample.name, *(f"{key}={value}" for key, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_requests_by_route_and_status(client: Client) -> None:
    for user in ("7", "8"):
        client.get(f"/api/v1/users/{user}/recommendations")
    client.get("/api/v1/users/7/recommendations?k=0")
    client.delete("/api/v1/genres")
    counted = scraped(client)
    route = "route=/api/v1/users/{user_id}/recommendations"
    assert counted["gars_http_requests_total", "method=GET", route, "status=200"] == 2
    assert counted["gars_http_requests_total", "method=GET", route, "status=400"] == 1
    assert counted["gars_http_request_seconds_count", route] == 3
    assert counted["gars_http_requests_total", "method=DELETE", "route=none", "status=405"] == 1
    assert not any("/users/7" in label for labels in counted for label in labels), "no user in a label"


def test_what_the_service_counts(client: Client, service: Service) -> None:
    event = {"user_id": "7", "anime_id": 1, "kind": "click", "event_id": "once"}
    for _ in range(3):
        assert client.post("/api/v1/interactions", json=event).status_code == 202
    client.get("/api/v1/users/7/recommendations")
    service.recorder.flush()
    counted = scraped(client)
    assert counted["gars_events_accepted_total",] == 1
    assert counted["gars_events_duplicate_total",] == 2
    assert counted["gars_impressions_recorded_total",] == 1
    assert counted["gars_impressions_dropped_total",] == 0
    assert counted["gars_queue_depth", "queue=events"] == 0
    assert counted["gars_store_bytes", "store=states"] > 0
    assert counted["gars_model_info", "data=unknown", "trained=", "version=fake-1"] == 1
    assert counted["gars_model_anime",] == len(service.catalogue)


def test_lists_that_were_kept_and_those_that_were_made(client: Client) -> None:
    client.post("/api/v1/interactions", json={"user_id": "7", "anime_id": 1, "kind": "click"})
    for page in ("", "", "?explain=full"):
        client.get(f"/api/v1/users/7/recommendations{page}")
    counted = scraped(client)
    assert counted["gars_list_cache_total", "result=miss"] == 1
    assert counted["gars_list_cache_total", "result=answer"] == 1, "the same question within a minute"
    assert counted["gars_list_cache_total", "result=list"] == 1, "another one, about the same list"


def test_server_timing(client: Client) -> None:
    for route in ("/api/v1/users/7/recommendations", "/api/v1/nothing", "/"):
        assert re.search(r"\btotal;dur=\d+\.\d{3}$", client.get(route).headers["server-timing"])


def test_outcomes_of_the_fallback_levels(client: Client, engine: Any) -> None:
    client.get("/api/v1/users/7/recommendations")

    def broken(*_: object, **__: object) -> Any:
        raise RuntimeError("the model is on fire")

    engine.recommend_history = broken
    client.get("/api/v1/users/8/recommendations")  # the other's list may be kept
    counted = scraped(client)
    for name, label in (("gars_fallback_levels_total", "level"), ("gars_rungs_total", "rung")):
        for level, outcome in (("ranking", "ok"), ("ranking", "failed"), ("retrieval", "ok")):
            assert counted[name, *sorted([f"{label}={level}", f"outcome={outcome}"])] == 1


def test_stages_of_a_request(client: Client, engine: Any) -> None:
    made = engine.recommend_history

    def staged(*args: Any, **kwargs: Any) -> Any:
        with stage("ranking"):
            return made(*args, **kwargs)

    engine.recommend_history = staged
    answer = client.get("/api/v1/users/7/recommendations")
    assert "ranking;dur=" in answer.headers["server-timing"]
    assert scraped(client)["gars_stage_seconds_count", "stage=ranking"] == 1
