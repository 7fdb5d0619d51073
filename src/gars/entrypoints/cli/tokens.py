"""``gars token`` and ``gars revoke``: a signed token for one user, and its end."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from gars.config import Settings, from_environment
from gars.domain.errors import InvalidInputError
from gars.entrypoints.api.revoked import RevokedTokens
from gars.entrypoints.api.tokens import Tokens


def token(
    user_id: Annotated[str, typer.Argument(help="Whose token.")],
    days: Annotated[int, typer.Option(min=1, max=3650, help="How long it is good for.")] = 30,
) -> None:
    """Print a token with which one user may read and change their own lists. Needs GARS_SERVICE_TOKEN."""
    tokens = _tokens(from_environment(os.environ))
    typer.echo(tokens.issue(user_id, datetime.now(UTC) + timedelta(days=days)))


def revoke(
    token: Annotated[str, typer.Argument(help="The token, or - to read it from standard input.")],
    home: Annotated[Path, typer.Option(envvar="GARS_HOME", help="Folder of the service.")] = Path("var"),
) -> None:
    """Make one user's token void before its time. Services of this home refuse it within a second."""
    tokens = _tokens(from_environment(os.environ, home=home))
    sent = sys.stdin.readline().strip() if token == "-" else token
    owner = tokens.caller(sent, datetime.now(UTC))
    if owner.kind != "user":
        raise InvalidInputError(
            "this is no valid token of a user: it has expired, or was signed with another GARS_SERVICE_TOKEN",
            hint="nothing has to be revoked",
        )
    RevokedTokens(home).add(tokens.digest(sent))
    typer.echo(f"the token of {owner.user_id} is void")


def _tokens(settings: Settings) -> Tokens:
    tokens = Tokens(settings.service_token)
    if not tokens.on:
        raise InvalidInputError(
            "there are no user tokens without GARS_SERVICE_TOKEN",
            hint="make one: export GARS_SERVICE_TOKEN=$(python3 -c 'import secrets; print(secrets.token_urlsafe(32))')",
        )
    return tokens
