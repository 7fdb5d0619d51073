"""Thresholds of validation before training: defaults, changed by an optional file."""

from __future__ import annotations

import tomllib
from pathlib import Path

import msgspec

from gars.domain.errors import InvalidInputError

FILE = "validation.toml"


class Thresholds(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Upper limits. Shares are 0 to 1. A value above one fails the check of the same name."""

    orphan_share: float = 0.01
    """Anime of interactions that are missing in the catalogue, of all anime of interactions."""
    dropped_share: float = 0.25
    """Repeated rows dropped when the data set was made, of its rows."""
    suspicious_user_share: float = 0.01
    """Users with suspicious lists, of all users."""
    suspicious_row_share: float = 0.05
    """Rows of those users, of all rows."""
    rating_shift: float = 0.08
    """Total variation distance of the rating histogram from the previous one."""
    mean_rating_change: float = 0.4
    """Change of the mean rating, in points of ten."""
    unrated_change: float = 0.15
    """Change of the share of rows without a rating."""
    unknown_rise: float = 0.10
    """Largest increase, over the catalogue columns, of the share of missing values."""
    anime_vanished: float = 0.05
    """Anime of the previous catalogue that are missing now, of those before."""
    anime_new: float = 0.50
    """Anime that are new in this catalogue, of those before."""
    rows_lost: float = 0.20
    """Decrease of the number of rows, as a share of those before."""
    users_lost: float = 0.20
    """Decrease of the number of users, as a share of those before."""


def read_thresholds(home: Path, path: Path | None = None) -> Thresholds:
    """Return the defaults, changed by ``path``, else by ``home/validation.toml`` if it exists.

    Raises:
        InvalidInputError: the file is missing, is not TOML, or names an unknown threshold.
    """
    wanted = path or home / FILE
    if path is None and not wanted.exists():
        return Thresholds()
    try:
        return msgspec.convert(tomllib.loads(wanted.read_text()), Thresholds)
    except (OSError, ValueError) as error:
        names = ", ".join(Thresholds.__struct_fields__)
        raise InvalidInputError(f"{wanted}: {error}", hint=f"one line a threshold, NAME = SHARE; {names}") from error
