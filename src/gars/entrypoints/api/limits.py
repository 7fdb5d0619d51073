"""How much one client may ask: a token bucket each (RFC 2697's idea, one rate)."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable

_MAX_CLIENTS = 10_000


class RateLimit:
    """Allows ``per_s`` requests a second and ``burst`` at once for each client; 0 allows everything.

    Used in the event loop alone. The longest silent clients are forgotten: their buckets would be full anyway.
    """

    def __init__(self, per_s: float, burst: int, *, now: Callable[[], float] = time.monotonic) -> None:
        self._per_s = per_s
        self._burst = max(1, burst)
        self._now = now
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_s(self, client: str) -> int:
        """Take one request of this client. → 0 if it may go on, else in how many whole seconds to come back."""
        if not self._per_s:
            return 0
        now = self._now()
        left, since = self._buckets.pop(client, (float(self._burst), now))
        left = min(self._burst, left + (now - since) * self._per_s)
        allowed = left >= 1
        self._buckets[client] = (left - 1 if allowed else left, now)
        while len(self._buckets) > _MAX_CLIENTS:
            self._buckets.popitem(last=False)
        return 0 if allowed else max(1, math.ceil((1 - left) / self._per_s))
