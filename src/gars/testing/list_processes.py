"""What processes that make lists may run in a test: an engine that does as its filters say, and others that fail."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection

from msgspec import json
from msgspec.structs import replace

from gars.adapters.processes.child import answer_all
from gars.application.engine import Reason, Recommendation
from gars.domain.candidates import Filters
from gars.domain.errors import InvalidInputError
from gars.domain.history import History
from gars.testing.engine import FakeEngine

RAISES, REFUSES, HANGS, ENDS = "raises", "refuses", "hangs", "ends"
_LONG_S = 600


class ObedientEngine(FakeEngine):
    """A ``FakeEngine`` that gets into trouble where a tag of the filters says so."""

    def recommend_history(self, history: History, *, k: int, offset: int = 0, filters: Filters) -> list[Recommendation]:
        """The double's list, or trouble."""
        if RAISES in filters.tags:
            raise RuntimeError("the model is on fire")
        if REFUSES in filters.tags:
            raise InvalidInputError("no such genre: soup", hint="GET /api/v1/genres has them")
        if HANGS in filters.tags:
            time.sleep(_LONG_S)
        if ENDS in filters.tags:
            os._exit(3)
        return super().recommend_history(history, k=k, offset=offset, filters=filters)


def obedient(pipe: Connection) -> None:
    """Makes lists."""
    answer_all(ObedientEngine(), pipe)


def unloadable(_pipe: Connection) -> None:
    """Cannot open its model."""
    raise SystemExit(4)


def as_made_here(items: Sequence[Recommendation]) -> list[Recommendation]:
    """A list of another process as this one would have made it: its reasons are no JSON."""
    return [
        replace(one, reasons=json.decode(one.reasons_json, type=tuple[Reason, ...]), reasons_json=b"") for one in items
    ]
