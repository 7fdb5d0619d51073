"""Impressions that are written in one place and read in another, where a worker brings them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from gars.application.ports import ImpressionLog, ImpressionSink
from gars.domain.impression import Impression


class RelayedImpressions:
    """An ``ImpressionLog``: into a sink, out of the log that they arrive in a moment later."""

    def __init__(self, sink: ImpressionSink, log: ImpressionLog) -> None:
        self._sink = sink
        self._log = log

    def append(self, impressions: Sequence[Impression]) -> None:
        """Into the sink."""
        self._sink.append(impressions)

    def read(self, *, user_id: str | None = None) -> Iterator[Impression]:
        """Those that have arrived."""
        return self._log.read(user_id=user_id)

    def users(self) -> list[str]:
        """Of those that have arrived."""
        return self._log.users()

    def forget(self, user_id: str, *, up_to_ms: int | None = None) -> int:
        """Delete those that have arrived; the worker leaves out those on their way (``keep_history``)."""
        return self._log.forget(user_id, up_to_ms=up_to_ms)

    def expire(self, *, before: datetime) -> int:  # noqa: ARG002
        """Nothing: where they arrive they go by themselves."""
        return 0

    def trim(self, *, to_bytes: int, at_most: int) -> int:  # noqa: ARG002
        """Nothing: the log they arrive in has a cap of its own."""
        return 0

    def close(self) -> None:
        """Both."""
        self._sink.close()
        self._log.close()
