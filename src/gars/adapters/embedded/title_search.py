"""Search over every title in memory: shared n-grams choose candidates, edit distance ranks them.

Character n-grams find a title with typing errors in any script (Zobel & Dart, "Finding approximate matches in large
lexicons", 1995); the exact scorer then sees a few hundred names in place of all.
"""

from __future__ import annotations

import math
import re
import sys
import unicodedata
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz

from gars.application.ports import TitleMatch
from gars.domain.anime import Anime
from gars.kernels.ngrams import write_index, write_postings

_CANDIDATES = 300
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
        self._postings_of = _Postings(self._normal)
        postings = self._postings_of(self._normal)
        self._grams, self._starts, self._rows, self._n_grams = _index(
            postings, self._postings_of.row_bits, len(self._normal)
        )

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
        grams = np.unique(self._postings_of([wanted]) >> self._postings_of.row_bits)
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
    kept = unicodedata.normalize("NFKD", name).casefold().translate(_LETTERS)
    return " ".join(unicodedata.normalize("NFC", kept).split())


class _Letters(dict[int, int | None]):
    """Table for ``str.translate``, filled at first use: letters and digits stay, accents go, all else is a space."""

    def __missing__(self, code: int) -> int | None:
        letter = chr(code)
        # combining accents go, but not the Japanese voicing marks that make another letter
        is_accent = unicodedata.combining(letter) and not "\u3099" <= letter <= "\u309a"
        self[code] = None if is_accent else code if letter.isalnum() else ord(" ")
        return self[code]


_LETTERS = _Letters()


class _Postings:
    """Bigrams and trigrams of normal names as postings; word starts and ends count as letters.

    Letters have the codes 1, 2, … of the names' alphabet, so that three of them and a row fit into 63 bits.
    """

    def __init__(self, names: Sequence[str]) -> None:
        used = np.zeros(sys.maxunicode + 1, np.bool_)
        used[_letters(names)] = True
        alphabet = np.flatnonzero(used)
        self._code = np.full(len(used), len(alphabet) + 1, np.int32)  # the last code: in no name
        self._code[alphabet] = np.arange(1, len(alphabet) + 1)
        self._bits = (len(alphabet) + 1).bit_length()
        self.row_bits = len(names).bit_length()
        if 3 * self._bits + self.row_bits > 63:
            raise ValueError(f"{len(names)} names in an alphabet of this size do not fit the index")

    def __call__(self, names: Sequence[str]) -> NDArray[np.int64]:
        """Return the postings of the names, ascending (see ``kernels.ngrams``)."""
        starts = np.zeros(len(names) + 1, np.int64)
        np.cumsum([len(name) + 2 for name in names], out=starts[1:])
        found = np.empty(2 * int(starts[-1]), np.int64)
        found = found[: write_postings(self._code[_letters(names)], starts, self._bits, self.row_bits, found)]
        found.sort()
        return found


def _letters(names: Sequence[str]) -> NDArray[np.uint32]:
    return np.frombuffer("".join([f" {name} " for name in names]).encode("utf-32-le"), "<u4")


def _index(
    postings: NDArray[np.int64], row_bits: int, n: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32], NDArray[np.int64]]:
    """Return the grams (g,) ascending, where the rows of each start (g + 1,), the rows, and each name's gram count.

    The inverted index as one array in place of a list a gram. Gram and row are sorted as one number: numpy sorts
    numbers ten times as fast as it finds the order of an array.
    """
    grams, starts = np.empty(len(postings), np.int64), np.empty(len(postings) + 1, np.int64)
    rows, counts = np.empty(len(postings), np.int32), np.empty(n, np.int64)
    g, u = write_index(postings, row_bits, grams, starts, rows, counts)
    return grams[:g].copy(), starts[: g + 1].copy(), rows[:u].copy(), counts


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
