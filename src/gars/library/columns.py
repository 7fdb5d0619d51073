"""Columns of a table as arrays: ids, ratings and times, each fault with its column, row and value."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gars.datasets import scales, times
from gars.datasets.identifiers import parse_id
from gars.domain.errors import InvalidInputError
from gars.library.tables import Table, values_of

Labels = NDArray[Any]
"""Ids: int64 or str."""
_LARGEST = 2**63 - 1
_NOT_AN_ID = "ids are whole numbers or text, of one kind in a column"


def read_ids(table: Table, name: str) -> Labels:
    """Return the ids of a column. (m,) int64 or str

    Floats that are whole are whole numbers: pandas makes floats of ids as soon as one is missing.

    Raises:
        InvalidInputError: an id is missing, not whole, too large, or of another kind than the others.
    """
    column = table.column(name)
    if isinstance(column, pl.Series) and column.dtype.is_float():
        column = column.fill_nan(None)
    missing = column.is_null() if isinstance(column, pl.Series) else pl.Series([value is None for value in column])
    if isinstance(column, pl.Series) and column.dtype == pl.String:
        missing = missing | (column.str.strip_chars() == "").fill_null(value=True)
    if count := int(missing.sum()):
        raise InvalidInputError(
            f"{table.what}: {count:,} row(s) without {name}, the first is row {missing.arg_true()[0]} (from 0)",
            hint="remove or complete these rows: df.dropna(subset=['user_id', 'item_id'])",
        )
    if not isinstance(column, pl.Series):
        return _mixed_ids(table, name, column)
    if column.dtype == pl.String:
        return column.to_numpy().astype(str)
    if column.dtype.is_integer():
        return _whole(table, name, column)
    if column.dtype.is_float():
        good = (column == column.round()) & (column.abs() <= 2**53)
        _refuse(table, name, column, good.fill_null(value=False), "is no id")
        return column.cast(pl.Int64).to_numpy()
    raise InvalidInputError(f"{table.what}: column {name!r} holds {column.dtype}", hint=_NOT_AN_ID)


def _whole(table: Table, name: str, column: pl.Series) -> Labels:
    found = column.cast(pl.Int64, strict=False)
    _refuse(table, name, column, found.is_not_null(), "is too large for an id")
    return found.to_numpy()


def _mixed_ids(table: Table, name: str, values: list[object]) -> Labels:
    """Ids of a column of Python objects: all numbers, or all text."""
    texts = [isinstance(value, str) for value in values]
    if all(texts):
        return np.array(values, str)
    found = np.zeros(len(values), np.int64)
    for row, value in enumerate(values):
        number = value if isinstance(value, int | float) and not isinstance(value, bool) else None
        whole = int(number) if number is not None and number == number and abs(number) <= _LARGEST else None
        if whole is None or whole != number:
            why = "is text among numbers" if isinstance(value, str) else "is no id"
            if number is not None and abs(number) > _LARGEST:
                why = "is too large for an id"
            raise InvalidInputError(
                f"{table.what}: column {name}, row {row} (from 0): {value!r} {why}", hint=_NOT_AN_ID
            )
        found[row] = whole
    return found


def same_kind(labels: Labels, other: Labels, what: str) -> Labels:
    """Return ids as the kind of others: text that is all whole numbers becomes numbers.

    Raises:
        InvalidInputError: the others are numbers and these are words, or the other way round.
    """
    if not len(labels) or (labels.dtype.kind == "i") == (other.dtype.kind == "i"):
        return labels
    if labels.dtype.kind == "i":
        return labels.astype(str)
    numbers = as_numbers(labels)
    if numbers is None:
        odd = next(label for label in labels.tolist() if not _is_canonical(label))
        raise InvalidInputError(
            f"{what}: item_id is text ({odd!r}) here and a whole number in the other table",
            hint="give both tables ids of one kind: df['item_id'].astype(str)",
        )
    return numbers


def as_numbers(labels: Labels) -> NDArray[np.int64] | None:
    """Return text ids as numbers, ``None`` if one is not a whole number as Python writes it."""
    if labels.dtype.kind == "i":
        return labels
    if not all(map(_is_canonical, pl.Series(labels).unique().to_list())):
        return None
    return labels.astype(np.int64)


def _is_canonical(label: str) -> bool:
    number = parse_id(label)
    return number is not None and str(number) == label


def read_ratings(table: Table, name: str) -> tuple[NDArray[np.float32], float]:
    """Return ratings on the scale to 10 (m,), NaN where there is none, and the factor of the scale.

    Raises:
        InvalidInputError: a value is no rating, or the ratings fit no known scale.
    """
    column = table.column(name)
    own = None
    if isinstance(column, pl.Series) and column.dtype.is_numeric():
        whole_and_small = column.dtype in (pl.Int8, pl.UInt8, pl.Int16, pl.UInt16)
        given = column.cast(pl.Float32 if whole_and_small else pl.Float64).fill_null(float("nan"))
        _refuse(table, name, column, ~given.is_infinite(), "is no rating")
    else:
        given, own = _worded_ratings(table, name, values_of(column))
    stated = given.drop_nans() if own is None else given.filter(~own).drop_nans()
    if len(stated):
        low, high = float(stated.min()), float(stated.max())  # type: ignore[arg-type]
        verdict = scales.decide(dict(stated.value_counts().iter_rows()))
        scale = verdict.scale
        if low <= 0 or scale is None or high * scale.factor > scales.TOP:
            raise InvalidInputError(
                f"ratings go from {low:g} to {high:g}",
                hint="ratings are above 0 and at most 10 (or 5 stars, 20 or 100); leave it empty for none",
            )
    else:
        scale = scales.TEN
    found = given.to_numpy().astype(np.float32)
    factor = np.where(own.to_numpy(), 1.0, scale.factor) if own is not None else scale.factor
    found *= factor
    return found, scale.factor


def _worded_ratings(table: Table, name: str, values: list[object]) -> tuple[pl.Series, pl.Series]:
    """Ratings of text and objects, and which of them are on the scale to 10 already."""
    known: dict[object, tuple[float, bool]] = {None: (float("nan"), False)}
    for row, value in enumerate(values):
        if value in known:
            continue
        if isinstance(value, str) and scales.is_missing(value):
            known[value] = known[None]
            continue
        score = scales.parse(value)
        if score is None:
            raise InvalidInputError(
                f"{table.what}: column {name}, row {row} (from 0): {value!r} is no rating",
                hint="ratings are numbers above 0; leave it empty for none",
            )
        ten = scales.on_ten(score, None)
        known[value] = (score.number, False) if ten is None else (ten, True)
    found = [known[value] for value in values]
    return pl.Series([one[0] for one in found], dtype=pl.Float64), pl.Series(
        [one[1] for one in found], dtype=pl.Boolean
    )


def read_times(table: Table, name: str) -> pl.Series:
    """Return numbers (m,) that order the rows in time, null where there is no time.

    Raises:
        InvalidInputError: a value is no time.
    """
    column = table.column(name)
    if isinstance(column, pl.Series):
        if column.dtype.is_numeric():
            return column.cast(pl.Float64).fill_nan(None) if column.dtype.is_float() else column
        if column.dtype.is_temporal() and not isinstance(column.dtype, pl.Duration | pl.Time):
            return column.cast(pl.Datetime("us")).dt.epoch("us")
        if column.dtype == pl.Null:
            return pl.Series([None] * len(column), dtype=pl.Int64)
    known: dict[object, float | None] = {None: None}
    values = values_of(column)
    for row, value in enumerate(values):
        if value not in known:
            known[value] = _moment(value)
            if known[value] is None and not (isinstance(value, str) and times.is_missing(value)):
                raise InvalidInputError(
                    f"{table.what}: column {name}, row {row} (from 0): {value!r} is no time",
                    hint="times are datetimes, unix seconds or ISO 8601 text",
                )
    return pl.Series([known[value] for value in values], dtype=pl.Float64)


def _moment(value: object) -> float | None:
    if hasattr(value, "timestamp"):
        return float(value.timestamp()) * 1000
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    found = times.any_ms(value)
    if found is None and hasattr(value, "isoformat"):
        found = times.text_ms(value.isoformat())
    return None if found is None else float(found)


def _refuse(table: Table, name: str, column: pl.Series, good: pl.Series, why: str) -> None:
    """Raise ``InvalidInputError`` with the first row that is not good."""
    bad = (~good).arg_true()
    if len(bad):
        row = int(bad[0])
        raise InvalidInputError(
            f"{table.what}: column {name}, row {row} (from 0): {column[row]!r} {why}", hint=_NOT_AN_ID
        )
