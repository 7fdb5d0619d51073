"""Counts equal log lines in place of repeating them: a full disk gives one line per interval."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

INTERVAL_S = 10.0
"""Minimum time between two equal lines."""
_KEPT = 500
_NUMBERS = re.compile(r"[0-9a-f]{16,}|\d+")

Key = tuple[str, int, str, str]


class _Line:
    """A line that was written, and the number of equal records since."""

    __slots__ = ("again", "last", "until")

    def __init__(self, until: float) -> None:
        self.until = until
        self.again = 0
        self.last: logging.LogRecord | None = None


class Repeats(logging.Filter):
    """Passes the first of equal records, and one per interval with ``repeated``, the number suppressed before it.

    Two records are equal if logger, level, message without its numbers, and place of the exception are. The count of an
    interval that ended is written with the next record of any kind, and by ``flush``, so no count is lost.
    """

    def __init__(
        self, handler: logging.Handler, *, interval_s: float = INTERVAL_S, now: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__()
        self._handler = handler
        self._interval_s = interval_s
        self._now = now
        self._lines: OrderedDict[Key, _Line] = OrderedDict()
        self._lock = threading.RLock()

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the record is to be written."""
        if getattr(record, "is_count", False) or record.levelno < logging.WARNING:
            return True
        now = self._now()
        with self._lock:
            self._write_counts(now, all_of_them=False)
            key = _key(record)
            line = self._lines.get(key)
            if line is not None:
                line.again += 1
                line.last = record
                return False
            self._lines[key] = _Line(now + self._interval_s)
            if len(self._lines) > _KEPT:
                _, oldest = self._lines.popitem(last=False)
                self._write(oldest)
            return True

    def flush(self) -> None:
        """Write all pending counts."""
        with self._lock:
            self._write_counts(self._now(), all_of_them=True)

    def _write_counts(self, now: float, *, all_of_them: bool) -> None:
        while self._lines:
            key, line = next(iter(self._lines.items()))
            if line.until > now and not all_of_them:
                return
            del self._lines[key]
            if line.again and not all_of_them:
                # the record still repeats: the next interval begins with this count
                self._lines[key] = _Line(now + self._interval_s)
            self._write(line)

    def _write(self, line: _Line) -> None:
        if line.last is None:
            return
        counted = logging.makeLogRecord({**line.last.__dict__, "repeated": line.again, "is_count": True})
        self._handler.handle(counted)


def _key(record: logging.LogRecord) -> Key:
    place = ""
    if record.exc_info and record.exc_info[0] is not None:
        trace = record.exc_info[2]
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        where = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace is not None else ""
        place = f"{record.exc_info[0].__name__} {where}"
    return record.name, record.levelno, _NUMBERS.sub("#", record.getMessage()), place
