"""Log lines: one format, nothing a client sent forges one, equal ones are counted."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gars.bootstrap.logs import announce, set_up_logs
from gars.bootstrap.repeats import Repeats
from gars.config import from_environment
from gars.runtime.request_ids import RequestIds, is_well_formed, request_id

HOSTILE = "a\r\n2026-01-01T00:00:00Z ERROR serve gars: forged\x1b[31m\x07\u202e\x9b2J"
logger = logging.getLogger("gars.test")


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    request_id.set(None)


def logs(tmp_path: Path, **environment: str) -> io.StringIO:
    stream = io.StringIO()
    set_up_logs(from_environment(environment, home=tmp_path), "serve", stream=stream)
    return stream


def failed(message: str) -> None:
    try:
        raise ValueError(message)
    except ValueError as error:
        logger.error("it failed", exc_info=error, extra={"method": "GET", "route": "/x", "user": "alice"})


def test_a_line_of_json(tmp_path: Path) -> None:
    stream = logs(tmp_path, GARS_LOG_FORMAT="json")
    request_id.set("abc-1")
    logger.warning("the disk %s", "is full", extra={"route": "/clicks", "user": "alice", "status": None})
    line: dict[str, Any] = json.loads(stream.getvalue())
    assert line.pop("time").endswith("Z")
    assert line == {
        "message": "the disk is full",
        "level": "warning",
        "logger": "gars.test",
        "process": "serve",
        "request_id": "abc-1",
        "route": "/clicks",
    }


def test_users_are_named_only_on_request(tmp_path: Path) -> None:
    stream = logs(tmp_path)
    failed("a")
    assert "alice" not in stream.getvalue()
    stream = logs(tmp_path, GARS_LOG_USERS="on")
    failed("b")
    assert " user=alice" in stream.getvalue()


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_nothing_a_client_sent_begins_a_line_or_reaches_the_terminal(tmp_path: Path, log_format: str) -> None:
    stream = logs(tmp_path, GARS_LOG_FORMAT=log_format)
    logger.warning("no such path: %s", HOSTILE, extra={"route": HOSTILE})
    failed(HOSTILE)
    written = stream.getvalue()
    assert all(one.isprintable() for one in written.replace("\n", ""))
    begins = [line for line in written.splitlines() if line[:1] not in (" ", "")]
    assert len(begins) == 2, "one line a record; lines of a traceback are moved in"
    assert not any(line.startswith("2026-01-01") for line in written.splitlines())
    assert "forged" in written


def test_levels_and_what_is_written_at_any(tmp_path: Path) -> None:
    stream = logs(tmp_path, GARS_LOG_LEVEL="error")
    logger.warning("a warning")
    announce("ready")
    assert stream.getvalue().split(" ", 1)[1] == "INFO serve gars: ready\n"


def test_equal_lines_are_counted() -> None:
    """A disk that is full for an hour, three requests a second: one line an interval, and no request uncounted."""
    stream, seconds = io.StringIO(), [0.0]
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(message)s"))
    repeats = Repeats(handler, interval_s=10, now=lambda: seconds[0])
    written: list[logging.LogRecord] = []
    handler.emit = written.append  # type: ignore[assignment,method-assign]
    handler.addFilter(repeats)

    def log(text: str, *args: object) -> None:
        handler.handle(logging.LogRecord("gars", logging.ERROR, "", 0, text, args, None))

    for number in range(3 * 3600):
        seconds[0] = number / 3
        log("cannot write page %d: disk is full", number)
    log("something else")
    repeats.flush()
    counts = [getattr(record, "repeated", None) for record in written if "disk" in record.getMessage()]
    assert 360 <= len(counts) <= 362
    assert sum(count or 1 for count in counts) == 3 * 3600
    assert [record.getMessage() for record in written if "else" in record.getMessage()] == ["something else"]


def test_ids_of_requests() -> None:
    ids = RequestIds()
    made = {ids.make() for _ in range(1000)}
    assert len(made) == 1000
    assert all(map(is_well_formed, made))
    assert made.isdisjoint({RequestIds().make()})
    for wrong in ("", "short", "a" * 65, "with space", "x\r\ny: 12345", "ünïcödé1"):
        assert not is_well_formed(wrong)
