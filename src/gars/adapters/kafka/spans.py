"""Spans of records: each continues the trace of the request that sent it, in the headers of the record."""

from __future__ import annotations

from collections.abc import Hashable
from types import TracebackType

from confluent_kafka import Message

from gars.adapters.kafka.records import Headers
from gars.runtime import tracing


class SentSpans:
    """Producer spans of the records of one ``send``; all end with it. Without a trace records stay as they are."""

    def __init__(self, topic: str) -> None:
        self._topic = topic
        self._spans: list[tracing.Span] = []

    def __enter__(self) -> SentSpans:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for span in self._spans:
            span.end(error)

    def add(self, headers: Headers, key: Hashable) -> Headers:
        """Start the span of a record. → the headers with those of the trace; ``key`` finds the caller's span"""
        if tracing.tracer is None or (caller := tracing.caller_of(key)) is None:
            return headers
        span = tracing.begin(f"{self._topic} send", "producer", parent=caller, attributes=_about(self._topic, "send"))
        if span is None:
            return headers
        self._spans.append(span)
        return [*headers, *((name, value.encode()) for name, value in span.headers().items())]


class ReceivedSpans:
    """Consumer spans of the records that were polled and are not committed yet. One thread."""

    def __init__(self) -> None:
        self._open: list[tracing.Span] = []

    def add(self, message: Message) -> None:
        """Start the span of a record, if a trace continues in it."""
        if tracing.tracer is None:
            return
        found = {
            name: value.decode("latin-1")
            for name, value in dict(message.headers() or []).items()
            if name in tracing.HEADERS and isinstance(value, bytes)
        }
        topic = str(message.topic())
        span = tracing.begin(f"{topic} process", "consumer", parent=found, attributes=_about(topic, "process"))
        if span is not None:
            self._open.append(span)

    def end(self, error: BaseException | str | None = None) -> None:
        """End the spans: the records are committed, or will be delivered again."""
        for span in self._open:
            span.end(error)
        self._open.clear()


def _about(topic: str, operation: str) -> dict[str, str]:
    return {
        "messaging.system": "kafka",
        "messaging.destination.name": topic,
        "messaging.operation.name": operation,
    }
