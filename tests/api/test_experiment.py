from __future__ import annotations

from pathlib import Path

import pytest
from litestar.testing import TestClient

from gars import Recommender
from gars.application.recommend.list_request import ListRequest
from gars.bootstrap import load_engine, open_experiment, open_service, with_model
from gars.config import Settings, from_environment
from gars.domain.errors import ArtefactError, InvalidInputError
from gars.entrypoints.api.app import create_app
from gars.library.registry import Registry
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
        report = client.get("/api/v1/experiment").json()
    service.close()
    assert report["name"] == "ab"
    assert [arm["name"] for arm in report["variants"]] == ["a", "b"]
    assert sum(arm["impressions"] for arm in report["variants"]) == 20
    assert sum(arm["clicks"] for arm in report["variants"]) == 5
    assert all(arm["click_through"]["low"] <= arm["click_through"]["rate"] for arm in report["variants"])
    assert report["sample_ratio_ok"] is True


def of_models(tmp_path: Path, small: Recommender, model: str) -> Settings:
    """Settings of an experiment whose second variant has a model of its own; it is the promoted one too."""
    registry = Registry(tmp_path / "home" / "models")
    registry.promote(registry.add(small.save).version)
    (tmp_path / "ab.json").write_text(
        f'{{"name": "ab", "variants": [{{"name": "a"}}, {{"name": "b", "model": "{model}"}}]}}'
    )
    return from_environment({"GARS_EXPERIMENT": str(tmp_path / "ab.json")}, home=tmp_path / "home")


def test_a_variant_with_a_model_of_its_own_gets_its_lists_from_that(tmp_path: Path, small: Recommender) -> None:
    settings = of_models(tmp_path, small, "")
    _, about = load_engine(settings.models)
    settings = of_models(tmp_path, small, about.model_version[:6])
    promoted = FakeEngine(small.engine.anime, version="fake-1")
    service = open_service(settings, promoted)
    assert service.experiment is not None
    with TestClient(create_app(service)) as client:
        for user in range(12):
            arm = service.experiment.variant_of(str(user)).name
            client.post("/api/v1/interactions", json={"user_id": user, "anime_id": 100, "kind": "like"})
            bodies = [client.get(f"/api/v1/users/{user}/recommendations").json() for _ in range(2)]
            assert bodies[0]["model_version"] == ("fake-1" if arm == "a" else about.model_version)
            assert bodies[0]["items"]
            assert bodies[0]["request_id"] == bodies[1]["request_id"], "asked for again it is sent again"
    # another promoted model takes the lists of the first variant only
    moved = with_model(service, FakeEngine(small.engine.anime, version="fake-2"), service.about)
    arms = {arm: user for user in map(str, range(12)) for arm in (service.experiment.variant_of(user).name,)}
    assert moved.recommend(ListRequest(user_id=arms["a"])).model_version == "fake-2"
    assert moved.recommend(ListRequest(user_id=arms["b"])).model_version == about.model_version
    few = FakeEngine(small.engine.anime[:5])
    with pytest.raises(
        ArtefactError, match=f"the variant b has {len(small.engine.anime) - 5} anime that fake-1 has not"
    ):
        with_model(service, few, service.about)
    service.close()


def test_missing_model_of_a_variant_is_reported_before_the_start(tmp_path: Path, small: Recommender) -> None:
    settings = of_models(tmp_path, small, "nosuch")
    with pytest.raises(ArtefactError, match="0 models match 'nosuch'"):
        open_service(settings, FakeEngine(small.engine.anime))
    elsewhere = from_environment(
        {"GARS_EXPERIMENT": str(tmp_path / "ab.json"), "GARS_RANK": "http://127.0.0.1:9"}, home=tmp_path / "home"
    )
    with pytest.raises(InvalidInputError, match="the stages run elsewhere"):
        open_service(elsewhere, FakeEngine(small.engine.anime))


def test_missing_file_is_reported(tmp_path: Path) -> None:
    settings = from_environment({"GARS_EXPERIMENT": str(tmp_path / "no.json")}, home=tmp_path)
    with pytest.raises(
        InvalidInputError, match=r"GARS_EXPERIMENT='.*no.json': No such file.*\n  → write it as docs/how"
    ):
        open_experiment(settings)
