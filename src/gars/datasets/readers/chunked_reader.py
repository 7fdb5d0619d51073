"""Read a table of any size in pieces of whole lines, every cell as text, and know the line of every row."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import polars as pl

from gars.datasets.csv_rows import Header, read_rows
from gars.datasets.problems import EXAMPLES, Problems
from gars.datasets.readers.dialects import Layout
from gars.domain.errors import DataError, InvalidInputError
from gars.runtime.progress import Advance

PIECE_BYTES = 32 << 20
_LONGEST_LINE = 8 << 20
_LONGEST_TEXT = 64 << 20
_PARQUET_ROWS = 1_000_000
_WHOLE = "(all)"


def pieces(
    layout: Layout, wanted: list[str], problems: Problems, advance: Advance, *, size: int = PIECE_BYTES
) -> Iterator[tuple[int, pl.DataFrame]]:
    """Yield (number of the first row, frame of text columns ``wanted``); row 0 is the first below the header.

    Blank lines are rows of nulls. A line with too many or too few cells goes to ``problems``, and its piece is left
    out. ``advance`` gets the bytes read (for Parquet: the rows).
    """
    if layout.path.suffix == ".parquet":
        yield from _parquet_pieces(layout.path, wanted, advance)
        return
    first = 0
    if layout.has_header:
        with layout.path.open("rb") as file:
            advance(float(len(file.readline())))
    for block in _whole_lines(layout, size):
        frame = _frame(layout, block, wanted, problems, first)
        if frame is not None:
            yield first, frame
            first += frame.height
        else:
            first += sum(1 for _ in _rows(layout, block))
        advance(float(len(block)))


def line_numbers(layout: Layout, rows: Iterable[int]) -> dict[int, int]:
    """Return the first line of each row; reads the file again, as far as the last of them."""
    asked = sorted(set(rows))
    if not asked or layout.path.suffix == ".parquet":
        return {row: row + 1 for row in asked}
    found: dict[int, int] = {}
    with layout.path.open(encoding="latin-1", newline="") as file:
        reader = csv.reader(file, quoting=layout.quoting)
        if layout.has_header:
            next(reader, None)
        started = reader.line_num + 1
        for row, _ in enumerate(islice(reader, asked[-1] + 1)):
            if row == asked[len(found)]:
                found[row] = started
            started = reader.line_num + 1
    return found


def _whole_lines(layout: Layout, size: int) -> Iterator[bytes]:
    """Blocks of about ``size`` bytes that end at the end of a row; the header is left out."""
    with layout.path.open("rb") as file:
        if layout.has_header:
            file.readline()
        rest = b""
        while piece := file.read(size):
            block = rest + piece
            cut = _last_row_end(block, quoted=layout.quoted)
            if len(block) - cut > size + _LONGEST_LINE:
                raise DataError(
                    f"{layout.path}: a quote is opened and not closed for {(len(block) - cut) >> 20} MB",
                    hint="find the line with an odd number of quotes: grep -n '\"' FILE",
                )
            rest = block[cut:]
            if cut:
                yield block[:cut]
        if rest:
            if layout.quoted and rest.count(b'"') % 2:
                raise _unclosed(layout)
            yield rest + b"\n"


def _unclosed(layout: Layout) -> DataError:
    """Name the line of the first quote that is not closed in its row; reads the file again."""
    with layout.path.open(encoding="utf-8", errors="replace") as file:
        text = file.read(_LONGEST_TEXT)
    header = Header(layout.header, layout.separator, 1 if layout.has_header else 0)
    try:
        for _ in read_rows(text, header):
            pass
        where = "a quote is opened and not closed"
    except InvalidInputError as error:
        where = error.message
    return DataError(
        f"{layout.path}: {where}", hint='close the quote or remove it; inside a cell it is written twice: ""'
    )


def _last_row_end(block: bytes, *, quoted: bool) -> int:
    """Where the last whole row ends: after a newline that is not inside quotes; 0 when there is none."""
    end = block.rfind(b"\n") + 1
    if not quoted:
        return end
    odd = block.count(b'"', 0, end) % 2
    while end and odd:
        before = block.rfind(b"\n", 0, end - 1) + 1
        odd ^= block.count(b'"', before, end) % 2
        end = before
    return end


def _frame(layout: Layout, block: bytes, wanted: list[str], problems: Problems, first: int) -> pl.DataFrame | None:
    separator = layout.separator
    if len(separator) > 1:
        block = block.replace(separator.encode(), b"\x1f")
        separator = "\x1f"
    has_quotes = layout.quoted and b'"' in block
    header = separator.join(layout.header).encode() + b"\n"
    try:
        frame = pl.read_csv(
            header + block,
            separator=separator,
            quote_char='"' if layout.quoted else None,
            schema=dict.fromkeys(layout.header, pl.String),
            columns=None if has_quotes else wanted,
            encoding="utf8" if layout.encoding.startswith("utf-8") else "iso-8859-1",
        )
    except pl.exceptions.PolarsError as error:
        if not (_find_ragged(layout, block, separator, problems, first) or _find_undecodable(block, problems, first)):
            raise DataError(
                f"{layout.path}: cannot be read near row {first + 1:,}: {str(error).splitlines()[0]}",
                hint="look for an unclosed quote",
            ) from error
        return None
    if has_quotes:
        suspicious = frame[layout.header[-1]].null_count() > 0
    else:
        blank = frame.select(pl.all_horizontal(pl.all().is_null()).sum()).item()
        suspicious = block.count(separator.encode()) != (frame.height - blank) * (len(layout.header) - 1)
    if has_quotes and frame.height < block.rstrip(b"\n").count(b"\n") + 1:
        _refuse_swallowed_rows(layout, block)
    if suspicious and _find_ragged(layout, block, separator, problems, first):
        return None
    return frame.select(wanted)


def _refuse_swallowed_rows(layout: Layout, block: bytes) -> None:
    """Raise ``DataError`` if a quoted cell of several lines holds rows: its quote was never closed."""
    try:
        for _ in read_rows(block.decode("utf-8", "replace"), Header(layout.header, layout.separator, 0)):
            pass
    except InvalidInputError as error:
        raise _unclosed(layout) from error


def _rows(layout: Layout, block: bytes, separator: str | None = None) -> Iterator[list[str]]:
    text = io.StringIO(block.decode("utf-8", "replace"), newline="")
    if separator is None:
        separator = layout.separator if len(layout.separator) == 1 else "\x1f"
    return csv.reader(text, delimiter=separator, quoting=layout.quoting)


def _find_ragged(layout: Layout, block: bytes, separator: str, problems: Problems, first: int) -> int:
    """Report every line with another number of cells than the header; returns how many."""
    cells = len(layout.header)
    ragged = [
        (row, line) for row, line in enumerate(_rows(layout, block, separator), first) if line and len(line) != cells
    ]
    if ragged:
        shown = ragged[:EXAMPLES]
        what = f"the line has another number of cells than the header's {cells}"
        problems.add(
            _WHOLE, what, len(ragged), (row for row, _ in shown), (layout.separator.join(line) for _, line in shown)
        )
    return len(ragged)


def _find_undecodable(block: bytes, problems: Problems, first: int) -> int:
    """Report every line that is not UTF-8; returns how many."""
    bad = []
    for row, line in enumerate(block.splitlines(), first):
        try:
            line.decode()
        except UnicodeDecodeError:
            bad.append((row, line.decode("utf-8", "replace")))
    if bad:
        problems.add(
            _WHOLE, "is not UTF-8 text", len(bad), (row for row, _ in bad[:EXAMPLES]), (line for _, line in bad[:5])
        )
    return len(bad)


def _as_text(path: Path, name: str, kind: pl.DataType) -> pl.Expr:
    """Cast a typed column to text. Raises ``DataError`` for a column of lists, structures or durations."""
    column = pl.col(name)
    if isinstance(kind, pl.Datetime):
        utc = column.dt.convert_time_zone("UTC") if kind.time_zone is not None else column
        column = utc.dt.strftime("%Y-%m-%dT%H:%M:%S%.3fZ")
    elif isinstance(kind, pl.Date):
        column = column.dt.strftime("%Y-%m-%d")
    elif kind.is_nested() or isinstance(kind, pl.Duration | pl.Time | pl.Object):
        raise DataError(
            f"{path}: column {name!r} holds {kind}, not single values",
            hint="write the column as numbers or text, then run the same command again",
        )
    return column.cast(pl.String, strict=False)


def _parquet_pieces(path: Path, wanted: list[str], advance: Advance) -> Iterator[tuple[int, pl.DataFrame]]:
    lazy = pl.scan_parquet(path).select(wanted)
    schema = lazy.collect_schema()
    rows = int(lazy.select(pl.len()).collect().item())
    texts = [_as_text(path, name, schema[name]) for name in wanted]
    for first in range(0, rows, _PARQUET_ROWS):
        yield first, lazy.slice(first, _PARQUET_ROWS).select(texts).collect()
        advance(float(min(_PARQUET_ROWS, rows - first)))
