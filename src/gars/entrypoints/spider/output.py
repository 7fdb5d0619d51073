"""What a crawl hands over: everything that is kept of one kind, in a file that ``gars data`` reads."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from gars.datasets.crawled import CrawledAnime, write_crawled
from gars.datasets.durable import whole_file
from gars.datasets.schema import INTERACTIONS
from gars.domain.errors import InvalidInputError
from gars.entrypoints.spider.store import CrawledList, RecordStore

LIST_FORMATS = ("csv", "parquet")


def write_anime(home: Path, out: Path) -> int:
    """Write every record of an anime, also those of earlier runs; returns how many. Raises as ``write_crawled``."""
    store = RecordStore(home / "spider" / "anime.jsonl", CrawledAnime)
    records = list(store.latest().values())
    store.close()
    write_crawled(records, out)
    return len(records)


def write_lists(home: Path, out: Path) -> int:
    """Write every list as rows of plain interactions; returns how many rows.

    Raises:
        InvalidInputError: the ending of ``out`` is not one of ``LIST_FORMATS``.
    """
    check_list_format(out)
    store = RecordStore(home / "spider" / "lists.jsonl", CrawledList)
    lists = store.latest()
    store.close()
    rows = [(user_id, *row) for user_id in sorted(lists) for row in sorted(lists[user_id].rows, key=lambda row: row[0])]
    frame = pl.DataFrame(rows, schema=INTERACTIONS, orient="row")
    with whole_file(out) as file:
        if out.suffix == ".parquet":
            frame.write_parquet(file)
        else:
            frame.with_columns(pl.col("time").dt.strftime("%Y-%m-%dT%H:%M:%SZ")).write_csv(file)
    return frame.height


def check_list_format(out: Path) -> None:
    """Raise ``InvalidInputError`` unless lists can be written to ``out``."""
    if out.suffix.removeprefix(".") not in LIST_FORMATS:
        raise InvalidInputError(
            f"{out}: lists are not written as {out.suffix or 'a file without an ending'!r}",
            hint=f"choose an ending: {', '.join(LIST_FORMATS)}",
        )
