"""Data sets on disk made of frames, for tests that do not import files."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from gars.datasets.dataset import Dataset
from gars.datasets.schema import INTERACTIONS, conform_catalogue
from gars.datasets.writing import write_dataset
from gars_test_support.world import small_world


def dataset_of(folder: Path, interactions: pl.DataFrame, catalogue: pl.DataFrame) -> Dataset:
    """Write a data set of ``user_id, item_id, rating`` and a catalogue, as ``small_world`` gives them."""
    rows = interactions.rename({"item_id": "anime_id"})
    lacking = [pl.lit(None, kind).alias(name) for name, kind in INTERACTIONS.items() if name not in rows.columns]
    known = catalogue.rename({"item_id": "anime_id"}).with_columns(
        pl.col("genres").str.split(", "), pl.col("released").str.to_date()
    )
    return write_dataset(
        folder,
        name=folder.name,
        dialect="gars",
        simulated=True,
        sources=[],
        parts=[rows.with_columns(lacking).select(*INTERACTIONS).cast(dict(INTERACTIONS)).sort("user_id", "anime_id")],  # type: ignore[arg-type]
        catalogue=conform_catalogue(known),
    )


def small_dataset(home: Path, name: str = "small") -> Dataset:
    """Write ``small_world`` to ``home/data/name``."""
    return dataset_of(home / "data" / name, *small_world())


def tiny_dataset(home: Path, name: str = "tiny", *, users: int = 40) -> Dataset:
    """Write the first users of ``small_world``, too few for a ranking model: a fit takes a second. Ids begin at 1."""
    interactions, catalogue = small_world()
    few = interactions.filter(pl.col("user_id") < users)
    first = (pl.col("item_id") - 99).alias("item_id")
    return dataset_of(home / "data" / name, few.with_columns(first), catalogue.with_columns(first))
