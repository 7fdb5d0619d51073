"""Export of spans to a collector by OTLP over HTTP: in batches, by a thread of its own."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final

import requests
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter

from gars.adapters.opentelemetry.tracer import OpenTelemetryTracer

logger = logging.getLogger(__name__)

_QUEUE: Final = 4096
"""Spans that wait for the collector; beyond it the oldest are dropped."""
_BATCH: Final = 512
_DELAY_MS: Final = 1000
"""Longest time between two batches."""
_REQUEST_S: Final = 5.0
"""Time limit of a batch, with its retries."""
_PAUSE_S: Final = 60.0


class OncePerPause(logging.Handler):
    """Logs the problems of the exporter at most once a minute, with the number of those in between."""

    def __init__(self, address: str, *, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__(logging.WARNING)
        self._address = address
        self._now = now
        self._next = float("-inf")
        self._between = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Log one problem, unless another was logged within the last minute."""
        if self._now() < self._next:
            self._between += 1
            return
        logger.warning(
            "spans are not taken by %s and may be lost: %s (%d more such lines before)",
            self._address, record.getMessage(), self._between,
        )  # fmt: skip
        self._next, self._between = self._now() + _PAUSE_S, 0


def open_tracer(address: str, *, service: str, version: str, share: float) -> OpenTelemetryTracer:
    """Return a tracer that exports to the collector at ``address``, such as ``http://127.0.0.1:4318``.

    It connects when the first batch is sent. While the collector is away spans are dropped and requests go on.
    """
    session = requests.Session()
    session.trust_env = False  # the collector is what the setting names, without proxies of the environment
    exporter = OTLPSpanExporter(f"{address.rstrip('/')}/v1/traces", timeout=_REQUEST_S, session=session)
    problems = logging.getLogger("opentelemetry")
    problems.handlers[:] = [OncePerPause(address)]
    problems.propagate = False
    return OpenTelemetryTracer(batches(exporter), service=service, version=version, share=share)


def batches(exporter: SpanExporter) -> BatchSpanProcessor:
    """Return a processor that queues ended spans and exports them in another thread."""
    return BatchSpanProcessor(
        exporter, max_queue_size=_QUEUE, max_export_batch_size=_BATCH, schedule_delay_millis=_DELAY_MS
    )
