"""Protocol of the model that the use cases call, and the types it returns. ``library.engine`` implements it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol, runtime_checkable

import msgspec
import numpy as np
from numpy.typing import NDArray

from gars.application.recommend.list_request import ListRequest
from gars.domain.anime import Anime
from gars.domain.candidates import Filters
from gars.domain.history import History
from gars.domain.item_table import ItemTable

Verb = Literal["liked", "watched", "opened", "chose"]
"""Action of a user on a title that explains another one."""


class Reason(msgspec.Struct, frozen=True, gc=False):
    """Explanation of a title, as data and as an English sentence (``text``).

    ``anime_id`` and the titles are of the anime that the sentence names, ``verb`` is what the user did with it,
    ``names`` are the tags and studios in common, or the genre.
    """

    kind: str
    text: str
    anime_id: int | None = None
    title: str | None = None
    title_english: str | None = None
    title_japanese: str | None = None
    title_chinese: str | None = None
    contribution: float | None = None
    verb: Verb | None = None
    names: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        kind: str,
        text: str,
        anime: Anime,
        contribution: float | None = None,
        verb: Verb | None = None,
        names: tuple[str, ...] = (),
    ) -> Reason:
        """Build a reason whose text names an anime."""
        return cls(kind, text, *named(anime), contribution, verb, names)


def named(anime: Anime) -> tuple[int, str, str | None, str | None, str | None]:
    """Return the fields of a ``Reason`` about an anime, from ``anime_id`` to ``title_chinese``."""
    return anime.anime_id, anime.title, anime.title_english, anime.title_japanese, anime.title_chinese


class Recommendation(msgspec.Struct, frozen=True, gc=False):
    """One item of a list. ``p_like`` is the calibrated probability of a rating above 7."""

    anime_id: int
    score: float
    p_like: float
    channels: tuple[str, ...]
    reasons: tuple[Reason, ...]
    features: bytes = b""
    """Input of the ranker: one row of the model's features as float32; empty without a ranker."""
    propensity: float = 1.0
    """The probability that this title is at this rank; below 1 only where a list may explore."""
    terms: Mapping[str, float] = {}
    """Additive terms of the score by name; empty without a ranker."""
    reasons_json: bytes = b""
    """``reasons`` as JSON in their place, if another process made the list: they are only passed on."""


class Engine(Protocol):
    """The two-stage model, ready to serve: pure numpy, no I/O."""

    @property
    def version(self) -> str:
        """Hash of the model's content; a list made by another version may differ."""
        ...

    @property
    def anime(self) -> Sequence[Anime]:
        """The catalogue, ascending by id."""
        ...

    @property
    def items(self) -> ItemTable:
        """The catalogue in columns, in the order of ``anime``."""
        ...

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the columns of ``Recommendation.features``, in order."""
        ...

    def like_chances(self, history: History, anime_ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """Predict P(rating > 7) of anime by id, NaN for one the catalogue does not have. (m,) → (m,)"""
        ...

    def recommend_history(self, history: History, request: ListRequest) -> list[Recommendation]:
        """Return the requested ranks of the ranked list."""
        ...

    def retrieve_ids(self, history: History, *, k: int, filters: Filters) -> NDArray[np.int64]:
        """Return the candidates of the retrieval stage, best first: the fallback when ranking is out of time."""
        ...

    def popular_ids(self, *, k: int, filters: Filters) -> NDArray[np.int64]:
        """Return the most popular ids: the list for a user without history, and the last fallback."""
        ...

    def similar_ids(self, anime_id: int, *, k: int, same_franchise: bool = True) -> list[tuple[int, float]]:
        """Return similar anime with their similarity (0–1), best first."""
        ...

    def similar_user_ids(self, history: History, *, k: int, exclude: str | None = None) -> list[tuple[str, float]]:
        """Return the training users most similar to a history with their similarity (0–1), best first."""
        ...


@runtime_checkable
class NewAnime(Protocol):
    """Optional part of an ``Engine``: ranks anime that no training user has watched for a user."""

    def new_ids(self, history: History, *, k: int, filters: Filters) -> list[tuple[int, float]]:
        """Return the best ids that the filters allow, with their scores, best first."""
        ...
