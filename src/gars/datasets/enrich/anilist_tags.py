"""Fine tags, studios and source by AniList id, from the 2022 AniList table."""

from __future__ import annotations

import csv
from pathlib import Path

import msgspec
import polars as pl

from gars.domain.errors import DataError

TAGS: dict[str, pl.DataType] = {
    "anilist_id": pl.Int64(),
    "tags": pl.List(pl.String()),
    "studios": pl.List(pl.String()),
    "source": pl.String(),
}
_UPPER = frozenset(
    {
        "LGBTQ+",
        "CGI",
        "NEET",
        "POV",
        "RPG",
        "AI",
        "MMORPG",
        "OL",
        "MILF",
        "TMS",
        "TNK",
        "OLM",
        "GONZO",
        "MAPPA",
        "SHAFT",
    }
)
_FIXED = {"UFOTABLE": "ufotable", "FEEL.": "feel.", "OF": "of", "OJOU-SAMA": "Ojou-sama", "VTUBER": "VTuber"}


def read_tags(path: Path) -> pl.DataFrame:
    """Read the table: columns of ``TAGS``, one row per AniList id. Raises ``DataError``."""
    rows = []
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            try:
                tags = msgspec.json.decode(row["tags"] or "[]", type=list[str])
                studios = msgspec.json.decode(row["studios"] or "[]", type=list[str])
                rows.append((int(row["id"]), _display(tags), _display(studios), _source(row["source"])))
            except (KeyError, ValueError, msgspec.DecodeError) as error:
                raise DataError(
                    f"{path}: row {len(rows) + 1} is not a row of the AniList table: {error!r}",
                    hint="gars data fetch anilist-tags",
                ) from error
    return pl.DataFrame(rows, schema=TAGS, orient="row").unique("anilist_id", keep="last", maintain_order=True)


def _display(names: list[str]) -> list[str]:
    """Convert upper-case names of the file to their usual spelling."""
    return [" ".join(_word(word) for word in name.split()) for name in names]


def _word(word: str) -> str:
    if word in _UPPER:
        return word
    return _FIXED.get(word) or word.title().replace("'S", "'s")


def _source(value: str) -> str | None:
    return value.replace("_", " ").capitalize() if value and value.upper() not in ("UNKNOWN", "NONE", "OTHER") else None
