"""The routes of the clicks service: those of the api that take events, with the same answers and errors."""

from __future__ import annotations

from collections.abc import Iterable

from litestar import Litestar, Router
from litestar.datastructures import State
from litestar.di import Provide
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector as Family

from gars.bootstrap.collector import Collector
from gars.entrypoints.api import access, health, interactions, metrics
from gars.entrypoints.api.app import App
from gars.entrypoints.api.docs import openapi_config
from gars.entrypoints.api.errors import HANDLERS
from gars.entrypoints.api.json_bodies import JsonRequest, check_request
from gars.entrypoints.api.security import SecurityHeaders
from gars.runtime.live_service import LiveService


class OfCollector(Family):
    """Reads the service's own counters at the moment of the scrape."""

    def __init__(self, running: LiveService[Collector]) -> None:
        self._running = running

    def collect(self) -> Iterable[Metric]:
        """One family a counter."""
        collector = self._running.current
        yield metrics.counter("gars_events_accepted", "Events made durable.", collector.writer.accepted)
        yield metrics.counter(
            "gars_events_duplicate", "Events that came twice in one batch.", collector.writer.duplicates
        )
        waiting = GaugeMetricFamily("gars_queue_depth", "What waits for the log.", labels=["queue"])
        waiting.add_metric(["events"], collector.writer.waiting)
        yield waiting
        yield GaugeMetricFamily("gars_model_anime", "Anime that events may be about.", value=len(collector.catalogue))


def create_app(running: LiveService[Collector]) -> Litestar:
    """The app over a collector. The caller closes the collector after the app has stopped."""
    settings = running.current.settings
    counted = metrics.Metrics(OfCollector(running))
    guard = access.Access(settings, running.current.clock)
    api = Router(
        "/api/v1",
        route_handlers=[interactions.post_interactions, health.get_live, health.get_ready],
        before_request=check_request,
    )
    mission = Router("/", route_handlers=[interactions.post_click, metrics.get_metrics], before_request=check_request)
    return App(
        [api, mission],
        dependencies={
            "service": Provide(lambda: running.current, sync_to_thread=False),
            "running": Provide(lambda: running, sync_to_thread=False),
            "caller": Provide(access.caller_of),
        },
        guards=[guard],
        exception_handlers=HANDLERS,
        before_send=[SecurityHeaders(), counted.before_send],
        state=State({"metrics": counted, "health": health.Checks()}),
        request_class=JsonRequest,
        logging_config=None,
        request_max_body_size=settings.max_body_bytes,
        openapi_config=openapi_config("GARS clicks", "Takes events in: durable in the event log before the answer."),
    )
