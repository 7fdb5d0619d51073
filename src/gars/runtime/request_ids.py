"""The id of the request under way: in the answer's header, in error bodies, and in every log line written for it."""

from __future__ import annotations

import itertools
import re
import secrets
from contextvars import ContextVar

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
"""Id of the request that this task or thread works for; ``None`` outside of requests."""

_WELL_FORMED = re.compile(r"[A-Za-z0-9._:-]{8,64}")


class RequestIds:
    """Makes ids that are unique across processes: a random prefix of this process, and a counter."""

    def __init__(self) -> None:
        self._prefix = f"{secrets.token_hex(5)}-"
        self._next = itertools.count(1).__next__

    def make(self) -> str:
        """Return the next id."""
        return f"{self._prefix}{self._next()}"  # decimal: hexadecimal takes twice as long


def is_well_formed(text: str) -> bool:
    """Return whether an id made elsewhere can stand in headers and logs: 8 to 64 of ``A-Za-z0-9._:-``."""
    return _WELL_FORMED.fullmatch(text) is not None
