"""The map of a model, drawn once and kept in ``HOME/atlas``: by training, or by the service that finds none."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gars.application.atlas import layout
from gars.application.progress import Progress
from gars.datasets.durable import write_whole
from gars.domain.anime import Anime
from gars.library.engine import Engine

_GENRES_COUNT = 0.6
"""What genres count beside the embedding; they also place titles that have none."""


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
    parts = [_GENRES_COUNT * _unit(kinds)]
    retriever: Any = getattr(engine, "retriever", None)  # an engine need not have embeddings
    if retriever is not None:
        row_of = {int(anime_id): row for row, anime_id in enumerate(retriever.items.anime_ids)}
        parts.append(np.asarray(retriever.vectors, np.float32)[[row_of[one.anime_id] for one in anime]])
    return _unit(np.concatenate(parts, axis=1))


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(length, 1e-9), np.float32)
