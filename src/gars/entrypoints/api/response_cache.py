"""Response cache of users' lists: an unchanged list is sent again without being recomputed.

A response is cached by what its list was made from (``application.recommend.list_cache``), so a click or a model swap
invalidates it at once. Within ``SAME_VIEW_S`` it counts as the same impression, such as a reload. The cache runs
before the framework, so it checks itself that the caller may read the list (``Access.may_read_list``). A client that
sends the ``ETag`` of a response back in ``If-None-Match`` gets 304 while that response is cached (RFC 9110, 13.1.2).
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from litestar.types import Message, Scope, Send

from gars.application.recommend.list_cache import CacheKey, cache_key
from gars.application.recommend.recommend import RecommendedList
from gars.bootstrap import Live
from gars.entrypoints.api.compression import MIN_BYTES, accepts_gzip, can_shrink, pack, packed_headers
from gars.entrypoints.api.security import REQUEST_ID

SAME_VIEW_S = 60.0
"""Seconds for which a response may be sent again with its first ``request_id``."""
TEMPLATE = "/api/v1/users/{user_id}/recommendations"
"""The route whose responses are cached."""
_BEFORE, _AFTER = TEMPLATE.split("{user_id}")
_MARK = "gars.cache_key"
_ONE_TIME = frozenset({b"server-timing", b"x-request-id"})
"""Headers that belong to a single response."""
_OF_BODY = frozenset({b"content-length", b"content-type"})
"""Headers that a response without a body does not have."""


@dataclass(slots=True, eq=False)
class CachedResponse:
    """A cached response, and what its list was made from."""

    made: CacheKey
    etag: bytes
    until: float
    """Expiry by the monotonic clock."""
    headers: list[tuple[bytes, bytes]]
    body: bytes
    packed: bytes | None = None
    """The compressed body, made when a client that accepts gzip first needs it."""
    packed_headers: list[tuple[bytes, bytes]] = field(default_factory=list)

    async def send(self, send: Send, scope: Scope, started: float) -> int:
        """Send the response, or 304 to a client that has it. → the status

        ``started`` is the time the request arrived, by ``perf_counter``.
        """
        status, headers, body = 200, self.headers, self.body
        if self.etag in _known_etags(scope):
            status, body = 304, b""
            headers = [header for header in headers if header[0].lower() not in _OF_BODY]
        elif len(body) >= MIN_BYTES and accepts_gzip(scope):
            if self.packed is None and can_shrink(headers):
                self.packed = await pack(body)
                self.packed_headers = packed_headers(headers, self.packed)
            if self.packed is not None:
                headers, body = self.packed_headers, self.packed
        timing = f"total;dur={(time.perf_counter() - started) * 1e3:.3f}".encode()
        headers = [*headers, (b"server-timing", timing)]
        if (name := scope.get(REQUEST_ID)) is not None:
            headers.append(name)  # type: ignore[arg-type]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": False})
        return status


def keep(scope: Scope, made: RecommendedList) -> None:
    """Mark the response to this request as cacheable, unless a fallback or exploration made its list."""
    if made.cache_key is not None and made.request_id is not None:
        scope[_MARK] = made.cache_key, b'W/"%s"' % made.request_id.encode()  # type: ignore[literal-required]


class ResponseCache:
    """LRU cache of at most ``most`` responses; 0 disables it. Not thread-safe: used in the event loop only."""

    def __init__(self, running: Live, most: int, *, now: Callable[[], float] = time.monotonic) -> None:
        self._running = running
        self._most = most
        self._now = now
        self._kept: OrderedDict[tuple[str, bytes], CachedResponse] = OrderedDict()
        self._forgotten = 0
        self.hits = 0
        """Responses served from the cache since the start."""

    def __len__(self) -> int:
        """Return the number of cached responses."""
        return len(self._kept)

    def find(self, scope: Scope, may_read: Callable[[Scope, str], bool]) -> CachedResponse | None:
        """Return the cached response to a request, if it is still valid and the caller may read it."""
        key = _key_of(scope)
        if key is None or (answer := self._kept.get(key)) is None:
            return None
        service = self._running.current
        # only a state in memory: the event loop does not wait for a disk
        state = service.stores.at_hand(key[0])
        if (
            state is None
            or self._now() >= answer.until
            or cache_key(state, service.recommend.model_version(key[0])) != answer.made
            or self._running.phase == "stopping"
        ):
            self._kept.pop(key, None)
            return None
        if not may_read(scope, key[0]):
            return None
        self.hits += 1
        return answer

    def listening(self, scope: Scope, send: Send) -> Send:
        """Wrap ``send`` to cache the response if it is marked as cacheable."""
        key = _key_of(scope)
        if key is None or not self._most:
            return send
        headers: list[tuple[bytes, bytes]] = []
        forgotten = self._forgotten

        async def through(message: Message) -> None:
            mark: tuple[CacheKey, bytes] | None = scope.get(_MARK)  # type: ignore[assignment]
            if mark is not None and message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"etag", mark[1])]
            await send(message)
            if mark is None or forgotten != self._forgotten:  # the user may have been deleted since
                return
            if message["type"] == "http.response.start":
                headers.extend(header for header in message["headers"] if header[0].lower() not in _ONE_TIME)
            elif message["type"] == "http.response.body" and not message.get("more_body"):
                self._put(key, CachedResponse(*mark, self._now() + SAME_VIEW_S, headers, message["body"]))

        return through

    def _put(self, key: tuple[str, bytes], answer: CachedResponse) -> None:
        """Cache a response; evict the oldest and the expired ones."""
        self._kept.pop(key, None)
        self._kept[key] = answer
        now = self._now()
        while self._kept and (len(self._kept) > self._most or next(iter(self._kept.values())).until <= now):
            self._kept.popitem(last=False)

    def forget(self, user_id: str) -> None:
        """Remove all responses of a user, and do not cache those in progress."""
        self._forgotten += 1
        for key in [key for key in self._kept if key[0] == user_id]:
            del self._kept[key]


def _known_etags(scope: Scope) -> list[bytes]:
    """Return the entity tags of responses that the client holds."""
    sent = (value for name, value in scope.get("headers", ()) if name == b"if-none-match")
    return [tag.strip() for value in sent for tag in value.split(b",")]


def _key_of(scope: Scope) -> tuple[str, bytes] | None:
    """Return user id and query string of a request for a list; None for other requests."""
    if scope.get("method") != "GET":
        return None
    path: str = scope["path"]
    if not (path.startswith(_BEFORE) and path.endswith(_AFTER)):
        return None
    user_id = path[len(_BEFORE) : -len(_AFTER)]
    return (user_id, scope.get("query_string", b"")) if user_id and "/" not in user_id else None
