"""Spans of a distributed trace (W3C Trace Context), recorded by the tracer that is installed in this process.

    with tracing.spanning("POST /api/v1/rank", "client") as span:
        send(headers=span.headers() if span else {})

Without a tracer nothing is recorded and no tracing library is imported. The current span belongs to the task or thread
that set it; work that changes threads carries it along (``current``, ``set_current``, ``carrying``).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import TracebackType
from typing import Final, Literal, ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

Kind = Literal["internal", "server", "client", "producer", "consumer"]
Value = str | int | float | bool
Headers = Mapping[str, str]
"""``traceparent`` and ``tracestate``, in lower case."""

TRACEPARENT: Final = "traceparent"
HEADERS: Final = (TRACEPARENT, "tracestate")


class Span(Protocol):
    """One operation of a trace. Attributes never contain ids of users."""

    @property
    def trace_id(self) -> str:
        """Id of the trace: 32 hexadecimal digits."""

    def headers(self) -> dict[str, str]:
        """Return the headers with which another process continues the trace below this span."""
        ...

    def set(self, name: str, value: Value) -> None:
        """Set an attribute."""
        ...

    def rename(self, name: str) -> None:
        """Replace the name."""
        ...

    def end(self, error: BaseException | str | None = None) -> None:
        """Record the end; an error is recorded by its type, since its message may name a user."""
        ...


class Tracer(Protocol):
    """Records spans. Safe to call from many threads; never blocks and never raises."""

    def start(self, name: str, kind: Kind, parent: Span | Headers, attributes: Mapping[str, Value]) -> Span:
        """Start a span below ``parent``; headers without a trace begin a new one."""
        ...

    def close(self, within_s: float) -> None:
        """Export what was recorded, for at most so long, then record nothing more."""
        ...


tracer: Tracer | None = None
"""The tracer of this process; ``None`` unless traces are switched on."""

_current: ContextVar[Span | None] = ContextVar("span", default=None)
_of_callers: ContextVar[Mapping[Hashable, Span]] = ContextVar("spans_of_callers")
_NONE: Final[Mapping[str, Value]] = {}


def install(new: Tracer | None) -> None:
    """Set the tracer of this process; ``None`` switches tracing off."""
    global tracer
    tracer = new


def current() -> Span | None:
    """Return the current span, if any."""
    return _current.get() if tracer is not None else None


def set_current(span: Span | None) -> None:
    """Set the current span of this thread or task, for work that was queued by another."""
    _current.set(span)


def begin(
    name: str,
    kind: Kind = "internal",
    *,
    parent: Span | Headers | None = None,
    attributes: Mapping[str, Value] = _NONE,
) -> Span | None:
    """Start a span below ``parent``, by default the current span. → ``None`` without a tracer or a trace to continue"""
    if tracer is None:
        return None
    parent = _current.get() if parent is None else parent
    if not parent or (isinstance(parent, Mapping) and TRACEPARENT not in parent):
        return None
    return tracer.start(name, kind, parent, attributes)


class during:  # noqa: N801  reads as a statement: with during(span):
    """Make a span the current one in the block and end it afterwards; ``None`` changes nothing."""

    __slots__ = ("_before", "_span")

    def __init__(self, span: Span | None) -> None:
        self._span = span
        self._before: Span | None = None

    def __enter__(self) -> Span | None:
        if self._span is not None:
            self._before = _current.get()
            _current.set(self._span)
        return self._span

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._span is not None:
            _current.set(self._before)
            self._span.end(error)


def spanning(
    name: str,
    kind: Kind = "internal",
    *,
    parent: Span | Headers | None = None,
    attributes: Mapping[str, Value] = _NONE,
) -> during:
    """Record the block as a span below ``parent``, by default the current span."""
    return during(begin(name, kind, parent=parent, attributes=attributes))


def carrying(work: Callable[P, T]) -> Callable[P, T]:
    """Bind a function to the current span, so that another thread runs it below that span."""
    span = current()
    if span is None:
        return work

    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        token = _current.set(span)
        try:
            return work(*args, **kwargs)
        finally:
            _current.reset(token)

    return run


@contextmanager
def on_behalf_of(spans: Mapping[Hashable, Span]) -> Iterator[None]:
    """Set the spans of the callers whose entries the block processes as a group, by a key of each entry."""
    token = _of_callers.set(spans)
    try:
        yield
    finally:
        _of_callers.reset(token)


def caller_of(key: Hashable) -> Span | None:
    """Return the span of the caller that queued an entry of the current group, else the current span."""
    return _of_callers.get(_NONE_OF_CALLERS).get(key) or current()


_NONE_OF_CALLERS: Final[Mapping[Hashable, Span]] = {}
