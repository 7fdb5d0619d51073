"""Security headers of responses, and ``no-store`` for personal data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from litestar.types import Message, Scope

_POLICY = (
    "default-src 'self'; img-src {images}; {connect}style-src 'self' 'unsafe-inline'; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_OTHERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "X-Permitted-Cross-Domain-Policies": "none",
}


def security_headers(image_origins: Sequence[str] = (), api_origins: Sequence[str] = ()) -> dict[str, str]:
    """Return the headers of every response.

    The page may load images of ``image_origins`` and send requests to ``api_origins``, besides its own service.
    """
    policy = _POLICY.format(
        images=" ".join(["'self'", "data:", *image_origins]),
        connect=f"connect-src 'self' {' '.join(api_origins)}; " if api_origins else "",
    )
    return {"Content-Security-Policy": policy, **_OTHERS}


HEADERS = security_headers()
"""The headers where the page loads everything from its own service."""
PUBLIC = ("/api/v1/anime", "/api/v1/about", "/api/v1/genres", "/api/v1/onboarding", "/api/v1/health", "/sim")
"""Routes without user data."""
_SHARED = (*PUBLIC, "/docs", "/assets", "/previews")
"""Routes whose responses may be cached as their own headers allow."""
REQUEST_ID = "gars.request_id"
"""Scope key of the request id header, as ASGI sends it."""
_PERSONAL = (b"cache-control", b"private, no-store")


class SecurityHeaders:
    """A ``before_send`` hook that adds the headers to a response; it also covers responses that no route made."""

    def __init__(self, headers: Mapping[str, str] = HEADERS) -> None:
        self.encoded = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        """The headers as ASGI sends them."""

    async def __call__(self, message: Message, scope: Scope) -> None:
        """Add the headers."""
        if message["type"] != "http.response.start":
            return
        headers = [*message.get("headers", ()), *self.encoded]
        if (name := scope.get(REQUEST_ID)) is not None:
            headers.append(name)  # type: ignore[arg-type]
        if not any(key.lower() == b"cache-control" for key, _ in headers) and not is_under(scope["path"], _SHARED):
            headers.append(_PERSONAL)
        message["headers"] = headers


def is_under(path: str, parts: tuple[str, ...]) -> bool:
    """Return true if a path is one of ``parts`` or below one."""
    return any(path == part or path.startswith(f"{part}/") for part in parts)
