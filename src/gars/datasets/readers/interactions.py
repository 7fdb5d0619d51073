"""Convert a chunk of an interactions file to the normal form: check every cell, count every fault."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import polars as pl

from gars.datasets import scales, statuses, times
from gars.datasets.identifiers import parse_id
from gars.datasets.problems import EXAMPLES, Problems
from gars.datasets.readers.dialects import Columns
from gars.datasets.scales import FIVE, TEN, Scale
from gars.datasets.schema import INTERACTIONS

_TIME_FORMATS = ("%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d")
_DECIMALS_FROM, _DECIMALS_SHARE = 2, 0.2
"""So many ratings with decimals, and this share of all, show that a file has them; fewer are faults."""

HashUsers = Callable[[pl.Series], pl.Series]


@dataclass(frozen=True, slots=True)
class RatingScale:
    """Decision about the ratings of a data set."""

    scale: Scale = TEN
    decimals: bool = False
    """Ratings that are not whole on the scale to 10 are rounded, halves up; otherwise they are faults."""
    why: str = ""
    """Evidence, empty where the scale is the usual one."""


@dataclass(slots=True)
class LeftOut:
    """Counts of rows with an unknown status or of manga, over all chunks of a file."""

    unknown_statuses: Counter[str] = field(default_factory=Counter)
    """Word → rows. With a rating they are kept without status, else left out."""
    rows: int = 0
    """Rows left out for their status."""
    manga: int = 0
    """Rows of manga, left out."""


def decide_ratings(words: Mapping[str, int], columns: Columns) -> RatingScale | None:
    """Decide the scale of ratings from the words of a whole file: word → rows. ``None`` if no known scale fits."""
    counts: Counter[float] = Counter()
    for word, rows in words.items():
        score = None if word in columns.unscored or scales.is_missing(word) else scales.parse(word)
        if score is not None and score.scale is None and score.number > 0:
            counts[score.number] += rows
    verdict = scales.decide(counts) if columns.scale is None else scales.Verdict(columns.scale, "")
    if verdict.scale is None:
        return None
    partly = sum(rows for number, rows in counts.items() if number * verdict.scale.factor % 1)
    decimals = verdict.scale.factor < 1 or (
        columns.scale is None and partly >= max(_DECIMALS_FROM, _DECIMALS_SHARE * counts.total())
    )
    return RatingScale(verdict.scale, decimals, verdict.why)


def normal_rows(
    raw: pl.DataFrame,
    columns: Columns,
    *,
    problems: Problems,
    first_row: int,
    hash_users: HashUsers | None,
    codes: Mapping[str, str] | None = None,
    rating_scale: RatingScale | None = None,
    left_out: LeftOut | None = None,
) -> pl.DataFrame:
    """Return the rows of ``raw`` (text columns) in the normal form, in file order.

    ``hash_users`` turns text user ids into numbers; without it they must be whole numbers. ``codes`` names what the
    file's status codes mean. Blank lines are skipped; rows of manga, and rows whose only word is a status that is not
    known, are counted in ``left_out``. Rows with a fault are counted in ``problems`` and come out with nulls: the
    caller must not write them.
    """
    left_out = LeftOut() if left_out is None else left_out
    text = raw.select(pl.all().str.strip_chars().fill_null("")).with_row_index("row", first_row)
    if (text[columns.item] == "").any():
        text = text.filter(~pl.all_horizontal(pl.exclude("row") == ""))
    user = text[columns.user]
    found = pl.DataFrame(
        {
            "user_id": hash_users(user) if hash_users else _ids(user),
            "anime_id": _ids(text[columns.item]),
        }
    )
    checks = _Checks(text, problems)
    checks.must(columns.user, "is empty" if hash_users else "is not a user id (a whole number)", found["user_id"] >= 0)
    checks.must(columns.item, f"is not an id from {columns.first_item}", found["anime_id"] >= columns.first_item)
    if columns.rating:
        decided = rating_scale or RatingScale(columns.scale or TEN)
        found = found.with_columns(rating=_ratings(text[columns.rating], columns, decided, checks))
    if columns.time:
        found = found.with_columns(time=_times(text[columns.time], columns.time, checks))
    keep = pl.repeat(value=True, n=found.height, eager=True)
    if columns.kind:
        keep = ~_by_word(text[columns.kind], statuses.is_manga_kind, pl.Boolean())
        left_out.manga += int((~keep).sum())
    if columns.status:
        found = found.with_columns(status=_statuses(text[columns.status], codes))
        keep = keep & _understood(text[columns.status], found, codes, keep, left_out)
    absent = [pl.lit(None, kind).alias(name) for name, kind in INTERACTIONS.items() if name not in found.columns]
    rows = found.with_columns(absent).select(*INTERACTIONS)
    return rows if keep.all() else rows.filter(keep)


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


def _by_word(text: pl.Series, meaning: Callable[[str], object], kind: pl.DataType) -> pl.Series:
    """Apply a function to the distinct words of a column, which are few."""
    table = {word: meaning(word) for word in text.unique().to_list()}
    return text.replace_strict(list(table), pl.Series(list(table.values()), dtype=kind), return_dtype=kind)


def _ids(text: pl.Series) -> pl.Series:
    ids = text.cast(pl.Int64, strict=False)
    odd = text.filter(ids.is_null() & (text != ""))
    if not len(odd):
        return ids
    return pl.select(pl.coalesce(ids, _by_word(text, parse_id, pl.Int64()))).to_series()


def _ratings(text: pl.Series, columns: Columns, decided: RatingScale, checks: _Checks) -> pl.Series:
    kind = INTERACTIONS["rating"]

    def is_good(word: str) -> bool:
        return _is_unscored(word, columns) or _rating(word, decided) is not None

    scale = decided.scale
    if scale is TEN and not decided.decimals:
        what = "is not a whole rating from 1 to 10"
    elif scale is FIVE and not decided.decimals:
        what = "is not a rating of half stars to 5"
    else:
        what = f"is not a rating on the scale {scale.name}"
    checks.must(text.name, what, _by_word(text, is_good, pl.Boolean()))
    return _by_word(text, lambda word: None if _is_unscored(word, columns) else _rating(word, decided), kind)


def _is_unscored(word: str, columns: Columns) -> bool:
    if word in columns.unscored or scales.is_missing(word):
        return True
    number = parse_id(word.removeprefix("-"))
    return number is not None and f"{'-' * word.startswith('-')}{number}" in columns.unscored


def _rating(word: str, decided: RatingScale) -> int | None:
    score = scales.parse(word)
    value = scales.on_ten(score, decided.scale) if score is not None else None
    if score is None or value is None:
        return None
    if value % 1 and score.scale is None and not decided.decimals:
        return None
    return scales.whole(value)


def _statuses(text: pl.Series, codes: Mapping[str, str] | None) -> pl.Series:
    return _by_word(text, lambda word: _status(word, codes), pl.String())


def _status(word: str, codes: Mapping[str, str] | None) -> str | None:
    """Return the status of the normal form; a legend of the file defines its codes."""
    if codes is not None and (word in codes or parse_id(word) is not None):
        number = parse_id(word)
        return codes.get(word, codes.get(str(number)) if number is not None else None)
    known = statuses.look_up(word) if word else None
    return known.status.value if known is not None and known.status is not None and not known.of_manga else None


def _understood(
    text: pl.Series, found: pl.DataFrame, codes: Mapping[str, str] | None, keep: pl.Series, left_out: LeftOut
) -> pl.Series:
    """Return a mask of the rows to keep: without manga, and without unrated rows of an unknown status."""

    def is_manga(word: str) -> bool:
        known = statuses.look_up(word) if codes is None or word not in codes else None
        return known is not None and known.of_manga

    manga = _by_word(text, is_manga, pl.Boolean())
    left_out.manga += int((manga & keep).sum())
    unknown = found["status"].is_null() & (text != "") & ~manga & keep
    if not unknown.any() and not manga.any():
        return ~manga
    for word, rows in text.filter(unknown).value_counts().iter_rows():
        left_out.unknown_statuses[word] += rows
    rated = (
        found["rating"].is_not_null() if "rating" in found.columns else pl.repeat(value=False, n=len(text), eager=True)
    )
    left_out.rows += int((unknown & ~rated).sum())
    return ~manga & (~unknown | rated)


def _times(text: pl.Series, column: str, checks: _Checks) -> pl.Series:
    kind = INTERACTIONS["time"]
    absent = _none(text)
    number = text.cast(pl.Int64, strict=False)
    n = pl.col("n")
    ms = pl.lit(None, pl.Int64)
    for below, factor in reversed(times.UNITS):
        scaled = n * int(factor) if factor >= 1 else n // round(1 / factor)
        ms = pl.when(n < min(below, 2**63 - 1)).then(scaled).otherwise(ms)
    in_range = ms.is_between(times.EARLIEST_MS, times.LATEST_MS, closed="left")
    time = number.to_frame("n").select(pl.when((n > 0) & in_range).then(ms).cast(kind))["n"].alias(text.name)
    if (number.is_null() & ~absent).any():
        zoned = text.str.to_datetime("%+", time_unit="ms", time_zone="UTC", strict=False)
        naive = [text.str.to_datetime(form, time_unit="ms", strict=False) for form in _TIME_FORMATS]
        utc = [series.dt.replace_time_zone("UTC") for series in naive]
        time = pl.select(pl.coalesce(time, zoned, *utc)).to_series()
        rest = time.is_null() & number.is_null() & ~absent
        if rest.any():
            others = _by_word(text.filter(rest), times.text_ms, pl.Int64()).cast(kind)
            time = time.scatter(rest.arg_true(), others)
    earliest, latest = pl.Series([times.EARLIEST_MS, times.LATEST_MS]).cast(kind)
    checks.must(column, "is not a time (ISO 8601, or unix seconds)", absent | ((time >= earliest) & (time < latest)))
    return time.set(absent, None)


def _none(text: pl.Series) -> pl.Series:
    return text.str.to_lowercase().is_in(list(times.NONE_WORDS))
