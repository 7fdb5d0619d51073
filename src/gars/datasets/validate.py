"""Validate a data set: counts, gaps and suspicious users. Reads part by part."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
import polars as pl

from gars.datasets.dataset import Dataset
from gars.datasets.schema import CATALOGUE, INTERACTIONS, LISTS, NEVER_NULL, STATUSES
from gars.domain.errors import DataError

UNIFORM_RATINGS = 500
UNIFORM_SHARE = 0.98
"""A user with this many ratings, this share of them equal, is suspicious: a script or a protest."""
ENDLESS_LIST = 5_000
COPIED_RATINGS = 20
COPIES = 5
"""Users are suspicious if this many have lists of this many ratings that are exactly equal."""
_SHOWN = 10


class Suspicious(msgspec.Struct, frozen=True):
    """A user whose list is suspicious."""

    user_id: int
    titles: int
    why: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Validation results. ``faults`` break the normal form; other findings only inform."""

    rows: int
    users: int
    anime: int
    catalogue: int
    orphans: int
    """Anime that are rated and not in the catalogue."""
    unrated_share: float
    ratings: dict[int, int]
    """Rating → rows."""
    statuses: dict[str, int]
    first_day: date | None
    last_day: date | None
    null_share: dict[str, float]
    """Catalogue column → share of rows without a value (for a list: empty)."""
    duplicates: int
    """(user, anime) pairs that are there twice."""
    duplicates_dropped: int
    suspicious: list[Suspicious]
    """The ten with the longest lists."""
    suspicious_users: int
    faults: list[str]
    suspicious_rows: int = 0
    """Rows of all suspicious users."""
    copied_users: int = 0
    """Users among the suspicious whose list others have too."""
    titles_of_a_user: dict[str, int] = {}
    """Length of a list → users with one so long."""


def validate(dataset: Dataset) -> Report:
    """Read the whole data set once. Raises ``DataError`` when a file of it cannot be read."""
    catalogue = dataset.catalogue()
    faults = _catalogue_faults(catalogue)
    seen = _Seen()
    for path in dataset.parts():
        try:
            seen.add(pl.read_parquet(path), path.name, faults)
        except (pl.exceptions.PolarsError, OSError) as error:
            raise DataError(
                f"{path}: cannot be read: {error}", hint="remove that data set and build it again: gars data build"
            ) from error
    if seen.rows != dataset.manifest.rows:
        faults.append(f"dataset.json promises {dataset.manifest.rows:,} rows, there are {seen.rows:,}")
    users = _whole_users(seen.users)
    odd = _suspicious(users)
    rated = sum(seen.ratings.values())
    return Report(
        rows=seen.rows,
        users=users.height,
        anime=len(seen.anime),
        catalogue=catalogue.height,
        orphans=len(seen.anime - set(catalogue["anime_id"].to_list())),
        unrated_share=1 - rated / seen.rows if seen.rows else 0.0,
        ratings=dict(sorted(seen.ratings.items())),
        statuses=seen.statuses,
        first_day=seen.first_day,
        last_day=seen.last_day,
        null_share={name: _null_share(catalogue[name]) for name in CATALOGUE},
        duplicates=seen.duplicates,
        duplicates_dropped=dataset.manifest.duplicates,
        suspicious=[_why(row) for row in odd.head(_SHOWN).iter_rows(named=True)],
        suspicious_users=odd.height,
        faults=faults,
        suspicious_rows=int(odd["titles"].sum()),
        copied_users=int(odd["copied"].sum()),
        titles_of_a_user=_lengths(users["titles"]),
    )


_RATED = {f"r{rating}": (pl.col("rating") == rating).sum() for rating in range(1, 11)}
_USER = {"user_id": pl.Int64(), "titles": pl.UInt32(), "list": pl.UInt64()} | dict.fromkeys(_RATED, pl.UInt32())
_LIST = pl.when(pl.col("rating").is_not_null()).then(pl.struct("anime_id", "rating").hash()).sum()
"""One number of all ratings of a user, in whatever order: equal lists, equal numbers."""
_LENGTHS = (1, 5, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000)


class _Seen:
    """Running totals over the parts."""

    def __init__(self) -> None:
        self.rows = self.duplicates = 0
        self.anime: set[int] = set()
        self.ratings: dict[int, int] = {}
        self.statuses: dict[str, int] = {}
        self.first_day: date | None = None
        self.last_day: date | None = None
        self.users: list[pl.DataFrame] = []
        self._last: tuple[int, int] | None = None

    def add(self, part: pl.DataFrame, name: str, faults: list[str]) -> None:
        wrong = [column for column, kind in INTERACTIONS.items() if part.schema.get(column) != kind]
        if wrong:
            faults.append(f"{name}: column {wrong[0]} is {part.schema.get(wrong[0])}, not {INTERACTIONS[wrong[0]]}")
            return
        if not part.height:
            return
        self._order(part, name, faults)
        self.rows += part.height
        self.anime.update(part["anime_id"].unique().to_list())
        for rating, count in part["rating"].drop_nulls().value_counts().iter_rows():
            self.ratings[rating] = self.ratings.get(rating, 0) + count
            if not 1 <= rating <= 10:
                faults.append(f"{name}: {count:,} rating(s) of {rating}")
        for status, count in part["status"].drop_nulls().value_counts(sort=True).iter_rows():
            self.statuses[status] = self.statuses.get(status, 0) + count
            if status not in STATUSES:
                faults.append(f"{name}: {count:,} row(s) of unknown status {status!r}")
        days = part.select(pl.col("time").min().alias("first"), pl.col("time").max().alias("last")).row(0)
        if days[0] is not None:
            self.first_day = min(filter(None, (self.first_day, days[0].date())))
            self.last_day = max(filter(None, (self.last_day, days[1].date())))
        self.users.append(part.group_by("user_id").agg(titles=pl.len(), list=_LIST, **_RATED).cast(_USER))  # type: ignore[arg-type]

    def _order(self, part: pl.DataFrame, name: str, faults: list[str]) -> None:
        pairs = part.select("user_id", "anime_id")
        if self._last is not None:
            pairs = pl.concat([pl.DataFrame([self._last], schema=pairs.schema, orient="row"), pairs])
        user, anime = pairs["user_id"], pairs["anime_id"]
        same_user = user == user.shift(1)
        self.duplicates += int((same_user & (anime == anime.shift(1))).sum())
        back = int(((user < user.shift(1)) | (same_user & (anime < anime.shift(1)))).sum())
        if back:
            faults.append(f"{name}: {back:,} row(s) are not in order of user and anime")
        self._last = (user[-1], anime[-1])


def _catalogue_faults(catalogue: pl.DataFrame) -> list[str]:
    wrong = [name for name, kind in CATALOGUE.items() if catalogue.schema.get(name) != kind]
    if wrong:
        raise DataError(
            f"catalogue.parquet: column {wrong[0]} is {catalogue.schema.get(wrong[0])}, not {CATALOGUE[wrong[0]]}",
            hint="remove that data set and build it again: gars data build",
        )
    faults = [
        f"catalogue: {count:,} row(s) without {name}" for name in NEVER_NULL if (count := catalogue[name].null_count())
    ]
    if repeated := catalogue.height - catalogue["anime_id"].n_unique():
        faults.append(f"catalogue: {repeated:,} anime_id(s) are there twice")
    return faults


def _null_share(column: pl.Series) -> float:
    if not len(column):
        return 0.0
    unknown = (column.list.len() == 0).sum() if column.name in LISTS else column.null_count()
    return float(unknown) / len(column)


def _whole_users(pieces: list[pl.DataFrame]) -> pl.DataFrame:
    """Aggregate to one row per user, also for users whose rows are in two parts."""
    return pl.concat(pieces).group_by("user_id").sum() if pieces else pl.DataFrame(schema=_USER)


def _suspicious(users: pl.DataFrame) -> pl.DataFrame:
    """Return suspicious users, those with the longest lists first."""
    counted = users.with_columns(rated=pl.sum_horizontal(*_RATED), most=pl.max_horizontal(*_RATED))
    uniform = (pl.col("rated") >= UNIFORM_RATINGS) & (pl.col("most") >= UNIFORM_SHARE * pl.col("rated"))
    endless = pl.col("titles") >= ENDLESS_LIST
    alike = pl.len().over("list", "rated")
    copied = (pl.col("rated") >= COPIED_RATINGS) & (alike >= COPIES)
    return (
        counted.with_columns(uniform=uniform, copied=copied, alike=alike)
        .filter(uniform | endless | pl.col("copied"))
        .sort("titles", "user_id", descending=[True, False])
    )


def _why(row: dict[str, Any]) -> Suspicious:
    if row["uniform"]:
        why = f"{row['most']:,} of {row['rated']:,} ratings are the same"
    elif row["copied"]:
        why = f"{row['alike']:,} users have the very same {row['rated']:,} ratings"
    else:
        why = "a list this long"
    return Suspicious(user_id=row["user_id"], titles=row["titles"], why=why)


def _lengths(titles: pl.Series) -> dict[str, int]:
    ends = (*_LENGTHS[1:], None)
    shown = {
        (low, high): f"{low:,}+" if high is None else f"{low:,}-{high - 1:,}"
        for low, high in zip(_LENGTHS, ends, strict=True)
    }
    return {
        text: int(((titles >= low) & (titles < high)).sum() if high else (titles >= low).sum())
        for (low, high), text in shown.items()
    }
