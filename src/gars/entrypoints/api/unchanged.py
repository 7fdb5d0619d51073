"""A user's list that was asked for a moment ago and would come out the same: its bytes are sent again.

An answer is kept by what its list was made from (``application.list_cache``), so a click or another model ends it at
once. Sent again within ``SAME_VIEW_S`` it is the same impression: a reload is no second time the list was shown. This
is before the framework, so only requests that nobody has to be asked about come here (``Access.asks_nothing``).
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from litestar.types import Message, Scope, Send

from gars.application.list_cache import MadeFrom, made_from
from gars.bootstrap import Live
from gars.entrypoints.api.compression import MIN_BYTES, accepts_gzip, can_shrink, pack, packed_headers
from gars.entrypoints.api.security import REQUEST_ID

SAME_VIEW_S = 60.0
"""How long an answer may be sent again with the ``request_id`` of its first time."""
TEMPLATE = "/api/v1/users/{user_id}/recommendations"
"""The route whose answers are kept."""
_BEFORE, _AFTER = TEMPLATE.split("{user_id}")
_MARK = "gars.made_from"
_ONE_TIME = frozenset({b"server-timing", b"x-request-id"})
"""Headers that are of one answer only."""


@dataclass(slots=True, eq=False)
class Answer:
    """What was sent, and what it was made from."""

    made: MadeFrom
    until: float
    """By the monotonic clock."""
    headers: list[tuple[bytes, bytes]]
    body: bytes
    packed: bytes | None = None
    """The body compressed, once a client that accepts that has asked again."""
    packed_headers: list[tuple[bytes, bytes]] = field(default_factory=list)

    async def send(self, send: Send, scope: Scope, started: float) -> None:
        """Send it again; ``started`` is when the request came, by ``perf_counter``."""
        headers, body = self.headers, self.body
        if len(body) >= MIN_BYTES and accepts_gzip(scope):
            if self.packed is None and can_shrink(headers):
                self.packed = await pack(body)
                self.packed_headers = packed_headers(headers, self.packed)
            if self.packed is not None:
                headers, body = self.packed_headers, self.packed
        timing = f"total;dur={(time.perf_counter() - started) * 1e3:.3f}".encode()
        headers = [*headers, (b"server-timing", timing)]
        if (name := scope.get(REQUEST_ID)) is not None:
            headers.append(name)  # type: ignore[arg-type]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": False})


def keep(scope: Scope, made: MadeFrom) -> None:
    """Say of the answer to this request that it may be sent again, and what it was made from."""
    scope[_MARK] = made  # type: ignore[literal-required]


class Unchanged:
    """The latest answers, at most so many; 0 keeps none. Used in the event loop alone."""

    def __init__(self, running: Live, most: int, *, now: Callable[[], float] = time.monotonic) -> None:
        self._running = running
        self._most = most
        self._now = now
        self._kept: OrderedDict[tuple[str, bytes], Answer] = OrderedDict()
        self._forgotten = 0
        self.hits = 0
        """Answers sent again since the start."""

    def __len__(self) -> int:
        """Answers that are kept."""
        return len(self._kept)

    def find(self, scope: Scope) -> Answer | None:
        """The answer to a request, if nothing it was made from has changed."""
        key = _key_of(scope)
        if key is None or (answer := self._kept.get(key)) is None:
            return None
        service = self._running.current
        # only a state in memory: the event loop does not wait for a disk
        state = service.stores.at_hand(key[0])
        if (
            state is None
            or self._now() >= answer.until
            or made_from(state, service.recommend.model_version(key[0])) != answer.made
            or self._running.phase == "stopping"
        ):
            self._kept.pop(key, None)
            return None
        self.hits += 1
        return answer

    def listening(self, scope: Scope, send: Send) -> Send:
        """``send`` that keeps what goes through it, if it is an answer that may be kept."""
        key = _key_of(scope)
        if key is None or not self._most:
            return send
        headers: list[tuple[bytes, bytes]] = []
        forgotten = self._forgotten

        async def through(message: Message) -> None:
            await send(message)
            made: MadeFrom | None = scope.get(_MARK)  # type: ignore[assignment]
            if made is None or forgotten != self._forgotten:  # it may be the list of who was forgotten meanwhile
                return
            if message["type"] == "http.response.start":
                headers.extend(header for header in message["headers"] if header[0].lower() not in _ONE_TIME)
            elif message["type"] == "http.response.body" and not message.get("more_body"):
                self._put(key, Answer(made, self._now() + SAME_VIEW_S, headers, message["body"]))

        return through

    def _put(self, key: tuple[str, bytes], answer: Answer) -> None:
        """Keep an answer; the oldest go, and those too old to be sent again."""
        self._kept.pop(key, None)
        self._kept[key] = answer
        now = self._now()
        while self._kept and (len(self._kept) > self._most or next(iter(self._kept.values())).until <= now):
            self._kept.popitem(last=False)

    def forget(self, user_id: str) -> None:
        """Keep nothing of a user, also not what is being made for them right now."""
        self._forgotten += 1
        for key in [key for key in self._kept if key[0] == user_id]:
            del self._kept[key]


def _key_of(scope: Scope) -> tuple[str, bytes] | None:
    """The user and the question, of a request for a list."""
    if scope.get("method") != "GET":
        return None
    path: str = scope["path"]
    if not (path.startswith(_BEFORE) and path.endswith(_AFTER)):
        return None
    user_id = path[len(_BEFORE) : -len(_AFTER)]
    return (user_id, scope.get("query_string", b"")) if user_id and "/" not in user_id else None
