"""Engines with one fault each."""

from __future__ import annotations

from typing import Any

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from gars.application.recommend.engine import Recommendation
from gars.application.recommend.list_request import ListRequest
from gars.domain.candidates import Filters
from gars.domain.history import History, Rating
from gars.testing.contracts.broken.types import Broken
from gars.testing.engine import FakeEngine


class _Unsorted(FakeEngine):
    @property
    def anime(self) -> Any:
        return tuple(reversed(self._anime))


class _Engine(FakeEngine):
    """A ``FakeEngine`` with training users, so that ``similar_user_ids`` returns some."""

    def __init__(self) -> None:
        ids = FakeEngine().popular_ids(k=6, filters=Filters()).tolist()
        super().__init__(users={name: [Rating(i, 8) for i in ids[:n]] for name, n in (("x", 3), ("y", 6))})


class _ShortList(_Engine):
    def recommend_history(self, history: History, request: ListRequest) -> list[Recommendation]:
        made = super().recommend_history(history, request)
        return list(reversed(made))


class _RepeatsHistory(_Engine):
    def retrieve_ids(self, history: History, *, k: int, filters: Filters) -> NDArray[np.int64]:
        return np.concatenate([history.anime_ids, super().retrieve_ids(history, k=k, filters=filters)])[:k]


class _PagesOverlap(_Engine):
    def recommend_history(self, history: History, request: ListRequest) -> list[Recommendation]:
        return super().recommend_history(history, replace(request, offset=max(0, request.offset - 1)))


class _NothingForNewcomers(_Engine):
    def recommend_history(self, history: History, request: ListRequest) -> list[Recommendation]:
        return [] if history.is_empty else super().recommend_history(history, request)


class _NothingForStrangers(_Engine):
    def recommend_history(self, history: History, request: ListRequest) -> list[Recommendation]:
        unknown = (self._items.rows(history.anime_ids) < 0).any()
        return [] if unknown else super().recommend_history(history, request)


class _DeafToClicks(_Engine):
    def recommend_history(self, history: History, request: ListRequest) -> list[Recommendation]:
        deaf = History(history.anime_ids, history.ratings, history.weights, history.hidden)
        return super().recommend_history(deaf, request)


class _Moody(_Engine):
    calls = 0

    def recommend_history(self, history: History, request: ListRequest) -> list[Recommendation]:
        self.calls += 1
        return super().recommend_history(history, replace(request, k=request.k + self.calls))


class _FiltersAfterTheCut(_Engine):
    def popular_ids(self, *, k: int, filters: Filters) -> NDArray[np.int64]:
        ids = super().popular_ids(k=k, filters=Filters())
        return ids[np.isin(ids, super().popular_ids(k=len(self._anime), filters=filters))]


class _IgnoresExcluded(_Engine):
    def recommend_history(self, history: History, request: ListRequest) -> list[Recommendation]:
        kept = replace(request.filters, exclude_ids=())
        return super().recommend_history(history, replace(request, filters=kept))


class _ManyOfAFranchise(_Engine):
    def recommend_history(self, history: History, request: ListRequest) -> list[Recommendation]:
        loose = replace(request.filters, one_per_franchise=False, hide_sequels=False, min_members=None)
        return super().recommend_history(history, replace(request, k=len(self._anime), filters=loose))


class _InItsOwnOrder(_Engine):
    def like_chances(self, history: History, anime_ids: NDArray[np.int64]) -> NDArray[np.float32]:
        return super().like_chances(history, np.sort(anime_ids))


class _TermsLackOne(_Engine):
    def recommend_history(self, history: History, request: ListRequest) -> list[Recommendation]:
        made = super().recommend_history(history, request)
        return [replace(item, score=item.score + 1) for item in made]


class _LikesItself(_Engine):
    def similar_ids(self, anime_id: int, *, k: int, same_franchise: bool = True) -> list[tuple[int, float]]:
        return [(anime_id, 1.0), *super().similar_ids(anime_id, k=k - 1, same_franchise=same_franchise)]


class _ForgetsToExclude(_Engine):
    def similar_user_ids(self, history: History, *, k: int, exclude: str | None = None) -> list[tuple[str, float]]:
        del exclude
        return super().similar_user_ids(history, k=k)


def working_engine() -> FakeEngine:
    """Return the engine without a fault, which satisfies the contract."""
    return _Engine()


ENGINES: Broken = {
    "test_catalogue_ascends": _Unsorted,
    "test_list_is_full_and_ordered": _ShortList,
    "test_never_what_the_history_holds": _RepeatsHistory,
    "test_pages_continue_each_other": _PagesOverlap,
    "test_empty_history_gets_the_popular_list": _NothingForNewcomers,
    "test_unknown_ids_are_ignored": _NothingForStrangers,
    "test_one_click_changes_the_list": _DeafToClicks,
    "test_deterministic": _Moody,
    "test_filters_act_before_the_cut": _FiltersAfterTheCut,
    "test_excluded_ids_stay_away": _IgnoresExcluded,
    "test_service_rules": _ManyOfAFranchise,
    "test_chances_in_the_order_asked": _InItsOwnOrder,
    "test_the_score_is_the_sum_of_its_terms": _TermsLackOne,
    "test_similar_anime": _LikesItself,
    "test_similar_users": _ForgetsToExclude,
}
"""Check → the engine it must reject."""
