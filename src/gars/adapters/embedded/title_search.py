"""Search over every title in memory: shared n-grams choose candidates, edit distance ranks them.

Character n-grams find a title with typing errors in any script (Zobel & Dart, "Finding approximate matches in large
lexicons", 1995); the exact scorer then sees a few hundred names in place of all.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz

from gars.application.ports import TitleMatch
from gars.domain.anime import Anime

_CANDIDATES = 300
_LETTER_BITS = 21
"""Enough for any Unicode letter, so three of them fit into a number."""
_NO_WORD = re.compile(r"[^a-z0-9]")
_WORTH_SHOWING = 55.0
"""Below this a match is noise: measured on one to three typing errors in titles of the sample."""
_FAME = 3.0
"""Bonus for ten times the members, in points of match: enough to rank a series before its shorts."""
_SERIES = 4.0
"""Bonus of a series, in points of match: "evangelion" is "Shinseiki Evangelion", although its films begin so."""


class MemoryTitleSearch:
    """A ``TitleSearch`` over the titles and synonyms of a catalogue."""

    def __init__(self, catalogue: Sequence[Anime]) -> None:
        self._names: list[str] = []
        self._normal: list[str] = []
        owners: list[int] = []
        standing: list[float] = []
        counted = [anime.members for anime in catalogue if anime.members is not None]
        unknown = float(np.median(counted)) if counted else 0.0  # not 0: the newest titles have no count yet
        for anime in catalogue:
            members = unknown if anime.members is None else anime.members
            worth = _FAME * math.log10(1 + members) + _SERIES * (anime.type == "TV")
            for name in anime.titles:
                normal = normalise(name)
                if normal:
                    self._names.append(name)
                    self._normal.append(normal)
                    owners.append(anime.anime_id)
                    standing.append(worth)
        self._owners = np.array(owners, np.int64)
        self._standing = np.array(standing)
        """Popularity and series bonus of each name, added to its match."""
        self._grams, self._starts, self._rows, self._n_grams = _index(self._normal)

    def search(self, query: str, *, limit: int) -> list[TitleMatch]:
        """Return the best matches, one per anime; series, then more popular anime, come first among near-equal ones."""
        wanted = normalise(query)
        best: dict[int, tuple[float, float, int]] = {}
        for row in self._candidates(wanted).tolist():
            match = _match(wanted, self._normal[row])
            if match < _WORTH_SHOWING:
                continue
            # standing decides between near-equal matches: "naruto" is the series, not a short of the same name
            key = (match + float(self._standing[row]), match, row)
            owner = int(self._owners[row])
            if owner not in best or key > best[owner]:
                best[owner] = key
        ranked = sorted(best.items(), key=lambda entry: (-entry[1][0], entry[0]))[:limit]
        return [TitleMatch(anime_id, round(match, 1), self._names[row]) for anime_id, (_, match, row) in ranked]

    def _candidates(self, wanted: str) -> NDArray[np.int64]:
        """Rows of the names that share most n-grams with the query."""
        if not len(self._grams):
            return np.empty(0, np.int64)
        grams = np.unique(_grams([wanted])[0])
        places = np.searchsorted(self._grams, grams)
        known = places[(places < len(self._grams)) & (self._grams.take(places, mode="clip") == grams)]
        if not len(known):
            return np.empty(0, np.int64)
        found = [self._rows[self._starts[place] : self._starts[place + 1]] for place in known.tolist()]
        shared = np.bincount(np.concatenate(found), minlength=len(self._names))
        # covered share of the query first; then of the name, so that short names are not drowned; then standing
        closeness = shared / len(grams) + 0.2 * shared / self._n_grams + 0.0067 * self._standing
        closeness[shared == 0] = -1
        n = min(_CANDIDATES, int(np.count_nonzero(shared)))
        return np.argpartition(-closeness, n - 1)[:n]


def normalise(name: str) -> str:
    """Normalise a name: case, width, accents and punctuation are removed."""
    if name.isascii():
        return " ".join(_NO_WORD.sub(" ", name.casefold()).split())
    folded = unicodedata.normalize("NFKD", name).casefold()
    kept = (
        character if character.isalnum() else " "
        # combining accents go, but not the Japanese voicing marks that make another letter
        for character in folded
        if not (unicodedata.combining(character) and not "\u3099" <= character <= "\u309a")
    )
    return " ".join(unicodedata.normalize("NFC", "".join(kept)).split())


def _index(
    names: Sequence[str],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32], NDArray[np.float64]]:
    """Return the grams (g,) ascending, where the rows of each start (g + 1,), the rows, and each name's gram count.

    The inverted index as one array in place of a list a gram: 128,000 names in a third of the time and memory.
    """
    grams, rows = _grams(names)
    order = np.argsort(grams, kind="stable")
    grams, rows = grams[order], rows[order]
    # a gram that a name has twice counts once
    first = (np.diff(grams, prepend=-1) != 0) | (np.diff(rows, prepend=-1) != 0)
    grams, rows = grams[first], rows[first]
    starts = np.flatnonzero(np.diff(grams, prepend=-1))
    n_grams = np.bincount(rows, minlength=len(names)).astype(np.float64)
    return grams[starts], np.append(starts, len(rows)), rows, n_grams


def _grams(names: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Return the bigrams and trigrams of normal names as numbers, and the row of the name each is in.

    Word starts and ends count as letters. Rows ascend among the bigrams, and again among the trigrams.
    """
    lengths = np.array([len(name) + 2 for name in names], np.int64)
    letters = np.frombuffer("".join(f" {name} " for name in names).encode("utf-32-le"), "<u4").astype(np.int64)
    owners = np.repeat(np.arange(len(names), dtype=np.int32), lengths)
    two = (letters[:-1] << _LETTER_BITS) | letters[1:]
    three = (two[:-1] << _LETTER_BITS) | letters[2:]
    within_two, within_three = owners[:-1] == owners[1:], owners[:-2] == owners[2:]
    return (
        np.concatenate([two[within_two], three[within_three]]),
        np.concatenate([owners[:-1][within_two], owners[:-2][within_three]]),
    )


def _match(wanted: str, name: str) -> float:
    """Return the match of a name with a query, 0–100: equal, prefix, substring, then edit similarity."""
    if wanted == name:
        return 100.0
    if name.startswith(wanted):
        return 90.0 + 6.0 * len(wanted) / len(name)
    if f" {wanted}" in f" {name}":
        return 88.0 + 5.0 * len(wanted) / len(name)
    resemblance = fuzz.ratio(wanted, name)
    words = 0.95 * fuzz.token_sort_ratio(wanted, name)
    # the query may be a part of a long name, with typing errors; a short one would be part of anything
    part = 0.85 * fuzz.partial_ratio(wanted, name) if 4 <= len(wanted) < len(name) else 0.0
    if wanted in name:
        part = max(part, 80.0)
    return min(85.0, max(resemblance, words, part)) if resemblance < 90 else resemblance * 0.99
