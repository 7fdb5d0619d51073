"""Contract of ``TitleSearch``, over the sample catalogue."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from gars.application.ports import TitleMatch, TitleSearch
from gars.domain.anime import Anime
from gars.testing.anime import sample_catalogue


class TitleSearchContract(ABC):
    """Checks of a ``TitleSearch``."""

    @abstractmethod
    def open(self, catalogue: Sequence[Anime]) -> TitleSearch:
        """Open a search over these anime."""

    def _first(self, query: str) -> TitleMatch:
        found = self.open(sample_catalogue()).search(query, limit=5)
        assert found, f"nothing found for {query!r}"
        return found[0]

    def test_exact_title(self) -> None:
        """An exact title comes first, with match 100."""
        assert self._first("Death Note") == TitleMatch(1535, 100.0, "Death Note")

    def test_typing_errors(self) -> None:
        """Queries with missing, doubled or swapped letters find the title."""
        for query in ("fulmetal alchmist", "fullmetal alchemsit brotherhod"):
            assert self._first(query).anime_id == 5114, query
        for query in ("cowboi bebop", "cowboy beebop"):
            assert self._first(query).anime_id in (1, 5), query
        assert self._first("deth noet").anime_id == 1535

    def test_japanese_and_chinese(self) -> None:
        """A whole title and a prefix of it find the title."""
        assert self._first("デスノート").anime_id == 1535
        assert self._first("鋼の錬金").anime_id == 5114
        assert self._first("钢之炼金术师").anime_id == 5114

    def test_width_case_and_punctuation_do_not_count(self) -> None:
        """Full-width letters, case and punctuation are ignored."""
        assert self._first("ｄｅａｔｈ　ｎｏｔｅ").anime_id == 1535
        assert self._first("DEATH-NOTE!").match == 100.0

    def test_synonyms(self) -> None:
        """A synonym finds the anime, and is returned as the matched name."""
        found = self._first("hagane no renkinjutsushi")
        assert (found.anime_id, found.matched) == (5114, "Hagane no Renkinjutsushi")

    def test_beginning_of_a_title(self) -> None:
        """A prefix or word of a title finds the most popular anime first."""
        assert self._first("cow").anime_id == 1
        assert self._first("bebop").anime_id == 1

    def test_each_anime_once_best_first(self) -> None:
        """Each anime once even if several of its names match, by descending match, at most ``limit``."""
        found = self.open(sample_catalogue()).search("story", limit=7)
        assert len(found) == 7
        assert len({match.anime_id for match in found}) == 7
        both = self.open(sample_catalogue()).search("cowboy bebop", limit=10)
        ids = [match.anime_id for match in both]
        assert ids[:2] == [1, 5]
        assert len(ids) == len(set(ids))
        assert all(0 <= match.match <= 100 for match in both)

    def test_nothing_like_it(self) -> None:
        """A query without a similar title finds nothing."""
        assert self.open(sample_catalogue()).search("qqxzvw kkpt", limit=5) == []
        assert self.open(sample_catalogue()).search("!?", limit=5) == []

    def test_empty_catalogue(self) -> None:
        """An empty catalogue finds nothing."""
        assert self.open([]).search("death note", limit=5) == []
