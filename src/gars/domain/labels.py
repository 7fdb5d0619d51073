"""Words that anime carry, the other way round: which anime carry each word."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gars.domain.errors import InvalidInputError

_NAMED_WHOLE = 40
"""A vocabulary up to this size is listed in the error about an unknown word."""


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """An inverted list: small where a matrix (anime, words) would be mostly zeros."""

    kind: str
    """Noun for messages: "tag", "studio"."""
    names: tuple[str, ...]
    starts: NDArray[np.int64]
    """(names + 1,) where each word's rows begin."""
    rows: NDArray[np.int64]
    """Rows of the item table, word after word."""
    n: int
    """Number of anime."""

    def any_of(self, wanted: Sequence[str]) -> NDArray[np.bool_]:
        """Mask (n,) of the anime with at least one of the words; raises ``InvalidInputError`` for unknown ones."""
        mask = np.zeros(self.n, np.bool_)
        for code in self._codes(wanted):
            mask[self.rows[self.starts[code] : self.starts[code + 1]]] = True
        return mask

    def all_of(self, wanted: Sequence[str]) -> NDArray[np.bool_]:
        """Mask (n,) of the anime with every one of the words; raises ``InvalidInputError`` for unknown ones."""
        mask = np.ones(self.n, np.bool_)
        for name in wanted:
            mask &= self.any_of((name,))
        return mask

    def of(self, row: int) -> tuple[str, ...]:
        """The words of one anime."""
        places = np.flatnonzero(self.rows == row)
        return tuple(self.names[code] for code in np.searchsorted(self.starts, places, side="right") - 1)

    def _codes(self, wanted: Sequence[str]) -> list[int]:
        index = {name.casefold(): code for code, name in enumerate(self.names)}
        unknown = [name for name in wanted if name.casefold() not in index]
        if unknown:
            raise InvalidInputError(f"unknown {self.kind}: {', '.join(unknown)}", hint=self._suggest(unknown[0]))
        return [index[name.casefold()] for name in wanted]

    def _suggest(self, word: str) -> str:
        if not self.names:
            return f"this catalogue knows no {self.kind} of any anime"
        if len(self.names) <= _NAMED_WHOLE:
            return f"known: {', '.join(self.names)}"
        plain = {name.casefold(): name for name in self.names}
        near = [plain[found] for found in difflib.get_close_matches(word.casefold(), plain, n=5)]
        return f"did you mean {', '.join(near)}?" if near else "GET /api/v1/genres lists all of them"


def build(kind: str, words: Sequence[Iterable[str]]) -> Labels:
    """From each anime's words (n,), in the order of the item table. Case of a word is that of its first use."""
    carriers: dict[str, list[int]] = {}
    spelled: dict[str, str] = {}
    folded: dict[str, str] = {}
    for row, some in enumerate(words):
        for name in some:
            word = folded.get(name)
            if word is None:
                word = folded[name] = name.casefold()
                spelled.setdefault(word, name)
            rows = carriers.setdefault(word, [])
            if word and (not rows or rows[-1] != row):
                rows.append(row)
    carriers.pop("", None)
    ordered = sorted(carriers)
    lengths = [len(carriers[word]) for word in ordered]
    return Labels(
        kind=kind,
        names=tuple(spelled[word] for word in ordered),
        starts=np.concatenate([np.zeros(1, np.int64), np.cumsum(np.array(lengths, np.int64))]),
        rows=np.array([row for word in ordered for row in carriers[word]], np.int64),
        n=len(words),
    )
