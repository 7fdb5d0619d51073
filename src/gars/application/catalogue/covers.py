"""Cover images of anime: fetched once from the site that the catalogue names, then kept."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from typing import NamedTuple, Protocol

from gars.domain.errors import FetchError, GarsError, InvalidInputError, StorageError
from gars.domain.pictures import MediaType, read_header

_RETRY_S = 600.0
"""Seconds before a failed address is asked again."""
_FAILURES = 10_000


class Cover(NamedTuple):
    """A cover image and its entity tag."""

    content: bytes
    media_type: MediaType
    etag: str


class CoverSite(Protocol):
    """Fetches images from other sites. For any thread."""

    def fetch(self, address: str) -> bytes:
        """Return the body at an address. Raises ``FetchError``."""
        ...


class CoverStore(Protocol):
    """Keeps images by the anime and the address they came from. For any thread."""

    def find(self, anime_id: int, address: str) -> Cover | None:
        """Return a kept image."""
        ...

    def put(self, anime_id: int, address: str, content: bytes, media_type: MediaType) -> Cover:
        """Keep an image durably; older ones may be dropped. Raises ``StorageError``."""
        ...


class Covers:
    """Finds covers in the store, and fetches missing ones. For any thread; one fetch for an address at a time."""

    def __init__(self, site: CoverSite, store: CoverStore, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._site = site
        self._store = store
        self._clock = clock
        self._lock = threading.Lock()
        self._running: dict[str, Future[Cover]] = {}
        self._failed: OrderedDict[str, tuple[float, str]] = OrderedDict()

    def find(self, anime_id: int, address: str) -> Cover | None:
        """Return the cover if it is kept. Asks no other site."""
        return self._store.find(anime_id, address)

    def fetch(self, anime_id: int, address: str) -> Cover:
        """Return the cover, from the store or from its site.

        An image that cannot be kept is returned all the same.

        Raises:
            FetchError: the site does not answer, or what it sends is not a cover.
        """
        with self._lock:
            self._refuse_failed(address)
            running = self._running.get(address)
            if running is None:
                mine = self._running[address] = Future()
        if running is not None:
            return running.result()
        try:
            cover = self._store.find(anime_id, address) or self._fetch(anime_id, address)
        except BaseException as error:
            with self._lock:
                if isinstance(error, GarsError):
                    self._failed[address] = (self._clock() + _RETRY_S, error.message)
                    if len(self._failed) > _FAILURES:
                        self._failed.popitem(last=False)
                del self._running[address]
            mine.set_exception(error)
            raise
        with self._lock:
            del self._running[address]
        mine.set_result(cover)
        return cover

    def _refuse_failed(self, address: str) -> None:
        until, message = self._failed.get(address, (0.0, ""))
        if until > self._clock():
            raise FetchError(message, hint=f"it is asked again {_RETRY_S / 60:.0f} minutes after a failure")
        self._failed.pop(address, None)

    def _fetch(self, anime_id: int, address: str) -> Cover:
        content = self._site.fetch(address)
        try:
            media_type = read_header(content).media_type
        except InvalidInputError as error:
            raise FetchError(f"{address}: {error.message}", hint="the drawn cover stays") from error
        try:
            return self._store.put(anime_id, address, content, media_type)
        except StorageError:
            return Cover(content, media_type, "")
