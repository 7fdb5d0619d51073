"""JSON as the sites and people's scripts leave it: one document, several after each other, or a list of pages."""

from __future__ import annotations

import json
from typing import Any

from gars.datasets.text import decode
from gars.domain.errors import InvalidInputError

_decoder = json.JSONDecoder()


def documents(content: bytes) -> list[dict[str, Any]]:
    """Return the objects in ``content``, one after another or in an array.

    Raises:
        InvalidInputError: it is no JSON, or anything but objects.
    """
    found: list[dict[str, Any]] = []
    try:
        text = _text(content).strip().removeprefix("\ufeff")
        while text:
            document, end = _decoder.raw_decode(text)
            found += document if isinstance(document, list) else [document]
            text = text[end:].lstrip(" \t\r\n,")
    except json.JSONDecodeError as error:
        raise _broken(f"line {error.lineno}, column {error.colno}: {error.msg}") from error
    except UnicodeDecodeError as error:
        raise _broken(f"byte {error.start:,} is no {error.encoding}") from error
    except ValueError as error:
        raise _broken(str(error)) from error
    except RecursionError as error:
        raise _broken("it is nested too deeply") from error
    if not found or not all(isinstance(document, dict) for document in found):
        raise _broken("it holds no objects")
    return found


def _text(content: bytes) -> str:
    try:
        return content.decode(json.detect_encoding(content))
    except UnicodeDecodeError:
        try:
            return decode(content).text
        except InvalidInputError:
            pass
        raise


def mapping(value: object) -> dict[str, Any]:
    """Return an object, or an empty one for any other value."""
    return value if isinstance(value, dict) else {}


def objects(value: object) -> list[dict[str, Any]]:
    """Return the objects in an array; none for any other value."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def text(value: object) -> str | None:
    """Words, or ``None``."""
    return value if isinstance(value, str) and value else None


def _broken(why: str) -> InvalidInputError:
    return InvalidInputError(f"the JSON cannot be read: {why}", hint="give the answer of the site as it came, unedited")
