"""``GET /metrics`` in the Prometheus format, and the ``Server-Timing`` header of every response."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from time import perf_counter
from typing import Any

from litestar import Request, Response, get
from litestar.types import Message, Scope
from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, disable_created_metrics
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from gars.application.recommend.fallback_chain import FallbackLevel
from gars.bootstrap import Live
from gars.entrypoints.api.errors import errors
from gars.entrypoints.api.response_cache import ResponseCache
from gars.runtime.budgets import Budget
from gars.runtime.stage_times import STAGES as STAGE_NAMES
from gars.runtime.stage_times import server_timing

logger = logging.getLogger(__name__)

disable_created_metrics()  # type: ignore[no-untyped-call]  # an unused second series for each counter

STARTED = "gars.started"
"""Scope key of the time the request arrived, by ``perf_counter``."""
STAGES = "gars.stages"
"""Scope key of the request's ``StageTimes``."""
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_STAGE_BUCKETS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 1.0)
_METHODS = frozenset({"GET", "POST", "DELETE", "HEAD", "OPTIONS", "PUT", "PATCH"})
_NO_ROUTE = "none"


class Metrics:
    """Metrics of the responses of one application; counters of the service are read at each scrape."""

    def __init__(self, of_service: Collector) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "gars_http_requests", "Requests answered.", ["method", "route", "status"], registry=self._registry
        )
        self._seconds = Histogram(
            "gars_http_request_seconds",
            "Time from the request to the first byte of its answer.",
            ["route"],
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._stages = Histogram(
            "gars_stage_seconds",
            "Time in each stage of a request.",
            ["stage"],
            buckets=_STAGE_BUCKETS,
            registry=self._registry,
        )
        self._of_stage: dict[str, Histogram] = {stage: self._stages.labels(stage) for stage in STAGE_NAMES}
        self._at_hand: dict[tuple[object, object, int], tuple[Counter, Histogram]] = {}
        self._registry.register(of_service)
        ProcessCollector(registry=self._registry)

    async def before_send(self, message: Message, scope: Scope) -> None:
        """Count the response and add its ``Server-Timing`` header. A ``before_send`` hook."""
        if message["type"] != "http.response.start":
            return
        seconds = perf_counter() - scope.get(STARTED, perf_counter())  # type: ignore[operator]  # ours, a float
        user = scope.get("path_params", {}).get("user_id")
        self.count(scope.get("method"), scope.get("path_template"), message["status"], seconds, user)
        # a copy: an abandoned thread may still be adding to it
        times: dict[str, float] = {**scope[STAGES].milliseconds} if STAGES in scope else {}  # type: ignore[literal-required]
        for stage, milliseconds in times.items():
            self._of_stage[stage].observe(milliseconds / 1000)
        times["total"] = seconds * 1000
        timing = server_timing(times)
        message["headers"] = [*message.get("headers", ()), (b"server-timing", timing.encode())]

    def count(self, method: object, route: object, status: int, seconds: float, user: object = None) -> None:
        """Count one response, and log it at level info."""
        requests, histogram = self._series(method, route, status)
        requests.inc()
        histogram.observe(seconds)
        if logger.isEnabledFor(logging.INFO):
            about = {"method": method, "route": route, "status": status, "ms": round(seconds * 1e3, 3), "user": user}
            logger.info("answered", extra=about)

    def _series(self, method: object, route: object, status: int) -> tuple[Counter, Histogram]:
        """Return the series of a response, cached: the lookup by labels costs as much as the rest of ``count``."""
        key = method, route, status
        found = self._at_hand.get(key)
        if found is None:
            # the template, not the path: one series per route, not per user
            name = str(route or _NO_ROUTE)
            requests = self._requests.labels(method if method in _METHODS else "other", name, str(status))
            found = requests, self._seconds.labels(name)
            if method in _METHODS:  # clients can send any method name
                self._at_hand[key] = found
        return found

    def exposition(self) -> bytes:
        """Return all metrics in the Prometheus text format."""
        return generate_latest(self._registry)


@get("/metrics", summary="Counters for Prometheus", responses=errors(400), media_type="text/plain", tags=["service"])
async def get_metrics(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Requests, latencies, events, fallbacks, impressions, queues and sizes, as text."""
    metrics: Metrics = request.app.state.metrics
    return Response(metrics.exposition(), headers={"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store"})


class OfService(Collector):
    """Reads the counters of the service at each scrape."""

    def __init__(self, running: Live, response_cache: ResponseCache) -> None:
        self._running = running
        self._response_cache = response_cache

    def collect(self) -> Iterable[Metric]:
        """Yield one metric family per counter."""
        service = self._running.current
        yield counter("gars_events_accepted", "Events made durable.", service.writer.accepted)
        yield counter("gars_events_duplicate", "Events that were there already.", service.writer.duplicates)
        yield counter("gars_impressions_recorded", "Shown lists on disk.", service.recorder.recorded)
        yield counter("gars_impressions_dropped", "Shown lists lost.", service.recorder.dropped)
        yield from _fallback_levels(service.budgets)
        cache = CounterMetricFamily(
            "gars_list_cache",
            "Lookups by what was cached: the whole answer, the list, or nothing. A late list is looked up again.",
            labels=["result"],
        )
        cache.add_metric(["answer"], self._response_cache.hits)
        cache.add_metric(["list"], service.lists.hits)
        cache.add_metric(["miss"], service.lists.misses)
        yield cache
        waiting = GaugeMetricFamily("gars_queue_depth", "What waits for the disk.", labels=["queue"])
        waiting.add_metric(["events"], service.writer.waiting)
        waiting.add_metric(["impressions"], service.recorder.waiting)
        yield waiting
        sizes = GaugeMetricFamily("gars_store_bytes", "Size on disk.", labels=["store"])
        for name, size in service.sizes().items():
            sizes.add_metric([name], size)
        yield sizes
        model = GaugeMetricFamily("gars_model_info", "The model that is served.", labels=["version", "trained", "data"])
        about = service.about
        model.add_metric([about.model_version, about.trained or "", about.data_name], 1)
        yield model
        yield counter("gars_model_swaps", "Models taken up while running.", self._running.swap.swaps)
        if (makers := service.worker_pool) is not None:
            yield GaugeMetricFamily("gars_list_processes", "Processes that make lists.", value=makers.alive)
            yield counter("gars_list_process_restarts", "Started in place of another.", makers.restarts)
        yield GaugeMetricFamily("gars_model_anime", "Anime in the catalogue.", value=len(service.catalogue))


def _fallback_levels(budgets: Mapping[FallbackLevel, Budget]) -> Iterable[Metric]:
    """Yield the outcomes of each level of the fallback chain, under the current name and the one before it."""
    for name, label, documentation in (
        ("gars_fallback_levels", "level", "Outcomes of each level of the fallback chain."),
        ("gars_rungs", "rung", "Deprecated: use gars_fallback_levels_total."),
    ):
        family = CounterMetricFamily(name, documentation, labels=[label, "outcome"])
        for level, budget in budgets.items():
            # one is there before the first list: a series that begins with 1 has no rate
            for outcome, count in sorted({"ok": 0, **budget.outcomes.copy()}.items()):
                family.add_metric([level, outcome], count)
        yield family


def counter(name: str, documentation: str, value: float) -> CounterMetricFamily:
    """Build a family with one counter."""
    return CounterMetricFamily(name, documentation, value=value)
