"""Limits on open event streams: of the service, and per client address."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from gars.config import Settings
from gars.domain.errors import OverloadedError


class Streams:
    """Counts open streams. Not thread-safe: used in the event loop only."""

    def __init__(self, settings: Settings) -> None:
        self._most = settings.max_streams or settings.max_connections // 2
        self._most_each = settings.max_streams_each
        self._by_client: Counter[str] = Counter()
        self.open = 0
        """Number of open streams."""

    def add(self, client: str) -> Callable[[], None]:
        """Count a stream of a client address. → a function that ends it, which may be called more than once

        Raises:
            OverloadedError: too many streams are open.
        """
        if self.open >= self._most:
            raise OverloadedError(
                f"{self.open} event streams are open, as many as may be", hint="GARS_MAX_STREAMS is the limit"
            )
        if self._most_each and self._by_client[client] >= self._most_each:
            raise OverloadedError(
                f"{self._by_client[client]} event streams of {client} are open, as many as may be",
                hint="GARS_MAX_STREAMS_EACH is the limit; a proxy must send X-Forwarded-For (GARS_TRUSTED_PROXIES)",
            )
        self.open += 1
        self._by_client[client] += 1
        is_open = True

        def end() -> None:
            nonlocal is_open
            if is_open:
                is_open = False
                self.open -= 1
                self._by_client[client] -= 1
                if not self._by_client[client]:
                    del self._by_client[client]

        return end
