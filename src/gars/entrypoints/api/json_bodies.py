"""JSON bodies: what is no JSON is the client's error, whatever the decoder makes of it."""

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
    """A request whose JSON cannot make the service fail."""

    async def json(self) -> Any:
        """Return the decoded body; raises ``InvalidInputError``."""
        body = await self.body()
        try:
            return msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise InvalidInputError(f"the body is no JSON: {error}", hint=_HINT) from None
        except RecursionError:
            raise InvalidInputError("the body is no JSON that is taken: it is nested too deeply", hint=_HINT) from None


async def check_request(request: Request[Any, Any, Any]) -> None:
    """Before a request: refuse unknown parameters, and a body that is not sent as JSON where JSON is taken.

    A page of another site can make a browser send a form or text to any address without asking first, JSON it cannot.
    """
    await refuse_unknown_parameters(request)
    if not _takes_json(request.route_handler):
        return
    if not await request.body():  # first: a body that is too large is told so, whatever its type
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
