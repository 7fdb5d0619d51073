"""An engine around another: what a subclass does not do its own way is the other's."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gars.application.recommend.engine import Engine, Recommendation
from gars.application.recommend.list_request import ListRequest
from gars.domain.anime import Anime
from gars.domain.candidates import Filters
from gars.domain.history import History
from gars.domain.item_table import ItemTable


class DelegatingEngine:
    """Implements ``Engine`` by another one, ``local``: the model in this process."""

    def __init__(self, local: Engine) -> None:
        self._local = local

    @property
    def version(self) -> str:
        """Of the model here."""
        return self._local.version

    @property
    def anime(self) -> Sequence[Anime]:
        """The catalogue here."""
        return self._local.anime

    @property
    def items(self) -> ItemTable:
        """The catalogue here, in columns."""
        return self._local.items

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Of the model here."""
        return self._local.feature_names

    def recommend_history(self, history: History, request: ListRequest) -> list[Recommendation]:
        """As the model here."""
        return self._local.recommend_history(history, request)

    def retrieve_ids(self, history: History, *, k: int, filters: Filters) -> NDArray[np.int64]:
        """As the model here. → (≤ k,)"""
        return self._local.retrieve_ids(history, k=k, filters=filters)

    def popular_ids(self, *, k: int, filters: Filters) -> NDArray[np.int64]:
        """As the model here. → (≤ k,)"""
        return self._local.popular_ids(k=k, filters=filters)

    def like_chances(self, history: History, anime_ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """As the model here. (m,) → (m,)"""
        return self._local.like_chances(history, anime_ids)

    def similar_ids(self, anime_id: int, *, k: int, same_franchise: bool = True) -> list[tuple[int, float]]:
        """As the model here."""
        return self._local.similar_ids(anime_id, k=k, same_franchise=same_franchise)

    def similar_user_ids(self, history: History, *, k: int, exclude: str | None = None) -> list[tuple[str, float]]:
        """As the model here."""
        return self._local.similar_user_ids(history, k=k, exclude=exclude)
