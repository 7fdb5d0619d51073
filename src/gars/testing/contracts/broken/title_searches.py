"""Title searches with one fault each."""

from __future__ import annotations

from gars.adapters.embedded.title_search import MemoryTitleSearch
from gars.application.ports import TitleMatch
from gars.testing.contracts.broken.types import Broken


class _Search(MemoryTitleSearch):
    def _found(self, query: str) -> list[TitleMatch]:
        return MemoryTitleSearch.search(self, query, limit=1000)


class _HalfMatches(_Search):
    def search(self, query: str, *, limit: int) -> list[TitleMatch]:
        return [TitleMatch(m.anime_id, m.match / 2, m.matched) for m in self._found(query)][:limit]


class _ExactOnly(_Search):
    def search(self, query: str, *, limit: int) -> list[TitleMatch]:
        return [m for m in self._found(query) if m.match >= 86][:limit]


class _AsciiOnly(_Search):
    def search(self, query: str, *, limit: int) -> list[TitleMatch]:
        return self._found(query)[:limit] if query.isascii() else []


class _CaseCounts(_Search):
    def search(self, query: str, *, limit: int) -> list[TitleMatch]:
        return [m for m in self._found(query) if m.matched == query or query != "DEATH-NOTE!"][:limit]


class _ReportsMainTitle(_Search):
    def search(self, query: str, *, limit: int) -> list[TitleMatch]:
        return [TitleMatch(m.anime_id, m.match, "Title") for m in self._found(query)][:limit]


class _WholeWordsOnly(_Search):
    def search(self, query: str, *, limit: int) -> list[TitleMatch]:
        return self._found(query)[:limit] if len(query) > 3 else []


class _RepeatsAnime(_Search):
    def search(self, query: str, *, limit: int) -> list[TitleMatch]:
        return [m for m in self._found(query) for _ in range(2)][:limit]


class _AlwaysFinds(_Search):
    def search(self, query: str, *, limit: int) -> list[TitleMatch]:
        return (self._found(query) or [TitleMatch(1, 1.0, "anything")])[:limit]


class _FailsWhenEmpty(_Search):
    def search(self, query: str, *, limit: int) -> list[TitleMatch]:
        assert self._names, "no titles"
        return self._found(query)[:limit]


TITLE_SEARCHES: Broken = {
    "test_exact_title": _HalfMatches,
    "test_typing_errors": _ExactOnly,
    "test_japanese_and_chinese": _AsciiOnly,
    "test_width_case_and_punctuation_do_not_count": _CaseCounts,
    "test_synonyms": _ReportsMainTitle,
    "test_beginning_of_a_title": _WholeWordsOnly,
    "test_each_anime_once_best_first": _RepeatsAnime,
    "test_nothing_like_it": _AlwaysFinds,
    "test_empty_catalogue": _FailsWhenEmpty,
}
"""Check → the search it must reject."""
