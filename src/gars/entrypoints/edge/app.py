"""The ASGI application around each service's own: checks who may ask, names the request, bounds its body."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from time import perf_counter
from typing import Any

import msgspec
from litestar.types import ASGIApp, Receive, Send

from gars.config import Settings
from gars.entrypoints.api.security import REQUEST_ID, SecurityHeaders
from gars.entrypoints.api.shapes import ErrorBody, ErrorDetail
from gars.entrypoints.edge.bodies import BodyMemory, receive_in_time
from gars.entrypoints.edge.origins import Origins, Refusal
from gars.entrypoints.edge.proxies import Proxies
from gars.runtime.request_ids import RequestIds, is_well_formed, request_id

Count = Callable[[object, object, int, float], None]
"""Counts an answer: method, route, status, seconds."""

_SECURITY = SecurityHeaders()

_BODIES = 16
"""Bodies of the largest size that may be in memory at once."""


class Edge:
    """Wraps an ASGI application. Refused requests never reach a route."""

    def __init__(self, app: ASGIApp, settings: Settings, *, count: Count) -> None:
        """Raises ``InvalidInputError`` for a setting that cannot be used."""
        self._app = app
        self._count = count
        self._ids = RequestIds()
        self._origins = Origins(
            settings.allowed_hosts.split(","), listens_on=settings.host, any_host=bool(settings.service_token)
        )
        self._proxies = Proxies(settings.trusted_proxies.split(","))
        self._body_wait_s = settings.body_timeout_ms / 1000
        self._bodies = BodyMemory(_BODIES * settings.max_list_bytes)

    def __call__(self, scope: Any, receive: Receive, send: Send) -> Coroutine[Any, Any, None]:
        """Return the coroutine that answers one request.

        Not a coroutine itself: one less for each request, and the answers that are sent again take little longer.
        """
        if scope["type"] != "http":
            return self._app(scope, receive, send)  # type: ignore[return-value]
        pairs = scope["headers"]
        headers = dict(pairs)
        name = self._ids.make()
        if b"x-request-id" in headers or b"x-forwarded-for" in headers or b"x-forwarded-proto" in headers:
            name = self._id_from_proxy(scope, headers) or name
            self._proxies.apply(scope, headers)
        request_id.set(name)
        scope[REQUEST_ID] = (b"x-request-id", name.encode())
        refusal = self._origins.refusal(scope["method"], scope["path"], headers)
        if refusal is None and len(headers) != len(pairs) and sum(key == b"host" for key, _ in pairs) > 1:
            refusal = Refusal(400, "invalid_input", "the request has more than one Host", "send it once")
        if refusal is not None:
            return self._refuse(scope, send, refusal)
        if b"transfer-encoding" in headers or headers.get(b"content-length", b"0") != b"0":
            return self._answer_with_body(scope, receive, send)
        return self._app(scope, receive, send)  # type: ignore[return-value]

    async def _answer_with_body(self, scope: Any, receive: Receive, send: Send) -> None:
        receive, give_back = receive_in_time(receive, self._body_wait_s, self._bodies)
        try:
            await self._app(scope, receive, send)
        finally:
            give_back()

    def _id_from_proxy(self, scope: Any, headers: dict[bytes, bytes]) -> str | None:
        """The id a trusted proxy gave the request, so that its log and ours can be joined."""
        sent, client = headers.get(b"x-request-id"), scope.get("client")
        if sent is None or client is None or not self._proxies.trusts(client[0]):
            return None
        text = sent.decode("latin-1")
        return text if is_well_formed(text) else None

    async def _refuse(self, scope: Any, send: Send, refusal: Refusal) -> None:
        started = perf_counter()
        detail = ErrorDetail(refusal.code, refusal.message, refusal.hint, request_id=request_id.get() or msgspec.UNSET)
        body = b"" if scope["method"] == "HEAD" else msgspec.json.encode(ErrorBody(detail))
        headers = [
            (b"content-type", b"application/json"),
            (b"cache-control", b"no-store"),
            scope[REQUEST_ID],
            *_SECURITY.encoded,
        ]
        await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": False})
        self._count(scope["method"], None, refusal.status, perf_counter() - started)
