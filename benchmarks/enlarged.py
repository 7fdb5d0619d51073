"""A trained model over a catalogue several times as large: what serving costs does not depend on what is true.

Every title is there ``copies`` times with an id of its own. Its neighbours, and the titles of viewers, are spread over
the copies at random; vectors and factors get a little noise, so that no two copies are the same.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import msgspec
import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from gars.domain.item_table import ItemTable
from gars.domain.labels import Labels
from gars.domain.normalise import unit_rows
from gars.library.engine import Engine
from gars.library.query import Models
from gars.ranking import network
from gars.ranking.gaussian_process import GaussianProcess
from gars.retrieval.ials import Factors
from gars.retrieval.item_to_item import ItemToItem
from gars.retrieval.retriever import Retriever
from gars.retrieval.user_knn import UserKnn

NOISE = 0.05
Floats = NDArray[np.float32]


def enlarged(engine: Engine, copies: int, *, seed: int = 0) -> Engine:
    """The engine over ``copies`` times its titles; the first of each keeps its id."""
    rng = np.random.default_rng(seed)
    retriever, kriged, ranker = engine.models.retriever, engine.models.gaussian_process, engine.network
    if kriged is None or ranker is None or not isinstance(retriever, Retriever):
        raise SystemExit("the model has no ratings or no ranker: train one on the sample")
    items = _items(retriever.items, copies)
    apart = int(retriever.items.anime_ids[-1]) + 1
    factors = _noisy(retriever.factors.items, copies, rng)
    added = factors.T @ factors - retriever.factors.items.T @ retriever.factors.items
    larger = replace(
        retriever,
        items=items,
        channels=tuple(ItemToItem(one.name, _spread(one.weights, copies, rng)) for one in retriever.channels),
        factors=Factors(factors, retriever.factors.gram + added),
        neighbours=UserKnn(retriever.neighbours.users, _over_copies(retriever.neighbours.lists, copies, rng)),
        popularity=np.tile(retriever.popularity, copies),
        vectors=unit_rows(_noisy(retriever.vectors, copies, rng)),
    )
    apart_only = sp.csr_array(sp.block_diag([kriged.corrections] * copies, format="csr"))
    like, rating = (replace(one, items=np.tile(one.items, copies)) for one in (kriged.like, kriged.rating))
    arrays = {**ranker.arrays(), "item_embedding": _noisy(ranker.item_embedding, copies, rng)}
    return replace(
        engine,
        anime=[
            msgspec.structs.replace(anime, anime_id=anime.anime_id + copy * apart)
            for copy in range(copies)
            for anime in engine.anime
        ],
        models=Models(
            larger,
            GaussianProcess(_noisy(kriged.factors, copies, rng), apart_only, like, rating),
            engine.models.prior,
        ),
        network=network.from_arrays(arrays, items.types, items.genres),
    )


def _items(items: ItemTable, copies: int) -> ItemTable:
    n, apart = len(items), int(items.anime_ids[-1]) + 1
    number = np.repeat(np.arange(copies), n)
    columns: dict[str, Any] = {
        one.name: np.concatenate([column] * copies)
        for one in fields(items)
        if one.init
        and one.name not in ("genre_shares", "franchise_sizes")
        and isinstance(column := getattr(items, one.name), np.ndarray)
    }
    columns["anime_ids"] += number * apart
    columns["franchises"] = (columns["franchises"] + number * items.n_franchises).astype(np.int32)
    columns["prequel_rows"] = np.where(columns["prequel_rows"] < 0, -1, columns["prequel_rows"] + number * n)
    return replace(
        items,
        **columns,
        franchise_sizes=np.tile(items.franchise_sizes, copies),
        tags=_labels(items.tags, copies),
        studios=_labels(items.studios, copies),
        sources=_labels(items.sources, copies),
        sites=_labels(items.sites, copies),
    )


def _labels(labels: Labels, copies: int) -> Labels:
    rows = (labels.rows[:, None] + labels.n * np.arange(copies)).ravel()  # each word's rows stay together
    return replace(labels, starts=labels.starts * copies, rows=rows, n=labels.n * copies)


def _noisy(rows: Floats, copies: int, rng: np.random.Generator) -> Floats:
    found = np.tile(rows, (copies, 1))
    noise = rng.standard_normal(found.shape, np.float32) * NOISE * rows.std()
    return np.where(found.any(axis=1, keepdims=True), found + noise, 0).astype(np.float32)


def _spread(weights: sp.csr_array, copies: int, rng: np.random.Generator) -> sp.csr_array:
    """Every copy of a title has the neighbours of the first, each in a copy drawn at random."""
    return _over_copies(sp.csr_array(sp.vstack([weights] * copies, format="csr")), copies, rng)


def _over_copies(lists: sp.csr_array, copies: int, rng: np.random.Generator) -> sp.csr_array:
    rows, n = lists.shape
    columns = lists.indices + n * rng.integers(0, copies, len(lists.indices))
    return sp.csr_array((lists.data, columns, lists.indptr), shape=(rows, n * copies))
