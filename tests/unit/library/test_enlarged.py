"""The enlarged catalogue of ``benchmarks/serve.py --copies``."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from gars import Filters, Rating, Recommender

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"


def test_every_title_is_there_so_many_times_and_lists_are_made_of_all(
    small: Recommender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [str(BENCHMARKS), *sys.path])
    from enlarged import enlarged

    engine = enlarged(small.engine, 3)
    n = len(small.engine.anime)
    assert len(engine.anime) == len({anime.anime_id for anime in engine.anime}) == 3 * n
    found = engine.ranked_ids(small.read_history([Rating(100, 10), Rating(102, 9)]), k=2 * n, filters=Filters())
    assert len(found) > n
