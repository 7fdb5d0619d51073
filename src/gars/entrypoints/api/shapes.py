"""JSON types of requests and responses."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from gars.application.catalogue.catalogue import Relation
from gars.application.recommend.ask import AskedPart
from gars.application.recommend.engine import Verb

AnimeId = Annotated[int, Meta(ge=0, le=2**31 - 1)]


class ErrorDetail(msgspec.Struct, frozen=True):
    """An error: code, message, and a hint on how to resolve it."""

    code: str
    message: str
    hint: str | None = None
    request_id: str | UnsetType = UNSET
    """The same as in the header X-Request-Id and in log lines."""


class ErrorBody(msgspec.Struct, frozen=True):
    """The body of every error response."""

    error: ErrorDetail


class AnimeCard(msgspec.Struct, frozen=True, kw_only=True):
    """An anime as shown in lists. Unknown fields are null."""

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
    """Address of the cover image at another site; ``GET /anime/{id}/cover`` serves the image where that is on."""
    adult: bool
    cover_colour: str | UnsetType = UNSET
    """Main colour of the cover image, such as ``#e45093``; left out where it is unknown."""


class FranchiseEntry(AnimeCard, frozen=True, kw_only=True):
    """A member of a franchise and its relation to the requested anime."""

    relation: Relation


class Links(msgspec.Struct, frozen=True, kw_only=True):
    """Pages about the anime on other sites."""

    myanimelist: str
    anilist: str | None
    anidb: str | None
    tmdb: str | None


class StreamingLink(msgspec.Struct, frozen=True):
    """A streaming site; ``url`` is null if only the name of the site is known."""

    site: str
    url: str | None


class AnimeDetail(AnimeCard, frozen=True, kw_only=True):
    """All details of an anime."""

    synonyms: list[str]
    tags: list[str]
    studios: list[str]
    source: str | None
    released: date | None
    season: str | None
    """Year and quarter in which it began, such as ``2026-fall``."""
    airing: str | None
    """``finished``, ``airing`` or ``upcoming`` when the catalogue was built."""
    duration_min: int | None
    synopsis: str | None
    trailer: str | None
    members_at: date | None
    """The day the members were counted."""
    links: Links
    streaming: list[StreamingLink]
    franchise: list[FranchiseEntry]


class ReasonBody(msgspec.Struct, frozen=True):
    """A reason for recommending an anime, as data; ``text`` is the same as an English sentence.

    ``anime_id`` and the titles are of the anime it mentions, ``verb`` is what the user did with that one, ``names`` are
    the tags and studios in common, or the genre. Has the fields of ``application.recommend.engine.Reason``, which is
    encoded in its place.
    """

    kind: str
    text: str
    anime_id: int | None
    title: str | None
    title_english: str | None
    title_japanese: str | None
    title_chinese: str | None
    contribution: float | None
    verb: Verb | None
    names: list[str]


Match = Literal["best", "great", "good", "fair"]


class Explanation(msgspec.Struct, frozen=True):
    """The terms of the score, and every feature value of the ranker, by name."""

    score: dict[str, float]
    features: dict[str, float]


class RecommendationBody(msgspec.Struct, frozen=True, kw_only=True):
    """One item of a list.

    ``match`` grades the title relative to the best of the list and never rises down the list. It is null on pages after
    the first, in a fallback, and for a user without history. ``p_like`` is the probability of a rating above 7: a
    different question from what to watch next, so it may rise down the list.
    """

    anime: AnimeCard
    score: float
    match: Match | None
    p_like: Annotated[float, Meta(ge=0, le=1)]
    channels: Sequence[str]
    reasons: Sequence[ReasonBody]
    explanation: Explanation | UnsetType = UNSET
    """Only with ``explain=full``."""


class AskedBody(msgspec.Struct, frozen=True):
    """A request in words as it was understood: its parts, and the words without effect."""

    text: str
    parts: Sequence[AskedPart]
    unread: Sequence[str]


class RecommendationsBody(msgspec.Struct, frozen=True, kw_only=True):
    """A user's list; ``version`` is the version of the user state it was made from.

    ``next`` is the ``cursor`` of the next page; ``changed`` lists what has changed since the previous page.
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
    asked: AskedBody | UnsetType = UNSET
    """Only with ``ask``."""


class UserSummary(msgspec.Struct, frozen=True, kw_only=True):
    """Summary of a user's state."""

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
    """Summary of a user's taste: genres watched more than by the average viewer, and the mean rating."""

    genres: list[str]
    titles: int
    rating_mean: float | None


class SimilarUserBody(msgspec.Struct, frozen=True, kw_only=True):
    """A user with similar taste; ``overlap`` is the Jaccard index of the two lists."""

    user_id: str
    similarity: float
    shared: int
    overlap: float
    shared_titles: list[AnimeCard]
    taste: TasteBody


class SimilarUsersBody(msgspec.Struct, frozen=True):
    """Similar users, most similar first."""

    user_id: str
    items: list[SimilarUserBody]


class HistoryEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A user's opinion of one anime."""

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
    """A search result: the match (0-100) and the name that matched."""

    anime: AnimeCard
    match: float
    matched: str


class SearchBody(msgspec.Struct, frozen=True):
    """The best matches, best first; ``poor`` if there is most likely no title of that name."""

    query: str
    items: list[SearchHit]
    poor: bool


class SimilarAnimeEntry(msgspec.Struct, frozen=True):
    """A similar anime."""

    anime: AnimeCard
    similarity: float


class SimilarAnimeBody(msgspec.Struct, frozen=True):
    """Similar anime, most similar first."""

    anime_id: int
    items: list[SimilarAnimeEntry]


class CardsBody(msgspec.Struct, frozen=True):
    """A plain list of anime."""

    items: list[AnimeCard]


class GenresBody(msgspec.Struct, frozen=True):
    """The values that filters accept."""

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
    """The data that the model was trained on."""

    name: str
    simulated: bool
    anime: int
    users: int
    interactions: int


class CoverageFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The years covered by the catalogue and the ratings."""

    titles: int
    titles_to: str | None
    """The last season in the catalogue, such as ``2026-fall``."""
    ratings: int
    users: int
    ratings_from: int | None
    ratings_to: int | None
    """The years that contain nine in ten ratings."""
    years_of: Literal["times", "titles"]
    """``times``: the years of the ratings; ``titles``: those in which the rated titles began."""
    rated_until: date | None
    """Titles that began later have almost no ratings."""
    sources: list[SourceFacts]


class SourceFacts(msgspec.Struct, frozen=True):
    """A source of the data and its licence."""

    name: str
    licence: str


class AniListSignIn(msgspec.Struct, frozen=True):
    """The addresses and the client id with which the page lets readers sign in at AniList."""

    client_id: str
    authorize_url: str
    api_url: str


class AboutBody(msgspec.Struct, frozen=True):
    """The service, its model and its data; ``coverage`` is null for a model that was trained without a data set.

    ``list_sites``: sites from which a list can be fetched by user name. ``covers``: where the page takes cover images
    from (``GARS_COVERS``); with ``proxy`` and ``ask`` from ``GET /anime/{id}/cover``. ``anilist`` is null without
    GARS_ANILIST_CLIENT_ID.
    """

    name: str
    version: str
    model: ModelFacts
    data: DataFacts
    coverage: CoverageFacts | None
    list_sites: list[Literal["anilist", "myanimelist"]]
    covers: Literal["off", "ask", "proxy", "direct"]
    anilist: AniListSignIn | None


class LiveBody(msgspec.Struct, frozen=True):
    """The process is alive."""

    status: Literal["ok"] = "ok"


class ReadyBody(msgspec.Struct, frozen=True):
    """Readiness of the service; each check is "ok" or a description of the fault.

    ``warnings`` are faults that do not prevent requests from being served.
    """

    status: Literal["ready", "starting", "degraded", "stopping"]
    checks: dict[str, str]
    warnings: dict[str, str]
