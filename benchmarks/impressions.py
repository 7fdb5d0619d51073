"""What logging shown lists costs: bytes a list, and processor time a list in the thread that writes them.

    gars data build && gars train --home var && python benchmarks/impressions.py --home var

The lists are those of the first users of the data set, each shown once, written in groups as the recorder gathers them
under load, and one by one as under none.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import numpy as np

from gars import Recommender
from gars.adapters.embedded.impression_log import SqliteImpressionLog
from gars.application.recommend.list_request import ListRequest
from gars.datasets.dataset import Dataset
from gars.datasets.histories import histories
from gars.domain.candidates import SERVICE_DEFAULTS
from gars.domain.history import Rating, from_ratings
from gars.domain.impression import Impression, ShownItem
from gars.domain.impression_codec import ImpressionCodec
from gars_test_support.titles import MemoryTitles

START = datetime(2026, 1, 1, tzinfo=UTC)
SHOWN = 20


def lists(home: Path, users: int) -> list[Impression]:
    """Return the list of each of some users."""
    engine = Recommender.load(home / "models" / "current").engine
    (folder,) = (home / "data").iterdir()
    found = []
    for number, (user_id, rows) in enumerate(islice(histories(Dataset.open(folder)), users)):
        ratings = [Rating(row.anime_id, row.rating) for row in rows]
        made = engine.recommend_history(from_ratings(ratings), ListRequest(k=SHOWN, filters=SERVICE_DEFAULTS))
        items = (ShownItem(one.anime_id, at, one.score, one.channels, one.features) for at, one in enumerate(made))
        shown = Impression(
            request_id=f"{number:032x}",
            user_id=user_id,
            time=START + timedelta(seconds=number),
            state_version=number % 50,
            model_version=engine.version,
            variant="default",
            fallback=None,
            k=SHOWN,
            offset=0,
            filters=SERVICE_DEFAULTS,
            items=tuple(items),
        )
        found.append(shown)
    return found


def main() -> None:
    """Print the figures."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--home", type=Path, required=True, help="folder of the data set and the promoted model")
    options.add_argument("--lists", type=int, default=2_000)
    options.add_argument("--groups", type=int, nargs="+", default=[1, 16, 256])
    args = options.parse_args()
    shown = lists(args.home, args.lists)
    print(f"{len(shown):,} lists of {np.mean([len(one.items) for one in shown]):.1f} titles")
    codec = ImpressionCodec(MemoryTitles())
    print(f"record     {np.mean([len(codec.encode(one)) for one in shown]):,.0f} bytes a list")
    for group in args.groups:
        with tempfile.TemporaryDirectory() as here:
            log = SqliteImpressionLog(Path(here) / "impressions.sqlite")
            log.append(shown[:50])  # titles are written once, with the first lists
            before, started = sum(one.stat().st_size for one in Path(here).iterdir()), time.thread_time()
            for start in range(50, len(shown), group):
                log.append(shown[start : start + group])
            spent = (time.thread_time() - started) / (len(shown) - 50)
            log.close()
            size = (sum(one.stat().st_size for one in Path(here).iterdir()) - before) / (len(shown) - 50)
        codec = ImpressionCodec(MemoryTitles())
        started = time.thread_time()
        for start in range(0, len(shown), group):
            codec.encode_many(shown[start : start + group])
        encoded = (time.thread_time() - started) / len(shown)
        print(
            f"{group:>4} at once  {1e3 * spent:.3f} ms a list, of which encoding {1e3 * encoded:.3f}; "
            f"{size:,.0f} bytes a list on disk"
        )


if __name__ == "__main__":
    main()
