"""Vectors and neighbour lists of models in a real Redis."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import redis

from gars import Recommender
from gars.adapters.redis.model_data import OLD_S, RedisModelData
from gars.bootstrap.publishing import publish_model, published_version
from gars.config import from_environment
from gars.library.registry import Registry
from gars.runtime.progress import Silent
from gars.stack.publish import Publish
from gars.stack.running import Running
from gars.stack.watch import watch
from gars_test_support.patience import until
from gars_test_support.world import SMALL, small_world

VECTORS = {anime_id: np.arange(anime_id, anime_id + 4, dtype=np.float32) for anime_id in range(1, 1201)}
NEAR = {anime_id: [(anime_id + 1, 0.5), (anime_id + 2, 0.25)] for anime_id in VECTORS}


@pytest.fixture
def prefix() -> str:
    return uuid.uuid4().hex


@pytest.fixture
def models(redis_address: str, prefix: str) -> Iterator[RedisModelData]:
    opened = RedisModelData(redis_address, prefix=prefix)
    yield opened
    opened.close()


def test_what_was_published_is_read(models: RedisModelData) -> None:
    assert models.current() is None
    models.publish("one", VECTORS, NEAR.items())
    assert models.current() == "one"
    found = models.vectors("one", [1, 1200, 5000])
    assert set(found) == {1, 1200}
    np.testing.assert_array_equal(found[1200], VECTORS[1200])
    assert models.neighbours("one", [7]) == {7: NEAR[7]}
    assert models.neighbours("two", [7]) == models.vectors("one", []) == {}


def test_the_version_before_goes_after_a_day(models: RedisModelData, redis_address: str, prefix: str) -> None:
    client = redis.Redis.from_url(redis_address)
    models.publish("one", VECTORS, NEAR.items())
    models.publish("two", VECTORS, NEAR.items())
    for name in ("vectors", "neighbours"):
        assert 0 < client.ttl(f"{prefix}:model:{{one}}:{name}") <= OLD_S
        assert client.ttl(f"{prefix}:model:{{two}}:{name}") == -1
    models.publish("one", VECTORS, NEAR.items())  # back again
    assert models.current() == "one"
    assert client.ttl(f"{prefix}:model:{{one}}:vectors") == -1
    assert 0 < client.ttl(f"{prefix}:model:{{two}}:vectors") <= OLD_S
    client.close()


def test_half_a_version_never_becomes_the_current_one(models: RedisModelData, redis_address: str, prefix: str) -> None:
    models.publish("one", VECTORS, NEAR.items())

    def breaks() -> Iterator[tuple[int, list[tuple[int, float]]]]:
        yield 1, [(2, 0.5)]
        raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError):
        models.publish("two", VECTORS, breaks())
    assert models.current() == "one"
    client = redis.Redis.from_url(redis_address)
    assert 0 < client.ttl(f"{prefix}:model:{{two}}:vectors") <= OLD_S
    client.close()


def test_a_trained_model_is_published(small: Recommender, redis_address: str, tmp_path: Path) -> None:
    manifest = Registry(tmp_path / "models").add(small.save)
    Registry(tmp_path / "models").promote(manifest.version)
    settings = from_environment({"GARS_STATE_STORE": redis_address}, home=tmp_path)
    version, titles = publish_model(settings, Silent())
    assert publish_model(settings, Silent()) == (version, 0)  # it is there
    assert publish_model(settings, Silent(), again=True) == (version, titles)
    ids = small.engine.retriever.items.anime_ids.tolist()
    assert titles == len(ids)
    data = RedisModelData(redis_address)
    assert data.current() == version
    found = data.vectors(version, ids)
    assert found
    for row, anime_id in enumerate(ids):
        if anime_id in found:
            np.testing.assert_array_equal(found[anime_id], small.engine.retriever.vectors[row])
    assert data.neighbours(version, ids)[ids[0]] == small.engine.similar_ids(ids[0], k=50)
    data.close()


def test_the_stack_publishes_what_serves(
    small: Recommender,
    redis_running: Running,
    redis_address: str,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """By ``gars stack up``, and by its watcher after a promotion; once a version."""
    models = Registry(tmp_path / "models")
    first = models.promote(models.add(small.save).version).version
    address = f"{redis_address.rpartition('/')[0]}/2"
    settings = from_environment({"GARS_STATE_STORE": address}, home=tmp_path)
    part = Publish(folder=tmp_path / "publish", settings=settings, variables={"GARS_STATE_STORE": address})
    running = Running(part)
    assert part.ended() == f"model {first} serves, and Redis has none"
    running.up()
    assert published_version(settings) == first
    assert part.did.startswith(f"{first} is in Redis now: ")
    assert running.gone() is None
    running.up()
    assert part.did == f"{first} was in Redis already"
    interactions, catalogue = small_world()
    another = Recommender.fit(interactions, catalogue, config=SMALL, seed=1, progress=False)
    second = models.promote(models.add(another.save).version).version
    assert running.gone() == f"model {second} serves, and Redis has {first}"
    stop = threading.Event()
    watcher = threading.Thread(target=watch, args=([running], stop), kwargs={"look_s": 0.1})
    watcher.start()
    until(lambda: published_version(settings) == second)
    stop.set()
    watcher.join()
    logged = [one.getMessage() for one in caplog.records if one.name == watch.__module__]
    assert logged[0] == f"model {second} serves, and Redis has {first}: starting it again"
    redis_running.daemon("redis").kill()
    try:
        assert running.gone() is None  # Redis is somebody else's to start
    finally:
        redis_running.up()
