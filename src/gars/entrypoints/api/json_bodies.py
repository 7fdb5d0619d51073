"""JSON request bodies: a body that cannot be decoded is a client error (400 or 415)."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request
from litestar.exceptions import HTTPException
from litestar.handlers import BaseRouteHandler

from gars.domain.errors import InvalidInputError
from gars.entrypoints.api.params import refuse_unknown_parameters

_HINT = "the bodies are listed at /docs"


class JsonRequest(Request[Any, Any, Any]):
    """A request that raises ``InvalidInputError`` for undecodable JSON."""

    async def json(self) -> Any:
        """Decode the body; raises ``InvalidInputError``."""
        body = await self.body()
        try:
            return msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise InvalidInputError(f"the body is no JSON: {error}", hint=_HINT) from None
        except RecursionError:
            raise InvalidInputError("the body is no JSON that is taken: it is nested too deeply", hint=_HINT) from None


async def check_request(request: Request[Any, Any, Any]) -> None:
    """Refuse unknown parameters, and a body that is not sent as JSON where JSON is expected. Runs before each request.

    Browsers send forms and text to other sites without a preflight request, but not JSON.
    """
    await refuse_unknown_parameters(request)
    if not _takes_json(request.route_handler):
        return
    if not await request.body():  # first: reading the body reports one that is too large, of any type
        raise InvalidInputError("the body is empty", hint=_HINT)
    sent = request.headers.get("content-type", "")
    if sent.partition(";")[0].strip().lower() != "application/json":
        raise HTTPException(
            status_code=415, detail=f"the body is sent as {sent[:100]!r}" if sent else "the body is sent without a type"
        )


def _takes_json(handler: BaseRouteHandler) -> bool:
    cached: bool | None = handler.opt.get("takes_json")
    if cached is None:
        cached = handler.opt["takes_json"] = "data" in handler.parsed_fn_signature.parameters
    return cached
