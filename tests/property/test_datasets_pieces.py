"""Reading in pieces and sorting in ranges change nothing: whatever the sizes, the rows are the same."""

from __future__ import annotations

import csv
import tempfile
from pathlib import Path

import numpy as np
import polars as pl
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gars.datasets.importing import import_files
from gars.datasets.partition import Ranges, bounds_from_sample, keep_last
from gars.datasets.problems import Problems
from gars.datasets.readers.chunked_reader import line_numbers, pieces
from gars.datasets.readers.dialects import detect
from gars.datasets.schema import INTERACTIONS
from gars.runtime.progress import Silent

TITLES = st.text(st.sampled_from('ab,"\n é'), max_size=6)
TABLES = st.lists(st.tuples(st.integers(0, 9), st.integers(1, 9), TITLES, st.integers(0, 10)), min_size=1, max_size=30)
PAIRS = st.lists(st.tuples(st.integers(-3, 40), st.integers(1, 5), st.integers(1, 10)), max_size=80)


def written(folder: Path, table: list[tuple[int, int, str, int]], *, ending: str = "\n") -> Path:
    path = folder / "users-score-2023.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator=ending)
        writer.writerow(["user_id", "Username", "anime_id", "Anime Title", "rating"])
        writer.writerows([user, "name", anime, title, rating] for user, anime, title, rating in table)
    return path


@given(table=TABLES, size=st.integers(1, 60), ending=st.sampled_from(["\n", "\r\n"]))
@example(table=[(1, 1, '"\n"', 1), (2, 2, "\n\n", 2)], size=1, ending="\n")
@settings(max_examples=60, deadline=None)
def test_pieces_of_any_size_hold_every_row_and_know_its_line(
    table: list[tuple[int, int, str, int]], size: int, ending: str
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        layout = detect(written(Path(folder), table, ending=ending))
        problems = Problems(layout.path)
        read_bytes: list[float] = []
        wanted = ["user_id", "anime_id", "Anime Title", "rating"]
        found: list[tuple[int, int, str, int]] = []
        for first, frame in pieces(layout, wanted, problems, read_bytes.append, size=size):
            assert first == len(found)
            found += [
                (int(user), int(anime), title or "", int(rating)) for user, anime, title, rating in frame.iter_rows()
            ]
        assert not problems.found
        assert found == table
        assert sum(read_bytes) == layout.path.stat().st_size
        line, starts = 2, {}
        for row, (_, _, title, _) in enumerate(table):
            starts[row] = line
            line += 1 + title.count("\n")
        assert line_numbers(layout, range(len(table))) == starts


@given(table=TABLES, size=st.integers(1, 60), rows_per_range=st.integers(1, 40))
@settings(max_examples=25, deadline=None)
def test_import_does_not_depend_on_block_sizes(
    table: list[tuple[int, int, str, int]], size: int, rows_per_range: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = written(Path(folder), table)
        options = {"home": Path(folder), "progress": Silent(), "enrich": False}
        whole = import_files([path], name="whole", **options)  # type: ignore[arg-type]
        pieced = import_files(
            [path],
            name="pieced",
            piece_bytes=size,
            rows_per_range=rows_per_range,
            **options,  # type: ignore[arg-type]
        )
        expected = {(user, anime): rating or None for user, anime, _, rating in table}
        found = pieced.interactions().select("user_id", "anime_id", "rating").collect().rows()
        assert found == [(*pair, expected[pair]) for pair in sorted(expected)]
        assert pieced.manifest.duplicates == len(table) - len(expected) == whole.manifest.duplicates
        assert pieced.content_hash == whole.content_hash


@given(arrivals=st.lists(PAIRS, max_size=5), rows_per_range=st.integers(1, 30))
@settings(max_examples=60, deadline=None)
def test_ranges_give_sorted_parts_with_the_last_of_each_pair(
    arrivals: list[list[tuple[int, int, int]]], rows_per_range: int
) -> None:
    frames = [_frame(rows) for rows in arrivals]
    everything = [row for rows in arrivals for row in rows]
    sample = np.array([user for user, _, _ in everything][::2], np.int64)
    with tempfile.TemporaryDirectory() as folder:
        bounds = bounds_from_sample(sample, len(everything), rows_per_range=rows_per_range)
        ranges = Ranges(Path(folder), bounds)
        for frame in frames:
            ranges.add(frame)
        parts = list(ranges.parts())
        assert not list(Path(folder).iterdir())
    found = [row for part in parts for row in part.select("user_id", "anime_id", "rating").iter_rows()]
    expected = {(user, anime): rating for user, anime, rating in everything}
    assert found == [(*pair, expected[pair]) for pair in sorted(expected)]
    assert ranges.duplicates == len(everything) - len(expected)
    assert len(parts) <= len(bounds) + 1
    users = [set(part["user_id"].to_list()) for part in parts]
    assert sum(map(len, users)) == len(set().union(*users))


@given(rows=PAIRS)
def test_keep_last_agrees_with_a_dict(rows: list[tuple[int, int, int]]) -> None:
    expected = {(user, anime): rating for user, anime, rating in rows}
    kept = keep_last(_frame(rows)).select("user_id", "anime_id", "rating").rows()
    assert kept == [(*pair, expected[pair]) for pair in sorted(expected)]


def _frame(rows: list[tuple[int, int, int]]) -> pl.DataFrame:
    frame = pl.DataFrame(rows, schema={"user_id": pl.Int64, "anime_id": pl.Int64, "rating": pl.Int8}, orient="row")
    absent = [pl.lit(None, kind).alias(name) for name, kind in INTERACTIONS.items() if name not in frame.columns]
    return frame.with_columns(absent).select(*INTERACTIONS)
