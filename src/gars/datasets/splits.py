"""Read the fixed evaluation splits of the ratings sample; every anime id comes out as a MyAnimeList id.

The splits hold the sample's own renumbered ids, so each loader takes the sample to translate them. User ids stay the
sample's.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from gars.datasets.fetch import fetch
from gars.datasets.readers.caserec import Sample
from gars.datasets.readers.mal2016 import read_catalogue
from gars.datasets.shipped import shipped_sample
from gars.datasets.sources import CATALOGUE_2016
from gars.domain.errors import DataError
from gars.runtime.progress import Progress

FIXED_SPLITS = Path(__file__).parent / "fixed_splits"
PARTS = ("t", "v", "e", "c")
"""Train, validation, test (e), context: seen when asked, never trained on."""


@dataclass(frozen=True, slots=True, eq=False)
class LikeSplit:
    """Every rating of the sample in file order with the part it belongs to; all arrays have shape (rows,)."""

    user: NDArray[np.int64]
    anime_id: NDArray[np.int64]
    rating: NDArray[np.int8]
    part: NDArray[np.str_]
    """One of ``PARTS`` each."""

    def rows(self, *parts: str) -> NDArray[np.int64]:
        """Return the rows of these parts, in file order."""
        return np.flatnonzero(np.isin(self.part, parts))

    def refit(self) -> LikeSplit:
        """Return the split for the final fit, with validation rows added to training.

        A user who is held out as a whole stays held out.
        """
        trained = np.isin(self.user, self.user[self.rows("t")])
        return replace(self, part=np.where((self.part == "v") & trained, "t", self.part))


@dataclass(frozen=True, slots=True, eq=False)
class HeldOutUser:
    """One user of strong generalisation: what is shown of them, and what is to be found."""

    user: int
    fold_in: NDArray[np.int64]
    """(m,) anime ids given to the model."""
    targets: NDArray[np.int64]
    """(t,) anime ids to be found; each was rated above 7."""


@dataclass(frozen=True, slots=True, eq=False)
class TopNSplit:
    """Strong generalisation: no row of a held-out user is ever trained on."""

    train_users: NDArray[np.int64]
    items: NDArray[np.int64]
    """(n,) ascending anime ids: the ranked set."""
    validation: list[HeldOutUser]
    test: list[HeldOutUser]


class _HeldOut(msgspec.Struct):
    user: int
    fold_in: list[int]
    targets: list[int]


class _TopN(msgspec.Struct):
    items: list[int]
    train_users: list[int]
    validation: list[_HeldOut]
    test: list[_HeldOut]


def load_like_split(sample: Sample, split_file: Path) -> LikeSplit:
    """Join a file of one part letter a line to the sample's rows.

    Raises:
        DataError: the file cannot be read, has another number of lines than the sample has ratings, or other letters.
    """
    letters = np.array(_unzipped(split_file).decode("ascii", "replace").split())
    rows = sample.interactions.drop_nulls("rating")
    if len(letters) != rows.height:
        raise DataError(
            f"{split_file}: has {len(letters):,} lines for the {rows.height:,} ratings of the sample",
            hint="use the split that was made for this sample",
        )
    if strange := sorted(set(letters) - set(PARTS)):
        raise DataError(
            f"{split_file}: holds {str(strange[0])!r}, which is none of the parts {', '.join(PARTS)}",
            hint="a split file has one letter a line: t train, v validation, e test, c context",
        )
    return LikeSplit(rows["user_id"].to_numpy(), rows["anime_id"].to_numpy(), rows["rating"].to_numpy(), letters)


def load_topn_split(sample: Sample, split_file: Path) -> TopNSplit:
    """Read the strong-generalisation split.

    Raises:
        DataError: the file cannot be read or is not such a split.
    """
    try:
        split = msgspec.json.decode(_unzipped(split_file), type=_TopN)
    except msgspec.DecodeError as error:
        raise DataError(
            f"{split_file}: is not a top-N split: {error}",
            hint="it needs items, train_users, validation and test; each held-out user has user, fold_in, targets",
        ) from error
    to_anime = _translation(sample)

    def ids(sample: list[int]) -> NDArray[np.int64]:
        return to_anime[np.array(sample, np.int64)]

    def held_out(users: list[_HeldOut]) -> list[HeldOutUser]:
        return [HeldOutUser(one.user, ids(one.fold_in), ids(one.targets)) for one in users]

    return TopNSplit(
        train_users=np.array(split.train_users, np.int64),
        items=np.sort(ids(split.items)),
        validation=held_out(split.validation),
        test=held_out(split.test),
    )


def fixed_topn_split(home: Path, *, mirror: Path | None, progress: Progress) -> TopNSplit:
    """Return the fixed strong-generalisation split."""
    return load_topn_split(_sample(home, mirror, progress), FIXED_SPLITS / "top-n-strong-generalisation.json.gz")


def fixed_like_split(name: str, home: Path, *, mirror: Path | None, progress: Progress) -> LikeSplit:
    """Return the fixed like split ``random``, ``per-user`` or ``cold-users``."""
    return load_like_split(_sample(home, mirror, progress), FIXED_SPLITS / f"like-{name}.txt.gz")


def _sample(home: Path, mirror: Path | None, progress: Progress) -> Sample:
    return shipped_sample(read_catalogue(fetch(CATALOGUE_2016, home, mirror=mirror, progress=progress)))


def _translation(sample: Sample) -> NDArray[np.int64]:
    """Anime id by the sample's id; 0 where the sample has none."""
    table = np.zeros(int(sample.ids["sample_id"].max()) + 1, np.int64)  # type: ignore[arg-type]
    table[sample.ids["sample_id"].to_numpy()] = sample.ids["anime_id"].to_numpy()
    return table


def _unzipped(path: Path) -> bytes:
    try:
        return gzip.decompress(path.read_bytes())
    except (OSError, EOFError) as error:
        raise DataError(
            f"{path}: the split cannot be read: {error}", hint="give the path of one of the split files"
        ) from error
