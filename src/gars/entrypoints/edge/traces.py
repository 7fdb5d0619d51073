"""The ASGI application around the edge while traces are on: a server span for each request."""

from __future__ import annotations

from collections.abc import Iterable
from hmac import compare_digest
from typing import Any, Final

from litestar.types import ASGIApp, Message, Receive, Send

from gars.entrypoints.api.security import REQUEST_ID
from gars.entrypoints.edge.proxies import Proxies
from gars.runtime import tracing

_HEADERS: Final = tuple((name.encode(), name) for name in tracing.HEADERS)
_METHODS: Final = frozenset({"GET", "POST", "DELETE", "HEAD", "OPTIONS", "PUT", "PATCH"})
_OTHER: Final = "_OTHER"


class TracedApp:
    """Records a span for each HTTP request, by method, route template and status: paths may contain ids of users.

    A trace is continued for trusted proxies and for callers with the service token; other clients could otherwise have
    all their requests recorded.
    """

    def __init__(self, app: ASGIApp, *, trusted_proxies: Iterable[str], service_token: str = "") -> None:
        self._app = app
        self._proxies = Proxies(trusted_proxies)
        self._authorization = f"Bearer {service_token}".encode() if service_token else None

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or tracing.tracer is None:
            await self._app(scope, receive, send)
            return
        method = scope["method"] if scope["method"] in _METHODS else _OTHER
        span = tracing.tracer.start(method, "server", self._parent(scope), {"http.request.method": method})
        status = 0

        async def noting_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        error: BaseException | None = None
        tracing.set_current(span)
        try:
            await self._app(scope, receive, noting_status)
        except BaseException as raised:
            error = raised
            raise
        finally:
            tracing.set_current(None)
            route = scope.get("path_template")
            if route is not None:
                span.rename(f"{method} {route}")
                span.set("http.route", route)
            if (name := scope.get(REQUEST_ID)) is not None:
                span.set("gars.request_id", name[1].decode())
            if status:
                span.set("http.response.status_code", status)
            span.end(error or (str(status) if status >= 500 else None))

    def _parent(self, scope: Any) -> tracing.Headers:
        """Return the trace headers of a trusted caller."""
        headers = dict(scope["headers"])
        found = {name: headers[key].decode("latin-1") for key, name in _HEADERS if key in headers}
        return found if found and self._is_trusted(scope, headers) else {}

    def _is_trusted(self, scope: Any, headers: dict[bytes, bytes]) -> bool:
        client = scope.get("client")
        if client is not None and self._proxies.trusts(client[0]):
            return True
        sent = headers.get(b"authorization")
        return sent is not None and self._authorization is not None and compare_digest(sent, self._authorization)
