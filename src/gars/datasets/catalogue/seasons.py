"""Find the MyAnimeList id of titles that only AniList lists, by name and first day."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta

import polars as pl

_APART = timedelta(days=3)
"""The sites may disagree by the day of a preview, or by the hour across midnight."""
_NAMES = ("title", "title_english", "title_japanese")


def place_by_title(without_id: pl.DataFrame, titles: Iterable[pl.DataFrame], taken: pl.Series) -> pl.DataFrame:
    """Return the rows of ``without_id`` that are one known anime, with its ``anime_id``.

    An anime is the same when one of its names is, and its first day up to three days apart; a name that leads to
    several, or to one in ``taken``, leads to none. ``titles`` are frames with ``anime_id``, ``released`` and names.
    """
    known: dict[str, set[tuple[int, date]]] = defaultdict(set)
    for frame in titles:
        names = [name for name in _NAMES if name in frame.columns]
        if "released" not in frame.columns or not names:
            continue
        for anime_id, released, *row_names in frame.select("anime_id", "released", *names).iter_rows():
            for name in row_names:
                if name and released:
                    known[same_name(name)].add((anime_id, released))
    used = set(taken.to_list())
    placed: list[int | None] = []
    for released, *row_names in without_id.select("released", *_NAMES).iter_rows():
        found = {
            anime_id
            for name in row_names
            if name and released
            for anime_id, day in known.get(same_name(name), ())
            if abs(day - released) <= _APART
        } - used
        placed.append(found.pop() if len(found) == 1 else None)
        used.update(one for one in placed[-1:] if one is not None)
    return without_id.with_columns(pl.Series("anime_id", placed, pl.Int64)).filter(pl.col("anime_id").is_not_null())


def same_name(name: str) -> str:
    """Normalise a name for comparison: NFKC, case-folded, letters and digits only."""
    return "".join(letter for letter in unicodedata.normalize("NFKC", name).casefold() if letter.isalnum())
