"""Scrapy feeds (``-o FILE``) in the form that ``gars data`` reads."""

from __future__ import annotations

from typing import IO, Any

import polars as pl
from itemadapter import ItemAdapter
from scrapy.exporters import BaseItemExporter, CsvItemExporter

from gars.datasets.crawled import CRAWLED, cell


class CsvExporter(CsvItemExporter):
    """CSV with lists as JSON and nothing as an empty cell."""

    def serialize_field(self, field: Any, name: str, value: Any) -> Any:  # noqa: ARG002
        """One cell."""
        return cell(name, value)


class ParquetExporter(BaseItemExporter):
    """One Parquet file, written when the crawl ends."""

    def __init__(self, file: IO[bytes], **options: Any) -> None:
        super().__init__(dont_fail=True, **options)
        self._file = file
        self._rows: list[dict[str, Any]] = []

    def export_item(self, item: Any) -> None:
        """Take one item."""
        self._rows.append(ItemAdapter(item).asdict())

    def finish_exporting(self) -> None:
        """Write them all."""
        columns = self._rows[0].keys() if self._rows else CRAWLED
        known = {name: CRAWLED[name] for name in columns if name in CRAWLED}
        texts = {name: pl.String() for name in known if known[name] == CRAWLED["crawled_at"]}
        frame = pl.DataFrame(self._rows, schema_overrides={**known, **texts}, infer_schema_length=None)
        dates = [pl.col(name).str.to_datetime(time_unit="ms", time_zone="UTC") for name in texts if name in frame]
        frame.with_columns(dates).write_parquet(self._file)
