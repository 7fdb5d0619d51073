"""Rate-limited HTTP client for third-party sites: one request at a time, with limits on time and size."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from gars.domain.errors import FetchError

MAX_BYTES = 16_000_000
_TIMEOUT = httpx.Timeout(20.0, connect=5.0)
_ATTEMPTS = 4
_BACKOFF_S = 1.0
_TOO_MANY = 429


class PoliteClient:
    """Requests to one site, ``pause_s`` apart over all threads.

    A ``Retry-After`` of the site is obeyed, but the waits of a request never exceed ``patience_s``.
    """

    def __init__(
        self,
        site: str,
        *,
        pause_s: float,
        patience_s: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.site = site
        self._pause_s = pause_s
        self._patience_s = patience_s
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._next = 0.0
        self._client = httpx.Client(timeout=_TIMEOUT, follow_redirects=False, headers={"User-Agent": "gars"})

    def ask(self, method: str, address: str, **options: Any) -> tuple[int, bytes]:
        """Send a request and return status below 500 and body; retries after 429 and server errors.

        Raises:
            FetchError: no answer, none in time, or a longer one than a list can be.
        """
        waited = 0.0
        for attempt in range(1, _ATTEMPTS + 1):
            waited += self._take_turn(waited)
            try:
                status, body, headers = self._once(method, address, options)
                cause = f"it answered {status}"
            except httpx.HTTPError as error:
                status, body, headers = 0, b"", {}
                cause = str(error) or type(error).__name__
            if status and status != _TOO_MANY and not httpx.codes.is_server_error(status):
                return status, body
            wait = _retry_after(headers.get("retry-after")) or _BACKOFF_S * 2 ** (attempt - 1)
            if attempt == _ATTEMPTS or waited + wait > self._patience_s:
                break
            self._sleep(wait)
            waited += wait
        if status == _TOO_MANY:
            raise FetchError(
                f"{self.site} has had too many requests", hint=f"try again in {wait:.0f} seconds, or import a file"
            )
        raise FetchError(f"{self.site} does not answer: {cause}", hint="try again later, or import a file")

    def close(self) -> None:
        """Release the connections."""
        self._client.close()

    def _once(self, method: str, address: str, options: Mapping[str, Any]) -> tuple[int, bytes, Mapping[str, str]]:
        body = bytearray()
        with self._client.stream(method, address, **options) as answer:
            for piece in answer.iter_bytes():
                body += piece
                if len(body) > MAX_BYTES:
                    raise FetchError(
                        f"{self.site} sent more than {MAX_BYTES:,} bytes", hint="no list is that long; import a file"
                    )
            return answer.status_code, bytes(body), answer.headers

    def _take_turn(self, waited: float) -> float:
        """Wait for the site's next slot. → the time waited"""
        with self._lock:
            now = self._clock()
            wait = max(0.0, self._next - now)
            if waited + wait > self._patience_s:
                raise FetchError(
                    f"many lists of {self.site} are being fetched", hint="try again in a minute, or import a file"
                )
            self._next = now + wait + self._pause_s
        if wait:
            self._sleep(wait)
        return wait


def _retry_after(header: str | None) -> float | None:
    """Return the seconds of a ``Retry-After`` header: a number, or a date."""
    if not header:
        return None
    if header.strip().isdecimal():
        return float(header)
    try:
        return max(0.0, (parsedate_to_datetime(header) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None
