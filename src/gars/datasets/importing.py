"""Import files of a known dialect of any size into the normal form, atomically."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import polars as pl

from gars.datasets.catalogues import CatalogueFiles, complete_catalogue
from gars.datasets.dataset import Dataset, SourceUsed, written_names
from gars.datasets.durable import clear_leftovers, disk_errors, scratch_folder, sha256_of
from gars.datasets.identities import LARGEST_ID, name_hasher
from gars.datasets.ownership import refuse_foreign_folder
from gars.datasets.partition import ROWS_PER_RANGE, Ranges, bounds_from_sample
from gars.datasets.problems import Problems
from gars.datasets.readers import caserec
from gars.datasets.readers.chunked_reader import PIECE_BYTES, line_numbers, pieces
from gars.datasets.readers.dialects import KNOWN, Layout
from gars.datasets.readers.interactions import HashUsers, LeftOut, RatingScale, decide_ratings, normal_rows
from gars.datasets.readers.mal2020 import read_status_codes
from gars.datasets.readers.mal2025 import TranslateIds, translate_ids
from gars.datasets.readers.readable import Readable
from gars.datasets.readers.sample import look_at
from gars.datasets.writing import write_dataset
from gars.domain.errors import DataError, InvalidInputError
from gars.runtime.progress import Advance, Progress

_ENOUGH = 100_000
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


@dataclass(slots=True)
class _Read:
    """Results of reading all rows."""

    anime: set[int] = field(default_factory=set)
    left_out: LeftOut = field(default_factory=LeftOut)
    rating_scale: RatingScale = field(default_factory=RatingScale)


def import_files(
    paths: Sequence[Path],
    *,
    home: Path,
    name: str,
    progress: Progress,
    mirror: Path | None = None,
    enrich: bool = True,
    licensed_only: bool = False,
    piece_bytes: int = PIECE_BYTES,
    rows_per_range: int = ROWS_PER_RANGE,
) -> Dataset:
    """Read interactions and at most one catalogue from ``paths`` into ``home/data/name``.

    Dialects are detected by header; the interactions files must share one. Memory is bounded by one chunk of
    a file and one range of users. Of several rows of a (user, anime) the last one stays, and the others are counted.
    User names become keyed numbers. With ``enrich``, catalogues of MyAnimeList ids are joined with all
    other sources that can be fetched.

    Raises:
        DataError: bad rows, each sort with line, column, fault and count; nothing was written.
        InvalidInputError: the files cannot be imported together, or ``name`` is not a valid name.
    """
    check_name(name)
    data = home / "data"
    data.mkdir(parents=True, exist_ok=True)
    refuse_foreign_folder(data / name, written_names)
    clear_leftovers(data / name)
    with disk_errors(data), scratch_folder(data / name) as folder, (readable := Readable(folder)).errors():
        layouts = [readable.detect(path) for path in paths]
        files = CatalogueFiles.among(layouts)
        ratings = _of_one_dialect(layouts)
        given = [SourceUsed(path.name, sha256_of(path), "yours") for path in paths]
        for remark in readable.notes:
            progress.note(remark)
        if ratings[0].dialect == "caserec":
            return _import_sample(
                ratings[0],
                given,
                files,
                data / name,
                home,
                mirror=mirror,
                enrich=enrich,
                licensed_only=licensed_only,
                progress=progress,
            )
        ratings = [_columnar(layout, folder) for layout in ratings]
        ranges, read = _read_all(ratings, files, home, folder, progress, piece_bytes, rows_per_range)
        _note_problems(read, progress)
        catalogue, used, report = complete_catalogue(
            files,
            read.anime,
            mal_ids=ratings[0].mal_ids,
            home=home,
            mirror=mirror,
            enrich=enrich,
            progress=progress,
            licensed_only=licensed_only,
        )
        return write_dataset(
            data / name,
            name=name,
            dialect=ratings[0].dialect,
            simulated=False,
            sources=[*given, *used],
            parts=_shown(ranges, progress),
            catalogue=catalogue,
            duplicates=lambda: ranges.duplicates,
            report={**report, **_report(read), "converted": readable.notes},
        )


def check_name(name: str) -> None:
    """Raise ``InvalidInputError`` unless ``name`` is a valid name of a data set."""
    if not _NAME.fullmatch(name):
        raise InvalidInputError(
            f"{name!r} is not a name for a data set",
            hint="use small letters, digits, '.', '_' and '-': --name my-ratings",
        )


def _of_one_dialect(layouts: Sequence[Layout]) -> list[Layout]:
    ratings = [layout for layout in layouts if layout.role == "interactions"]
    if not ratings:
        raise InvalidInputError("none of the files holds ratings", hint=f"add one; known are {KNOWN}")
    dialects = {layout.dialect for layout in ratings}
    if dialects == {"kaggle-2016", "kaggle-2020"}:
        # rating_complete.csv of 2020 has the header of 2016, and its rules hold for both.
        return ratings
    if len(dialects) > 1 or ("caserec" in dialects and len(ratings) > 1):
        shown = ", ".join(f"{layout.path.name} ({layout.dialect})" for layout in ratings)
        raise InvalidInputError(
            f"these files number their users each in its own way: {shown}",
            hint="import them one by one, under two names",
        )
    return ratings


def _columnar(layout: Layout, folder: Path) -> Layout:
    """Convert JSON lines to Parquet, which can be read in chunks; return any other file unchanged."""
    if layout.path.suffix != ".jsonl":
        return layout
    target = folder / f"{layout.path.name}.parquet"
    try:
        pl.scan_ndjson(layout.path, infer_schema_length=None).sink_parquet(target)
    except pl.exceptions.PolarsError as error:
        raise DataError(
            f"{layout.path}: is not JSON lines: {str(error).splitlines()[0]}", hint="one JSON object a line, or a CSV"
        ) from error
    return replace(layout, path=target)


def _read_all(
    ratings: Sequence[Layout],
    files: CatalogueFiles,
    home: Path,
    folder: Path,
    progress: Progress,
    piece_bytes: int,
    rows_per_range: int,
) -> tuple[Ranges, _Read]:
    """Write the rows of all files into ranges on disk; raises ``DataError`` after a file with bad rows."""
    samples = [look_at(layout) for layout in ratings]
    named = any(sample.named for sample in samples)
    hash_users = name_hasher(home) if named else None
    users = (
        np.linspace(0, LARGEST_ID, 4096).astype(np.int64) if named else np.concatenate([s.user_ids for s in samples])
    )
    rows = sum(sample.rows for sample in samples)
    ranges = Ranges(folder, bounds_from_sample(users, rows, rows_per_range=rows_per_range))
    codes = read_status_codes(files.statuses.path) if files.statuses else None
    translate = _translation(ratings[0], files)
    read = _Read(rating_scale=_decide(ratings, piece_bytes))
    for layout, sample in zip(ratings, samples, strict=True):
        parquet = layout.path.suffix == ".parquet"
        work = sample.rows if parquet else layout.path.stat().st_size
        with progress.task(f"read {layout.path.name}", work) as advance:
            _read_file(layout, ranges, read, hash_users, codes, translate, advance, piece_bytes)
    if not read.anime:
        raise DataError(
            f"{ratings[0].path}: has no rows below its header", hint="check that the file was downloaded whole"
        )
    return ranges, read


def _read_file(
    layout: Layout,
    ranges: Ranges,
    read: _Read,
    hash_users: HashUsers | None,
    codes: dict[str, str] | None,
    translate: TranslateIds | None,
    advance: Advance,
    piece_bytes: int,
) -> None:
    columns = layout.columns
    assert columns is not None
    used = (columns.user, columns.item, columns.rating, columns.status, columns.time, columns.kind)
    wanted = [name for name in used if name and name in layout.header]
    problems = Problems(layout.path)
    for first, raw in pieces(layout, wanted, problems, advance, size=piece_bytes):
        rows = normal_rows(
            raw,
            columns,
            problems=problems,
            first_row=first,
            hash_users=hash_users,
            codes=codes,
            rating_scale=read.rating_scale,
            left_out=read.left_out,
        )
        if not problems.found:
            if translate is not None:
                rows = rows.with_columns(translate(rows["anime_id"]).alias("anime_id"))
            read.anime.update(rows["anime_id"].unique().to_list())
            ranges.add(rows)
    if problems.found:
        problems.raise_if_any(line_numbers(layout, problems.rows()))


def _decide(ratings: Sequence[Layout], piece_bytes: int) -> RatingScale:
    """Choose the rating scale of all files together, before a row is stored.

    Files of a dialect with a fixed scale are not read. Others are read until enough ratings show that only the scale
    to 10 is possible; a larger rating is then a fault with its line.
    """
    columns = ratings[0].columns
    assert columns is not None
    words: Counter[str] = Counter()
    for layout in ratings if columns.scale is None else ():
        name = layout.columns.rating if layout.columns else None
        if name is None:
            continue
        for _, raw in pieces(layout, [name], Problems(layout.path), lambda _: None, size=piece_bytes):
            for word, rows in raw[name].fill_null("").str.strip_chars().value_counts().iter_rows():
                words[word] += rows
            decided = decide_ratings(words, columns)
            if decided is not None and not decided.why and words.total() >= _ENOUGH and _uses_upper_half(words):
                return decided
    decided = decide_ratings(words, columns)
    if decided is None:
        commonest = sorted(words.items(), key=lambda one: (-one[1], one[0]))[:8]
        shown = ", ".join(repr(word) for word, _ in commonest)
        raise DataError(
            f"{ratings[0].path}: ratings fit no known scale; the commonest are {shown}",
            hint="known are 1 to 10, 5 stars, 1 to 20 and 1 to 100: convert or remove the ratings that do not fit",
        )
    return decided


def _uses_upper_half(words: Counter[str]) -> bool:
    return sum(words[str(rating)] for rating in (6, 7, 8, 9, 10)) >= _ENOUGH // 10


def _note_problems(read: _Read, progress: Progress) -> None:
    """Report the chosen rating scale and the rows left out as progress notes."""
    if read.rating_scale.why:
        progress.note(f"ratings were read on the scale {read.rating_scale.scale.name}: {read.rating_scale.why}")
    elif read.rating_scale.decimals:
        progress.note("ratings with decimals were rounded, halves up")
    left_out = read.left_out
    if left_out.unknown_statuses:
        shown = ", ".join(f"{word!r} ({rows:,})" for word, rows in left_out.unknown_statuses.most_common(5))
        progress.note(
            f"{left_out.unknown_statuses.total():,} row(s) have a status that is not known: {shown}; "
            f"{left_out.rows:,} of them have no rating and were left out"
        )
    if left_out.manga:
        progress.note(f"{left_out.manga:,} row(s) of manga were left out")


def _report(read: _Read) -> dict[str, object]:
    """Return the same counts for ``dataset.json``."""
    left_out = read.left_out
    return {
        "stray_status_codes": left_out.unknown_statuses.total(),
        "unknown_statuses": dict(left_out.unknown_statuses.most_common(20)),
        "left_out_for_status": left_out.rows,
        "left_out_manga": left_out.manga,
        "rating_scale": read.rating_scale.scale.name,
    }


def _translation(ratings: Layout, files: CatalogueFiles) -> TranslateIds | None:
    """Return the function from the site's own ids to MyAnimeList ids, for the one dialect that has its own."""
    if ratings.dialect != "kaggle-2025":
        return None
    if files.catalogue is None or files.catalogue.dialect != "kaggle-2025":
        raise InvalidInputError(
            f"{ratings.path}: numbers its anime in its own way, and animes.csv with the MyAnimeList ids is missing",
            hint=f"give both: gars data import {ratings.path.name} animes.csv --name NAME",
        )
    return translate_ids(files.catalogue.path)


def _import_sample(
    layout: Layout,
    given: list[SourceUsed],
    files: CatalogueFiles,
    target: Path,
    home: Path,
    *,
    mirror: Path | None,
    enrich: bool,
    licensed_only: bool,
    progress: Progress,
) -> Dataset:
    """Import the caserec zip, which has its own anime ids, by joining it to the 2016 catalogue by title."""
    base, base_used = files.read_or_unpack_2016(home, mirror, progress)
    rows = caserec.read_sample(layout.path, base).interactions
    catalogue, used, report = complete_catalogue(
        CatalogueFiles(),
        set(rows["anime_id"].unique().to_list()),
        base=base,
        mal_ids=True,
        home=home,
        mirror=mirror,
        enrich=enrich,
        progress=progress,
        licensed_only=licensed_only,
    )
    return write_dataset(
        target,
        name=target.name,
        dialect="caserec",
        simulated=False,
        sources=[*given, *dict.fromkeys([*base_used, *used])],
        parts=[rows],
        catalogue=catalogue,
        report=report,
    )


def _shown(ranges: Ranges, progress: Progress) -> Iterator[pl.DataFrame]:
    with progress.task("sort and write", len(ranges.bounds) + 1) as advance:
        for part in ranges.parts():
            yield part
            advance(1)
    if ranges.duplicates:
        progress.note(f"{ranges.duplicates:,} row(s) repeated a (user, anime): the last of each was kept")
