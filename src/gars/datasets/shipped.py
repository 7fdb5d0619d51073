"""The ratings sample and catalogue of 2016 that are part of GARS: read them, and make them from their sources.

``sample_2016/ratings.xz`` is LZMA over MessagePack of ``_Packed``, one entry a list entry, sorted by user and anime:
an anime is its place among the catalogue's ascending ids, written as the difference to the entry before (the place
itself for the first entry of a user). ``sample_2016/catalogue.xz`` is LZMA over the published CSV file.
Both were published under CC0; ``sample_2016/README.md`` states where.
"""

from __future__ import annotations

import lzma
import sys
from pathlib import Path

import msgspec
import numpy as np
import polars as pl

from gars.datasets.durable import write_whole
from gars.datasets.readers import caserec, mal2016
from gars.datasets.readers.caserec import Sample
from gars.datasets.schema import INTERACTIONS
from gars.datasets.sources import CATALOGUE_2016, RATINGS_SAMPLE, Source
from gars.domain.errors import DataError

FOLDER = Path(__file__).parent / "sample_2016"
RATINGS, CATALOGUE = FOLDER / "ratings.xz", FOLDER / "catalogue.xz"
SHIPPED: tuple[Source, ...] = (RATINGS_SAMPLE, CATALOGUE_2016)


class _Packed(msgspec.Struct):
    """The columns of the sample as bytes."""

    titles: int
    """Size of the catalogue that places refer to."""
    lengths: bytes
    """Entries of user 1, 2, …: uint16, little endian."""
    low: bytes
    high: bytes
    """Low and high byte of each difference of places."""
    ratings: bytes
    """1–10, or 0 for an entry without a rating."""


def shipped_catalogue() -> bytes:
    """Return the CSV file of the 2016 catalogue, byte for byte as published. Raises ``DataError``."""
    return _unpacked(CATALOGUE)


def shipped_sample(catalogue: pl.DataFrame) -> Sample:
    """Return the sample; ``catalogue`` is the 2016 one. Raises ``DataError`` when either is damaged."""
    try:
        packed = msgspec.msgpack.decode(_unpacked(RATINGS), type=_Packed)
    except msgspec.DecodeError as error:
        raise _damaged(RATINGS, error) from error
    ids = np.sort(catalogue["anime_id"].to_numpy())
    if len(ids) != packed.titles:
        raise DataError(
            f"{RATINGS}: was made for a catalogue of {packed.titles:,} titles, not of {len(ids):,}",
            hint="install GARS again",
        )
    lengths = np.frombuffer(packed.lengths, "<u2").astype(np.int64)
    steps = np.frombuffer(packed.low, np.uint8) + 256 * np.frombuffer(packed.high, np.uint8).astype(np.int64)
    starts = np.cumsum(lengths) - lengths
    total = np.cumsum(steps)
    places = total - np.repeat((total - steps)[starts], lengths)
    user = np.repeat(np.arange(1, len(lengths) + 1), lengths)
    ratings = pl.Series(np.frombuffer(packed.ratings, np.int8))
    rows = pl.DataFrame({"user_id": user, "anime_id": ids[places], "rating": ratings.set(ratings == 0, None)})
    missing = [pl.lit(None, kind).alias(name) for name, kind in INTERACTIONS.items() if name not in rows.columns]
    return Sample(rows.with_columns(missing).select(*INTERACTIONS), _numbered(rows))


def pack_ratings(sample: Sample, catalogue: pl.DataFrame) -> bytes:
    """Return the payload of ``ratings.xz``, before compression. Raises ``DataError`` for users other than 1, 2, …"""
    rows = sample.interactions
    ids = np.sort(catalogue["anime_id"].to_numpy())
    users, lengths = np.unique(rows["user_id"].to_numpy(), return_counts=True)
    if not np.array_equal(users, np.arange(1, len(users) + 1)):
        raise DataError("the sample's users are not numbered from 1", hint="fetch it: gars data fetch mal-2016-sample")
    if not _numbered(rows).equals(sample.ids):
        raise DataError(
            "the sample's titles are not numbered in order of appearance",
            hint="fetch it: gars data fetch mal-2016-sample",
        )
    places = np.searchsorted(ids, rows["anime_id"].to_numpy())
    steps = np.diff(places, prepend=0)
    starts = np.cumsum(lengths) - lengths
    steps[starts] = places[starts]
    return msgspec.msgpack.encode(
        _Packed(
            titles=len(ids),
            lengths=lengths.astype("<u2").tobytes(),
            low=(steps % 256).astype(np.uint8).tobytes(),
            high=(steps // 256).astype(np.uint8).tobytes(),
            ratings=rows["rating"].fill_null(0).cast(pl.Int8).to_numpy().tobytes(),
        )
    )


def pack(sample_zip: Path, catalogue_csv: Path, folder: Path) -> None:
    """Write both files to ``folder`` from the published ones. Raises ``DataError``."""
    catalogue = mal2016.read_catalogue(catalogue_csv)
    payload = pack_ratings(caserec.read_sample(sample_zip, catalogue), catalogue)
    for name, content in ((RATINGS.name, payload), (CATALOGUE.name, catalogue_csv.read_bytes())):
        write_whole(folder / name, lzma.compress(content, preset=9 | lzma.PRESET_EXTREME))


def _numbered(rows: pl.DataFrame) -> pl.DataFrame:
    """Return ``sample_id, anime_id``: the sample numbers its titles in order of appearance."""
    return (
        rows.select(pl.col("anime_id").unique(maintain_order=True))
        .with_row_index("sample_id", 1)
        .select(pl.col("sample_id").cast(pl.Int64), "anime_id")
    )


def _unpacked(path: Path) -> bytes:
    try:
        return lzma.decompress(path.read_bytes())
    except (OSError, lzma.LZMAError) as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> DataError:
    return DataError(f"{path}: a file of GARS itself cannot be read: {error}", hint="install GARS again")


if __name__ == "__main__":
    pack(Path(sys.argv[1]) / RATINGS_SAMPLE.file_name, Path(sys.argv[1]) / CATALOGUE_2016.file_name, FOLDER)
