"""AniList ids by MyAnimeList id, from the ``arm`` package."""

from __future__ import annotations

from pathlib import Path

import msgspec
import polars as pl

from gars.domain.errors import DataError

ARM: dict[str, pl.DataType] = {"anime_id": pl.Int64(), "anilist_id": pl.Int64()}


class _Ids(msgspec.Struct):
    mal_id: int | None = None
    anilist_id: int | None = None


def read_arm(path: Path) -> pl.DataFrame:
    """Read ``arm.json``: columns of ``ARM``, one row per MyAnimeList id and per AniList id. Raises ``DataError``."""
    try:
        entries = msgspec.json.decode(path.read_bytes(), type=list[_Ids])
    except msgspec.DecodeError as error:
        raise DataError(f"{path}: is not the arm table: {error}", hint="gars data fetch arm") from error
    rows = [(entry.mal_id, entry.anilist_id) for entry in entries if entry.mal_id and entry.anilist_id]
    frame = pl.DataFrame(rows, ARM, orient="row")
    return frame.unique("anime_id", keep="first", maintain_order=True).unique(
        "anilist_id", keep="first", maintain_order=True
    )
