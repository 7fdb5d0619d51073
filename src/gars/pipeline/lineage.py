"""Lineage of a model: the data set, its snapshot, and the files both were made of."""

from __future__ import annotations

from typing import Any

import msgspec

from gars.datasets.coverage import coverage_of
from gars.datasets.dataset import Dataset
from gars.datasets.snapshots import RECORD, Snapshot
from gars.domain.errors import DataError
from gars.library.fit_config import FitConfig


def lineage(dataset: Dataset, config: FitConfig) -> dict[str, Any]:
    """Describe, for a model's manifest, the data set, its sources and snapshot, and the settings given to ``fit``.

    The manifest's own ``config`` holds the settings that ``fit`` chose.

    Raises:
        DataError: the snapshot's record is damaged.
    """
    manifest = dataset.manifest
    found: dict[str, Any] = {
        "name": dataset.name,
        "content_hash": dataset.content_hash,
        "simulated": dataset.simulated,
        "sources": {source.name: source.sha256 for source in manifest.sources},
        "coverage": msgspec.to_builtins(coverage_of(dataset)),
        "settings": msgspec.json.decode(msgspec.json.encode(config)),
    }
    record = dataset.path / RECORD
    if record.is_file():
        try:
            snapshot = msgspec.json.decode(record.read_bytes(), type=Snapshot)
        except msgspec.DecodeError as error:
            raise DataError(f"{record}: is damaged: {error}", hint="gars data snapshots --verify") from error
        found["snapshot"] = {
            "hash": snapshot.hash,
            "parent": snapshot.parent,
            "taken_of": snapshot.dataset_hash,
            "taken_at": snapshot.taken_at.isoformat(timespec="seconds"),
            "forced": snapshot.forced,
        }
    return found
