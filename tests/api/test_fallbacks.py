"""The fallback chain through the whole service: what a reader gets while a stage hangs or fails."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient

from gars.bootstrap import open_service
from gars.config import from_environment
from gars.entrypoints.api.app import create_app
from gars_test_support.faults import FaultyEngine

Client = Any
LIST = "/api/v1/users/7/recommendations"


@pytest.fixture
def faulty() -> FaultyEngine:
    return FaultyEngine()


@pytest.fixture
def http(tmp_path: Path, faulty: FaultyEngine) -> Iterator[Client]:
    short = {"GARS_RANK_BUDGET_MS": "20", "GARS_RETRIEVAL_BUDGET_MS": "20", "GARS_THREADS": "2"}
    service = open_service(from_environment(short, home=tmp_path), faulty)
    with TestClient(create_app(service)) as client:
        yield client
    service.close()


def test_a_model_that_hangs(http: Client, faulty: FaultyEngine) -> None:
    http.post("/clicks", json={"user_id": "7", "anime_id": 5114})
    with faulty.hanging("recommend_history", "retrieve_ids"):
        for _ in range(4):  # more often than there are threads to hang
            body = http.get(LIST).json()
            assert body["fallback"] == "similar"
            assert len(body["items"]) == 20
            assert {item["p_like"] for item in body["items"]} == {0.5}
        assert 'gars_fallback_levels_total{level="ranking",outcome="late"} 4.0' in http.get("/metrics").text


def test_trending_for_a_newcomer(http: Client, faulty: FaultyEngine) -> None:
    for user in ("a", "b", "c"):
        http.post("/clicks", json={"user_id": user, "anime_id": 5114})
    with faulty.failing("recommend_history", "retrieve_ids"):
        body = http.get("/api/v1/users/newcomer/recommendations").json()
    assert body["fallback"] == "trending"
    assert body["items"][0]["anime"]["anime_id"] == 5114
    assert body["items"][0]["channels"] == ["trending"]
