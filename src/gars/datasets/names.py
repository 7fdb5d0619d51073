"""Split the text of a cell into names: ``Action, Drama``, ``Action|Drama``, a Python list or JSON."""

from __future__ import annotations

import ast
import json
import re
from typing import Any

_SEPARATORS = ("|", ";", ",")
_QUOTED = re.compile(r"'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"")
_LONGEST = 1 << 16
_FIELDS = ("name", "title", "description")
"""Keys of an object that hold its name."""


def split_names(text: str) -> list[str]:
    """Return the names in order, without repeats and blanks.

    Text in brackets or braces is read as JSON, as a Python literal, or as the quoted words in it (NumPy writes no
    commas); objects in it by their name. Nothing in it is ever run. Other text is split at ``|``, else ``;``, else
    commas. An empty list is no names.
    """
    stripped = text.strip()
    inside = (
        _literal(stripped) if stripped[:1] + stripped[-1:] in ("[]", "()", "{}") and len(stripped) <= _LONGEST else None
    )
    if inside is None:
        separator = next((one for one in _SEPARATORS if one in stripped), ",")
        inside = stripped.split(separator)
    names = (" ".join(str(name).split()) for name in map(_name_of, inside) if name is not None)
    return list(dict.fromkeys(name for name in names if name))


def _literal(text: str) -> list[Any] | None:
    """Parse the text of a list; ``None`` if it is not one."""
    quoted = [single or double for single, double in _QUOTED.findall(text)]
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        if quoted and "," not in _QUOTED.sub("", text):  # NumPy: ['Action' 'Drama']
            return quoted
        try:
            found = ast.literal_eval(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
            found = quoted or (text[1:-1].split(",") if text.startswith("[") else None)
    if isinstance(found, dict):
        return [found] if any(name in found for name in _FIELDS) else list(found)
    return list(found) if isinstance(found, list | tuple | set | frozenset) else None


def _name_of(value: Any) -> Any:
    if isinstance(value, dict):
        return next((value[name] for name in _FIELDS if value.get(name)), None)
    return value if isinstance(value, str | int | float) and not isinstance(value, bool) else None
