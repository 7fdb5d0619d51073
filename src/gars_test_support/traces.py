"""Spans of this process, collected in memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from gars.adapters.opentelemetry.tracer import OpenTelemetryTracer
from gars.runtime import tracing


class Spans:
    """The ended spans; a name must be unique where it is asked for."""

    def __init__(self, exporter: InMemorySpanExporter) -> None:
        self._exporter = exporter

    def all(self) -> tuple[ReadableSpan, ...]:
        """Return all ended spans, in the order in which they ended."""
        return self._exporter.get_finished_spans()

    def named(self, name: str) -> ReadableSpan:
        """Return the one span of a name."""
        found = [span for span in self.all() if span.name == name]
        assert len(found) == 1, f"{len(found)} spans {name!r} among {[span.name for span in self.all()]}"
        return found[0]

    def parent_of(self, name: str) -> str | None:
        """Return the name of the parent of a span; ``None`` for the first of a trace."""
        parent = self.named(name).parent
        if parent is None:
            return None
        (found,) = [span.name for span in self.all() if span.context and span.context.span_id == parent.span_id]
        return found

    def trace_ids(self) -> set[int]:
        """Return the ids of all traces."""
        return {span.context.trace_id for span in self.all() if span.context is not None}

    def written(self) -> str:
        """Return names, attributes and events of all spans as text."""
        return "\n".join(span.to_json() for span in self.all())


@contextmanager
def recorded_spans(*, share: float = 1.0) -> Iterator[Spans]:
    """Record the spans of the block."""
    exporter = InMemorySpanExporter()
    tracer = OpenTelemetryTracer(SimpleSpanProcessor(exporter), service="gars-test", version="0", share=share)
    tracing.install(tracer)
    try:
        yield Spans(exporter)
    finally:
        tracing.install(None)
        tracing.set_current(None)
        tracer.close(5)
