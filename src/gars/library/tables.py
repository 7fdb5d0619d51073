"""Columns of a table of any make: pandas, Polars, Arrow, a mapping of columns, a list of records, or a file."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from gars.datasets.csv_rows import SEPARATORS, Header, read_rows
from gars.datasets.readers.readable import Readable
from gars.domain.errors import DataError, InvalidInputError

Column = pl.Series | list[object]
"""A Polars series, or a list where the values are of several kinds. Missing is ``None``; floats may be NaN."""
_RESOLUTIONS = "D", "ms", "us", "ns"
"""Of times of numpy that Polars reads."""


class Table:
    """Columns by name, converted when they are asked for: a column that is not used may hold anything."""

    def __init__(self, what: str, names: Sequence[str], height: int, get: Any) -> None:
        self.what = what
        self.names = tuple(names)
        self.height = height
        self._get = get

    def __contains__(self, name: str) -> bool:
        return name in self.names

    def column(self, name: str) -> Column:
        """Return a column.

        Raises:
            InvalidInputError: the name stands twice, or the column cannot be converted.
        """
        places = [place for place, one in enumerate(self.names) if one == name]
        if len(places) > 1:
            raise InvalidInputError(
                f"{self.what}: column {name!r} is there {len(places)} times", hint="give every column a name of its own"
            )
        try:
            return _plain(self._get(places[0]))
        except (pl.exceptions.PolarsError, TypeError, ValueError, OverflowError) as error:
            raise InvalidInputError(
                f"{self.what}: column {name!r} cannot be read: {str(error).splitlines()[0]}",
                hint="give the column numbers or text",
            ) from error


def values_of(column: Column) -> list[object]:
    """Return a column as Python values; NaN is ``None``."""
    values = column.to_list() if isinstance(column, pl.Series) else column
    return [None if isinstance(value, float) and value != value else value for value in values]


def read_table(source: Any, what: str) -> Table:
    """Return the columns of a table; ``what`` names it in messages. A list of paths is one table in Parquet files.

    Raises:
        InvalidInputError: it is no table.
        DataError: the file cannot be read.
    """
    if isinstance(source, list) and source and all(isinstance(part, Path) for part in source):
        return _of_parts(source, what)
    if isinstance(source, pl.LazyFrame):
        source = source.collect()  # once: its rows may come in another order the next time
    if isinstance(source, str | Path):
        source = _read_file(Path(source), what)
    if hasattr(source, "columns") and hasattr(source, "iloc"):
        return Table(what, [str(name) for name in source.columns], len(source), lambda at: _of_pandas(source, at))
    if isinstance(source, Mapping) and all(_is_sequence(values) for values in source.values()):
        return _of_mapping(source, what)
    if isinstance(source, list | tuple) and source and all(isinstance(row, Mapping) for row in source):
        names = list(dict.fromkeys(name for row in source for name in row))
        return _of_mapping({name: [row.get(name) for row in source] for name in names}, what)
    if not isinstance(source, pl.DataFrame) and hasattr(source, "__arrow_c_stream__"):
        source = pl.DataFrame(source)
    if isinstance(source, pl.DataFrame):
        frame = source
        return Table(what, frame.columns, frame.height, lambda at: frame.to_series(at))
    raise InvalidInputError(
        f"{what} is a {type(source).__name__}", hint="give a DataFrame, an Arrow table, or the path of a CSV or Parquet"
    )


def _of_parts(parts: list[Path], what: str) -> Table:
    """Read Parquet files column by column: together the columns may not fit into memory."""
    lazy = pl.scan_parquet(parts)
    names = lazy.collect_schema().names()
    height = int(lazy.select(pl.len()).collect().item())
    return Table(what, names, height, lambda at: lazy.select(names[at]).collect().to_series())


def _is_sequence(values: object) -> bool:
    return (
        hasattr(values, "__len__") and hasattr(values, "__getitem__") and not isinstance(values, str | bytes | Mapping)
    )


def _of_mapping(columns: Mapping[Any, Any], what: str) -> Table:
    lengths = {len(values) for values in columns.values()}
    if len(lengths) > 1:
        raise InvalidInputError(
            f"{what}: the columns have {min(lengths):,} to {max(lengths):,} rows", hint="give every column as many rows"
        )
    given = list(columns.values())
    return Table(what, [str(name) for name in columns], max(lengths, default=0), lambda at: _of_values(given[at]))


def _of_values(values: Any) -> Column:
    """A series if the values are of one kind, else the list."""
    if hasattr(values, "dtype") and getattr(values.dtype, "kind", "O") in "iufM":
        return _series(values)
    known = [value.item() if hasattr(value, "item") and not hasattr(value, "isoformat") else value for value in values]
    kinds = {type(value) for value in known if value is not None}
    if kinds <= {str} or (kinds <= {int, float} and int not in kinds):
        return pl.Series(known, dtype=pl.String if kinds <= {str} else pl.Float64, strict=True)
    return known


def _series(values: Any) -> pl.Series:
    """Return a series of numbers or times; those in seconds, hours or years, which Polars refuses, in microseconds."""
    array = np.asarray(values)
    if array.dtype.kind == "M" and np.datetime_data(array.dtype)[0] not in _RESOLUTIONS:
        array = array.astype("datetime64[us]")
    return pl.Series(array)


def _of_pandas(frame: Any, place: int) -> Column:
    series = frame.iloc[:, place]
    kind = series.dtype
    if hasattr(kind, "tz"):
        return _series(series.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy())
    if isinstance(getattr(kind, "kind", None), str) and kind.kind in "iufM" and not hasattr(kind, "na_value"):
        return _series(series.to_numpy())
    missing = series.isna().to_numpy()
    values = series.astype(object).tolist()
    return _of_values([None if gone else value for value, gone in zip(values, missing, strict=True)])


def _plain(column: Column) -> Column:
    """Categories and bytes as text."""
    if not isinstance(column, pl.Series):
        return column
    if column.dtype == pl.Object:
        return column.to_list()
    if isinstance(column.dtype, pl.Categorical | pl.Enum | pl.Binary):
        return column.cast(pl.String)
    return column


def _read_file(path: Path, what: str) -> pl.DataFrame:
    if not path.is_file():
        raise DataError(f"{what}: there is no file {path}", hint="check the path")
    with readable_copy(path) as copy:
        try:
            if copy.suffix == ".parquet":
                return pl.read_parquet(copy)
            if copy.suffix == ".jsonl":
                return pl.read_ndjson(copy, infer_schema_length=None)
            return _read_csv(copy)
        except (pl.exceptions.PolarsError, OSError, UnicodeDecodeError) as error:
            raise DataError(
                f"{what}: {path} cannot be read: {error}", hint="gars data import reads more dialects"
            ) from error
        except InvalidInputError as error:
            raise DataError(f"{what}: {path}: {error.message}", hint=error.hint) from error


@contextmanager
def readable_copy(path: Path) -> Iterator[Path]:
    """Yield the file itself, or a copy in UTF-8 and out of its wrapper that is gone when the block ends."""
    with tempfile.TemporaryDirectory(prefix="gars-table-") as scratch:
        readable = Readable(Path(scratch))
        with readable.errors():
            yield readable.copy(path)


def _read_csv(path: Path) -> pl.DataFrame:
    with path.open("rb") as file:
        first = file.readline(1 << 16).decode("utf-8", "replace")
    separator = max(SEPARATORS, key=first.count)
    try:
        frame = pl.read_csv(path, separator=separator, infer_schema_length=100_000)
    except pl.exceptions.ComputeError:  # a later row is of another kind than the first 100,000, or a quote is open
        _refuse_swallowed_rows(path, first, separator)
        frame = pl.read_csv(path, separator=separator, infer_schema=False)
    else:
        if _may_swallow_rows(path, frame.height):
            _refuse_swallowed_rows(path, first, separator)
    return frame


def _may_swallow_rows(path: Path, rows: int) -> bool:
    """Return True if a file has unpaired quotes, or cells of several lines."""
    quotes = ends = 0
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            quotes += piece.count(b'"')
            ends += piece.count(b"\n")
    return bool(quotes % 2 or (quotes and rows < ends - 1))


def _refuse_swallowed_rows(path: Path, first: str, separator: str) -> None:
    """Raise ``InvalidInputError`` with the line of a quote that is not closed in its row."""
    header = Header(tuple(first.split(separator)), separator, 1)
    for _ in read_rows(path.read_text(encoding="utf-8-sig", errors="replace"), header):
        pass
