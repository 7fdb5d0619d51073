"""The trained two-stage model keeps the contract of the engine, and the service runs on a saved one."""

from __future__ import annotations

from pathlib import Path

import pytest
from litestar.testing import TestClient

from gars import Recommender
from gars.application.recommend.engine import Engine
from gars.bootstrap import load_engine, open_service
from gars.config import from_environment
from gars.domain.errors import ArtefactError
from gars.entrypoints.api.app import create_app
from gars.library.registry import Registry
from gars.testing.contracts.engine import EngineContract


class TestTrainedEngine(EngineContract):
    engine: Engine

    @pytest.fixture(autouse=True)
    def _trained(self, small: Recommender) -> None:
        self.engine = small.engine

    def open(self) -> Engine:
        return self.engine


def trained(home: Path, small: Recommender) -> Path:
    """A registry in ``home`` with ``small`` promoted. → its folder of models"""
    registry = Registry(home / "models")
    registry.promote(registry.add(lambda path: small.save(path, data={"name": "small", "simulated": True})).version)
    return home / "models"


def test_service_on_a_saved_model(tmp_path: Path, small: Recommender) -> None:
    engine, about = load_engine(trained(tmp_path, small))
    assert (about.data_name, about.simulated, about.anime, about.users) == ("small", True, 60, 150)
    assert about.model_version == engine.version
    service = open_service(from_environment({}, home=tmp_path), engine, about=about)
    with TestClient(create_app(service)) as client:
        assert client.get("/api/v1/about").json()["data"]["name"] == "small"
        route = "/api/v1/users/new/recommendations?k=10&min_members=0"
        before = client.get(route).json()
        clicked = before["items"][3]["anime"]["anime_id"]
        assert client.post("/clicks", json={"user_id": "new", "anime_id": clicked}).status_code == 202
        after = client.get(route).json()
        assert (before["cold"], after["cold"]) == (True, False)
        assert after["fallback"] is None
        assert [item["anime"]["anime_id"] for item in after["items"]] != [
            item["anime"]["anime_id"] for item in before["items"]
        ]
        reasons = [reason for item in after["items"] for reason in item["reasons"]]
        assert any(reason["kind"] == "click" and reason["anime_id"] == clicked for reason in reasons)
    service.close()


def test_a_damaged_model_is_refused_with_the_command_that_mends_it(tmp_path: Path, small: Recommender) -> None:
    models = trained(tmp_path, small)
    victim = models / "current" / "retrieval.npz"
    victim.write_bytes(victim.read_bytes()[:-1])
    with pytest.raises(ArtefactError) as caught:
        load_engine(models)
    assert "is damaged" in caught.value.message
    assert "gars train" in (caught.value.hint or "")
