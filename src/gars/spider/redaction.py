"""Redact user names from the log: from every line and traceback."""

from __future__ import annotations

import logging
import re
from typing import Any

from scrapy.crawler import Crawler
from scrapy.logformatter import LogFormatter

_LIST = re.compile(r"(/(?:animelist|profile)/)[^/\s?&#'\"<>]+")
_FORMAT = logging.Formatter()


def redacted(text: str) -> str:
    """``text`` with the user of every list address blotted out."""
    return _LIST.sub(r"\1…", text)


class _Record(logging.LogRecord):
    """A log record without user names, for every logger and handler."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if isinstance(self.exc_info, tuple):
            self.exc_text = redacted(_FORMAT.formatException(self.exc_info))

    def getMessage(self) -> str:  # noqa: N802
        return redacted(super().getMessage())


class Redacting(LogFormatter):
    """Scrapy makes one of these before a crawl asks for anything: from then on the log is blotted."""

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Redacting:  # noqa: ARG003
        """Make one, and change what lines of the log are."""
        logging.setLogRecordFactory(_Record)
        return cls()
