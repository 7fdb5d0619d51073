"""Layout and storage of a model's map in ``HOME/atlas``, written by training or by the first service to need it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gars.application.atlas import layout, place_near
from gars.datasets.durable import write_whole
from gars.domain.anime import Anime
from gars.domain.normalise import unit_rows
from gars.library import cold_anime
from gars.library.cold_anime import ColdAnime
from gars.library.cold_start import ColdStartEngine
from gars.library.engine import Engine
from gars.runtime.progress import Progress

_GENRE_WEIGHT = 0.6
"""Weight of genres next to the embedding; a title without an embedding is embedded by them alone."""

_FRANCHISE_WEIGHT = 2.0
"""Weight of the franchise of a title without viewers, next to its description."""

_ANCHORS = 10
"""Titles of similar description among which a title without viewers is placed."""
_BLOCK = 1000
"""Titles compared with all others at once: 80 MB for 20,000."""

_OLD_SUFFIX = ".npy"
"""Suffix of the same file before version 0.2, though it never was in numpy's format."""


def shown(anime: Sequence[Anime]) -> list[Anime]:
    """Return the titles of a public map, most members first: the order of its coordinates."""
    return sorted((one for one in anime if not one.adult), key=lambda one: (-(one.members or 0), one.anime_id))


def draw(anime: Sequence[Anime], engine: object) -> NDArray[np.float32]:
    """Lay out ``shown(anime)`` so that titles similar in ``engine`` are near each other. → (n, 2) from 0 to 1

    Titles without viewers are placed when the others are: near the title of their franchise that is most like them,
    else among those of similar description. Laid out together they are most like each other, and drift away.
    """
    titles = shown(anime)
    genres = sorted({genre for one in titles for genre in one.genres})
    vectors, watched = _vectors(titles, genres, engine), _has_viewers(titles, engine)
    if watched.all() or watched.sum() < _ANCHORS:
        return layout(vectors)
    places = np.empty((len(titles), 2), np.float32)
    places[watched] = layout(vectors[watched])
    places[~watched] = place_near(places[watched], _anchors(titles, vectors, watched))
    return places


def _has_viewers(titles: Sequence[Anime], engine: object) -> NDArray[np.bool_]:
    """Flag the titles with viewers in the training data; all of them for an engine without embeddings. → (n,)"""
    learned = engine.engine if isinstance(engine, ColdStartEngine) else engine
    if not isinstance(learned, Engine):
        return np.ones(len(titles), np.bool_)
    items = learned.retriever.items
    rows = items.rows(np.array([one.anime_id for one in titles], np.int64))
    return (rows >= 0) & (items.counts[rows] > 0)


def _anchors(titles: Sequence[Anime], vectors: NDArray[np.float32], watched: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Choose the titles to place each title without viewers near, as rows of those with viewers. → (m, _ANCHORS)"""
    known, others = vectors[watched], vectors[~watched]
    anchors = np.empty((len(others), _ANCHORS), np.int64)
    for start in range(0, len(others), _BLOCK):
        likeness = others[start : start + _BLOCK] @ known.T
        anchors[start : start + _BLOCK] = np.argpartition(-likeness, _ANCHORS - 1, axis=1)[:, :_ANCHORS]
    of_franchise: dict[str, list[int]] = {}
    for row, at in enumerate(np.flatnonzero(watched).tolist()):
        if name := titles[at].franchise:
            of_franchise.setdefault(name, []).append(row)
    for row, at in enumerate(np.flatnonzero(~watched).tolist()):
        if family := of_franchise.get(titles[at].franchise or ""):
            anchors[row] = family[int(np.argmax(known[family] @ others[row]))]
    return anchors


def write(home: Path, version: str, coordinates: NDArray[np.float32]) -> None:
    """Write the map (n, 2) of a model as raw float32 numbers, whole or not at all."""
    file = _file(home, version)
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, coordinates.tobytes())


def add(home: Path, version: str, engine: Engine, progress: Progress) -> None:
    """Draw and write the map of a model that was just trained, unless there is one."""
    if read(home, version, len(shown(engine.anime))) is not None:
        return
    with progress.task("map of all titles"):
        write(home, version, draw(engine.anime, engine))


def read(home: Path, version: str, n: int) -> NDArray[np.float32] | None:
    """Read the map of a model; ``None`` if there is none, or it is not of ``n`` titles. → (n, 2)"""
    for file in (_file(home, version), _file(home, version).with_suffix(_OLD_SUFFIX)):
        try:
            coordinates: NDArray[np.float32] = np.frombuffer(file.read_bytes(), np.float32).reshape(-1, 2)
        except (OSError, ValueError):
            continue
        if len(coordinates) == n:
            return coordinates
    return None


def _file(home: Path, version: str) -> Path:
    return home / "atlas" / f"{version}.f32"


def _vectors(anime: Sequence[Anime], genres: Sequence[str], engine: object) -> NDArray[np.float32]:
    """Concatenate the embedding and the genres of each title. → (n, dim) of unit length"""
    code = {name: at for at, name in enumerate(genres)}
    flags = np.zeros((len(anime), len(genres) + 1), np.float32)
    for row, one in enumerate(anime):
        flags[row, [code[name] for name in one.genres] or [len(genres)]] = 1
    parts = [_GENRE_WEIGHT * unit_rows(flags)]
    if isinstance(engine, ColdStartEngine):
        parts.append(embeddings(anime, engine.engine, engine.cold))
    elif isinstance(engine, Engine):
        parts.append(embeddings(anime, engine, cold_anime.find(engine, anime)))
    return unit_rows(np.concatenate(parts, axis=1))  # another engine has no embeddings


def embeddings(anime: Sequence[Anime], engine: Engine, cold: ColdAnime) -> NDArray[np.float32]:
    """Return the embedding of each title. → (n, dim) of unit length

    A title without viewers gets the mean of its franchise and of the titles of similar description, or zeros without
    either; the map then places it by its genres.
    """
    items = engine.retriever.items
    learned = {
        int(anime_id): vector
        for anime_id, vector, count in zip(items.anime_ids, engine.retriever.vectors, items.counts, strict=True)
        if count > 0
    }
    described = {one.anime_id: vector for one, vector in zip(cold.anime, cold.vectors, strict=True)}
    zeros = np.zeros(engine.retriever.vectors.shape[1], np.float32)
    of_franchise: dict[str, NDArray[np.float32]] = {}
    for one in anime:
        if one.franchise and one.anime_id in learned:
            of_franchise[one.franchise] = of_franchise.get(one.franchise, zeros) + learned[one.anime_id]
    embedded = np.zeros((len(anime), len(zeros)), np.float32)
    for row, one in enumerate(anime):
        if one.anime_id in learned:
            embedded[row] = learned[one.anime_id]
        else:
            franchise = of_franchise.get(one.franchise, zeros) if one.franchise else zeros
            embedded[row] = _FRANCHISE_WEIGHT * unit_rows(franchise[None])[0] + described.get(one.anime_id, zeros)
    return unit_rows(embedded)
