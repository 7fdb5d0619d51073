"""Tokens: one secret for a site's own programs, one for its operators, and a signed token for each user.

A user token is ``gu1.USER.EXPIRES.MAC``. It is not stored; changing ``GARS_SERVICE_TOKEN`` invalidates all of them,
and a single one can be revoked.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Container
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Literal

from gars.domain.errors import NotAllowedError

COOKIE = "gars_token"
"""Cookie with the user's token: browsers cannot send headers with event streams."""
_SCHEME = "gu1"
_NEVER = 0
_LONGEST = 1_024
"""Characters of a token: the longest user id takes some 700."""
_MOST_VERIFIED = 4096
"""Tokens whose signature is not computed again; expiry and revocation are checked for each request."""


@dataclass(frozen=True, slots=True)
class Caller:
    """The sender of a request. ``open``: the service has no tokens, and everything but administration is allowed."""

    kind: Literal["open", "anonymous", "user", "service", "admin"]
    user_id: str | None = None

    def require(self, user_id: str) -> None:
        """Raise ``NotAllowedError`` unless the caller may read and change this user."""
        if self.kind in ("open", "service") or (self.kind == "user" and self.user_id == user_id):
            return
        raise NotAllowedError(
            "this token is not for that user", hint="send the user's own token, or GARS_SERVICE_TOKEN for any user"
        )


class Tokens:
    """Issues and verifies tokens. Without a service token the service is open, and has no user tokens."""

    def __init__(self, service_token: str = "", admin_token: str = "", revoked: Container[str] = ()) -> None:
        self._service = service_token.encode()
        self._admin = admin_token.encode()
        self._key = hashlib.blake2b(self._service, person=b"gars.usertokens", digest_size=32).digest()
        self._revoked = revoked
        self._verified = lru_cache(_MOST_VERIFIED)(self._verify)

    @property
    def on(self) -> bool:
        """True if requests need a token."""
        return bool(self._service)

    @property
    def administrable(self) -> bool:
        """True if an admin token is set."""
        return bool(self._admin)

    def issue(self, user_id: str, expires: datetime | None = None) -> str:
        """Issue a token for one user; raises ``NotAllowedError`` if the service is open."""
        if not self.on:
            raise NotAllowedError(
                "there are no user tokens without GARS_SERVICE_TOKEN", hint="set it to a long random word"
            )
        at = _NEVER if expires is None else int(expires.timestamp())
        body = f"{_SCHEME}.{_encoded(user_id.encode())}.{at}"
        return f"{body}.{_encoded(self._mac(body))}"

    def caller(self, token: str | None, now: datetime) -> Caller:
        """Identify the sender of a token. One that is missing, invalid or expired gives an anonymous caller."""
        if token is not None:
            sent = token.encode()
            if self._admin and hmac.compare_digest(sent, self._admin):
                return Caller("admin")
            if self._service and hmac.compare_digest(sent, self._service):
                return Caller("service")
        if not self.on:
            return Caller("open")
        return self._user(token, now) if token is not None else Caller("anonymous")

    def _user(self, token: str, now: datetime) -> Caller:
        try:
            user_id, expires, digest = self._verified(token)
        except ValueError:
            return Caller("anonymous")
        expired = expires != _NEVER and now.timestamp() >= expires
        return Caller("anonymous") if expired or digest in self._revoked else Caller("user", user_id)

    def _verify(self, token: str) -> tuple[str, int, str]:
        """Return the user, the expiry and the digest of a token.

        Raises:
            ValueError: it is invalid; the cache keeps no exceptions, so forged tokens take no memory.
        """
        if len(token) > _LONGEST:
            raise ValueError("too long")
        body, _, mac = token.rpartition(".")
        scheme, _, rest = body.partition(".")
        name, _, at = rest.partition(".")
        if scheme != _SCHEME or not hmac.compare_digest(mac.encode(), _encoded(self._mac(body)).encode()):
            raise ValueError("not signed here")
        return _decoded(name).decode(), int(at), self.digest(token)

    def digest(self, token: str) -> str:
        """Return the keyed hash under which a token is revoked."""
        return hashlib.blake2b(token.encode(), key=self._key, person=b"gars.revoked").hexdigest()[:32]

    def _mac(self, body: str) -> bytes:
        return hmac.digest(self._key, body.encode(), "sha256")


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
