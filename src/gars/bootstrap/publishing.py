"""Puts what the promoted model knows of each title where others read it: Redis, by version."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import numpy as np
from numpy.typing import NDArray

from gars.application.recommend.engine import Engine
from gars.bootstrap.addresses import REDIS, adapter, scheme, unknown
from gars.bootstrap.model import engine_version, load_engine
from gars.config import Settings
from gars.domain.errors import ArtefactError
from gars.library.cold_start import ColdStartEngine
from gars.runtime.progress import Progress

NEIGHBOURS = 50


def publish_model(settings: Settings, progress: Progress, *, again: bool = False) -> tuple[str, int]:
    """Vectors and neighbour lists of the promoted model, to GARS_STATE_STORE. → its version, and how many titles

    What Redis has already is left alone (0 titles), unless it is to be written ``again``.

    Raises:
        InvalidInputError: GARS_STATE_STORE is not Redis.
        ArtefactError: there is no model, or it is damaged.
        StorageError: it was not all written; what was current still is.
    """
    if scheme(settings.state_store) not in REDIS:
        raise unknown("GARS_STATE_STORE", settings.state_store, "redis://HOST:PORT/0")
    wanted = engine_version(settings.models)
    if not again and published_version(settings) == wanted:
        return wanted, 0
    engine, _ = load_engine(settings.models)
    vectors = vectors_of(engine)
    ids = [anime.anime_id for anime in engine.anime]
    data = adapter("redis", "model_data").RedisModelData(settings.state_store)
    try:
        with progress.task("Publishing vectors and neighbour lists", total=len(ids)) as advance:

            def neighbours() -> Iterator[tuple[int, list[tuple[int, float]]]]:
                for anime_id in ids:
                    yield anime_id, engine.similar_ids(anime_id, k=NEIGHBOURS)
                    advance(1)

            data.publish(engine.version, vectors, neighbours())
    finally:
        data.close()
    return engine.version, len(ids)


def published_version(settings: Settings) -> str | None:
    """The version that GARS_STATE_STORE, a Redis, has; ``None`` for none. Raises ``StorageError``."""
    data = adapter("redis", "model_data").RedisModelData(settings.state_store)
    try:
        return cast("str | None", data.current())
    finally:
        data.close()


def vectors_of(engine: Engine) -> dict[int, NDArray[np.float32]]:
    """Anime id → (dim,) for every title on enough lists to have one; raises ``ArtefactError`` if there are none."""
    if not isinstance(engine, ColdStartEngine):  # never for a loaded one
        raise ArtefactError("the model has no vectors", hint="train it again with: gars train")
    retriever = engine.engine.retriever
    ids = retriever.items.anime_ids.tolist()
    return {anime_id: retriever.vectors[row] for row, anime_id in enumerate(ids) if retriever.vectors[row].any()}
