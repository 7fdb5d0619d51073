"""Tables of any make into the arrays the models fit on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gars.domain.anime import Anime, Streaming
from gars.domain.errors import DataError, InvalidInputError
from gars.domain.season import is_season

TOP_RATING = 10
PLANNED = "planned"
"""Status of a title that the user has not begun: no interaction."""
_LISTS = ("genres", "synonyms", "tags", "studios", "prequels", "sequels", "related", "recommended")
_NARROW: dict[str, Callable[[Any], bool]] = {
    "season": lambda value: isinstance(value, str) and is_season(value),
    "airing": lambda value: value in ("finished", "airing", "upcoming"),
    "trailer": lambda value: isinstance(value, str),
    "members_at": lambda value: type(value) is date,
}
"""Fields that take only such values."""


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """List entries (m,), one a (user, item) pair, sorted by user then item; ids are positions in the sorted labels."""

    user: NDArray[np.int64]
    item: NDArray[np.int64]
    rating: NDArray[np.float32]
    """On the scale 1–10; NaN = seen, not rated."""
    user_ids: NDArray[Any]
    """(u,) ascending labels, int64 or str."""
    item_ids: NDArray[Any]
    """(n,) ascending labels, int64 or str."""
    rating_scale: float
    """What a given rating is multiplied by to be on the scale 1–10: 2 for data of up to 5 stars."""
    has_ratings: bool
    """False: there is no rating at all, so what was seen counts as liked."""
    duplicates: int
    """Rows dropped because a later one names the same pair."""


def read_table(source: Any, what: str) -> pl.DataFrame:
    """A Polars frame of a DataFrame, an Arrow table, or the path of a CSV or Parquet file.

    Raises:
        InvalidInputError: it is none of these.
        DataError: the file cannot be read.
    """
    if isinstance(source, pl.LazyFrame):
        return source.collect()
    if isinstance(source, pl.DataFrame):
        return source
    if isinstance(source, str | Path):
        return _read_file(Path(source), what)
    if hasattr(source, "columns") and hasattr(source, "iloc"):  # pandas, which needs no Arrow this way
        return pl.DataFrame({str(name): source[name].to_numpy() for name in source.columns})
    if hasattr(source, "__arrow_c_stream__"):
        return pl.DataFrame(source)
    raise InvalidInputError(
        f"{what} is a {type(source).__name__}", hint="give a DataFrame, an Arrow table, or the path of a CSV or Parquet"
    )


def _read_file(path: Path, what: str) -> pl.DataFrame:
    try:
        if path.suffix == ".parquet":
            return pl.read_parquet(path)
        return pl.read_csv(path, infer_schema_length=100_000)
    except FileNotFoundError as error:
        raise DataError(f"{what}: there is no file {path}", hint="check the path") from error
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(
            f"{what}: {path} cannot be read: {error}", hint="gars data import reads more dialects"
        ) from error


def rows_of(interactions: Any, catalogue_ids: Sequence[Any] = ()) -> Rows:
    """Interactions with columns ``user_id, item_id[, rating][, time]`` as ``Rows``; a pair named twice keeps its last.

    "Last" is by ``time`` where there is one, else by place. ``catalogue_ids`` extend the items.

    Raises:
        InvalidInputError: a column is missing, an id is null, or ratings are on no known scale.
    """
    frame = read_table(interactions, "interactions")
    if "item_id" not in frame.columns and "anime_id" in frame.columns:
        frame = frame.rename({"anime_id": "item_id"})
    missing = [name for name in ("user_id", "item_id") if name not in frame.columns]
    if missing:
        raise InvalidInputError(
            f"interactions have no column {' and '.join(missing)}; there are: {', '.join(frame.columns)}",
            hint="name the columns user_id, item_id and, if known, rating and time",
        )
    if "status" in frame.columns:
        frame = frame.filter(pl.col("status").cast(pl.String).ne_missing(PLANNED))
    if not frame.height:
        raise InvalidInputError("interactions are empty", hint="give at least one row")
    for name in ("user_id", "item_id"):
        if frame[name].null_count():
            raise InvalidInputError(
                f"interactions: {frame[name].null_count():,} row(s) without {name}",
                hint="remove or complete these rows",
            )
    if "time" in frame.columns:
        frame = frame.sort("time", maintain_order=True, nulls_last=False)
    unique = frame.unique(["user_id", "item_id"], keep="last", maintain_order=False)
    users, user = np.unique(_labels(unique["user_id"]), return_inverse=True)
    listed = _labels(unique["item_id"])
    if len(catalogue_ids):
        listed = np.concatenate([listed, _labels(pl.Series(list(catalogue_ids)))])
    items, item = np.unique(listed, return_inverse=True)
    rating, scale = _ratings(unique)
    item = item[: unique.height]
    order = np.lexsort((item, user))
    return Rows(
        user=user[order].astype(np.int64),
        item=item[order].astype(np.int64),
        rating=rating[order],
        user_ids=users,
        item_ids=items,
        rating_scale=scale,
        has_ratings=bool((~np.isnan(rating)).any()),
        duplicates=frame.height - unique.height,
    )


def _labels(series: pl.Series) -> NDArray[Any]:
    return (
        series.cast(pl.Int64).to_numpy() if series.dtype.is_integer() else series.cast(pl.String).to_numpy().astype(str)
    )


def _ratings(frame: pl.DataFrame) -> tuple[NDArray[np.float32], float]:
    if "rating" not in frame.columns:
        return np.full(frame.height, np.nan, np.float32), 1.0
    rating = frame["rating"].cast(pl.Float32).fill_null(float("nan")).to_numpy().astype(np.float32)
    stated = rating[~np.isnan(rating)]
    if not len(stated):
        return rating, 1.0
    low, high = float(stated.min()), float(stated.max())
    if low <= 0 or high > TOP_RATING:
        raise InvalidInputError(
            f"ratings go from {low:g} to {high:g}",
            hint="ratings are above 0 and at most 10 (or 5); leave it empty for none",
        )
    scale = 2.0 if high <= 5 else 1.0
    return rating * np.float32(scale), scale


def anime_of(catalogue: Any, item_ids: NDArray[Any]) -> list[Anime]:
    """One ``Anime`` for each label, in that order; what the catalogue does not say stays unknown.

    Columns are ``item_id`` (or ``anime_id``) and any field of ``Anime``; lists may be text such as "Action, Drama".
    Integer labels are the anime ids; others are numbered by their place.
    """
    known: dict[Any, dict[str, Any]] = {}
    if catalogue is not None:
        frame = catalogue_frame(catalogue)
        fields = [name for name in frame.columns if name in Anime.__struct_fields__ and name != "anime_id"]
        labels = _labels(frame["item_id"]).tolist()
        known = dict(zip(labels, frame.select(fields).iter_rows(named=True), strict=True))
    numbered = item_ids.dtype.kind != "i"
    return [
        _anime(place if numbered else int(label), label, known.get(label, {}))
        for place, label in enumerate(item_ids.tolist())
    ]


def catalogue_frame(catalogue: Any) -> pl.DataFrame:
    """The catalogue with its id column named ``item_id``, each id once.

    Raises:
        InvalidInputError: there is no id column, or an id stands twice.
    """
    frame = read_table(catalogue, "catalogue")
    if "item_id" not in frame.columns and "anime_id" in frame.columns:
        frame = frame.rename({"anime_id": "item_id"})
    if "item_id" not in frame.columns:
        raise InvalidInputError(
            f"catalogue has no column item_id; there are: {', '.join(frame.columns)}", hint="name the id column item_id"
        )
    twice = frame.height - frame["item_id"].n_unique()
    if twice:
        raise InvalidInputError(f"catalogue: {twice:,} item_id(s) stand more than once", hint="keep one row an item")
    return frame


def _anime(anime_id: int, label: Any, cells: dict[str, Any]) -> Anime:
    given = {name: value for name, value in cells.items() if value is not None}
    for name in _LISTS:
        if name in given:
            given[name] = _words(given[name])
    if "streaming" in given:
        given["streaming"] = tuple(Streaming(**site) for site in given["streaming"])
    released = given.get("released")
    if isinstance(released, str):  # a plain table may say the year only
        given.pop("released")
        if released[:4].isdigit():
            given.setdefault("year", int(released[:4]))
    # Other tables have columns of these names that hold something else, such as whether an anime is on air.
    for name, is_such in _NARROW.items():
        if name in given and not is_such(given[name]):
            given.pop(name)
    given["title"] = str(given.get("title") or label)
    return Anime(anime_id=anime_id, **given)


def _words(value: Any) -> tuple[Any, ...]:
    if isinstance(value, str):
        return tuple(dict.fromkeys(word.strip() for word in value.split(",") if word.strip()))
    return tuple(value)
