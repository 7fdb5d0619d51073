"""Search over every title in memory: shared n-grams choose candidates, edit distance ranks them.

Character n-grams find a title with typing errors in any script (Zobel & Dart, "Finding approximate matches in large
lexicons", 1995); the exact scorer then sees a few hundred names in place of all.
"""

from __future__ import annotations

import math
import unicodedata
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz

from gars.application.ports import TitleMatch
from gars.domain.anime import Anime

_CANDIDATES = 300
_WORTH_SHOWING = 55.0
"""Below this a match is noise: measured on one to three typing errors in titles of the sample."""
_FAME = 3.0
"""What ten times the members are worth against a better match: enough to put a series before its shorts."""
_SERIES = 4.0
"""What being a series is worth: "evangelion" is "Shinseiki Evangelion", although the names of its films begin so."""


class MemoryTitleSearch:
    """A ``TitleSearch`` over the titles and synonyms of a catalogue."""

    def __init__(self, catalogue: Sequence[Anime]) -> None:
        self._names: list[str] = []
        self._normal: list[str] = []
        owners: list[int] = []
        standing: list[float] = []
        postings: defaultdict[str, list[int]] = defaultdict(list)
        for anime in catalogue:
            for name in anime.titles:
                normal = normalise(name)
                if not normal:
                    continue
                for gram in _grams(normal):
                    postings[gram].append(len(self._names))
                self._names.append(name)
                self._normal.append(normal)
                owners.append(anime.anime_id)
                standing.append(_FAME * math.log10(1 + (anime.members or 0)) + _SERIES * (anime.type == "TV"))
        self._owners = np.array(owners, np.int64)
        self._standing = np.array(standing)
        """What a name is worth beside how well it matches."""
        self._n_grams = np.array([len(_grams(normal)) for normal in self._normal], np.float64)
        self._postings = {gram: np.array(rows, np.int32) for gram, rows in postings.items()}

    def search(self, query: str, *, limit: int) -> list[TitleMatch]:
        """The best matches, each anime once; of near-equal matches the series, then the better known comes first."""
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
        grams = _grams(wanted)
        found = [self._postings[gram] for gram in grams if gram in self._postings]
        if not found:
            return np.empty(0, np.int64)
        shared = np.bincount(np.concatenate(found), minlength=len(self._names))
        # covered share of the query first; then of the name, so that short names are not drowned; then standing
        closeness = shared / len(grams) + 0.2 * shared / self._n_grams + 0.0067 * self._standing
        closeness[shared == 0] = -1
        n = min(_CANDIDATES, int(np.count_nonzero(shared)))
        return np.argpartition(-closeness, n - 1)[:n]


def normalise(name: str) -> str:
    """What is left of a name when case, width, accents and punctuation do not count."""
    folded = unicodedata.normalize("NFKD", name).casefold()
    kept = (
        character if character.isalnum() else " "
        # combining accents go, but not the Japanese voicing marks that make another letter
        for character in folded
        if not (unicodedata.combining(character) and not "\u3099" <= character <= "\u309a")
    )
    return " ".join(unicodedata.normalize("NFC", "".join(kept)).split())


def _grams(normal: str) -> set[str]:
    """Bigrams and trigrams with the word starts marked; one-letter queries fall back on the letter."""
    padded = f" {normal} "
    return {padded[i : i + n] for n in (2, 3) for i in range(len(padded) - n + 1)} or {normal}


def _match(wanted: str, name: str) -> float:
    """How well a name answers a query, 0–100: equal, then begins with, then contains, then resembles."""
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
