"""AniDB, AniList and TVDB ids by MyAnimeList id, from the Anime-IDs file."""

from __future__ import annotations

from pathlib import Path

import msgspec
import polars as pl

from gars.domain.errors import DataError


class _Ids(msgspec.Struct):
    mal_id: int | str | None = None
    anilist_id: int | None = None
    tvdb_id: int | None = None
    tvdb_season: int | None = None
    tvdb_epoffset: int = 0


IDS: dict[str, pl.DataType] = {
    "anime_id": pl.Int64(),
    "anidb_id": pl.Int64(),
    "anilist_id": pl.Int64(),
    "tvdb_id": pl.Int64(),
    "tvdb_season": pl.Int64(),
    "tvdb_offset": pl.Int64(),
}


def read_ids(path: Path) -> pl.DataFrame:
    """Read ``anime_ids.json``: columns of ``IDS``, one row per MyAnimeList id. Raises ``DataError``.

    ``tvdb_season`` 0 holds specials, -1 a series counted without seasons; ``tvdb_offset`` is the number of
    episodes of that season before this anime's first. An AniDB entry that names several ids counts for
    each; only the first of them takes its AniList id.
    """
    try:
        entries = msgspec.json.decode(path.read_bytes(), type=dict[str, _Ids])
    except msgspec.DecodeError as error:
        raise DataError(f"{path}: is not the Anime-IDs file: {error}", hint="gars data fetch anime-ids") from error
    rows = []
    for anidb_id, entry in entries.items():
        for position, anime_id in enumerate(_numbers(entry.mal_id)):
            anilist_id = entry.anilist_id if position == 0 else None
            rows.append((anime_id, int(anidb_id), anilist_id, entry.tvdb_id, entry.tvdb_season, entry.tvdb_epoffset))
    frame = pl.DataFrame(rows, schema=IDS, orient="row")
    # An id named by two AniDB entries belongs to the older, lower one.
    return frame.sort("anime_id", "anidb_id").unique("anime_id", keep="first", maintain_order=True)


def _numbers(value: int | str | None) -> list[int]:
    return [] if value is None else [int(part) for part in str(value).split(",") if part.strip().isdigit()]
