"""What was crawled, as it comes: a line a record, appended, so that a killed run loses the line it was writing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Generic, TypeVar

import msgspec

from gars.datasets.crawled import CrawledAnime
from gars.datasets.durable import fsync_path, whole_file


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
        self._drop_half_line()
        self._seen = {self._id(record): record.crawled_at for record in self.records()}
        self._file: IO[bytes] | None = None

    def __contains__(self, key: int) -> bool:
        return key in self._seen

    def __len__(self) -> int:
        return len(self._seen)

    def is_fresh(self, key: int, now: datetime, older_than: timedelta | None) -> bool:
        """Whether a record is there that need not be asked for again; without ``older_than`` any record is fresh."""
        seen = self._seen.get(key)
        return seen is not None and (older_than is None or now - seen <= older_than)

    def add(self, record: Record) -> None:
        """Append a record; after it returns, a killed process keeps it."""
        if self._file is None:
            self._file = self.path.open("ab")
        self._file.write(msgspec.json.encode(record) + b"\n")
        self._file.flush()
        self._seen[self._id(record)] = record.crawled_at

    def records(self) -> Iterator[Record]:
        """Every record in the order it came, older ones of a key too."""
        if self.path.exists():
            with self.path.open("rb") as file:
                for line in file:
                    yield msgspec.json.decode(line, type=self._kind)

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

    def _drop_half_line(self) -> None:
        if not self.path.exists():
            return
        with self.path.open("rb+") as file:
            content = file.read()
            whole = content.rfind(b"\n") + 1
            if whole < len(content):
                file.truncate(whole)
