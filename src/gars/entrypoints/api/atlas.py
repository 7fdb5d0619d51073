"""The map of all anime: where each title lies, in columns."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import msgspec
import numpy as np
from litestar import Response, get
from numpy.typing import NDArray

from gars.application.atlas import layout
from gars.application.catalogue import Catalogue
from gars.bootstrap import Service
from gars.datasets.durable import write_whole
from gars.domain.anime import Anime
from gars.entrypoints.api.errors import errors
from gars.entrypoints.api.params import ServiceDep

_GRID = 4095
"""Places are whole numbers from 0 to this: finer than a screen, and short to send."""
_GENRES_COUNT = 0.6
"""What genres count beside the embedding; they also place titles that have none."""


class AtlasBody(msgspec.Struct, frozen=True, kw_only=True):
    """Column by column, best known first, without adult titles. ``genre`` is a place in ``genres`` or -1."""

    version: str
    genres: list[str]
    ids: list[int]
    titles: list[str]
    x: list[int]
    y: list[int]
    genre: list[int]
    fame: list[int]


_one_at_a_time = threading.Lock()
_latest: WeakKeyDictionary[Catalogue, AtlasBody] = WeakKeyDictionary()


@get("/anime/atlas", summary="A map of all anime", responses=errors(400), tags=["anime"])
async def get_atlas(service: ServiceDep) -> Response[AtlasBody]:
    """Titles that are alike lie near each other; adult ones are left out. Computed once a model, and kept."""
    body = await asyncio.to_thread(_atlas, service)  # not on the service's own threads: the first call takes its time
    return Response(body, headers={"Cache-Control": "max-age=3600"})


def _atlas(service: Service) -> AtlasBody:
    version = service.about.model_version
    with _one_at_a_time:
        body = _latest.get(service.catalogue)
        if body is None:
            body = _made(service, version)
            _latest[service.catalogue] = body
    return body


def _made(service: Service, version: str) -> AtlasBody:
    shown = [one for one in service.catalogue.anime if not one.adult]  # a map anybody may open
    anime = sorted(shown, key=lambda one: (-(one.members or 0), one.anime_id))
    genres = list(service.catalogue.genres)
    places = np.rint(_places(service, version, anime, genres) * _GRID).astype(int)
    number = {name: at for at, name in enumerate(genres)}
    fame = np.log10([1 + (one.members or 0) for one in anime])
    return AtlasBody(
        version=version,
        genres=genres,
        ids=[one.anime_id for one in anime],
        titles=[one.title_english or one.title for one in anime],
        x=places[:, 0].tolist(),
        y=places[:, 1].tolist(),
        genre=[number[one.genres[0]] if one.genres else -1 for one in anime],
        fame=np.clip(fame / max(1.0, float(fame.max(initial=0))) * 9, 0, 9).astype(int).tolist(),
    )


def _places(service: Service, version: str, anime: Sequence[Anime], genres: Sequence[str]) -> NDArray[np.float32]:
    """From the disk where this model was drawn before. → (n, 2)"""
    file = Path(service.settings.home) / "atlas" / f"{version}.npy"
    try:
        places: NDArray[np.float32] = np.frombuffer(file.read_bytes(), np.float32).reshape(-1, 2)
        if len(places) == len(anime):
            return places
    except (OSError, ValueError):
        pass  # not drawn yet, or not whole: drawn anew
    places = layout(_vectors(service, anime, genres))
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, places.tobytes())
    return places


def _vectors(service: Service, anime: Sequence[Anime], genres: Sequence[str]) -> NDArray[np.float32]:
    """Embedding and genres of each title, side by side. → (n, dim) of unit length"""
    number = {name: at for at, name in enumerate(genres)}
    kinds = np.zeros((len(anime), len(genres) + 1), np.float32)
    for row, one in enumerate(anime):
        kinds[row, [number[name] for name in one.genres] or [len(genres)]] = 1
    parts = [_GENRES_COUNT * _unit(kinds)]
    retriever: Any = getattr(service.engine, "retriever", None)  # an engine need not have embeddings
    if retriever is not None:
        row_of = {int(anime_id): row for row, anime_id in enumerate(retriever.items.anime_ids)}
        parts.append(np.asarray(retriever.vectors, np.float32)[[row_of[one.anime_id] for one in anime]])
    return _unit(np.concatenate(parts, axis=1))


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(length, 1e-9), np.float32)
