"""Turn a request in words into filters, so that a personal list can be made within it."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property

import msgspec
import numpy as np
from numpy.typing import NDArray

from gars.application.catalogue.catalogue import Catalogue
from gars.application.catalogue.search import Search
from gars.application.catalogue.synopses import Synopses
from gars.application.ports import Clock
from gars.application.recommend.engine import Engine
from gars.domain.asking import parser
from gars.domain.asking.concepts import Concept
from gars.domain.asking.numbers import Values
from gars.domain.asking.parser import Part, PartKind
from gars.domain.candidates import Filters, by_content
from gars.domain.errors import InvalidInputError
from gars.domain.item_table import ItemTable

MAX_ASKED = 300
"""Characters of a request."""
SIMILAR = 150
"""Titles that count as like a given one, of those that the other parts of the request allow."""
_ENOUGH_NAMED = 10
"""Titles recommended by people from which on the model's similarity is not needed."""
_LOOKED_AT = 5_000
"""Similar titles among which they are looked for."""
_FOUND_BY_WORDS = 600
"""Titles that words of a synopsis select at most, the most popular of those that all other parts allow."""
_EXACT, _CLOSE, _INSIDE = 97.0, 88.0, 80.0
"""Least match of a title that is asked for word by word, by its beginning or with typing errors, and by a part of a
Japanese or Chinese name."""
_KNOWN_MEMBERS = 5_000
"""Members that a title needs to be meant by less than its whole name."""
_FAMOUS_MEMBERS = 100_000
"""The same for a name that no word such as "like" introduces."""


class AskedPart(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the request: ``text`` is the request from ``start`` to ``end``, in characters.

    ``anime_id`` and ``title`` name the anime it compares with; ``names`` are the genres, tags, studios or types it
    stands for; ``low`` and ``high`` are bounds.
    """

    kind: PartKind
    text: str
    start: int
    end: int
    negated: bool
    names: list[str]
    anime_id: int | None
    title: str | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Asked:
    """A parsed request: its parts, the words without effect, and the filters."""

    text: str
    parts: tuple[AskedPart, ...]
    unread: tuple[str, ...]
    filters: Filters


@dataclass(slots=True)
class _Draft:
    """The filters under construction."""

    filters: Filters
    any_of: list[tuple[str, ...]] = field(default_factory=list)
    none_of: list[str] = field(default_factory=list)
    only: NDArray[np.bool_] | None = None
    never: NDArray[np.bool_] | None = None
    like: list[int] = field(default_factory=list)

    def narrow(self, mask: NDArray[np.bool_]) -> None:
        self.only = mask if self.only is None else self.only & mask

    def exclude(self, mask: NDArray[np.bool_]) -> None:
        self.never = mask if self.never is None else self.never | mask

    def combine(self, values: Values) -> None:
        """Set filters: bounds are narrowed, lists of words extended."""
        changes: dict[str, object] = {}
        for name, value in values.items():
            before = getattr(self.filters, name)
            if isinstance(value, tuple):
                changes[name] = tuple(dict.fromkeys((*before, *value)))
            elif isinstance(value, bool) or before is None:
                changes[name] = value
            else:
                changes[name] = max(before, value) if "min" in name else min(before, value)
        self.filters = msgspec.structs.replace(self.filters, **changes)


class Ask:
    """The use case behind ``?ask=``."""

    def __init__(
        self,
        *,
        engine: Engine,
        catalogue: Catalogue,
        items: ItemTable,
        search: Search,
        clock: Clock,
        similar: int = SIMILAR,
    ) -> None:
        """``items`` are the anime of the catalogue in its order; ``similar`` of them count as like a given one."""
        self._similar = similar
        self._engine = engine
        self._catalogue = catalogue
        self._items = items
        self._search = search
        self._clock = clock
        self._synopses = Synopses(catalogue.anime)

    def __call__(self, text: str, filters: Filters) -> Asked:
        """Return what a request means on top of other filters.

        Raises:
            InvalidInputError: the request is empty or too long.
        """
        text = unicodedata.normalize("NFC", text)
        if not text.strip():
            raise InvalidInputError("ask is empty", hint="ask=short romance, leave it out for the whole list")
        if len(text) > MAX_ASKED:
            raise InvalidInputError(f"ask has {len(text)} characters", hint=f"send at most {MAX_ASKED}")
        asked = parser.parse(
            text, self._vocabulary, find_title=self._find_title, this_year=self._clock.now().date().year
        )
        draft = _Draft(filters)
        parts: list[AskedPart] = []
        unread: list[str] = []
        for part in asked.parts:
            understood = self._apply(part, draft, text)
            if understood is None:
                unread.append(text[part.start : part.end])
            else:
                parts.append(understood)
        parts += self._apply_words(asked.left, draft, text, unread)
        return Asked(text, tuple(sorted(parts, key=lambda part: part.start)), tuple(unread), self._filters(draft))

    def _apply(self, part: Part, draft: _Draft, text: str) -> AskedPart | None:
        """Add a part to the filters. → its description, ``None`` if this catalogue knows nothing of it"""
        if part.anime_id is not None:
            draft.like.append(part.anime_id)
            return _described(part, text, title=self._catalogue.get(part.anime_id).title)
        if part.concept is not None:
            labels = self._known_labels(part.concept)
            return self._apply_concept(part, part.concept, labels, draft, text)
        values = self._known_values(part.unwanted or part.values)
        if not values:
            return None
        if part.unwanted:
            fits = by_content(self._items, msgspec.structs.replace(Filters(), **values))
            if fits.all():  # the catalogue has no such column
                return None
            draft.exclude(fits)
        else:
            draft.combine(values)
        names = [name for value in values.values() if isinstance(value, tuple) for name in value]
        return _described(part, text, names=names, values=values)

    def _apply_concept(
        self, part: Part, concept: Concept, groups: list[tuple[str, ...]], draft: _Draft, text: str
    ) -> AskedPart | None:
        names = list(dict.fromkeys(name for group in groups for name in group))
        if part.negated:
            if not names:
                return None
            draft.none_of += names
            return _described(part, text, names=names)
        if concept.words:
            mask = self._synopses.rows(concept.words)
            for group in groups:
                mask |= self._having(group)
            if not mask.any():
                return None
            draft.narrow(mask)
        elif len(groups) < len(concept.groups):
            return None
        draft.any_of += [] if concept.words else groups
        draft.none_of += [name for name in concept.without if name in self._labels]
        return _described(part, text, names=names)

    def _apply_words(self, left: tuple[Part, ...], draft: _Draft, text: str, unread: list[str]) -> list[AskedPart]:
        """Keep the titles whose synopses hold all the words that are left, or else as many of them as possible."""
        found = []
        described = []
        for part in left:
            mask = self._synopses.rows((part.word,))
            if part.negated and mask.any():
                draft.exclude(mask)
                described.append(_described(part, text, names=[part.word]))
            elif mask.any():
                found.append((part, mask))
            else:
                unread.append(text[part.start : part.end])
        if not found:
            return described
        # a rarer word counts for more (inverse document frequency)
        weights = np.array([np.log(len(mask) / np.count_nonzero(mask)) for _, mask in found])
        matched = np.stack([mask for _, mask in found]).T.astype(np.float64) @ weights
        enough = matched[self._allowed(draft, self._by_labels(draft))].max(initial=0.0)
        if enough <= 0:
            unread += [text[part.start : part.end] for part, _ in found]
            return described
        draft.narrow(matched >= 0.75 * enough)
        return [*described, *(_described(part, text, names=[part.word]) for part, _ in found)]

    def _filters(self, draft: _Draft) -> Filters:
        made = self._by_labels(draft)
        if draft.only is None and not draft.like:
            if draft.never is None:
                return made
            rows = np.flatnonzero(draft.never & by_content(self._items, made))
            excluded = (*made.exclude_ids, *self._items.anime_ids[rows].tolist())
            return msgspec.structs.replace(made, exclude_ids=excluded)
        may = self._allowed(draft, made)
        rows = np.flatnonzero(self._like_any(draft.like, may) if draft.like else may)
        if len(rows) > _FOUND_BY_WORDS:
            members = np.nan_to_num(self._items.members[rows])
            rows = np.sort(rows[np.argsort(-members, kind="stable")[:_FOUND_BY_WORDS]])
        return msgspec.structs.replace(made, only_ids=tuple(self._items.anime_ids[rows].tolist()))

    def _by_labels(self, draft: _Draft) -> Filters:
        return msgspec.structs.replace(
            draft.filters,
            any_of=(*draft.filters.any_of, *draft.any_of),
            none_of=tuple(dict.fromkeys((*draft.filters.none_of, *draft.none_of))),
        )

    def _allowed(self, draft: _Draft, made: Filters) -> NDArray[np.bool_]:
        """Mask (n,) of the titles that pass the filters and the masks of the draft."""
        may = by_content(self._items, made)
        if draft.only is not None:
            may &= draft.only
        if draft.never is not None:
            may &= ~draft.never
        return may

    def _like_any(self, anime_ids: list[int], may: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Mask (n,) of the titles most similar to one of several, among those that ``may`` be shown.

        What people recommend to those who liked a title comes first; the model's similarity completes the list where
        they are few, since for titles without viewers in the training data it compares little but descriptions.
        "Like A and B" is read as like either, since no title may be like both.
        """
        mask = np.zeros(len(may), np.bool_)
        for anime_id in anime_ids:
            named = self._items.rows(np.array(self._catalogue.get(anime_id).recommended, np.int64))
            named = named[named >= 0]
            named = named[may[named]]
            mask[named] = True
            if len(named) < _ENOUGH_NAMED:
                found = self._engine.similar_ids(anime_id, k=_LOOKED_AT, same_franchise=False)
                rows = self._items.rows(np.array([other for other, _ in found], np.int64))
                mask[rows[may[rows]][: self._similar]] = True
        mask[self._items.rows(np.array(anime_ids, np.int64))] = False
        return mask

    def _known_labels(self, concept: Concept) -> list[tuple[str, ...]]:
        groups = (tuple(name for name in group if name in self._labels) for group in concept.groups)
        return [group for group in groups if group]

    def _known_values(self, values: Values) -> dict[str, int | float | bool | tuple[str, ...]]:
        """Return the values without names that this catalogue does not have."""
        known = {"types": self._catalogue.types, "sources": self._catalogue.sources, "studios": self._catalogue.studios}
        kept: dict[str, int | float | bool | tuple[str, ...]] = {}
        for name, value in values.items():
            if isinstance(value, tuple):
                value = tuple(word for word in value if word in known[name])
                if not value:
                    continue
            kept[name] = value
        return kept

    def _having(self, labels: tuple[str, ...]) -> NDArray[np.bool_]:
        mask = np.zeros(len(self._items), np.bool_)
        for label in labels:
            mask[self._labels[label]] = True
        return mask

    def _find_title(self, name: str, exact: bool) -> int | None:
        """Return the anime that a text names well enough."""
        if len(name) > 1:
            for hit in self._search(name[:100], limit=3):
                members = self._catalogue.get(hit.anime_id).members or 0
                least = _CLOSE if name.isascii() else _INSIDE
                known = _FAMOUS_MEMBERS if exact else _KNOWN_MEMBERS
                if hit.match >= _EXACT or (
                    hit.match >= least and members >= known and len(name) >= (6 if exact else 2)
                ):
                    return hit.anime_id
        return None

    @cached_property
    def _labels(self) -> dict[str, list[int]]:
        rows: defaultdict[str, list[int]] = defaultdict(list)
        for row, anime in enumerate(self._catalogue.anime):
            for label in {*anime.genres, *anime.tags}:
                rows[label].append(row)
        return dict(rows)

    @cached_property
    def _vocabulary(self) -> parser.Vocabulary:
        return parser.vocabulary((*self._catalogue.tags, *self._catalogue.genres), self._catalogue.studios)


def _described(
    part: Part,
    text: str,
    *,
    names: list[str] | None = None,
    title: str | None = None,
    values: Values | None = None,
) -> AskedPart:
    bounds = {
        "low" if "min" in name else "high": float(value)
        for name, value in (values or {}).items()
        if isinstance(value, (int, float)) and not isinstance(value, bool)
    }
    return AskedPart(
        kind=part.kind,
        text=text[part.start : part.end],
        start=part.start,
        end=part.end,
        negated=part.negated,
        names=names or [],
        anime_id=part.anime_id,
        title=title,
        low=bounds.get("low"),
        high=bounds.get("high"),
    )
