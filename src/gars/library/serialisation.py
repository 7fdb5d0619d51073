"""The model as files: which array of which part goes where, and back."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from gars.domain import features
from gars.domain.anime import Anime, with_shared_labels
from gars.domain.errors import ArtefactError
from gars.domain.features.taste import prior_of
from gars.domain.item_table import build
from gars.library import cold_anime
from gars.library.cold_anime import ColdAnime
from gars.library.engine import Engine
from gars.library.fit_config import FitConfig
from gars.library.frames import Rows
from gars.library.mapped_arrays import map_arrays, write_arrays
from gars.library.query import Models
from gars.ranking import gaussian_process, network
from gars.retrieval import index
from gars.retrieval.compact import compact
from gars.retrieval.ials import Factors
from gars.retrieval.item_to_item import ItemToItem
from gars.retrieval.large import LargeRetriever, StageOne
from gars.retrieval.retriever import Retriever
from gars.retrieval.spectral import Spectral
from gars.retrieval.user_knn import UserKnn

_CHANNEL = "channel_"
_GAUSSIAN_PROCESS, _GAUSSIAN_PROCESS_IN_1 = "gaussian_process.npz", "kriging.npz"


def pack(engine: Engine, rows: Rows) -> dict[str, bytes | Mapping[str, NDArray[Any]]]:
    """Files by name: bytes, or arrays for an .npz."""
    retriever = engine.retriever
    items = retriever.items
    files: dict[str, bytes | Mapping[str, NDArray[Any]]] = {
        CATALOGUE: msgspec.msgpack.encode(list(engine.anime)),
        "retrieval.npz": {"popularity": retriever.popularity, "vectors": retriever.vectors},
        "users.npz": {
            "user": rows.user.astype(np.int32),
            "item": rows.item.astype(np.int32),
            "rating": rows.rating,
            "user_ids": rows.user_ids,
            "item_ids": rows.item_ids,
            "rating_scale": np.array(rows.rating_scale),
            "has_ratings": np.array(rows.has_ratings),
            "duplicates": np.array(rows.duplicates),
            "vectors": engine.user_index.vectors,
            "centre": engine.user_centre,
        },
        "statistics.npz": {
            name: getattr(items, name)
            for name in ("counts", "rated_counts", "liked_counts", "rating_sums", "audience", "genre_shares")
        },
    }
    files |= _pack_large(retriever) if isinstance(retriever, LargeRetriever) else _pack_factors(retriever)
    for place, channel in enumerate(retriever.channels):
        files[f"{_CHANNEL}{place}_{channel.name}.npz"] = _csr(channel.weights)
    if engine.models.gaussian_process is not None:
        files[_GAUSSIAN_PROCESS] = engine.models.gaussian_process.arrays()
    if engine.network is not None:
        files["ranker.npz"] = engine.network.arrays()
    cold = cold_anime.find(engine)
    if cold.anime:
        files[COLD] = _csr(cold.likeness)
    return files


def to_bytes(files: Mapping[str, bytes | Mapping[str, NDArray[Any]]]) -> dict[str, bytes]:
    """Return files of ``pack`` as the bytes that are written to the disk."""
    written: dict[str, bytes] = {}
    for name, content in files.items():
        if isinstance(content, bytes):
            written[name] = content
        else:
            file = io.BytesIO()
            write_arrays(file, content)
            written[name] = file.getvalue()
    return written


CATALOGUE = "catalogue.msgpack"
LARGE = "spectral.npz"
"""Only a model of a large catalogue has this file."""
COLD = "cold_anime.npz"
"""The likeness of anime without viewers to those with; models without such anime, and older ones, have no such file."""


def _pack_factors(retriever: Retriever) -> dict[str, Mapping[str, NDArray[Any]]]:
    return {
        "ials.npz": {
            "items": retriever.factors.items,
            "gram": retriever.factors.gram,
            "users": retriever.neighbours.users,
            **_csr(retriever.neighbours.lists),
        }
    }


def _pack_large(retriever: LargeRetriever) -> dict[str, Mapping[str, NDArray[Any]]]:
    spectral = retriever.spectral
    return {LARGE: {"source": spectral.source, "target": spectral.target, **_csr(retriever.lists)}}


def _csr(matrix: sp.csr_array) -> dict[str, NDArray[Any]]:
    return {
        "indptr": matrix.indptr.astype(np.int64), "indices": matrix.indices.astype(np.int32), "data": matrix.data
    }  # fmt: skip


def read_catalogue(file: Path) -> list[Anime]:
    """The anime of a model, from its verified file; raises ``msgspec.DecodeError``."""
    return with_shared_labels(msgspec.msgpack.decode(file.read_bytes(), type=list[Anime]))


def read_cold_anime(files: Mapping[str, Path], engine: Engine) -> ColdAnime | None:
    """Read the engine's anime without viewers from its verified files; ``None`` if the model does not have them."""
    if COLD not in files:
        return None
    return cold_anime.from_likeness(engine, _lists(map_arrays(files[COLD]), len(engine.anime)))


def _lists(arrays: Mapping[str, NDArray[Any]], n: int) -> sp.csr_array:
    """The (m, n) matrix that ``_csr`` took apart."""
    shape = (len(arrays["indptr"]) - 1, n)
    return compact(sp.csr_array((arrays["data"], arrays["indices"], arrays["indptr"]), shape=shape))


def unpack(
    files: Mapping[str, Path],
    *,
    version: str,
    config: FitConfig,
    seed: int,
    trained_on: Sequence[str] | None = None,
) -> tuple[Engine, Rows]:
    """Rebuild the engine and the training rows from verified files.

    ``trained_on`` are the ranker's features by name, of the manifest if there is one.

    Raises:
        ArtefactError: the ranker was trained on other features than this version computes.
    """
    anime = read_catalogue(files[CATALOGUE])
    users, retrieval = map_arrays(files["users.npz"]), map_arrays(files["retrieval.npz"])
    statistics: dict[str, Any] = dict(map_arrays(files["statistics.npz"]))
    items = replace(build(anime), **statistics)
    n = len(items)
    channels = []
    for name in sorted(name for name in files if name.startswith(_CHANNEL)):
        arrays = map_arrays(files[name])
        weights = sp.csr_array((arrays["data"], arrays["indices"], arrays["indptr"]), shape=(n, n))
        channels.append(ItemToItem(name.removesuffix(".npz").split("_", 2)[2], weights))
    retriever: StageOne
    if LARGE in files:
        filtered = map_arrays(files[LARGE])
        retriever = LargeRetriever(
            items,
            tuple(channels),
            Spectral(filtered["source"], filtered["target"]),
            _lists(filtered, n),
            retrieval["popularity"],
            retrieval["vectors"],
            config.retrieval.large,
        )
    else:
        factored = map_arrays(files["ials.npz"])
        retriever = Retriever(
            items,
            tuple(channels),
            Factors(factored["items"], factored["gram"]),
            UserKnn(factored["users"], _lists(factored, n)),
            retrieval["popularity"],
            retrieval["vectors"],
            config.retrieval,
        )
    ranker = (
        network.from_arrays(map_arrays(files["ranker.npz"]), items.types, items.genres)
        if "ranker.npz" in files
        else None
    )
    if ranker is not None:
        _check_features(ranker, features.names(retriever.channel_names), trained_on)
    rows = Rows(
        user=users["user"].astype(np.int64),
        item=users["item"].astype(np.int64),
        rating=users["rating"],
        user_ids=users["user_ids"],
        item_ids=users["item_ids"],
        rating_scale=float(users["rating_scale"]),
        has_ratings=bool(users["has_ratings"]),
        duplicates=int(users["duplicates"]),
    )
    fitted = files.get(_GAUSSIAN_PROCESS) or files.get(_GAUSSIAN_PROCESS_IN_1)
    gp = gaussian_process.from_arrays(map_arrays(fitted)) if fitted is not None else None
    engine = Engine(
        version=version,
        anime=anime,
        models=Models(retriever, gp, prior_of(items)),
        network=ranker,
        user_index=index.build(users["vectors"], seed=seed),
        user_centre=users["centre"],
        user_ids=[str(user) for user in rows.user_ids.tolist()],
        serve_ranker=config.serve_ranker,
    )
    return engine, rows


def _check_features(ranker: network.Network, computed: tuple[str, ...], trained_on: Sequence[str] | None) -> None:
    """Refuse a ranker of other features: its compiled kernels would read beyond its arrays."""
    n_trained = len(ranker.mean)
    if n_trained == len(computed) and (trained_on is None or tuple(trained_on) == computed):
        return
    odd = sorted(set(trained_on or computed) ^ set(computed))
    named = f": {', '.join(odd[:5]) or 'in another order'}" if trained_on is not None else ""
    raise ArtefactError(
        f"the model's ranker was trained on {n_trained} features, and this version of gars computes "
        f"{len(computed)}{named}",
        hint="train it again with: gars train",
    )
