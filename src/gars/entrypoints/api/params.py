"""Parameters of routes: identifiers, page sizes and filters, and the check that refuses unknown parameters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import msgspec
from litestar import Request
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.params import PathParameter, QueryParameter, SkipValidation

from gars.bootstrap import Live, Service
from gars.domain.candidates import SERVICE_DEFAULTS, Filters
from gars.domain.cursor import MAX_LENGTH
from gars.domain.errors import InvalidInputError

MAX_USER_ID = 128

ServiceDep = NamedDependency[SkipValidation[Service]]
RunningDep = NamedDependency[SkipValidation[Live]]
FiltersDep = NamedDependency[SkipValidation[Filters]]
UserId = Annotated[str, PathParameter(min_length=1, max_length=MAX_USER_ID, description="The user; any stable id")]
AnimeIdPath = Annotated[int, PathParameter(ge=0, le=2**31 - 1, description="MyAnimeList id")]
K = Annotated[int, QueryParameter(ge=1, le=100, description="How many")]
Offset = Annotated[int, QueryParameter(ge=0, le=10_000, description="Places to leave out from the top")]
CursorParam = Annotated[
    str, QueryParameter(name="cursor", max_length=MAX_LENGTH, description="The `next` of the page before")
]
_REPLACEMENT = "\ufffd"
"""Replaces bytes that are not UTF-8: different ids would become equal."""
_RESERVED = frozenset({"request", "data", "state", "body", "headers", "cookies", "query", "scope", "socket"})
"""Argument names that Litestar provides itself."""


def checked_user_id(user_id: str | int) -> str:
    """Return the user id as text; raises ``InvalidInputError`` if it cannot be stored, logged or used in a path."""
    text = str(user_id)
    if not 1 <= len(text) <= MAX_USER_ID or not text.isprintable() or _REPLACEMENT in text:
        raise InvalidInputError(
            f"user_id must be 1 to {MAX_USER_ID} printable characters", hint="send a stable id of the user"
        )
    if "/" in text or text in (".", ".."):
        raise InvalidInputError(
            f"user_id {text!r} cannot stand in an address",
            hint="leave / out: that user could be neither read nor deleted",
        )
    return text


async def filters_of(
    service: ServiceDep,  # noqa: ARG001  independent dependencies are resolved in tasks: slower
    types: Annotated[list[str] | None, QueryParameter(name="type", description="Only these types; repeatable")] = None,
    genres: Annotated[
        list[str] | None, QueryParameter(name="genre", description="All of these genres; repeatable")
    ] = None,
    exclude_genres: Annotated[
        list[str] | None, QueryParameter(name="exclude_genre", description="None of these genres; repeatable")
    ] = None,
    tags: Annotated[list[str] | None, QueryParameter(name="tag", description="All of these tags; repeatable")] = None,
    exclude_tags: Annotated[
        list[str] | None, QueryParameter(name="exclude_tag", description="None of these tags; repeatable")
    ] = None,
    studios: Annotated[
        list[str] | None, QueryParameter(name="studio", description="Any of these studios; repeatable")
    ] = None,
    sources: Annotated[
        list[str] | None, QueryParameter(name="source", description="Made from any of these; repeatable")
    ] = None,
    sites: Annotated[
        list[str] | None, QueryParameter(name="site", description="To be watched on any of these sites; repeatable")
    ] = None,
    year_min: Annotated[int | None, QueryParameter(ge=0, le=9999)] = None,
    year_max: Annotated[int | None, QueryParameter(ge=0, le=9999)] = None,
    episodes_min: Annotated[int | None, QueryParameter(ge=0, le=100_000)] = None,
    episodes_max: Annotated[int | None, QueryParameter(ge=0, le=100_000)] = None,
    duration_min: Annotated[int | None, QueryParameter(ge=0, le=10_000, description="Minutes an episode")] = None,
    duration_max: Annotated[int | None, QueryParameter(ge=0, le=10_000, description="Minutes an episode")] = None,
    min_members: Annotated[
        int | None, QueryParameter(ge=0, le=2**31 - 1, description="Leave out what fewer people watch; 500 by default")
    ] = None,
    max_members: Annotated[
        int | None, QueryParameter(ge=0, le=2**31 - 1, description="Leave out what more people watch")
    ] = None,
    min_score: Annotated[float | None, QueryParameter(ge=0, le=10)] = None,
    adult: Annotated[bool | None, QueryParameter(description="Show adult titles; false by default")] = None,
    hide_sequels: Annotated[
        bool | None, QueryParameter(description="Hide what continues a title not completed; true by default")
    ] = None,
    one_per_franchise: Annotated[
        bool | None, QueryParameter(description="Only the best of each franchise; true by default")
    ] = None,
    hide_dropped_franchises: Annotated[
        bool | None,
        QueryParameter(description="Hide everything of a franchise with a disliked title; false by default"),
    ] = None,
    hide_dropped_series: Annotated[
        bool | None,
        QueryParameter(description="Hide everything of a franchise with a dropped title; true by default"),
    ] = None,
    hide_specials: Annotated[
        bool | None,
        QueryParameter(
            description="Hide specials, music videos, trailers and recaps that `type` does not name; true by default"
        ),
    ] = None,
    exclude_ids: Annotated[
        list[int] | None,
        QueryParameter(name="exclude_id", max_items=1000, description="Anime to leave out; repeatable"),
    ] = None,
    niche: Annotated[
        float | None, QueryParameter(ge=0, le=1, description="0 what suits you best, 1 rather what few know")
    ] = None,
    diversity: Annotated[
        float | None, QueryParameter(ge=0, le=1, description="How much likeness to the titles above costs a title")
    ] = None,
) -> Filters:
    """Build the filters of a request; parameters that are not given have the service's defaults.

    Raises:
        InvalidInputError: an empty range, or an invalid anime id.
    """
    default = SERVICE_DEFAULTS
    for name, low, high in (
        ("year", year_min, year_max),
        ("episodes", episodes_min, episodes_max),
        ("duration", duration_min, duration_max),
    ):
        if low is not None and high is not None and low > high:
            raise InvalidInputError(f"{name}_min={low} is above {name}_max={high}", hint="swap them")
    if any(not 0 <= anime_id < 2**31 for anime_id in exclude_ids or ()):
        raise InvalidInputError("exclude_id: no anime has such an id", hint="ids are MyAnimeList ids")
    hide_dropped = default.hide_dropped_series if hide_dropped_series is None else hide_dropped_series
    specials_hidden = default.hide_specials if hide_specials is None else hide_specials
    return msgspec.structs.replace(
        default,
        types=tuple(types or default.types),
        genres=tuple(genres or default.genres),
        exclude_genres=tuple(exclude_genres or default.exclude_genres),
        tags=tuple(tags or ()),
        exclude_tags=tuple(exclude_tags or ()),
        studios=tuple(studios or ()),
        sources=tuple(sources or ()),
        sites=tuple(sites or ()),
        year_min=year_min,
        year_max=year_max,
        episodes_min=episodes_min,
        episodes_max=episodes_max,
        duration_min=duration_min,
        duration_max=duration_max,
        max_members=max_members,
        min_members=default.min_members if min_members is None else min_members or None,
        min_score=min_score,
        adult=default.adult if adult is None else adult,
        hide_sequels=default.hide_sequels if hide_sequels is None else hide_sequels,
        one_per_franchise=default.one_per_franchise if one_per_franchise is None else one_per_franchise,
        hide_dropped_franchises=default.hide_dropped_franchises
        if hide_dropped_franchises is None
        else hide_dropped_franchises,
        hide_dropped_series=hide_dropped,
        hide_dropped_sequels=hide_dropped,
        hide_specials=specials_hidden,
        hide_recaps=specials_hidden,
        exclude_ids=tuple(exclude_ids or ()),
        niche=default.niche if niche is None else niche,
        diversity=default.diversity if diversity is None else diversity,
    )


async def refuse_unknown_parameters(request: Request[Any, Any, Any]) -> None:
    """Refuse unknown query parameters, which would have no effect. Runs before each request.

    Not a guard: Litestar would copy the whole route for it on each request.
    """
    known = set(parameter_names(request.route_handler).values())
    unknown = sorted(set(request.query_params.keys()) - known)
    if unknown:
        raise InvalidInputError(
            f"no such parameter: {', '.join(unknown)}",
            hint=f"this route takes {', '.join(sorted(known))}" if known else "this route takes no parameters",
        )


def parameter_names(handler: BaseRouteHandler) -> dict[str, str]:
    """Map arguments of a route to query parameters, including those of its dependencies."""
    cached: dict[str, str] | None = handler.opt.get("parameter_names")
    if cached is None:
        cached = handler.opt["parameter_names"] = dict(_declared(handler))
    return cached


def _declared(handler: BaseRouteHandler) -> Iterator[tuple[str, str]]:
    providers = handler.resolve_dependencies()
    in_path = {part[1:-1].partition(":")[0] for path in handler.paths for part in path.split("/") if part[:1] == "{"}
    ahead = [handler.parsed_fn_signature]
    while ahead:
        for name, argument in ahead.pop().parameters.items():
            if name in providers:
                ahead.append(providers[name].parsed_fn_signature)
            elif name not in _RESERVED and name not in in_path:
                yield name, getattr(argument.kwarg_definition, "name", None) or name
