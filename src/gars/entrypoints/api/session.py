"""Routes of user tokens: issue one for a site's program, keep one in a browser cookie, revoke one."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, delete, post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.exceptions import NotAuthorizedException
from litestar.params import JSONBody, QueryParameter, SkipValidation

from gars.domain.errors import NotAllowedError
from gars.entrypoints.api.access import CallerDep, sent_token
from gars.entrypoints.api.errors import errors
from gars.entrypoints.api.params import ServiceDep, UserId, checked_user_id
from gars.entrypoints.api.revoked import RevokedTokens
from gars.entrypoints.api.tokens import COOKIE, Tokens


class TokenBody(msgspec.Struct, frozen=True, kw_only=True):
    """A token for one user. ``expires`` is null for a token that does not expire."""

    user_id: str
    token: str
    expires: datetime | None


class RevokeBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The token to revoke."""

    token: str


class SessionBody(msgspec.Struct, frozen=True):
    """The user of the session; null if the service has no tokens or the session has ended."""

    user_id: str | None


TokensDep = NamedDependency[SkipValidation[Tokens]]
RevokedDep = NamedDependency[SkipValidation[RevokedTokens]]


@post(
    "/users/{user_id:str}/token",
    status_code=200,
    summary="A token for one user",
    responses=errors(400, 403),
    tags=["tokens"],
)
async def post_token(
    service: ServiceDep,
    tokens: TokensDep,
    caller: CallerDep,
    user_id: UserId,
    days: Annotated[int, QueryParameter(ge=1, le=3650, description="How long it is good for")] = 30,
) -> TokenBody:
    """For the site's own backend, which authenticates its users: requires `GARS_SERVICE_TOKEN`."""
    user_id = checked_user_id(user_id)
    if tokens.on and caller.kind != "service":
        raise NotAllowedError("a user cannot make tokens", hint="send GARS_SERVICE_TOKEN")
    expires = service.clock.now().replace(microsecond=0) + timedelta(days=days)
    return TokenBody(user_id=user_id, token=tokens.issue(user_id, expires), expires=expires)


@post(
    "/tokens/revoke",
    status_code=200,
    summary="Make a token void",
    responses=errors(400, 403, 503),
    tags=["tokens"],
)
async def post_revoke(
    service: ServiceDep, tokens: TokensDep, revoked: RevokedDep, caller: CallerDep, data: JSONBody[RevokeBody]
) -> SessionBody:
    """Revokes the token for good; every service on this home refuses it within a second.

    A user may revoke their own tokens, `GARS_SERVICE_TOKEN` those of all users.
    """
    if not tokens.on:
        raise NotAllowedError("there are no user tokens without GARS_SERVICE_TOKEN", hint="there is nothing to revoke")
    owner = tokens.caller(data.token, service.clock.now())
    if owner.kind != "user":
        return SessionBody(None)
    caller.require(owner.user_id or "")
    await asyncio.to_thread(revoked.add, tokens.digest(data.token))
    return SessionBody(owner.user_id)


@post(
    "/session",
    status_code=200,
    summary="Keep a token in the browser",
    responses=errors(400, 403),
    tags=["tokens"],
)
async def post_session(request: Request[Any, Any, Any], caller: CallerDep) -> Response[SessionBody]:
    """Send a user's token in the header once: a cookie keeps it, which scripts cannot read and other sites do not get.

    `user_id` is the user of the token; null if the service has no tokens.
    """
    if caller.kind not in ("user", "open"):
        raise NotAuthorizedException(
            "a session needs a user's token: Authorization: Bearer TOKEN", headers={"WWW-Authenticate": "Bearer"}
        )
    kept = sent_token(request) if caller.kind == "user" else None
    return Response(SessionBody(caller.user_id), cookies=[_cookie(request, kept)])


@delete(
    "/session",
    status_code=200,
    summary="Forget the token",
    responses=errors(400, 403),
    tags=["tokens"],
)
async def delete_session(request: Request[Any, Any, Any]) -> Response[SessionBody]:
    """Deletes the cookie."""
    return Response(SessionBody(None), cookies=[_cookie(request, None)])


def _cookie(request: Request[Any, Any, Any], token: str | None) -> Cookie:
    """Build the cookie: this site only, not readable by scripts; without a token, one that deletes it."""
    return Cookie(
        COOKIE,
        value=token or "",
        max_age=None if token else 0,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
