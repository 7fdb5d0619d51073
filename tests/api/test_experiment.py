from __future__ import annotations

from pathlib import Path

import pytest
from litestar.testing import TestClient

from gars.bootstrap import open_experiment, open_service
from gars.config import from_environment
from gars.domain.errors import InvalidInputError
from gars.entrypoints.api.app import create_app
from gars.testing.engine import FakeEngine

AB = '{"name": "ab", "variants": [{"name": "a"}, {"name": "b", "rules": {"diversity": 0}}]}'


def test_no_experiment_is_not_found(client: TestClient) -> None:  # type: ignore[type-arg]
    answer = client.get("/api/v1/experiment")
    assert answer.status_code == 404
    assert answer.json()["error"]["message"] == "no experiment runs: GARS_EXPERIMENT names none"


def test_lists_and_clicks_are_counted_by_variant(tmp_path: Path) -> None:
    (tmp_path / "ab.json").write_text(AB)
    settings = from_environment({"GARS_EXPERIMENT": str(tmp_path / "ab.json")}, home=tmp_path / "home")
    service = open_service(settings, FakeEngine())
    with TestClient(create_app(service)) as client:
        for user in range(20):
            body = client.get(f"/api/v1/users/{user}/recommendations").json()
            event = {"anime_id": body["items"][0]["anime"]["anime_id"], "kind": "click"}
            if user < 5:
                client.post("/api/v1/interactions", json={"user_id": user, "request_id": body["request_id"], **event})
        service.recorder.flush()
        found = client.get("/api/v1/experiment").json()
    service.close()
    assert found["name"] == "ab"
    assert [arm["name"] for arm in found["variants"]] == ["a", "b"]
    assert sum(arm["impressions"] for arm in found["variants"]) == 20
    assert sum(arm["clicks"] for arm in found["variants"]) == 5
    assert all(arm["click_through"]["low"] <= arm["click_through"]["rate"] for arm in found["variants"])
    assert found["sample_ratio_ok"] is True


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    settings = from_environment({"GARS_EXPERIMENT": str(tmp_path / "no.json")}, home=tmp_path)
    with pytest.raises(
        InvalidInputError, match=r"GARS_EXPERIMENT='.*no.json': No such file.*\n  → write it as docs/how"
    ):
        open_experiment(settings)
