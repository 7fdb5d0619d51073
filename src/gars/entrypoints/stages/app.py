"""The apps of the two services: their routes, health and metrics, with the answers and errors of the api."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from litestar import Litestar, Router
from litestar.datastructures import State
from litestar.di import Provide
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from gars.bootstrap.stages import StageService
from gars.entrypoints.api import access, health, metrics
from gars.entrypoints.api.app import App
from gars.entrypoints.api.docs import openapi_config
from gars.entrypoints.api.errors import HANDLERS
from gars.entrypoints.api.json_bodies import JsonRequest, check_request
from gars.entrypoints.api.security import SecurityHeaders
from gars.entrypoints.stages import routes
from gars.runtime.live_service import LiveService

Part = Literal["recall", "rank"]

_ROUTES = {
    "recall": [routes.get_recalled, routes.get_sim],
    "rank": [routes.get_ranked],
}
_BETWEEN_SERVICES = {"recall": [routes.post_recall, routes.post_recall_ids], "rank": [routes.post_rank]}


class OfStage(Collector):
    """Reads the counters of the service at each scrape."""

    def __init__(self, running: LiveService[StageService]) -> None:
        self._running = running

    def collect(self) -> Iterable[Metric]:
        """The model that serves."""
        about = self._running.current.about
        model = GaugeMetricFamily("gars_model_info", "The model that is served.", labels=["version", "trained", "data"])
        model.add_metric([about.model_version, about.trained or "", about.data_name], 1)
        yield model
        yield metrics.counter("gars_model_swaps", "Models taken up while running.", self._running.swap.swaps)


def create_app(running: LiveService[StageService], part: Part) -> Litestar:
    """The app over one stage. The caller closes the service after the app has stopped."""
    settings = running.current.settings
    counted = metrics.Metrics(OfStage(running))
    public = Router(
        "/",
        route_handlers=[
            *_ROUTES[part],
            metrics.get_metrics,
            Router("/api/v1", route_handlers=[health.get_live, health.get_ready]),
            # messages hold candidates: larger than any other body
            Router("/", route_handlers=_BETWEEN_SERVICES[part], request_max_body_size=routes.MAX_BYTES),
        ],
        before_request=check_request,
    )
    return App(
        [public],
        dependencies={
            "service": Provide(lambda: running.current, sync_to_thread=False),
            "running": Provide(lambda: running, sync_to_thread=False),
        },
        guards=[access.Access(settings, running.current.clock)],
        exception_handlers=HANDLERS,
        before_send=[SecurityHeaders(), counted.before_send],
        state=State({"metrics": counted, "health": health.Checks()}),
        request_class=JsonRequest,
        logging_config=None,
        request_max_body_size=settings.max_body_bytes,
        openapi_config=openapi_config(
            f"GARS {part}", "One stage of the recommender, for the api and for clients that want plain ids."
        ),
    )
