"""Franchises as lists of MyAnimeList ids, from the anime lists' collections."""

from __future__ import annotations

from pathlib import Path

import msgspec
import polars as pl

from gars.datasets.enrich.relations import PAIRS
from gars.domain.errors import DataError


class _Collection(msgspec.Struct):
    ids: list[int]


def read_franchise_lists(path: Path) -> pl.DataFrame:
    """Read the collections: pairs of the same franchise, in the columns of ``PAIRS``. Raises ``DataError``.

    The pairs link the lowest id of a list to each other one; they are not ordered by story.
    """
    try:
        collections = msgspec.json.decode(path.read_bytes(), type=list[_Collection])
    except msgspec.DecodeError as error:
        raise DataError(
            f"{path}: is not the list of franchises: {error}", hint="gars data fetch franchises-2026"
        ) from error
    pairs = [(min(one.ids), other) for one in collections for other in one.ids if other != min(one.ids)]
    return pl.DataFrame(pairs, PAIRS, orient="row").unique(maintain_order=True)
