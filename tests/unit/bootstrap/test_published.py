"""The recall service says when what others read in Redis is of another model than its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from litestar.testing import TestClient
from numpy.typing import NDArray

from gars import Recommender
from gars.adapters.redis.model_data import RedisModelData
from gars.application.recommend.engine import Engine
from gars.bootstrap.published import Published, open_published
from gars.bootstrap.publishing import vectors_of
from gars.bootstrap.stages import open_stage
from gars.config import from_environment
from gars.domain.errors import StorageError
from gars.entrypoints.stages.app import create_app
from gars.library.cold_start import with_cold_start
from gars.testing.engine import FakeEngine
from gars.testing.memory import MemoryStateStore


class Data(RedisModelData):
    """Model data that a test puts there."""

    def __init__(self, version: str | None, vectors: Mapping[int, NDArray[np.float32]] | None = None) -> None:
        self.version = version
        self.held = dict(vectors or {})
        self.away = False

    def current(self) -> str | None:
        if self.away:
            raise StorageError("Redis is away")
        return self.version

    def vectors(self, version: str, anime_ids: Sequence[int]) -> dict[int, NDArray[np.float32]]:
        assert version == self.version
        return {one: self.held[one] for one in anime_ids if one in self.held}

    def close(self) -> None:
        self.version = None


def problem_of(published: Published, engine: Engine) -> str | None:
    published.look(engine)
    return published.problem


def test_another_version_or_none() -> None:
    data, engine = Data(None), FakeEngine(version="mine")
    published = Published(data)
    message = "no model is published in Redis, and this process serves mine: gars model publish"
    assert problem_of(published, engine) == message
    data.version = "other"
    assert problem_of(published, engine) == (
        "Redis has the vectors of model other, and this process serves mine: gars model publish"
    )
    data.version = "mine"
    assert problem_of(published, engine) is None
    data.version, data.away = "other", True
    assert problem_of(published, engine) is None  # the states say that Redis is away


def test_the_same_version_with_other_vectors(small: Recommender) -> None:
    engine = with_cold_start(small.engine, [])
    vectors = vectors_of(engine)
    assert len(vectors) > 10
    data = Data(engine.version, vectors)
    published = Published(data)
    assert problem_of(published, engine) is None
    for broken in ({**vectors, next(iter(vectors)): np.zeros(16, np.float32)}, dict(list(vectors.items())[1:])):
        published = Published(Data(engine.version, broken))
        assert problem_of(published, engine) == (
            f"the vectors of model {engine.version} in Redis are not those of the model: gars model publish --again"
        )


def test_readiness_names_the_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gars.bootstrap.stages.open_published", lambda _: Published(Data("other")))
    for part, warned in (("recall", True), ("rank", False)):
        running = open_stage(from_environment({}, home=tmp_path), FakeEngine(), part=part, states=MemoryStateStore())  # type: ignore[arg-type]
        with TestClient(create_app(running, part)) as client:  # type: ignore[arg-type]
            answer = client.get("/api/v1/health/ready")
            assert answer.status_code == 200
            assert ("Redis has the vectors of model other" in answer.json()["warnings"].get("published", "")) == warned
        running.current.close()


def test_only_where_the_states_are_in_redis(tmp_path: Path) -> None:
    assert open_published(from_environment({}, home=tmp_path)) is None
