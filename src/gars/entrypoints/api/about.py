"""Routes that describe the service: version, model, data, and the values that filters accept."""

from __future__ import annotations

from typing import Literal

import msgspec
from litestar import get

from gars.bootstrap import VERSION, Service
from gars.entrypoints.api.errors import errors
from gars.entrypoints.api.params import ServiceDep
from gars.entrypoints.api.shapes import AboutBody, AniListSignIn, CoverageFacts, DataFacts, GenresBody, ModelFacts


@get("/about", summary="What is being served", responses=errors(400), tags=["service"])
async def get_about(service: ServiceDep) -> AboutBody:
    """The versions of GARS and of the served model, and the data that the model was trained on."""
    about = service.about
    metrics = dict(about.metrics) if about.metrics is not None else None
    return AboutBody(
        name="GARS",
        version=VERSION,
        model=ModelFacts(about.model_version, about.trained, metrics),
        data=DataFacts(
            name=about.data_name,
            simulated=about.simulated,
            anime=about.anime,
            users=about.users,
            interactions=about.interactions,
        ),
        coverage=None
        if about.coverage is None
        else msgspec.convert(about.coverage, CoverageFacts, from_attributes=True),
        list_sites=_list_sites(service),
        covers=service.settings.covers,
        anilist=_anilist(service),
    )


def _anilist(service: Service) -> AniListSignIn | None:
    settings = service.settings
    if not settings.anilist_client_id:
        return None
    return AniListSignIn(settings.anilist_client_id, settings.anilist_authorize_url, settings.anilist_url)


def _list_sites(service: Service) -> list[Literal["anilist", "myanimelist"]]:
    """Return the sites that a list can be fetched from. MyAnimeList requires a client id."""
    sites: list[Literal["anilist", "myanimelist"]] = ["anilist"] if "anilist" in service.sites else []
    if "myanimelist" in service.sites and service.settings.mal_client_id:
        sites.append("myanimelist")
    return sites


@get("/genres", summary="The words that filters know", responses=errors(400), tags=["anime"])
async def get_genres(service: ServiceDep) -> GenresBody:
    """Every genre, type, tag, studio, source and streaming site in the catalogue."""
    known = service.catalogue
    return GenresBody(
        list(known.genres),
        list(known.types),
        list(known.tags),
        list(known.studios),
        list(known.sources),
        list(known.sites),
    )
