"""Switches traces on by GARS_TRACES, for the life of a process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from gars.bootstrap import VERSION
from gars.bootstrap.addresses import adapter
from gars.config import Settings
from gars.domain.errors import InvalidInputError, MissingExtraError
from gars.runtime import tracing


@contextmanager
def tracing_by(settings: Settings, service: str) -> Iterator[None]:
    """Record spans in the block under a name of the service; without GARS_TRACES do nothing and import nothing.

    Afterwards the recorded spans are exported, within GARS_STOP_TIMEOUT_MS.

    Raises:
        InvalidInputError: GARS_TRACES is no address of a collector.
        MissingExtraError: the extra ``trace`` is not installed.
    """
    if not settings.traces:
        yield
        return
    tracer = open_tracer(settings.traces, service=service, share=settings.trace_share)
    tracing.install(tracer)
    try:
        yield
    finally:
        tracing.install(None)
        tracer.close(settings.stop_timeout_ms / 1000)


def open_tracer(address: str, *, service: str, share: float) -> tracing.Tracer:
    """Return a tracer that exports to a collector; raises as ``tracing_by``."""
    try:
        parts = urlsplit(address)
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_address = False
    if not is_address:
        raise InvalidInputError(
            f"GARS_TRACES={address!r} is no address of a collector",
            hint="name one that takes OTLP over HTTP, such as http://127.0.0.1:4318; empty: no traces",
        )
    try:
        made: tracing.Tracer = adapter("opentelemetry", "export").open_tracer(
            address, service=f"gars-{service}", version=VERSION, share=share
        )
    except MissingExtraError as error:
        raise MissingExtraError("GARS_TRACES", "trace") from error
    return made
