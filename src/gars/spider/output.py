"""Export the stored records of one kind to a file that ``gars data`` reads."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from gars.datasets.crawled import CRAWLED, CrawledAnime, format_of, write_crawled
from gars.datasets.durable import whole_file
from gars.datasets.ownership import has_columns, refuse_foreign_file
from gars.datasets.schema import INTERACTIONS
from gars.spider.deletions import deleted
from gars.spider.pages.listings import ListedAnime
from gars.spider.store import CrawledList, RecordStore

is_list_output = has_columns(tuple(INTERACTIONS))
is_anime_output = has_columns(tuple(CRAWLED))
_is_listing = has_columns(ListedAnime.__struct_fields__)


def is_listing_output(path: Path) -> bool:
    """Recognise files written by the top and season spiders: listed anime or anime pages."""
    return _is_listing(path) or is_anime_output(path)


def write_anime(home: Path, out: Path) -> int:
    """Write every record of an anime, also those of earlier runs; returns how many. Raises as ``write_crawled``."""
    store = RecordStore(home / "spider" / "anime.jsonl", CrawledAnime)
    records = list(store.latest().values())
    store.close()
    write_crawled(records, out)
    return len(records)


def write_lists(home: Path, out: Path) -> int:
    """Write every list as rows of plain interactions, without users deleted since. → number of rows

    Raises:
        InvalidInputError: the ending of ``out`` is not one of ``FORMATS``, or it is a file of something else.
    """
    format_of(out)
    refuse_foreign_file(out, is_list_output)
    store = RecordStore(home / "spider" / "lists.jsonl", CrawledList)
    lists = store.latest()
    store.close()
    with deleted(home) as is_deleted:
        lists = {user_id: one for user_id, one in lists.items() if not is_deleted(user_id)}
    rows = [(user_id, *row) for user_id in sorted(lists) for row in sorted(lists[user_id].rows, key=lambda row: row[0])]
    frame = pl.DataFrame(rows, schema=INTERACTIONS, orient="row")
    as_text = frame.with_columns(pl.col("time").dt.strftime("%Y-%m-%dT%H:%M:%SZ"))
    with whole_file(out, is_ours=is_list_output) as file:
        if out.suffix == ".parquet":
            frame.write_parquet(file)
        elif out.suffix == ".jsonl":
            as_text.write_ndjson(file)
        else:
            as_text.write_csv(file)
    return frame.height
