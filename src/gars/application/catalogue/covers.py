"""Cover images of anime: fetched once from the site that the catalogue names, then kept as thumbnails."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Final, NamedTuple, Protocol

from gars.domain.errors import FetchError, GarsError, InvalidInputError, StorageError

_RETRY_S = 600.0
"""Seconds before a failed address is asked again."""
_FAILURES = 10_000


MEDIA_TYPE: Final = "image/webp"
"""Type of all thumbnails."""

MakeThumbnail = Callable[[bytes], bytes]
"""Image → thumbnail. For any thread. Raises ``InvalidInputError`` if the bytes are not a cover image."""


class Cover(NamedTuple):
    """A thumbnail of a cover and its entity tag."""

    content: bytes
    etag: str


class CoverSite(Protocol):
    """Fetches images from other sites. For any thread."""

    def fetch(self, address: str) -> bytes:
        """Return the body at an address. Raises ``FetchError``."""
        ...


class CoverStore(Protocol):
    """Keeps thumbnails by the anime and the address they came from. For any thread."""

    def find(self, anime_id: int, address: str) -> Cover | None:
        """Return a kept thumbnail."""
        ...

    def find_original(self, anime_id: int, address: str) -> bytes | None:
        """Return an image of full size, as versions of GARS without thumbnails kept them."""
        ...

    def put(self, anime_id: int, address: str, content: bytes) -> Cover:
        """Keep a thumbnail durably in place of what was there; older ones may be dropped. Raises ``StorageError``."""
        ...


class Covers:
    """Finds covers in the store, and fetches missing ones. For any thread; one fetch for an address at a time."""

    def __init__(
        self,
        site: CoverSite,
        store: CoverStore,
        make_thumbnail: MakeThumbnail,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._site = site
        self._store = store
        self._make_thumbnail = make_thumbnail
        self._clock = clock
        self._lock = threading.Lock()
        self._running: dict[str, Future[Cover]] = {}
        self._failed: OrderedDict[str, tuple[float, str]] = OrderedDict()

    def find(self, anime_id: int, address: str) -> Cover | None:
        """Return the thumbnail if it is kept. Asks no other site."""
        return self._store.find(anime_id, address)

    def fetch(self, anime_id: int, address: str) -> Cover:
        """Return the thumbnail, from the store, from a kept image of full size, or from its site.

        A thumbnail that cannot be kept is returned all the same.

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
        kept = self._store.find_original(anime_id, address)
        if kept is not None:
            with suppress(InvalidInputError):  # it is fetched again
                return self._keep(anime_id, address, self._make_thumbnail(kept))
        content = self._site.fetch(address)
        try:
            thumbnail = self._make_thumbnail(content)
        except InvalidInputError as error:
            raise FetchError(f"{address}: {error.message}", hint="the drawn cover stays") from error
        return self._keep(anime_id, address, thumbnail)

    def _keep(self, anime_id: int, address: str, thumbnail: bytes) -> Cover:
        try:
            return self._store.put(anime_id, address, thumbnail)
        except StorageError:
            return Cover(thumbnail, "")
