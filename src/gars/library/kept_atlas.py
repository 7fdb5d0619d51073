"""The map of a model, drawn once and kept in ``HOME/atlas``: by training, or by the service that finds none."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gars.application.atlas import layout
from gars.application.progress import Progress
from gars.datasets.durable import write_whole
from gars.domain.anime import Anime
from gars.domain.normalise import unit_rows
from gars.library import cold_anime
from gars.library.cold_anime import ColdAnime
from gars.library.engine import Engine
from gars.library.newcomers import WithNewcomers

_GENRES_COUNT = 0.6
"""What genres count beside the embedding; they also place titles that have none."""

_FRANCHISE_COUNTS = 2.0
"""What the franchise of a title without viewers counts beside its description."""


def shown(anime: Sequence[Anime]) -> list[Anime]:
    """The titles of a map that anybody may open, best known first: the order of its places."""
    return sorted((one for one in anime if not one.adult), key=lambda one: (-(one.members or 0), one.anime_id))


def draw(anime: Sequence[Anime], engine: object) -> NDArray[np.float32]:
    """The places of ``shown(anime)``: titles that ``engine`` finds alike lie near each other. → (n, 2) from 0 to 1."""
    genres = sorted({genre for one in anime for genre in one.genres})
    return layout(_vectors(shown(anime), genres, engine))


def keep(home: Path, version: str, places: NDArray[np.float32]) -> None:
    """Keep the map of a model; it appears whole."""
    file = _file(home, version)
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, places.tobytes())


def add(home: Path, version: str, engine: Engine, progress: Progress) -> None:
    """Draw the map of a model that was just trained, and keep it; a map on the disk is kept as it is."""
    if find(home, version, len(shown(engine.anime))) is not None:
        return
    with progress.task("map of all titles"):
        keep(home, version, draw(engine.anime, engine))


def find(home: Path, version: str, n: int) -> NDArray[np.float32] | None:
    """The map of a model that was kept, or ``None``: there is none, or it is not of ``n`` titles. → (n, 2)"""
    try:
        places: NDArray[np.float32] = np.frombuffer(_file(home, version).read_bytes(), np.float32).reshape(-1, 2)
    except (OSError, ValueError):
        return None
    return places if len(places) == n else None


def _file(home: Path, version: str) -> Path:
    return home / "atlas" / f"{version}.npy"


def _vectors(anime: Sequence[Anime], genres: Sequence[str], engine: object) -> NDArray[np.float32]:
    """Embedding and genres of each title, side by side. → (n, dim) of unit length"""
    number = {name: at for at, name in enumerate(genres)}
    kinds = np.zeros((len(anime), len(genres) + 1), np.float32)
    for row, one in enumerate(anime):
        kinds[row, [number[name] for name in one.genres] or [len(genres)]] = 1
    parts = [_GENRES_COUNT * unit_rows(kinds)]
    if isinstance(engine, WithNewcomers):
        parts.append(embeddings(anime, engine.engine, engine.cold))
    elif isinstance(engine, Engine):
        parts.append(embeddings(anime, engine, cold_anime.find(engine, anime)))
    return unit_rows(np.concatenate(parts, axis=1))  # of another engine the genres alone are known


def embeddings(anime: Sequence[Anime], engine: Engine, cold: ColdAnime) -> NDArray[np.float32]:
    """Where each title lies among those that viewers have in common. → (n, dim) of unit length

    A title without viewers has no embedding of its own. It gets the mean of its franchise and of the titles that its
    description is like; without either it gets zeros, and the map places it by its genres.
    """
    items = engine.retriever.items
    learned = {
        int(anime_id): vector
        for anime_id, vector, count in zip(items.anime_ids, engine.retriever.vectors, items.counts, strict=True)
        if count > 0
    }
    described = {one.anime_id: vector for one, vector in zip(cold.anime, cold.vectors, strict=True)}
    nothing = np.zeros(engine.retriever.vectors.shape[1], np.float32)
    of_franchise: dict[str, NDArray[np.float32]] = {}
    for one in anime:
        if one.franchise and one.anime_id in learned:
            of_franchise[one.franchise] = of_franchise.get(one.franchise, nothing) + learned[one.anime_id]
    placed = np.zeros((len(anime), len(nothing)), np.float32)
    for row, one in enumerate(anime):
        if one.anime_id in learned:
            placed[row] = learned[one.anime_id]
        else:
            franchise = of_franchise.get(one.franchise, nothing) if one.franchise else nothing
            placed[row] = _FRANCHISE_COUNTS * unit_rows(franchise[None])[0] + described.get(one.anime_id, nothing)
    return unit_rows(placed)
