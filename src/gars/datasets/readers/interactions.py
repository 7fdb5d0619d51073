"""From a piece of an interactions file to the normal form: check every cell, count every fault."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import polars as pl

from gars.datasets.problems import EXAMPLES, Problems
from gars.datasets.readers.dialects import STATUS_CODES, Columns
from gars.datasets.schema import INTERACTIONS, STATUSES

_EARLIEST_MS = 631_152_000_000  # 1990-01-01: what is before it is a wrong unit or an empty field
_MILLISECONDS_FROM = 100_000_000_000
"""A whole number this large is milliseconds since 1970, a smaller one seconds."""
_TIME_FORMATS = ("%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d")
_NO_TIME = ("", "0", "0000-00-00")
_WORDS = {name: name for name in STATUSES}

HashUsers = Callable[[pl.Series], pl.Series]


def normal_rows(
    raw: pl.DataFrame,
    columns: Columns,
    *,
    problems: Problems,
    first_row: int,
    hash_users: HashUsers | None,
    codes: Mapping[str, str] | None = None,
) -> tuple[pl.DataFrame, int]:
    """Return the rows of ``raw`` (text columns) in the normal form, in file order, and how many status codes are stray.

    ``hash_users`` turns text user ids into numbers; without it they must be whole numbers. ``codes`` names what the
    file's status codes mean. Blank lines are skipped. Rows with a fault are counted in ``problems`` and come out
    with nulls: the caller must not write them.
    """
    text = raw.select(pl.all().str.strip_chars().fill_null("")).with_row_index("row", first_row)
    if (text[columns.item] == "").any():
        text = text.filter(~pl.all_horizontal(pl.exclude("row") == ""))
    user = text[columns.user]
    found = pl.DataFrame(
        {
            "user_id": hash_users(user) if hash_users else user.cast(pl.Int64, strict=False),
            "anime_id": text[columns.item].cast(pl.Int64, strict=False),
        }
    )
    checks = _Checks(text, problems)
    checks.must(columns.user, "is empty" if hash_users else "is not a user id (a whole number)", found["user_id"] >= 0)
    checks.must(columns.item, f"is not an id from {columns.first_item}", found["anime_id"] >= columns.first_item)
    stray = 0
    if columns.rating:
        found = found.with_columns(rating=_ratings(text[columns.rating], columns, checks))
    if columns.status:
        meaning = {**_WORDS, **(codes or STATUS_CODES)}
        status = text[columns.status].replace_strict(meaning, default=None, return_dtype=pl.String)
        stray = int((text[columns.status] != "").sum()) - status.count()
        found = found.with_columns(status=status)
    if columns.time:
        found = found.with_columns(time=_times(text[columns.time], columns.time, checks))
    absent = [pl.lit(None, kind).alias(name) for name, kind in INTERACTIONS.items() if name not in found.columns]
    return found.with_columns(absent).select(*INTERACTIONS), stray


class _Checks:
    """Counts the rows of ``text`` that fail."""

    def __init__(self, text: pl.DataFrame, problems: Problems) -> None:
        self.text, self.problems = text, problems

    def must(self, column: str, what: str, good: pl.Series) -> None:
        """Report the rows where ``good`` is false or null."""
        bad = ~good.fill_null(False)
        count = int(bad.sum())
        if count:
            shown = self.text.filter(bad).head(EXAMPLES)
            self.problems.add(column, what, count, shown["row"].to_list(), shown[column].to_list())


def _ratings(text: pl.Series, columns: Columns, checks: _Checks) -> pl.Series:
    unscored = text.is_in(columns.unscored)
    value = text.cast(pl.Float64, strict=False) * columns.scale
    top = f"{10 / columns.scale:g}"
    what = f"is not a whole rating from 1 to {top}" if columns.scale == 1 else f"is not a rating of half stars to {top}"
    checks.must(text.name, what, unscored | ((value == value.round()) & value.is_between(1, 10)))
    return value.set(unscored | ~value.is_between(1, 10), None).cast(INTERACTIONS["rating"], strict=False)


def _times(text: pl.Series, column: str, checks: _Checks) -> pl.Series:
    kind = INTERACTIONS["time"]
    absent = text.is_in(_NO_TIME)
    number = text.cast(pl.Int64, strict=False)
    time = number.to_frame("n").select(
        pl.when(pl.col("n") >= _MILLISECONDS_FROM).then("n").otherwise(pl.col("n") * 1000).cast(kind)
    )["n"]
    if (number.is_null() & ~absent).any():
        zoned = text.str.to_datetime("%+", time_unit="ms", time_zone="UTC", strict=False)
        naive = [text.str.to_datetime(form, time_unit="ms", strict=False) for form in _TIME_FORMATS]
        utc = [series.dt.replace_time_zone("UTC") for series in naive]
        time = pl.select(pl.coalesce(time, zoned, *utc)).to_series()
    earliest = pl.Series([_EARLIEST_MS]).cast(kind)[0]
    checks.must(column, "is not a time (ISO 8601, or unix seconds)", absent | (time >= earliest))
    return time.set(absent, None)
