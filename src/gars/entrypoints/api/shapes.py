"""The JSON that goes in and out, as types. What a client sees is written here and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from gars.application.catalogue import Relation

AnimeId = Annotated[int, Meta(ge=0, le=2**31 - 1)]


class ErrorDetail(msgspec.Struct, frozen=True):
    """What went wrong, and what to do."""

    code: str
    message: str
    hint: str | None = None
    request_id: str | UnsetType = UNSET
    """The same as in the header X-Request-Id; log lines have it too."""


class ErrorBody(msgspec.Struct, frozen=True):
    """The one shape of every error."""

    error: ErrorDetail


class AnimeCard(msgspec.Struct, frozen=True, kw_only=True):
    """An anime as lists show it. What is not known is null."""

    anime_id: int
    title: str
    title_english: str | None
    title_japanese: str | None
    title_chinese: str | None
    type: str | None
    episodes: int | None
    year: int | None
    score: float | None
    members: int | None
    genres: list[str]
    image: str | None


class FranchiseEntry(AnimeCard, frozen=True, kw_only=True):
    """A member of a franchise and how it stands to the anime asked for."""

    relation: Relation


class Links(msgspec.Struct, frozen=True, kw_only=True):
    """Pages about the anime elsewhere."""

    myanimelist: str
    anilist: str | None
    anidb: str | None
    tmdb: str | None


class StreamingLink(msgspec.Struct, frozen=True):
    """Where to watch it; ``url`` is null where only the name of the site is known."""

    site: str
    url: str | None


class AnimeDetail(AnimeCard, frozen=True, kw_only=True):
    """Everything known of an anime."""

    synonyms: list[str]
    tags: list[str]
    studios: list[str]
    source: str | None
    released: date | None
    season: str | None
    """Year and quarter it began in, such as ``2026-fall``."""
    airing: str | None
    """``finished``, ``airing`` or ``upcoming`` when the catalogue was made."""
    duration_min: int | None
    synopsis: str | None
    trailer: str | None
    members_at: date | None
    """The day the members were counted."""
    adult: bool
    links: Links
    streaming: list[StreamingLink]
    franchise: list[FranchiseEntry]


class ReasonBody(msgspec.Struct, frozen=True):
    """Why an anime is in the list; with every title of the anime it speaks of, as ``text`` is in English.

    Field by field an ``application.engine.Reason``, which is written in its place.
    """

    kind: str
    text: str
    anime_id: int | None
    title: str | None
    title_english: str | None
    title_japanese: str | None
    title_chinese: str | None
    contribution: float | None


Match = Literal["best", "great", "good", "fair"]


class Explanation(msgspec.Struct, frozen=True):
    """What the score is the sum of, and every number the ranker saw, by name."""

    score: dict[str, float]
    features: dict[str, float]


class RecommendationBody(msgspec.Struct, frozen=True, kw_only=True):
    """One place of a list.

    ``match`` says how well the title suits the user, beside the best of the list. It never rises down the list. It is
    null on pages after the first, in a fallback, and for a user without history. ``p_like`` is the chance of a rating
    above 7: another question than what to watch next, so it may rise down the list.
    """

    anime: AnimeCard
    score: float
    match: Match | None
    p_like: Annotated[float, Meta(ge=0, le=1)]
    channels: Sequence[str]
    reasons: Sequence[ReasonBody]
    explanation: Explanation | UnsetType = UNSET
    """Only where it is asked for."""


class RecommendationsBody(msgspec.Struct, frozen=True, kw_only=True):
    """A user's list; ``version`` is the version of the user state it was made from.

    ``next`` is the ``cursor`` of the page after this one; ``changed`` says what did since the page before.
    """

    user_id: str
    version: int
    model_version: str
    request_id: str
    cold: bool
    fallback: Literal["retrieval", "similar", "trending", "popular"] | None
    items: list[RecommendationBody]
    next: str | None
    changed: list[Literal["model", "state"]]


class UserSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a user."""

    user_id: str
    known: bool
    version: int
    titles: int
    ratings: int
    rating_mean: float | None
    clicks: int
    recent: list[AnimeCard]


class UsersPage(msgspec.Struct, frozen=True):
    """A page of users; ``next`` is the ``after`` of the next page."""

    users: list[UserSummary]
    next: str | None


class TasteBody(msgspec.Struct, frozen=True, kw_only=True):
    """A user's taste in a few words: the genres they have more of than the catalogue's viewers, and how they rate."""

    genres: list[str]
    titles: int
    rating_mean: float | None


class SimilarUserBody(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody with the same taste; ``overlap`` is the Jaccard index of the two lists."""

    user_id: str
    similarity: float
    shared: int
    overlap: float
    shared_titles: list[AnimeCard]
    taste: TasteBody


class SimilarUsersBody(msgspec.Struct, frozen=True):
    """Users like this one, best first."""

    user_id: str
    items: list[SimilarUserBody]


class HistoryEntry(msgspec.Struct, frozen=True, kw_only=True):
    """What a user holds of one anime."""

    anime: AnimeCard
    rating: int | None
    status: str | None
    reaction: int | None
    seen: bool
    clicked: bool
    dismissed: bool


class HistoryBody(msgspec.Struct, frozen=True):
    """A user's history, latest first."""

    user_id: str
    items: list[HistoryEntry]


class SearchHit(msgspec.Struct, frozen=True):
    """A title that matches a query: how well (0–100), and under which name."""

    anime: AnimeCard
    match: float
    matched: str


class SearchBody(msgspec.Struct, frozen=True):
    """The best matches, best first; ``poor`` when there is most likely no title of that name."""

    query: str
    items: list[SearchHit]
    poor: bool


class SimilarAnimeEntry(msgspec.Struct, frozen=True):
    """An anime like another one."""

    anime: AnimeCard
    similarity: float


class SimilarAnimeBody(msgspec.Struct, frozen=True):
    """Anime like this one, best first."""

    anime_id: int
    items: list[SimilarAnimeEntry]


class CardsBody(msgspec.Struct, frozen=True):
    """A plain list of anime."""

    items: list[AnimeCard]


class GenresBody(msgspec.Struct, frozen=True):
    """The words that filters know."""

    genres: list[str]
    types: list[str]
    tags: list[str]
    studios: list[str]
    sources: list[str]
    sites: list[str]


class ModelFacts(msgspec.Struct, frozen=True):
    """The model that is served."""

    version: str
    trained: str | None
    metrics: dict[str, Any] | None


class DataFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The data it was trained on."""

    name: str
    simulated: bool
    anime: int
    users: int
    interactions: int


class CoverageFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The years that the catalogue and the ratings are of."""

    titles: int
    titles_to: str | None
    """The last season that the catalogue covers, such as ``2026-fall``."""
    ratings: int
    users: int
    ratings_from: int | None
    ratings_to: int | None
    """The years that nine in ten ratings lie in."""
    years_of: Literal["times", "titles"]
    """Whether those are the years of the ratings, or those in which the rated titles began."""
    rated_until: date | None
    """Titles that began later have next to no ratings."""
    sources: list[SourceFacts]


class SourceFacts(msgspec.Struct, frozen=True):
    """A source of the data and its licence."""

    name: str
    licence: str


class AboutBody(msgspec.Struct, frozen=True):
    """What is being served; ``coverage`` is null for a model that was trained without a data set.

    ``list_sites``: where it can fetch a list by the user's name.
    """

    name: str
    version: str
    model: ModelFacts
    data: DataFacts
    coverage: CoverageFacts | None
    list_sites: list[Literal["anilist", "myanimelist"]]


class EventBody(msgspec.Struct, frozen=True, kw_only=True):
    """One event. Without ``event_id`` the same content at the same time is the same event."""

    user_id: str | int
    anime_id: AnimeId
    kind: Literal["click", "rate", "status", "like", "dislike", "seen", "dismiss"]
    value: int | str | None = None
    undo: bool = False
    event_id: str | None = None
    event_time: datetime | None = None
    request_id: str | None = None


class InteractionsBody(msgspec.Struct, frozen=True, kw_only=True):
    """Either ``events``, or the fields of a single event."""

    events: Annotated[list[EventBody], Meta(min_length=1)] | UnsetType = UNSET
    user_id: str | int | UnsetType = UNSET
    anime_id: AnimeId | UnsetType = UNSET
    kind: Literal["click", "rate", "status", "like", "dislike", "seen", "dismiss"] | UnsetType = UNSET
    value: int | str | None = None
    undo: bool = False
    event_id: str | None = None
    event_time: datetime | None = None
    request_id: str | None = None


class ClickBody(msgspec.Struct, frozen=True, kw_only=True):
    """A click, in the mission's own short form."""

    user_id: str | int
    anime_id: AnimeId


class RefusedEvent(ErrorDetail, frozen=True, kw_only=True):
    """An event of a batch that was not taken: its place there, and why."""

    index: int
    event_id: str | None


class AcceptedBody(msgspec.Struct, frozen=True):
    """The events are durable, and the states of these users have these versions.

    Where another process applies events ``versions`` is empty: ``/users/{id}/events`` tells when it has.
    ``refused`` is empty unless the batch was sent with ``on_error=skip``.
    """

    accepted: list[str]
    duplicates: int
    versions: dict[str, int]
    refused: list[RefusedEvent] = []


class UnknownTitle(msgspec.Struct, frozen=True):
    """A title of a list that the catalogue does not have."""

    name: str
    anime_id: int | None
    anilist_id: int | None


class SkippedTitle(msgspec.Struct, frozen=True):
    """An entry of a list that could not be read, and why."""

    name: str
    why: str


class ImportBody(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a list. ``entries`` = taken + unchanged + duplicates + unknown + skipped.

    ``newer_than_data`` of the titles began after the ratings that the model learned from.
    """

    source: str
    user_id: str
    entries: int
    taken: int
    unchanged: int
    duplicates: int
    newer_than_data: int
    newer_titles: list[str]
    """Names of some of them, the newest first."""
    unknown: list[UnknownTitle]
    skipped: list[SkippedTitle]
    notes: list[str]
    events: int
    version: int


class ForgottenBody(msgspec.Struct, frozen=True, kw_only=True):
    """What was deleted."""

    user_id: str
    events: int
    impressions: int
    state: bool


class LiveBody(msgspec.Struct, frozen=True):
    """The process answers."""

    status: Literal["ok"] = "ok"


class ReadyBody(msgspec.Struct, frozen=True):
    """Whether requests can be served; each check says "ok" or what is wrong.

    ``warnings`` says what is not as it should be although requests are served.
    """

    status: Literal["ready", "starting", "degraded", "stopping"]
    checks: dict[str, str]
    warnings: dict[str, str]
