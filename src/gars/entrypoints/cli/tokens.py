"""``gars token``: a signed token for one user."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from gars.config import from_environment
from gars.domain.errors import InvalidInputError
from gars.entrypoints.api.tokens import Tokens


def token(
    user_id: Annotated[str, typer.Argument(help="Whose token.")],
    days: Annotated[int, typer.Option(min=1, max=3650, help="How long it is good for.")] = 30,
) -> None:
    """Print a token with which one user may read and change their own lists. Needs GARS_SERVICE_TOKEN."""
    tokens = Tokens(from_environment(os.environ).service_token)
    if not tokens.on:
        raise InvalidInputError(
            "there are no user tokens without GARS_SERVICE_TOKEN",
            hint="make one: export GARS_SERVICE_TOKEN=$(python3 -c 'import secrets; print(secrets.token_urlsafe(32))')",
        )
    typer.echo(tokens.issue(user_id, datetime.now(UTC) + timedelta(days=days)))
