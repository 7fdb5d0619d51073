"""Spans recorded by the OpenTelemetry SDK."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from typing import Final

from opentelemetry.context import Context
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import Span as OtelSpan
from opentelemetry.trace import SpanKind, Status, StatusCode, format_trace_id, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from gars.runtime.tracing import Headers, Kind, Span, Value

logger = logging.getLogger(__name__)

_KINDS: Final[Mapping[Kind, SpanKind]] = {
    "internal": SpanKind.INTERNAL,
    "server": SpanKind.SERVER,
    "client": SpanKind.CLIENT,
    "producer": SpanKind.PRODUCER,
    "consumer": SpanKind.CONSUMER,
}
_W3C: Final = TraceContextTextMapPropagator()


class RecordedSpan:
    """Implements ``runtime.tracing.Span``."""

    __slots__ = ("span",)

    def __init__(self, span: OtelSpan) -> None:
        self.span = span

    @property
    def trace_id(self) -> str:
        """Return the id of the trace: 32 hexadecimal digits."""
        return format_trace_id(self.span.get_span_context().trace_id)

    def headers(self) -> dict[str, str]:
        """Return ``traceparent`` and, where the trace has one, ``tracestate``."""
        carrier: dict[str, str] = {}
        _W3C.inject(carrier, context=set_span_in_context(self.span, Context()))
        return carrier

    def set(self, name: str, value: Value) -> None:
        """Set an attribute."""
        self.span.set_attribute(name, value)

    def rename(self, name: str) -> None:
        """Replace the name."""
        self.span.update_name(name)

    def end(self, error: BaseException | str | None = None) -> None:
        """Record the end, and the type of an error."""
        if error is not None:
            self.span.set_attribute("error.type", error if isinstance(error, str) else type(error).__qualname__)
            self.span.set_status(Status(StatusCode.ERROR))
        self.span.end()


class OpenTelemetryTracer:
    """Implements ``runtime.tracing.Tracer``."""

    def __init__(self, processor: SpanProcessor, *, service: str, version: str, share: float = 1.0) -> None:
        """Traces that begin here are sampled with probability ``share``; others are, or not, as their parent was."""
        self._provider = TracerProvider(
            sampler=ParentBased(TraceIdRatioBased(share)),
            resource=Resource.create({SERVICE_NAME: service, SERVICE_VERSION: version}),
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("gars", version)

    def start(self, name: str, kind: Kind, parent: Span | Headers, attributes: Mapping[str, Value]) -> RecordedSpan:
        """Start a span below ``parent``; headers without a trace begin a new one."""
        if isinstance(parent, RecordedSpan):
            context = set_span_in_context(parent.span, Context())
        elif isinstance(parent, Mapping):
            context = _W3C.extract(parent, context=Context())
        else:
            context = Context()
        return RecordedSpan(
            self._tracer.start_span(
                name,
                context=context,
                kind=_KINDS[kind],
                attributes=attributes,
                record_exception=False,  # a message may name a user
                set_status_on_exception=False,
            )
        )

    def close(self, within_s: float) -> None:
        """Export what was recorded, for at most so long, then record nothing more."""
        # the exporter may wait for its collector longer than that
        closing = threading.Thread(target=self._provider.shutdown, name="gars-traces-end", daemon=True)
        closing.start()
        closing.join(within_s)
        if closing.is_alive():
            logger.warning("the last spans were not exported within %.1f s", within_s)
