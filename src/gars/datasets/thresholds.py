"""How much may be odd about data before they are not trained on: numbers with defaults, in a file if you like."""

from __future__ import annotations

import tomllib
from pathlib import Path

import msgspec

from gars.domain.errors import InvalidInputError

FILE = "validation.toml"


class Thresholds(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The most that is accepted. Shares are 0 to 1. A value above fails the check of the same name."""

    orphan_share: float = 0.01
    """Anime seen that the catalogue does not have, of all anime seen."""
    dropped_share: float = 0.25
    """Repeated rows dropped when the data set was made, of its rows."""
    suspicious_user_share: float = 0.01
    """Users who do not look like people, of all users."""
    suspicious_row_share: float = 0.05
    """Rows of those users, of all rows."""
    rating_shift: float = 0.08
    """Ratings that would have to change for the histogram of before: its total variation distance."""
    mean_rating_change: float = 0.4
    """Change of the mean rating, in points of ten."""
    unrated_change: float = 0.15
    """Change of the share of rows without a rating."""
    unknown_rise: float = 0.10
    """Rise of the share of anime that do not know a field, the worst field."""
    anime_vanished: float = 0.05
    """Anime of the catalogue before that are not in this one, of those before."""
    anime_new: float = 0.50
    """Anime of this catalogue that were not in the one before, of those before."""
    rows_lost: float = 0.20
    """Fewer rows than before, as a share of those before."""
    users_lost: float = 0.20
    """Fewer users than before, as a share of those before."""


def read_thresholds(home: Path, path: Path | None = None) -> Thresholds:
    """The defaults, changed by ``path``, else by ``home/validation.toml`` if it is there.

    Raises:
        InvalidInputError: the file is not there, is not TOML, or names a threshold that does not exist.
    """
    wanted = path or home / FILE
    if path is None and not wanted.exists():
        return Thresholds()
    try:
        return msgspec.convert(tomllib.loads(wanted.read_text()), Thresholds)
    except (OSError, ValueError) as error:
        names = ", ".join(Thresholds.__struct_fields__)
        raise InvalidInputError(f"{wanted}: {error}", hint=f"one line a threshold, NAME = SHARE; {names}") from error
