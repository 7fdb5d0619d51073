"""Split M: strong generalisation on users of 2021 and 2023, over the whole catalogue.

150 test and 100 validation users are drawn from the whole lists with at least ``FEWEST_LIKES`` likes; a fifth of each
one's likes is hidden. Draws go by the hash of seed, user and anime, so that a row more or less moves no other. The
drawn users are fixed in ``fixed_splits/modern.json``; their targets are drawn again from the data, which may not be
redistributed, and checked against a hash.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from gars.datasets.joined_lists import FIRST_USER
from gars.datasets.splits import FIXED_SPLITS, HeldOutUser, TopNSplit
from gars.domain.errors import DataError
from gars.domain.history import LIKED_ABOVE

SOURCES = ("mal-scores-2021", "mal-lists-2023")
FEWEST_LIKES = 10
HIDDEN = 0.2
SIZES = {"test": 150, "validation": 100}
SPLIT_FILE = FIXED_SPLITS / "modern.json"


class ModernUsers(msgspec.Struct, frozen=True):
    """``modern.json``: the drawn users of each part by source and number there, and a hash of all targets."""

    seed: int
    validation: dict[str, list[int]]
    test: dict[str, list[int]]
    targets_sha256: str


def modern_split(interactions: pl.DataFrame, users: pl.DataFrame, anime_ids: NDArray[np.int64]) -> TopNSplit:
    """Return the fixed split M of the data set of all sources; every anime of the catalogue is ranked.

    ``users`` has the columns of ``schema.USERS``.

    Raises:
        DataError: a drawn user is missing, or their targets are not those the split was made with.
    """
    fixed = msgspec.json.decode(SPLIT_FILE.read_bytes(), type=ModernUsers)
    id_of = {(source, number): user for source, number, user in _numbered(users)}
    parts: dict[str, list[HeldOutUser]] = {}
    digest = hashlib.sha256()
    for part in SIZES:
        drawn = [(source, number) for source, numbers in getattr(fixed, part).items() for number in numbers]
        if missing := [f"{source} {number}" for source, number in drawn if (source, number) not in id_of]:
            raise DataError(
                f"split M: {len(missing)} of {len(drawn)} {part} users are not in the data set, such as {missing[0]}",
                hint="split M needs mal-scores-2021 and mal-lists-2023: gars data build",
            )
        likes = _likes(interactions.filter(pl.col("user_id").is_in([id_of[key] for key in drawn])))
        parts[part] = [
            _held_out(id_of[key], likes.get(id_of[key], []), fixed.seed, *key) for key in sorted(drawn)
        ]  # fmt: skip
        for key, one in zip(sorted(drawn), parts[part], strict=True):
            digest.update(f"{key[0]}:{key[1]}:{','.join(map(str, one.targets))}\n".encode())
    if digest.hexdigest() != fixed.targets_sha256:
        raise DataError(
            "split M: the targets are not those the split was made with, so figures cannot be compared",
            hint="build the data set again with the sources this version knows: gars data build",
        )
    held = {one.user for users_of in parts.values() for one in users_of}
    everyone = users["user_id"].to_numpy()
    return TopNSplit(
        train_users=np.sort(everyone[~np.isin(everyone, list(held))]),
        items=np.sort(anime_ids),
        validation=parts["validation"],
        test=parts["test"],
    )


def draw_modern_users(interactions: pl.DataFrame, users: pl.DataFrame, seed: int) -> ModernUsers:
    """Draw the users of split M from complete lists of ``SOURCES``, and hash their targets."""
    whole = users.filter(pl.col("source").is_in(SOURCES) & ~pl.col("truncated"))
    likes = _likes(interactions.filter(pl.col("user_id").is_in(whole["user_id"].implode())))
    eligible = [
        (source, number, user) for source, number, user in _numbered(whole) if len(likes.get(user, ())) >= FEWEST_LIKES
    ]
    eligible.sort(key=lambda key: _rank(seed, "user", key[0], key[1]))
    parts: dict[str, dict[str, list[int]]] = {}
    digest = hashlib.sha256()
    start = 0
    for part, size in SIZES.items():
        drawn = sorted(eligible[start : start + size])
        start += size
        parts[part] = {source: [number for name, number, _ in drawn if name == source] for source in SOURCES}
        for source, number, user in drawn:
            targets = _held_out(user, likes[user], seed, source, number).targets
            digest.update(f"{source}:{number}:{','.join(map(str, targets))}\n".encode())
    return ModernUsers(seed, parts["validation"], parts["test"], digest.hexdigest())


def write_modern_users(drawn: ModernUsers, path: Path = SPLIT_FILE) -> None:
    """Write the drawn users as JSON."""
    path.write_bytes(msgspec.json.encode(drawn) + b"\n")


def _numbered(users: pl.DataFrame) -> list[tuple[str, int, int]]:
    """List source, number there and user id of each user."""
    first = {source.name: start for source, start in FIRST_USER.items()}
    return [(source, user - first[source], user) for source, user in users.select("source", "user_id").iter_rows()]


def _likes(interactions: pl.DataFrame) -> dict[int, list[int]]:
    """Collect the anime each user rated above the like threshold, ascending."""
    liked = interactions.filter(pl.col("rating") > LIKED_ABOVE).group_by("user_id").agg(pl.col("anime_id").sort())
    return dict(liked.iter_rows())


def _held_out(user: int, likes: list[int], seed: int, source: str, number: int) -> HeldOutUser:
    ordered = sorted(likes, key=lambda anime: _rank(seed, "target", source, number, anime))
    n_hidden = round(HIDDEN * len(likes))
    return HeldOutUser(
        user,
        fold_in=np.array(sorted(ordered[n_hidden:]), np.int64),
        targets=np.array(sorted(ordered[:n_hidden]), np.int64),
    )


def _rank(*key: object) -> bytes:
    return hashlib.sha256(":".join(map(str, key)).encode()).digest()
