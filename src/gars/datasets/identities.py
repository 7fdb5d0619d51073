"""Pseudonymise user names: a keyed hash to numbers, with the key stored on this machine only."""

from __future__ import annotations

import hashlib
import secrets
from pathlib import Path

import polars as pl

from gars.datasets.durable import write_whole
from gars.datasets.readers.interactions import HashUsers
from gars.domain.errors import DataError

KEY_FILE = "user-names.key"
_KEY_BYTES = 32
_BITS = 52
LARGEST_ID = (1 << _BITS) - 1
"""Ids stay exact in a double, so in JSON and JavaScript too."""


def name_hasher(home: Path) -> HashUsers:
    """Return a function from a column of names to ids up to ``LARGEST_ID``, null for an empty name.

    The key is created once per home: there, a name has the same id in every import; elsewhere it has another.
    """
    key = _key(home)

    def hashed(names: pl.Series) -> pl.Series:
        known = {name: _id(name, key) for name in names.unique().to_list() if name}
        return names.replace_strict(known, default=None, return_dtype=pl.Int64) if known else names.cast(pl.Int64)

    return hashed


def _id(name: str, key: bytes) -> int:
    digest = hashlib.blake2b(name.encode(), digest_size=8, key=key).digest()
    return int.from_bytes(digest) >> (64 - _BITS)


def _key(home: Path) -> bytes:
    path = home / KEY_FILE
    if not path.exists():
        write_whole(path, secrets.token_bytes(_KEY_BYTES), mode=0o600)
    key = path.read_bytes()
    if len(key) != _KEY_BYTES:
        raise DataError(
            f"{path}: is not the key of user names: {len(key)} bytes, not {_KEY_BYTES}",
            hint="put the key back from a copy, or remove the file: names then get new numbers",
        )
    return key
