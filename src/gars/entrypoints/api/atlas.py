"""Route of the atlas: a two-dimensional map of the catalogue, in columns."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal
from weakref import WeakKeyDictionary, WeakSet

import msgspec
import numpy as np
from litestar import Response, get
from litestar.params import QueryParameter
from numpy.typing import NDArray

from gars.application.catalogue.catalogue import Catalogue
from gars.bootstrap import Service
from gars.domain.anime import Anime
from gars.domain.errors import ArtefactError
from gars.entrypoints.api.errors import errors
from gars.entrypoints.api.params import ServiceDep
from gars.library import atlas_store

logger = logging.getLogger(__name__)

_GRID = 4095
"""Coordinates are integers from 0 to this: finer than a screen, and short to send."""

Titles = Literal["english", "romaji", "japanese", "chinese"]


class AtlasBody(msgspec.Struct, frozen=True, kw_only=True):
    """The map in columns, most popular first, without adult titles. ``genre`` is an index into ``genres``, or -1."""

    version: str
    genres: list[str]
    ids: list[int]
    titles: list[str]
    x: list[int]
    y: list[int]
    genre: list[int]
    fame: list[int]


_lock = threading.Lock()
_drawn: WeakKeyDictionary[Catalogue, NDArray[np.float32]] = WeakKeyDictionary()
_being_drawn: WeakSet[Catalogue] = WeakSet()
_bodies: WeakKeyDictionary[Catalogue, dict[Titles, AtlasBody]] = WeakKeyDictionary()


@get("/anime/atlas", summary="A map of all anime", responses=errors(400, 503), tags=["anime"])
async def get_atlas(
    service: ServiceDep,
    titles: Annotated[
        Titles, QueryParameter(description="Titles in this language, romaji where not known")
    ] = "english",
) -> Response[AtlasBody]:
    """A map on which similar titles are close to each other, without adult titles. It is computed during training;
    if it is missing, the first request starts the computation and gets 503 with `Retry-After`.
    """
    body = await asyncio.to_thread(_atlas, service, titles)
    return Response(body, headers={"Cache-Control": "max-age=3600"})


def _atlas(service: Service, titles: Titles) -> AtlasBody:
    places = _places(service)
    with _lock:
        bodies = _bodies.setdefault(service.catalogue, {})
        if titles not in bodies:
            bodies[titles] = _body(service, places, titles)
        return bodies[titles]


def _places(service: Service) -> NDArray[np.float32]:
    """Return the coordinates (n, 2) of the titles; raises ``ArtefactError`` (503) while they are being computed."""
    catalogue = service.catalogue
    with _lock:
        if catalogue in _drawn:
            return _drawn[catalogue]
        home, version = Path(service.settings.home), service.about.model_version
        found = atlas_store.read(home, version, len(atlas_store.shown(catalogue.anime)))
        if found is not None:
            _drawn[catalogue] = found
            return found
        if catalogue not in _being_drawn:
            _being_drawn.add(catalogue)
            threading.Thread(target=_draw, args=(service, home, version), name="atlas", daemon=True).start()
    raise ArtefactError("the map of this model is being drawn", hint="ask again after Retry-After seconds")


def _draw(service: Service, home: Path, version: str) -> None:
    """Compute the map and store it, for this process and for later starts."""
    catalogue = service.catalogue
    try:
        places = atlas_store.draw(catalogue.anime, service.engine)
        with _lock:
            _drawn[catalogue] = places
        atlas_store.write(home, version, places)
    except Exception:
        logger.exception("the map of model %s could not be drawn or kept", version)
    finally:
        with _lock:
            _being_drawn.discard(catalogue)


def _body(service: Service, places: NDArray[np.float32], titles: Titles) -> AtlasBody:
    anime = atlas_store.shown(service.catalogue.anime)
    genres = list(service.catalogue.genres)
    number = {name: at for at, name in enumerate(genres)}
    grid = np.rint(places * _GRID).astype(int)
    return AtlasBody(
        version=service.about.model_version,
        genres=genres,
        ids=[one.anime_id for one in anime],
        titles=[_title(one, titles) for one in anime],
        x=grid[:, 0].tolist(),
        y=grid[:, 1].tolist(),
        genre=[number[one.genres[0]] if one.genres else -1 for one in anime],
        fame=_fame(anime),
    )


def _title(anime: Anime, titles: Titles) -> str:
    of = {"english": anime.title_english, "japanese": anime.title_japanese, "chinese": anime.title_chinese}
    return of.get(titles) or anime.title


def _fame(anime: Sequence[Anime]) -> list[int]:
    """Scale the logarithm of the number of members of each anime to integers from 0 to 9."""
    members = np.log10([1 + (one.members or 0) for one in anime])
    scaled: list[int] = np.clip(members / max(1.0, float(members.max(initial=0))) * 9, 0, 9).astype(int).tolist()
    return scaled
