"""Filters, and the candidates that channels propose.

Filters are masks over the whole catalogue that act *before* any cut, so a filtered list is still full.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import msgspec
import numpy as np
from numpy.typing import NDArray

from gars.domain.errors import InvalidInputError
from gars.domain.franchise import SPECIAL_TYPES
from gars.domain.history import History
from gars.domain.item_table import ItemTable
from gars.kernels.masks import clear_unless


class Filters(msgspec.Struct, frozen=True, kw_only=True):
    """Filters and weights of a request. All off by default; the service turns the rules on.

    ``hide_sequels`` hides what continues a title the history does not hold (``find_awaited``); ``one_per_franchise``
    shows only the best of each franchise; ``hide_dropped_franchises`` hides everything of a franchise with a disliked
    title, ``hide_dropped_sequels`` what continues a title that was given up, ``hide_dropped_series`` everything of its
    franchise; ``hide_recaps`` hides what retells a franchise the history holds, ``hide_specials`` all recaps and the
    ``SPECIAL_TYPES`` that ``types`` does not name. ``released_by`` hides what comes out later. ``shown`` are the titles
    of the pages before.
    ``any_of`` keeps what has a genre or tag of each of its groups, ``none_of`` what has none of its genres and tags,
    and ``only_ids`` only those ids; ``None`` is no limit. Names that the catalogue does not have match nothing.
    ``niche`` and ``diversity`` are not filters but set the order of the rest (``rerank``), as do the
    weights of the latest clicks (``session``) and of stage one's own order (``retrieval``), next to 1 for the ranker's.
    """

    types: tuple[str, ...] = ()
    genres: tuple[str, ...] = ()
    exclude_genres: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    exclude_tags: tuple[str, ...] = ()
    studios: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    any_of: tuple[tuple[str, ...], ...] = ()
    none_of: tuple[str, ...] = ()
    year_min: int | None = None
    year_max: int | None = None
    episodes_min: int | None = None
    episodes_max: int | None = None
    duration_min: int | None = None
    duration_max: int | None = None
    min_members: int | None = None
    max_members: int | None = None
    min_score: float | None = None
    adult: bool = True
    hide_sequels: bool = False
    one_per_franchise: bool = False
    hide_dropped_franchises: bool = False
    hide_dropped_sequels: bool = False
    hide_recaps: bool = False
    hide_dropped_series: bool = False
    hide_specials: bool = False
    released_by: date | None = None
    exclude_ids: tuple[int, ...] = ()
    only_ids: tuple[int, ...] | None = None
    shown: tuple[int, ...] = ()
    niche: float = 0.0
    diversity: float = 0.0
    session: float = 1.0
    retrieval: float = 0.0


SERVICE_DEFAULTS = Filters(
    adult=False,
    hide_sequels=True,
    one_per_franchise=True,
    hide_dropped_sequels=True,
    hide_recaps=True,
    hide_dropped_series=True,
    hide_specials=True,
    min_members=500,
    diversity=0.25,
)
"""The rules a fan expects without asking; docs/decisions/0071-diversity-and-niche.md has its effect."""


def about_content(filters: Filters) -> Filters:
    """Return the filters that ``by_content`` reads, which do not depend on the user; the others get their defaults."""
    return msgspec.structs.replace(
        filters,
        hide_sequels=False,
        one_per_franchise=False,
        hide_dropped_franchises=False,
        hide_dropped_sequels=False,
        hide_recaps=False,
        hide_dropped_series=False,
        exclude_ids=(),
        only_ids=None,
        shown=(),
        niche=0.0,
        diversity=0.0,
        session=1.0,
        retrieval=0.0,
    )


def allowed(
    items: ItemTable, history: History, filters: Filters, *, content: NDArray[np.bool_] | None = None
) -> NDArray[np.bool_]:
    """Mask (n,) of the rows that may be recommended. ``content`` is ``by_content`` if it is known already.

    Raises:
        InvalidInputError: a type, genre, tag, studio, source or site the catalogue does not know.
    """
    mask = by_content(items, filters) if content is None else content.copy()
    rows = items.rows(history.anime_ids)
    listed = rows[rows >= 0]
    mask[rows[history.hidden & (rows >= 0)]] = False
    if filters.exclude_ids:
        mask[_known_rows(items, np.array(filters.exclude_ids, np.int64))] = False
    if filters.only_ids is not None:
        mask &= np.isin(items.anime_ids, np.array(filters.only_ids, np.int64))
    if filters.hide_sequels:
        done = np.zeros(len(items), np.bool_)
        done[listed] = True
        if len(history.unfinished):
            done[_known_rows(items, history.unfinished)] = False
        clear_unless(mask, items.sequel_rows, items.awaited_rows, done)
    if filters.hide_dropped_sequels and len(history.dropped):
        dropped = _known_rows(items, history.dropped)
        before = mask[dropped]  # a dropped title may be a sequel of another
        mask[items.sequels.of(dropped)] = False
        mask[dropped] = before
    if filters.hide_dropped_series and len(history.dropped):
        mask &= ~_franchises_of(items, _known_rows(items, history.dropped)).take(items.franchises)
    if filters.hide_recaps and len(history):
        clear_unless(mask, items.recap_rows, items.recap_franchises, ~_franchises_of(items, listed))
    if filters.shown:
        shown = _known_rows(items, np.array(filters.shown, np.int64))
        mask[shown] = False
        if filters.one_per_franchise:
            mask &= ~_franchises_of(items, shown).take(items.franchises)
    if filters.hide_dropped_franchises:
        disliked = _known_rows(items, history.anime_ids[history.ratings < 5])
        mask &= ~_franchises_of(items, disliked).take(items.franchises)
    return mask


def _franchises_of(items: ItemTable, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Flag the franchises of some rows (m,). → (n_franchises,)"""
    flags = np.zeros(items.n_franchises, np.bool_)
    flags[items.franchises[rows]] = True
    return flags


def _known_rows(items: ItemTable, anime_ids: NDArray[np.int64]) -> NDArray[np.int64]:
    rows = items.rows(anime_ids)
    return rows[rows >= 0]


def by_content(items: ItemTable, filters: Filters) -> NDArray[np.bool_]:
    """Mask (n,) of the rows that pass the filters which do not depend on the user.

    Raises:
        InvalidInputError: a type, genre, tag, studio, source or site the catalogue does not know.
    """
    mask = np.ones(len(items), np.bool_)
    if not filters.adult:
        mask &= ~items.adult
    if filters.types:
        mask &= np.isin(items.types, _codes(filters.types, items.type_names, "type"))
    if filters.hide_specials:
        asked = {name.casefold() for name in filters.types}
        accompanying = [
            code for code, name in enumerate(items.type_names) if name in SPECIAL_TYPES and name.casefold() not in asked
        ]
        mask &= ~(items.recaps | np.isin(items.types, accompanying))
    if filters.genres:
        mask &= items.genres[:, _codes(filters.genres, items.genre_names, "genre")].all(axis=1)
    if filters.exclude_genres:
        mask &= ~items.genres[:, _codes(filters.exclude_genres, items.genre_names, "genre")].any(axis=1)
    if filters.tags:
        mask &= items.tags.all_of(filters.tags)
    if filters.exclude_tags:
        mask &= ~items.tags.any_of(filters.exclude_tags)
    for group in filters.any_of:
        mask &= _labelled(items, group)
    if filters.none_of:
        mask &= ~_labelled(items, filters.none_of)
    for labels, wanted in (
        (items.studios, filters.studios),
        (items.sources, filters.sources),
        (items.sites, filters.sites),
    ):
        if wanted:
            mask &= labels.any_of(wanted)
    if filters.released_by is not None:
        # unlike a bound on a year, this one lets pass what is not known
        mask &= ~(items.released > filters.released_by.toordinal())
    for column, low, high in (
        (items.years, filters.year_min, filters.year_max),
        (items.episodes, filters.episodes_min, filters.episodes_max),
        (items.durations, filters.duration_min, filters.duration_max),
        (items.members, filters.min_members, filters.max_members),
        (items.scores, filters.min_score, None),
    ):
        if (low is None and high is None) or np.isnan(column).all():
            continue  # a catalogue without any value of it cannot be filtered by it
        # a bound excludes what is not known: NaN compares False
        if low is not None:
            mask &= column >= low
        if high is not None:
            mask &= column <= high
    return mask


def _labelled(items: ItemTable, names: tuple[str, ...]) -> NDArray[np.bool_]:
    """Mask (n,) of the rows with one of these genres or tags."""
    genres = [code for code, name in enumerate(items.genre_names) if name in names]
    tags = [name for name in names if name in items.tags.names]
    mask = items.tags.any_of(tags)
    return mask | items.genres[:, genres].any(axis=1) if genres else mask


def _codes(wanted: tuple[str, ...], known: tuple[str, ...], what: str) -> NDArray[np.int64]:
    index = {name.casefold(): code for code, name in enumerate(known)}
    unknown = [name for name in wanted if name.casefold() not in index]
    if unknown:
        raise InvalidInputError(f"unknown {what}: {', '.join(unknown)}", hint=f"known: {', '.join(known)}")
    return np.array([index[name.casefold()] for name in wanted], np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """The union of the channels' proposals, best fused score first."""

    rows: NDArray[np.int64]
    """(m,) rows of the item table."""
    channel_scores: NDArray[np.float32]
    """(m, c) every channel's score for every candidate, also those it did not propose."""
    proposed: NDArray[np.bool_]
    """(m, c) which channel proposed it."""
    strongest: NDArray[np.float32]
    """(m, e) the largest term of each neighbourhood channel's sum, that of the most similar title."""
    supporters: NDArray[np.float32]
    """(m, e) positive terms of each neighbourhood channel's sum, one for each similar title of the user."""
    fused: NDArray[np.float32]
    """(m,) the fused score."""
    channel_names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.rows)

    def channels_of(self, places: NDArray[np.int64]) -> list[tuple[str, ...]]:
        """Return the channels that proposed the candidates at some positions. (k,) → k tuples of names"""
        by = np.packbits(self.proposed[places], axis=1)
        return [_named(self.channel_names, row.tobytes()) for row in by]

    def take(self, places: NDArray[np.int64]) -> Candidates:
        """Some of them, in the order given."""
        return Candidates(
            self.rows[places],
            self.channel_scores[places],
            self.proposed[places],
            self.strongest[places],
            self.supporters[places],
            self.fused[places],
            self.channel_names,
        )


@lru_cache(1024)
def _named(names: tuple[str, ...], bits: bytes) -> tuple[str, ...]:
    """The names whose bit is set; lists have the same few sets of them again and again."""
    flags = np.unpackbits(np.frombuffer(bits, np.uint8), count=len(names))
    return tuple(name for name, flag in zip(names, flags.tolist(), strict=True) if flag)
