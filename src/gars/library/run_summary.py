"""Summary of a finished training in its log: data, settings, and embeddings of titles."""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from gars.application.training_log import TrainingLog
from gars.library.artefact import Manifest
from gars.library.recommender import Recommender

MOST_TITLES = 10_000
"""A projector in a page shows no more of them."""


def write(log: TrainingLog, recommender: Recommender, manifest: Manifest) -> None:
    """Configuration, data and results as text; the embeddings of both stages for the projector."""
    config = msgspec.json.format(msgspec.json.encode(manifest.config), indent=2).decode()
    log.text("configuration", f"```json\n{config}\n```")
    facts = {"model": manifest.version, "seed": manifest.seed, **manifest.data, **manifest.libraries}
    log.text("data", _table(facts))
    log.text("results", _table(manifest.metrics))
    engine = recommender.engine
    _project(log, "items-retrieval", engine.retriever.vectors, recommender)
    if engine.network is not None:
        _project(log, "items-ranking", engine.network.item_embedding, recommender)


def _project(log: TrainingLog, name: str, vectors: NDArray[np.float32], recommender: Recommender) -> None:
    """Return the embeddings of the titles on most lists, with their catalogue data."""
    counts = recommender.engine.retriever.items.counts
    known = np.flatnonzero(counts)
    rows = np.sort(known[np.argsort(-counts[known], kind="stable")][:MOST_TITLES])
    anime = [recommender.engine.anime[row] for row in rows]
    words = {
        "title": [one.title for one in anime],
        "type": [one.type or "" for one in anime],
        "genres": [", ".join(one.genres) for one in anime],
        "lists": [str(int(count)) for count in counts[rows]],
    }
    log.embedding(name, vectors[rows], words)


def _table(facts: dict[str, object]) -> str:
    return "\n".join(["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in facts.items())])
