"""Access control of every route. Once a token is configured, only the routes listed as public need none."""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from typing import Any

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.di import NamedDependency
from litestar.exceptions import NotAuthorizedException, TooManyRequestsException
from litestar.handlers import BaseRouteHandler
from litestar.params import SkipValidation
from litestar.types import Scope

from gars.application.ports import Clock
from gars.config import Settings
from gars.domain.errors import NotAllowedError
from gars.entrypoints.api.limits import RateLimit
from gars.entrypoints.api.revoked import RevokedTokens
from gars.entrypoints.api.security import PUBLIC, is_under
from gars.entrypoints.api.tokens import COOKIE, Caller, Tokens

CallerDep = NamedDependency[SkipValidation[Caller]]

_BODY_NAMES_THE_USER = ("/api/v1/interactions", "/clicks", "/api/v1/tokens/revoke")
"""The handlers of these routes call ``Caller.require`` for each user in the body."""
_NAMES_A_USER = ("user_id", "other_id")
"""Path parameters that are the id of a user whose data the route reads or changes."""
_SESSION = "/api/v1/session"
"""The handlers of this route check the token themselves."""
_ADMIN = "/api/v1/admin"
_METRICS = "/metrics"
_OF_SERVICE = ("/api", "/clicks", "/sim", "/metrics")
"""All other paths are the page and the documentation, which hold no user data."""
_CALLER = "gars.caller"
_OPEN = Caller("open")


class Access:
    """Guard of the application: authenticates the caller, limits its rate and checks its permissions."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._clock = clock
        self._limit = RateLimit(settings.rate_per_s, settings.rate_burst)
        self.revoked = RevokedTokens(settings.home)
        self.tokens = Tokens(settings.service_token, settings.admin_token, self.revoked)

    def asks_nothing(self, scope: Scope) -> bool:
        """Return true if a request needs no authentication: the service has no tokens and the client is local."""
        client = scope.get("client")
        return not self.tokens.on and (client is None or _is_this_machine(client[0]))

    def may_read_list(self, scope: Scope, user_id: str) -> bool:
        """Return true if a request may read a user's list; it counts against the caller's rate.

        False also where only the guard can decide: the application then handles the request, errors included.
        """
        if self.asks_nothing(scope):
            return True
        connection: ASGIConnection[Any, Any, Any, Any] = ASGIConnection(scope)
        caller = self.tokens.caller(sent_token(connection), self._clock.now())
        if self.tokens.on and caller.kind != "service" and (caller.kind, caller.user_id) != ("user", user_id):
            return False
        try:
            self._check_rate(connection, caller)
        except TooManyRequestsException:
            return False
        return True

    async def __call__(self, connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler) -> None:
        """Authenticate and authorise one request; stores the ``Caller`` in the scope.

        A coroutine although it awaits nothing: Litestar would run a synchronous guard in another thread.

        Raises:
            NotAuthorizedException: a token is missing or invalid.
            NotAllowedError: the token does not permit this request.
            TooManyRequestsException: the caller has exceeded its rate limit.
        """
        path = str(connection.scope.get("path_template") or "")
        if not self.tokens.on and _is_local(connection) and path != _METRICS and not is_under(path, (_ADMIN,)):
            connection.scope[_CALLER] = _OPEN  # type: ignore[literal-required]
            return  # most requests: no token to check, so no header is parsed
        caller = self.tokens.caller(sent_token(connection), self._clock.now())
        connection.scope[_CALLER] = caller  # type: ignore[literal-required]
        self._check_rate(connection, caller)
        if is_under(path, (_ADMIN,)):
            self._check_admin(caller)
        elif path == _METRICS:
            if self.tokens.administrable:
                self._check_admin(caller)
            elif self.tokens.on and caller.kind != "service":
                raise _who_are_you()
        elif self.tokens.on and path != _SESSION:
            self._check_user(connection, path, caller)

    def _check_rate(self, connection: ASGIConnection[Any, Any, Any, Any], caller: Caller) -> None:
        if caller.kind in ("service", "admin"):
            return
        if caller.kind == "user":
            client = f"user {caller.user_id}"
        elif _is_local(connection) or connection.client is None:
            return
        else:
            client = f"host {connection.client.host}"
        wait_s = self._limit.wait_s(client)
        if wait_s:
            raise TooManyRequestsException("too many requests", headers={"Retry-After": str(wait_s)})

    def _check_admin(self, caller: Caller) -> None:
        if not self.tokens.administrable:
            raise NotAllowedError(
                "this service cannot be administered from afar", hint="set GARS_ADMIN_TOKEN, or use gars model"
            )
        if caller.kind != "admin":
            raise _who_are_you("GARS_ADMIN_TOKEN")

    def _check_user(self, connection: ASGIConnection[Any, Any, Any, Any], path: str, caller: Caller) -> None:
        if not is_under(path, _OF_SERVICE) and (path != "/" or not connection.query_params):
            return
        named = [*connection.query_params.getall("user_id", [])]
        named.extend(str(connection.path_params[name]) for name in _NAMES_A_USER if name in connection.path_params)
        is_reading = connection.scope.get("method") in ("GET", "HEAD", "OPTIONS")
        if is_reading and not named and is_under(path, PUBLIC):
            return
        if caller.kind == "anonymous":
            raise _who_are_you()
        if caller.kind == "service":
            return
        if not named and path not in _BODY_NAMES_THE_USER:
            raise NotAllowedError("this is not for users", hint="send GARS_SERVICE_TOKEN")
        for user_id in named:
            caller.require(user_id)


async def caller_of(
    request: Request[Any, Any, Any],
    service: NamedDependency[SkipValidation[object]],  # noqa: ARG001  as in ``params.filters_of``
) -> Caller:
    """Return the caller that the guard stored in the scope."""
    caller: Caller = request.scope[_CALLER]  # type: ignore[literal-required]
    return caller


def _bearer(scope: Scope) -> str | None:
    """Return the bearer token of a request with a single Authorization header, without parsing the other headers."""
    sent = [value for name, value in scope["headers"] if name == b"authorization"]
    if len(sent) != 1 or sent[0][:7].lower() != b"bearer ":
        return None
    return sent[0][7:].decode("latin-1").strip() or None


def sent_token(connection: ASGIConnection[Any, Any, Any, Any]) -> str | None:
    """Return the bearer token of the Authorization header, or else of the session cookie."""
    if (bearer := _bearer(connection.scope)) is not None:
        return bearer
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return token.strip()
    return connection.cookies.get(COOKIE)


def _who_are_you(secret: str = "") -> NotAuthorizedException:
    return NotAuthorizedException(
        f"this needs {secret or 'a token'}: Authorization: Bearer TOKEN", headers={"WWW-Authenticate": "Bearer"}
    )


def _is_local(connection: ASGIConnection[Any, Any, Any, Any]) -> bool:
    client = connection.scope.get("client")
    return client is None or _is_this_machine(client[0])


@lru_cache(maxsize=1024)
def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:  # a socket without an address, or the double of a test
        return True
