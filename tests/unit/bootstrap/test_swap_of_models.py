"""Real artefacts, promoted and rolled back by the command line, under a service that runs."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import polars as pl
import pytest
from litestar.testing import TestClient
from typer.testing import CliRunner

from gars import Recommender
from gars.application.recommend.list_request import ListRequest
from gars.bootstrap import live, load_engine, open_service
from gars.bootstrap.collector import collecting
from gars.config import from_environment
from gars.domain.candidates import SERVICE_DEFAULTS
from gars.domain.errors import InvalidInputError, UnknownAnimeError
from gars.domain.history import from_state
from gars.domain.interaction import Kind
from gars.domain.user_state import UserState
from gars.entrypoints.api.app import create_app
from gars.entrypoints.cli.app import app
from gars.library.blas import one_thread
from gars.library.registry import Registry
from gars.testing.events import event
from gars.testing.memory import MemoryEventLog
from gars_test_support.list_processes import as_made_here
from gars_test_support.world import SMALL, small_world


@pytest.fixture(scope="module")
def other() -> Recommender:
    interactions, catalogue = small_world(seed=1)
    return Recommender.fit(interactions, catalogue, config=SMALL, progress=False)


def gars(home: Path, *arguments: str) -> str:
    done = CliRunner().invoke(app, ["model", *arguments, "--home", str(home)], catch_exceptions=False)
    assert done.exit_code == 0
    return done.output


def test_promote_and_rollback_while_running(
    tmp_path: Path, small: Recommender, other: Recommender, caplog: pytest.LogCaptureFixture
) -> None:
    registry = Registry(tmp_path / "models")
    first, second = (registry.add(model.save).version for model in (small, other))
    registry.promote(first)
    engine, about = load_engine(registry.folder)
    service = open_service(from_environment({}, home=tmp_path), engine, about=about)
    running = live(service)
    assert not running.swap.refresh()
    service.writer.submit([event(anime_id=100)]).result(10)

    output = gars(tmp_path, "promote", second)
    assert f"{second} serves: a running gars serve takes it up now" in " ".join(output.split())
    assert running.swap.refresh()
    answer = running.current.recommend(ListRequest(user_id="7"))
    assert (answer.model_version, answer.fallback, answer.version) == (second, None, 1)
    assert service.recommend(ListRequest(user_id="7")).model_version == first, "a request under way keeps its model"
    assert running.current.about.model_version == second
    running.current.writer.submit([event(anime_id=101)]).result(10)

    gars(tmp_path, "rollback")
    assert running.swap.refresh()
    assert running.current.recommend(ListRequest(user_id="7")).version == 2, "users are the same whatever the model"
    assert running.current.recommend(ListRequest(user_id="7")).model_version == first

    damaged = registry.folder / second
    for part in damaged.glob("*.npz"):
        part.write_bytes(part.read_bytes()[:100])
    (registry.folder / ".fresh").symlink_to(second)
    (registry.folder / ".fresh").replace(registry.folder / "current")
    assert not running.swap.refresh()
    assert running.current.recommend(ListRequest(user_id="7")).model_version == first
    assert f"the model {second} was promoted but cannot serve (" in running.warnings()["model"]
    assert f"{first} goes on" in running.warnings()["model"]
    gars(tmp_path, "promote", first)
    running.swap.refresh()
    assert running.warnings() == {}
    service.close()


def test_processes_follow_the_model_and_make_its_lists_to_the_last_bit(
    tmp_path: Path, small: Recommender, other: Recommender
) -> None:
    registry = Registry(tmp_path / "models")
    first, second = (registry.add(model.save).version for model in (small, other))
    registry.promote(first)
    engine, about = load_engine(registry.folder)
    settings = from_environment({"GARS_PROCESSES": "1"}, home=tmp_path)
    service = open_service(settings, engine, about=about)
    running = live(service)
    service.writer.submit([event(anime_id=100), event("7", 102, Kind.RATE, 9)]).result(10)

    def same_list_here_and_there(version: str) -> None:
        current = running.current
        assert current.engine.version == version
        assert current.worker_pool is not None
        assert (current.worker_pool.alive, current.worker_pool.problem) == (1, None)
        known = from_state(current.states.get("7") or UserState(user_id="7"))
        with one_thread():
            here = current.engine.recommend_history(known, ListRequest(k=10, filters=SERVICE_DEFAULTS))
        there = current.worker_pool.make(known, ListRequest(k=10))
        assert there is not None
        assert as_made_here(there.items) == here, "features too: training reads what serving saw"
        assert here[0].features
        assert {"retrieval", "features", "ranking", "rules", "reasons"} == set(there.milliseconds)

    same_list_here_and_there(first)
    registry.promote(second)
    assert running.swap.refresh()
    same_list_here_and_there(second)
    assert service.worker_pool is not None
    assert service.worker_pool.alive == 0, "those of the model before have ended"
    answer = service.recommend(ListRequest(user_id="7"))
    assert (answer.model_version, answer.fallback) == (first, None), "a request under way keeps its model"

    damaged = registry.add(small.save).version
    assert damaged == first
    for part in (registry.folder / first).glob("*.npz"):
        part.write_bytes(part.read_bytes()[:100])
    (registry.folder / ".fresh").symlink_to(first)
    (registry.folder / ".fresh").replace(registry.folder / "current")
    assert not running.swap.refresh()
    same_list_here_and_there(second)
    running.current.close()
    assert not [child for child in multiprocessing.active_children() if child.name == "gars-lists"]


def test_stages_elsewhere_leave_nothing_to_processes(tmp_path: Path, small: Recommender) -> None:
    settings = from_environment({"GARS_PROCESSES": "1", "GARS_RANK": "http://127.0.0.1:1"}, home=tmp_path)
    with pytest.raises(InvalidInputError, match="GARS_PROCESSES are for lists made here"):
        open_service(settings, small.engine)


def test_what_is_promoted_while_another_is_loaded_comes_next(
    tmp_path: Path, small: Recommender, other: Recommender, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = Registry(tmp_path / "models")
    first, second = (registry.add(model.save).version for model in (small, other))
    registry.promote(first)
    engine, about = load_engine(registry.folder)
    running = live(open_service(from_environment({}, home=tmp_path), engine, about=about))
    registry.promote(second)
    monkeypatch.setattr("gars.bootstrap.running.warm", lambda _: registry.promote(first))
    assert running.swap.refresh()
    assert running.current.about.model_version == second
    assert running.swap.refresh(), "the first one is wanted again"
    assert running.current.about.model_version == first
    assert not running.swap.refresh()
    running.current.close()


def test_events_are_checked_against_the_catalogue_that_serves(tmp_path: Path, small: Recommender) -> None:
    interactions, catalogue = small_world(seed=1)
    moved = Recommender.fit(
        interactions.with_columns(pl.col("item_id") + 1000),
        catalogue.with_columns(pl.col("item_id") + 1000),
        config=SMALL,
        progress=False,
    )
    registry = Registry(tmp_path / "models")
    first, second = (registry.add(model.save).version for model in (small, moved))
    registry.promote(first)
    engine, about = load_engine(registry.folder)
    settings = from_environment({}, home=tmp_path)
    running = live(open_service(settings, engine, about=about))
    collector = collecting(settings, engine.anime, about, log=MemoryEventLog())

    def check(known: int, unknown: int) -> None:
        for writer in (running.current.writer, collector.current.writer):
            writer.submit([event(anime_id=known)]).result(10)
            with pytest.raises(UnknownAnimeError):
                writer.submit([event(anime_id=unknown)]).result(10)

    check(100, 1100)
    registry.promote(second)
    assert running.swap.refresh()
    assert collector.swap.refresh()
    check(1100, 100)
    collector.current.close()
    running.current.close()


def test_operators_promote_over_http(tmp_path: Path, small: Recommender, other: Recommender) -> None:
    registry = Registry(tmp_path / "models")
    first, second = (registry.add(model.save).version for model in (small, other))
    registry.promote(first)
    engine, about = load_engine(registry.folder)
    secret = "a-long-random-admin-word"
    service = open_service(from_environment({"GARS_ADMIN_TOKEN": secret}, home=tmp_path), engine, about=about)
    headers = {"Authorization": f"Bearer {secret}"}
    with TestClient(create_app(service)) as http:
        listed = http.get("/api/v1/admin/models", headers=headers).json()
        assert listed["serving"] == first
        assert {model["version"] for model in listed["models"]} == {first, second}
        done = http.post(f"/api/v1/admin/models/promote?version={second[:12]}", headers=headers)
        assert done.json() == {"serving": second, "before": first}
        assert http.get("/api/v1/users/7/recommendations").json()["model_version"] == second
        done = http.post("/api/v1/admin/models/rollback", headers=headers)
        assert done.json() == {"serving": first, "before": second}
        assert http.get("/api/v1/users/7/recommendations").json()["model_version"] == first
    service.close()
