"""Security headers of responses, and ``no-store`` for personal data."""

from __future__ import annotations

from litestar.types import Message, Scope

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' https: data:; style-src 'self' 'unsafe-inline'; object-src 'none'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "X-Permitted-Cross-Domain-Policies": "none",
}
ENCODED_HEADERS = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
"""The headers as ASGI sends them."""
PUBLIC = ("/api/v1/anime", "/api/v1/about", "/api/v1/genres", "/api/v1/onboarding", "/api/v1/health", "/sim")
"""Routes without user data."""
_SHARED = (*PUBLIC, "/docs", "/assets", "/previews")
"""Routes whose responses may be cached as their own headers allow."""
REQUEST_ID = "gars.request_id"
"""Scope key of the request id header, as ASGI sends it."""
_PERSONAL = (b"cache-control", b"private, no-store")


async def add_headers(message: Message, scope: Scope) -> None:
    """Add the headers to a response. A ``before_send`` hook: it also covers responses that no route made."""
    if message["type"] != "http.response.start":
        return
    headers = [*message.get("headers", ()), *ENCODED_HEADERS]
    if (name := scope.get(REQUEST_ID)) is not None:
        headers.append(name)  # type: ignore[arg-type]
    if not any(key.lower() == b"cache-control" for key, _ in headers) and not is_under(scope["path"], _SHARED):
        headers.append(_PERSONAL)
    message["headers"] = headers


def is_under(path: str, parts: tuple[str, ...]) -> bool:
    """Return true if a path is one of ``parts`` or below one."""
    return any(path == part or path.startswith(f"{part}/") for part in parts)
