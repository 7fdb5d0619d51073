"""What the use cases need of the model, as a Protocol, and what it answers with. ``library.engine`` implements it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

import msgspec
import numpy as np
from numpy.typing import NDArray

from gars.domain.anime import Anime
from gars.domain.candidates import Filters
from gars.domain.history import History


class Reason(msgspec.Struct, frozen=True, gc=False):
    """Why a title is in the list, in words and with its weight; with every title of the anime that the words name."""

    kind: str
    text: str
    anime_id: int | None = None
    title: str | None = None
    title_english: str | None = None
    title_japanese: str | None = None
    title_chinese: str | None = None
    contribution: float | None = None

    @classmethod
    def of(cls, kind: str, text: str, anime: Anime, contribution: float | None = None) -> Reason:
        """One whose words name an anime."""
        return cls(kind, text, *named(anime), contribution)


def named(anime: Anime) -> tuple[int, str, str | None, str | None, str | None]:
    """What a ``Reason`` says of an anime, from ``anime_id`` to ``title_chinese``."""
    return anime.anime_id, anime.title, anime.title_english, anime.title_japanese, anime.title_chinese


class Recommendation(msgspec.Struct, frozen=True, gc=False):
    """One place of a list. ``p_like`` is the calibrated probability of a rating above 7."""

    anime_id: int
    score: float
    p_like: float
    channels: tuple[str, ...]
    reasons: tuple[Reason, ...]
    features: bytes = b""
    """What the ranker saw: one row of the model's features as float32; empty where no ranker spoke."""
    propensity: float = 1.0
    """The probability that this title came to this place; below 1 only where a list may explore."""
    terms: Mapping[str, float] = {}
    """What the score is the sum of, by name; empty where no model spoke."""
    reasons_json: bytes = b""
    """``reasons`` as JSON in their place, where another process made the list: they are only passed on."""


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
    def feature_names(self) -> tuple[str, ...]:
        """What the numbers in ``Recommendation.features`` are, in order."""
        ...

    def like_chances(self, history: History, anime_ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """P(rating > 7) of anime by id, NaN for one the catalogue does not have. (m,) → (m,)"""
        ...

    def recommend_history(self, history: History, *, k: int, offset: int = 0, filters: Filters) -> list[Recommendation]:
        """The ranked list, places ``offset`` … ``offset + k``."""
        ...

    def retrieve_ids(self, history: History, *, k: int, filters: Filters) -> NDArray[np.int64]:
        """Stage one alone, best first: the fallback when ranking is out of time."""
        ...

    def popular_ids(self, *, k: int, filters: Filters) -> NDArray[np.int64]:
        """The list for somebody of whom nothing is known, and the last fallback."""
        ...

    def similar_ids(self, anime_id: int, *, k: int, same_franchise: bool = True) -> list[tuple[int, float]]:
        """Anime like this one with their similarity (0–1), best first."""
        ...

    def similar_user_ids(self, history: History, *, k: int, exclude: str | None = None) -> list[tuple[str, float]]:
        """Training users like this history with their similarity (0–1), best first."""
        ...


@runtime_checkable
class NewAnime(Protocol):
    """What an ``Engine`` may offer besides: anime that nobody it learned from has watched, in an order for the user."""

    def new_ids(self, history: History, *, k: int, filters: Filters) -> list[tuple[int, float]]:
        """The best of them that the filters allow, with their score, best first."""
        ...
