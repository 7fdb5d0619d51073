"""Requests in words on a trained model: how many bring what they must and nothing that they must not.

    gars data build && gars train --home var
    python benchmarks/ask.py --home var

The requests are those of the test (`tests/fixtures/ask/requests.json`). A title "comes" if the filters that were
made of the request allow it; one that the catalogue lacks is not counted. Prints what is wrong, the rate, and the time
a request takes before its list is made.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gars.adapters.embedded.title_search import MemoryTitleSearch
from gars.application.catalogue.catalogue import Catalogue
from gars.application.catalogue.search import Search
from gars.application.recommend.ask import SIMILAR, Ask
from gars.application.recommend.engine import Engine
from gars.bootstrap.model import load_engine
from gars.domain import item_table
from gars.domain.anime import Anime
from gars.domain.candidates import SERVICE_DEFAULTS, allowed
from gars.domain.history import from_ratings

REQUESTS = Path(__file__).parents[1] / "tests" / "fixtures" / "ask" / "requests.json"


class Today:
    """A clock that stands in the autumn of 2026, when the requests were written."""

    def now(self) -> datetime:
        return datetime(2026, 11, 1, tzinfo=UTC)


def asker(engine: Engine, *, similar: int = SIMILAR) -> tuple[Ask, Callable[[Any], frozenset[int]]]:
    """Return the use case, and a function from filters to the ids that they allow."""
    catalogue, items = Catalogue(engine.anime), item_table.build(engine.anime)
    ask = Ask(
        engine=engine,
        catalogue=catalogue,
        items=items,
        search=Search(MemoryTitleSearch(engine.anime)),
        clock=Today(),
        similar=similar,
    )
    nothing = from_ratings([])
    return ask, lambda filters: frozenset(items.anime_ids[allowed(items, nothing, filters)].tolist())


def ids_of(names: Sequence[str], anime: Sequence[Anime]) -> list[int]:
    """Return the ids of titles by name, of each name the most popular."""
    found: list[int] = []
    for name in names:
        named = [one for one in anime if name in (one.title, one.title_english)]
        found += [max(named, key=lambda one: one.members or 0).anime_id] if named else []
    return found


def faults(request: dict[str, Any], came: frozenset[int], anime: Sequence[Anime]) -> list[str]:
    """Describe what is missing of a request and what should not have come."""
    found = [] if came else ["nothing comes"]
    for name in request["must"]:
        found += [f"lacks {name}" for anime_id in ids_of([name], anime) if anime_id not in came]
    for name in request["must_not"]:
        found += [f"has {name}" for anime_id in ids_of([name], anime) if anime_id in came]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path, required=True)
    home = parser.parse_args().home
    engine, _ = load_engine(home / "models")
    ask, come = asker(engine)
    requests = json.loads(REQUESTS.read_text(encoding="utf-8"))
    wrong, times = 0, []
    for request in requests:
        started = time.perf_counter()
        asked = ask(request["ask"], SERVICE_DEFAULTS)
        times.append(time.perf_counter() - started)
        found = faults(request, come(asked.filters), engine.anime)
        wrong += bool(found)
        if found:
            print(f"{request['ask']}: {'; '.join(found)}")
    print(f"{len(requests) - wrong} of {len(requests)} requests as they should be")
    print(f"median {statistics.median(times) * 1e3:.1f} ms, longest {max(times) * 1e3:.0f} ms (the first prepares)")


if __name__ == "__main__":
    main()
