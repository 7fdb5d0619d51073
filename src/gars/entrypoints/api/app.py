"""The Litestar application: routes, errors, headers and documentation around one ``Service``."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from time import perf_counter
from typing import Any

from litestar import Litestar, Router
from litestar.datastructures import State
from litestar.di import Provide

from gars.bootstrap import Live, Service, api_origins, image_origins, live
from gars.entrypoints.api import (
    about,
    access,
    admin,
    anime,
    atlas,
    compare,
    covers,
    data_quality,
    events,
    experiment,
    groups,
    health,
    interactions,
    lists,
    metrics,
    mission,
    opinion,
    page,
    plan,
    previews,
    session,
    shelves,
    taste,
    users,
)
from gars.entrypoints.api.compression import compressing
from gars.entrypoints.api.docs import openapi_config
from gars.entrypoints.api.errors import HANDLERS
from gars.entrypoints.api.json_bodies import JsonRequest, check_request
from gars.entrypoints.api.params import filters_of
from gars.entrypoints.api.response_cache import TEMPLATE, ResponseCache
from gars.entrypoints.api.security import SecurityHeaders, security_headers
from gars.entrypoints.api.streams import Streams
from gars.entrypoints.edge.head import answer_head
from gars.runtime.live_service import LiveService
from gars.runtime.stage_times import measuring


class App(Litestar):
    """Litestar application that measures the stages of each request and answers HEAD."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        if scope["type"] == "http" and scope["method"] == "HEAD":
            await answer_head(self, scope, receive, send)
            return
        scope[metrics.STARTED] = perf_counter()
        with measuring() as scope[metrics.STAGES]:
            await super().__call__(scope, receive, send)


class ListApp(App):
    """Application that compresses responses and serves repeated lists from the response cache."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        if scope["type"] == "http":
            started = perf_counter()
            cache: ResponseCache = self.state.response_cache
            if (found := cache.find(scope, self.state.guard.may_read_list)) is not None:
                scope["path_template"] = TEMPLATE
                status = await found.send(send, scope, started)
                self.state.metrics.count("GET", TEMPLATE, status, perf_counter() - started)
                return
            send = cache.listening(scope, compressing(scope, send))
        await super().__call__(scope, receive, send)


def create_app(service: Service | Live) -> Litestar:
    """Build the application that serves ``service``. The caller closes the service after the application stops."""
    running = service if isinstance(service, LiveService) else live(service)
    settings = running.current.settings
    response_cache = ResponseCache(running, settings.list_cache)
    counted = metrics.Metrics(metrics.OfService(running, response_cache))
    cover_fetches = covers.CoverFetches()
    guard = access.Access(settings, running.current.clock)
    api = Router(
        "/api/v1",
        route_handlers=[
            about.get_about,
            about.get_genres,
            anime.search_anime,
            anime.get_anime,
            atlas.get_atlas,
            covers.get_cover,
            anime.get_similar_anime,
            anime.get_onboarding,
            experiment.get_experiment,
            groups.post_group,
            shelves.get_trending,
            shelves.get_season,
            shelves.get_calendar,
            shelves.get_continue,
            shelves.get_hidden_gems,
            shelves.get_new,
            users.list_users,
            users.get_user,
            users.get_recommendations,
            users.get_similar_users,
            compare.get_comparison,
            users.get_history,
            opinion.get_anime_for_user,
            plan.get_plan,
            taste.get_taste,
            taste.get_loved,
            users.get_export,
            users.delete_user,
            events.get_events,
            interactions.post_interactions,
            # a list may be longer than any other body
            Router("/", route_handlers=[lists.post_list], request_max_body_size=settings.max_list_bytes),
            lists.fetch_list,
            Router(
                "/admin",
                route_handlers=[
                    admin.get_models,
                    admin.get_training,
                    admin.promote,
                    admin.rollback,
                    data_quality.get_validation,
                    data_quality.get_runs,
                ],
            ),
            session.post_token,
            session.post_revoke,
            session.post_session,
            session.delete_session,
            health.get_live,
            health.get_ready,
        ],
        before_request=check_request,
    )
    mission_routes = Router(
        "/",
        route_handlers=[mission.get_sim, interactions.post_click, metrics.get_metrics],
        before_request=check_request,
    )
    return ListApp(
        [api, mission_routes, mission.get_root, previews.get_preview_image, page.get_asset, page.get_page],
        dependencies={
            # resolved once per request, so that a request sees one model even during a swap
            "service": Provide(lambda: running.current, sync_to_thread=False),
            "running": Provide(lambda: running, sync_to_thread=False),
            "tokens": Provide(lambda: guard.tokens, sync_to_thread=False),
            "revoked": Provide(lambda: guard.revoked, sync_to_thread=False),
            "caller": Provide(access.caller_of),
            "filters": Provide(filters_of),
        },
        guards=[guard],
        exception_handlers=HANDLERS,
        before_send=[
            SecurityHeaders(security_headers(image_origins(settings), api_origins(settings))),
            counted.before_send,
        ],
        on_shutdown=[cover_fetches.close],
        state=State(
            {
                "metrics": counted,
                "guard": guard,
                "response_cache": response_cache,
                "health": health.Checks(),
                "streams": Streams(settings),
                "cover_fetches": cover_fetches,
                "imports": ThreadPoolExecutor(lists.IMPORTS, thread_name_prefix="gars-import"),
            }
        ),
        request_class=JsonRequest,
        logging_config=None,  # the command line sets logging up
        request_max_body_size=settings.max_body_bytes,
        openapi_config=openapi_config("GARS", "A real-time recommender for anime: lists that move when you click."),
    )
