"""Find the anime whose synopses hold a word."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gars.domain.anime import Anime


class Synopses:
    """Full-text search over synopses by scanning: no index to build, a few milliseconds a word.

    The text is put together at the first search, about 9 MB for 28,000 titles.
    """

    def __init__(self, anime: Sequence[Anime]) -> None:
        self._anime = anime
        self._text = ""
        self._starts = np.empty(0, np.int64)
        self._lock = threading.Lock()

    def rows(self, words: Sequence[str]) -> NDArray[np.bool_]:
        """Mask (n,) of the anime whose synopses or titles hold a word that begins with one of ``words``.

        A word of three letters or fewer has to be the whole word; of a longer one the ending may differ by up to three
        letters: "chef" finds "chefs".
        """
        self._build()
        mask = np.zeros(len(self._anime), np.bool_)
        text = self._text
        for word in words:
            at = text.find(word)
            while at >= 0:
                end = at + len(word)
                stop = end
                while stop < end + 4 and text[stop].isalnum():
                    stop += 1
                if not text[at - 1].isalnum() and stop - end <= (3 if len(word) > 3 else 0):
                    row = int(np.searchsorted(self._starts, at, side="right")) - 1
                    mask[row] = True
                    # nothing more to learn about this anime
                    at = text.find(word, int(self._starts[row + 1]) if row + 1 < len(self._starts) else len(text))
                else:
                    at = text.find(word, at + 1)
        return mask

    def _build(self) -> None:
        with self._lock:
            if len(self._starts):
                return
            pieces: list[str] = []
            starts: list[int] = []
            length = 1
            for anime in self._anime:
                piece = f"{anime.title} {anime.title_english or ''} {anime.synopsis or ''}".lower() + "\n"
                starts.append(length)
                pieces.append(piece)
                length += len(piece)
            self._text = "\n" + "".join(pieces) + "     "
            self._starts = np.array(starts, np.int64)
