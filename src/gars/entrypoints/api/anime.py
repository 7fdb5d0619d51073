"""Routes of anime: details, similar anime, search, and titles for onboarding."""

from __future__ import annotations

from typing import Annotated

from litestar import get
from litestar.params import QueryParameter

from gars.application.catalogue.search import MAX_QUERY, is_poor
from gars.application.recommend.onboarding import onboarding
from gars.entrypoints.api.cards import card, detail
from gars.entrypoints.api.errors import errors
from gars.entrypoints.api.params import AnimeIdPath, K, ServiceDep
from gars.entrypoints.api.shapes import (
    AnimeDetail,
    CardsBody,
    SearchBody,
    SearchHit,
    SimilarAnimeBody,
    SimilarAnimeEntry,
)
from gars.entrypoints.api.workers import run_in_worker


@get("/anime", summary="Search over every title", responses=errors(400), tags=["anime"])
async def search_anime(
    service: ServiceDep,
    asked: Annotated[
        str,
        QueryParameter(name="query", max_length=MAX_QUERY, description="Any title, in any language, typos included"),
    ],
    limit: K = 10,
) -> SearchBody:
    """Anime whose titles or synonyms match the query best, best first. `poor` is true if no match is close."""
    found = await run_in_worker(service, service.search, asked, limit=limit)
    return SearchBody(
        asked,
        [SearchHit(card(service.catalogue.get(hit.anime_id)), hit.match, hit.matched) for hit in found],
        is_poor(found),
    )


@get("/anime/{anime_id:int}", summary="Everything known of an anime", responses=errors(400, 404), tags=["anime"])
async def get_anime(service: ServiceDep, anime_id: AnimeIdPath) -> AnimeDetail:
    """Titles, genres, links, streaming sites, and the franchise in order of release."""
    return detail(service.catalogue.get(anime_id), service.catalogue)


@get("/anime/{anime_id:int}/similar", summary="Anime like this one", responses=errors(400, 404), tags=["anime"])
async def get_similar_anime(
    service: ServiceDep,
    anime_id: AnimeIdPath,
    k: K = 10,
    same_franchise: Annotated[bool, QueryParameter(description="Whether its own franchise may appear")] = True,
) -> SimilarAnimeBody:
    """Anime watched by the same people, most similar first."""
    found = await run_in_worker(service, service.similar_anime, anime_id, k=k, same_franchise=same_franchise)
    return SimilarAnimeBody(
        anime_id, [SimilarAnimeEntry(card(service.catalogue.get(other)), similarity) for other, similarity in found]
    )


@get("/onboarding", summary="Titles to start with", responses=errors(400), tags=["anime"])
async def get_onboarding(service: ServiceDep, k: K = 24) -> CardsBody:
    """Popular and diverse titles for a new user to choose from."""
    ids = await run_in_worker(service, onboarding, service.engine, service.catalogue, k=k)
    return CardsBody([card(service.catalogue.get(anime_id)) for anime_id in ids])
