"""Exception handlers: every failure becomes a JSON error with the status of its code."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Example
from litestar.types import ExceptionHandlersMap
from msgspec import UNSET

from gars.domain.errors import (
    ArtefactError,
    ConflictError,
    FetchError,
    GarsError,
    InvalidInputError,
    NotAllowedError,
    OverloadedError,
    StorageError,
    UnknownAnimeError,
    UnknownUserError,
)
from gars.entrypoints.api.params import parameter_names
from gars.entrypoints.api.shapes import ErrorBody, ErrorDetail
from gars.runtime.request_ids import request_id

logger = logging.getLogger(__name__)

_HTTP_CODES = {
    400: "invalid_input",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "not_found",
    408: "too_slow",
    413: "body_too_large",
    415: "not_json",
    429: "too_many_requests",
    503: "not_ready",
}
_HINTS = {
    401: "a user's token comes from gars token USER, or POST /api/v1/users/USER/token with GARS_SERVICE_TOKEN",
    403: "only the pages of this service may write; programs need no such header",
    404: "the routes are listed at /docs",
    405: "the routes and their methods are listed at /docs",
    408: "send it faster, or in smaller pieces; GARS_BODY_TIMEOUT_MS is the limit",
    415: "send JSON with the header Content-Type: application/json",
    413: "send smaller batches; GARS_MAX_BODY_BYTES and GARS_MAX_LIST_BYTES are the limits",
    429: "come back after Retry-After seconds; GARS_RATE_PER_S is the limit",
}

_EXAMPLES = {
    400: ErrorDetail("invalid_input", "k: Expected `int` <= 100", "the parameters are listed at /docs"),
    401: ErrorDetail("unauthorized", "this needs a token: Authorization: Bearer TOKEN", "a user's token comes from …"),
    403: ErrorDetail("forbidden", "a page of another site sent this", "only the pages of this service may write"),
    404: ErrorDetail(
        "unknown_anime",
        "1 anime id(s) not in the catalogue: 99",
        "ids are MyAnimeList ids; look one up with GET /api/v1/anime?query=TITLE",
    ),
    409: ErrorDetail("conflict", "no other model has served before", "choose one: gars model list"),
    413: ErrorDetail("body_too_large", "Request Entity Too Large", "send smaller batches"),
    415: ErrorDetail("not_json", "the body is sent as 'text/plain'", "send JSON with the header Content-Type: …"),
    422: ErrorDetail(
        "unknown_anime",
        "1 anime id(s) not in the catalogue: 99",
        "ids are MyAnimeList ids; look one up with GET /api/v1/anime?query=TITLE",
    ),
    429: ErrorDetail("too_many_requests", "too many requests", "come back after Retry-After seconds"),
    502: ErrorDetail("fetch_failed", "AniList does not answer: it answered 503", "try again later, or import a file"),
    503: ErrorDetail("storage", "cannot write gars.sqlite: disk is full", "free space; nothing acknowledged is lost"),
}
_DESCRIPTIONS = {
    400: "The request cannot be understood",
    401: "The service has tokens, and the request has none that is valid",
    403: "A page of another site made the browser send this, the token is for somebody else, or it is not done here",
    404: "There is no such thing",
    409: "It cannot be done as things are; nothing was changed",
    413: "The body is too large",
    415: "The body is not sent as application/json",
    422: "An anime is not in the catalogue; nothing of the batch was kept",
    429: "More requests than one client may send; Retry-After says when to come back",
    502: "Another site does not give what was asked",
    503: "The store does not answer, or too many requests wait; sending the same again is safe",
}


_ANYWHERE = (401, 403, 429, 503)


def errors(*statuses: int) -> dict[int, ResponseSpec]:
    """Return the error responses of a route for OpenAPI, including those of tokens and rate limits."""
    return {
        status: ResponseSpec(
            ErrorBody,
            generate_examples=False,
            description=_DESCRIPTIONS[status],
            examples=[
                Example(
                    summary=_EXAMPLES[status].code,
                    value={
                        "error": {
                            "code": _EXAMPLES[status].code,
                            "message": _EXAMPLES[status].message,
                            "hint": _EXAMPLES[status].hint,
                        }
                    },
                )
            ],
        )
        for status in sorted({*statuses, *_ANYWHERE})
    }


def answer(status: int, code: str, message: str, hint: str | None, headers: Mapping[str, str] | None = None) -> Any:
    """Build an error response."""
    return Response(
        ErrorBody(ErrorDetail(code, message, hint, request_id=request_id.get() or UNSET)),
        status_code=status,
        headers=dict(headers or {}),
        media_type="application/json",
    )


def _on_gars_error(request: Request[Any, Any, Any], error: GarsError) -> Any:
    match error:
        case UnknownAnimeError():
            return answer(404 if request.method == "GET" else 422, error.code, error.message, error.hint)
        case UnknownUserError():
            return answer(404, error.code, error.message, error.hint)
        case InvalidInputError():
            return answer(400, error.code, error.message, error.hint)
        case NotAllowedError():
            return answer(403, error.code, error.message, error.hint)
        case ConflictError():
            return answer(409, error.code, error.message, error.hint)
        case FetchError():
            return answer(502, error.code, error.message, error.hint)
        case StorageError():
            logger.error("the store failed: %s", error.message, extra=_about(request))
            return answer(503, error.code, error.message, error.hint, {"Retry-After": "1"})
        case OverloadedError():
            return answer(503, error.code, error.message, error.hint, {"Retry-After": "1"})
        case ArtefactError():
            return answer(503, "not_ready", error.message, error.hint, {"Retry-After": "1"})
    return _on_unforeseen(request, error)


def _on_http_error(request: Request[Any, Any, Any], error: HTTPException) -> Any:
    message, hint = error.detail, _HINTS.get(error.status_code)
    if isinstance(error, ValidationException):
        message = _what_is_invalid(error, parameter_names(request.route_handler))
        hint = "the parameters and bodies are listed at /docs"
    code = _HTTP_CODES.get(error.status_code, "error" if error.status_code >= 500 else "invalid_input")
    return answer(error.status_code, code, message, hint, error.headers)


def _what_is_invalid(error: ValidationException, names: Mapping[str, str]) -> str:
    """Describe each validation error: the parameter by its public name, and the expected value."""
    faults = error.extra if isinstance(error.extra, list) else []
    return "; ".join(_fault(fault, names) for fault in faults) or error.detail


def _fault(fault: Mapping[str, str], names: Mapping[str, str]) -> str:
    argument, bracket, rest = fault.get("key", "").partition("[")
    where = names.get(argument, argument) + bracket + rest
    return f"{where}: {fault['message']}" if where else fault["message"]


def _about(request: Request[Any, Any, Any]) -> dict[str, object]:
    """Return the log fields of a request. The route is logged instead of the path, which may name a user."""
    return {
        "method": request.method,
        "route": request.scope.get("path_template"),
        "user": request.scope.get("path_params", {}).get("user_id"),
    }


def _on_unforeseen(request: Request[Any, Any, Any], error: Exception) -> Any:
    logger.error("a request failed", exc_info=error, extra=_about(request))
    return answer(500, "error", "the service failed on this request", "its log says why")


HANDLERS: ExceptionHandlersMap = {
    GarsError: _on_gars_error,
    HTTPException: _on_http_error,
    Exception: _on_unforeseen,
}
