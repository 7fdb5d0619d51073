"""Entry points of worker processes in tests: one with an engine whose tags inject faults, and one that fails."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection

from msgspec import json
from msgspec.structs import replace

from gars.adapters.processes.child import answer_all
from gars.application.recommend.engine import Reason, Recommendation
from gars.application.recommend.list_request import ListRequest
from gars.domain.errors import InvalidInputError
from gars.domain.history import History
from gars.testing.engine import FakeEngine

RAISES, REFUSES, HANGS, ENDS = "raises", "refuses", "hangs", "ends"
_LONG_S = 600


class ObedientEngine(FakeEngine):
    """A ``FakeEngine`` that raises, hangs or exits if a tag of the filters asks for it."""

    def recommend_history(self, history: History, request: ListRequest) -> list[Recommendation]:
        """Return the list of ``FakeEngine``, or inject the fault."""
        if RAISES in request.filters.tags:
            raise RuntimeError("the model is on fire")
        if REFUSES in request.filters.tags:
            raise InvalidInputError("no such genre: soup", hint="GET /api/v1/genres has them")
        if HANGS in request.filters.tags:
            time.sleep(_LONG_S)
        if ENDS in request.filters.tags:
            os._exit(3)
        return super().recommend_history(history, request)


def obedient(pipe: Connection) -> None:
    """Answer requests with an ``ObedientEngine``."""
    answer_all(ObedientEngine(), pipe)


def unloadable(_pipe: Connection) -> None:
    """Exit as if the model could not be loaded."""
    raise SystemExit(4)


def as_made_here(items: Sequence[Recommendation]) -> list[Recommendation]:
    """Convert a worker's list to the form of a local one: reasons decoded from JSON."""
    return [
        replace(one, reasons=json.decode(one.reasons_json, type=tuple[Reason, ...]), reasons_json=b"") for one in items
    ]
