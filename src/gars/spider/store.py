"""Append crawled records to a file, one per line: a killed run loses at most the line being written."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Generic, TypeVar

import msgspec

from gars.datasets.crawled import CrawledAnime
from gars.datasets.durable import fsync_path, whole_file
from gars.datasets.json_lines import read_lines
from gars.domain.errors import DataError


class CrawledList(msgspec.Struct, frozen=True, kw_only=True):
    """A user's whole list. ``user_id`` is a keyed hash; the name is nowhere."""

    user_id: int
    crawled_at: datetime
    rows: tuple[tuple[int, int | None, str | None, datetime | None], ...] = ()
    """anime_id, rating, status, time."""


Record = TypeVar("Record", bound=CrawledAnime | CrawledList)


class RecordStore(Generic[Record]):
    """Records in a file of JSON lines; the last of each key counts. One process writes it."""

    def __init__(self, path: Path, kind: type[Record]) -> None:
        self.path = path
        self._kind = kind
        self._key = kind.__struct_fields__[0]
        path.parent.mkdir(parents=True, exist_ok=True)
        self._seen = {self._id(record): record.crawled_at for record in self.records()}
        self._file: IO[bytes] | None = None

    def __contains__(self, key: int) -> bool:
        return key in self._seen

    def __len__(self) -> int:
        return len(self._seen)

    def is_fresh(self, key: int, now: datetime, older_than: timedelta | None) -> bool:
        """Return true if the record is recent enough; without ``older_than`` any record is."""
        seen = self._seen.get(key)
        # a time that has not come yet is of a clock that was ahead, and says nothing
        return seen is not None and (older_than is None or timedelta(0) <= now - seen <= older_than)

    def add(self, record: Record) -> None:
        """Append a record; after it returns, a killed process keeps it."""
        if self._file is None:
            self._file = self._opened()
        self._file.write(msgspec.json.encode(record) + b"\n")
        self._file.flush()
        self._seen[self._id(record)] = record.crawled_at

    def records(self) -> Iterator[Record]:
        """Every record in the order it came, older ones of a key too; a line that was cut short is left out.

        Raises:
            DataError: another line cannot be read.
        """
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n"):
                    return
                try:
                    yield msgspec.json.decode(line, type=self._kind)
                except (msgspec.DecodeError, UnicodeDecodeError) as error:
                    raise DataError(
                        f"line {number} of {self.path} is damaged: {error}",
                        hint="remove that line: its page is fetched again by the next run",
                    ) from error

    def latest(self) -> dict[int, Record]:
        """The last record of each key."""
        return {self._id(record): record for record in self.records()}

    def close(self) -> None:
        """Leave one record a key, on the disk."""
        if self._file is None:
            return
        self._file.close()
        self._file = None
        lines = sum(1 for _ in self.records())
        if lines == len(self._seen):
            fsync_path(self.path)
            return
        kept = self.latest()
        with whole_file(self.path) as file:
            file.writelines(msgspec.json.encode(kept[key]) + b"\n" for key in sorted(kept))

    def _id(self, record: Record) -> int:
        return int(getattr(record, self._key))

    def _opened(self) -> IO[bytes]:
        """Open the file for appending, behind its last whole line."""
        size = read_lines(self.path).size
        file = self.path.open("ab")
        file.truncate(size)
        return file
