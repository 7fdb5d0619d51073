"""Upper bounds of what a list costs in Python: counts, which do not depend on the machine as times do."""

from __future__ import annotations

import sys
import tracemalloc
from collections import Counter
from types import FrameType

from gars import Recommender
from gars.application.recommend.list_request import ListRequest
from gars.domain.history import Rating, from_ratings

MOST_CALLS = 225
"""Calls of Python functions for a list of ten titles known; 215 were counted."""
MOST_BUILTIN_CALLS = 320
"""Calls of compiled functions, numpy's among them; 308 were counted."""
MOST_PEAK_BYTES = 300_000
"""Memory that is allocated and held at once during a list of ten over 60 titles; 242,672 were counted.

The buffers of the proposals take 100,000 of it, as many as over any catalogue.
"""


def test_python_calls_of_a_list(small: Recommender) -> None:
    engine, request = small.engine, ListRequest(k=10)
    history = from_ratings([Rating(100 + number, 9 if number % 2 else 4) for number in range(10)])
    for _ in range(3):  # compile, and fill the caches of reasons
        engine.recommend_history(history, request)
    counts: Counter[str] = Counter()

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        counts[event] += 1

    sys.setprofile(count)
    try:
        made = engine.recommend_history(history, request)
    finally:
        sys.setprofile(None)
    assert len(made) == 10
    assert 0 < counts["call"] <= MOST_CALLS
    assert 0 < counts["c_call"] <= MOST_BUILTIN_CALLS


def test_memory_of_a_list(small: Recommender) -> None:
    engine, request = small.engine, ListRequest(k=10)
    history = from_ratings([Rating(100 + number, 9 if number % 2 else 4) for number in range(10)])
    for _ in range(3):
        engine.recommend_history(history, request)
    tracemalloc.start()
    try:
        engine.recommend_history(history, request)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert 0 < peak <= MOST_PEAK_BYTES
