"""Log lines of a process: one format for all of them, written by structlog.

Modules log with the standard library, so the library part of GARS needs nothing for it. Here their records get a time,
the process, and the ids of the current request and trace, and become text for a terminal or JSON lines. Text from a
client can neither begin a line nor reach a terminal as an escape sequence. Equal lines are counted (``repeats``).
"""

from __future__ import annotations

import atexit
import logging
import sys
from collections.abc import MutableMapping
from typing import Any, Final, TextIO

import structlog

from gars.bootstrap.repeats import Repeats
from gars.config import Settings
from gars.runtime import tracing
from gars.runtime.request_ids import request_id

Event = MutableMapping[str, Any]

FIELDS: Final = ("request_id", "trace_id", "method", "route", "status", "ms", "user")
"""Fields that a record may have in addition to its message, as ``extra`` of the logging call."""


def set_up_logs(settings: Settings, process: str, *, stream: TextIO | None = None) -> None:
    """Write the log of this process to ``stream`` (default: standard error), by GARS_LOG_FORMAT and GARS_LOG_LEVEL.

    ``process`` is the name in each line, such as ``serve``.
    """
    target = stream or sys.stderr
    handler = logging.StreamHandler(target)
    is_json = settings.log_format == "json"
    common: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(FIELDS if settings.log_users else [name for name in FIELDS if name != "user"]),
        _add_repeats,
        _drop_unknown,
        _naming(process),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
    ]
    shown: list[Any] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,
    ]
    if is_json:
        shown += [escape_controls, structlog.processors.EventRenamer("message"), structlog.processors.JSONRenderer()]
    else:
        shown += [escape_controls, _render_text]
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=common, processors=shown))
    handler.addFilter(_keep_ids)
    repeats = Repeats(handler)
    handler.addFilter(repeats)
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(settings.log_level.upper())
    atexit.register(repeats.flush)


def announce(text: str) -> None:
    """Write a line of level info at any log level: that the process is ready, or has stopped."""
    record = logging.LogRecord("gars", logging.INFO, __file__, 0, text, None, None)
    for handler in logging.getLogger().handlers:
        handler.handle(record)


def escape_controls(_logger: object, _name: str, event: Event) -> Event:
    """Escape what is not printable in every text: control characters, line ends, text direction.

    The lines of a traceback are kept.
    """
    for key, value in event.items():
        if isinstance(value, str) and not value.isprintable():
            lines = value.split("\n") if key == "exception" else [value]
            event[key] = "\n".join(_escaped(line) for line in lines)
    return event


def _escaped(text: str) -> str:
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


def _keep_ids(record: logging.LogRecord) -> bool:
    if (current := request_id.get()) is not None and not hasattr(record, "request_id"):
        record.request_id = current
    if (span := tracing.current()) is not None and not hasattr(record, "trace_id"):
        record.trace_id = span.trace_id
    return True


def _add_repeats(_logger: object, _name: str, event: Event) -> Event:
    record = event.get("_record")
    if record is not None and (count := getattr(record, "repeated", 0)):
        event["repeated"] = count
    return event


def _drop_unknown(_logger: object, _name: str, event: Event) -> Event:
    for name in [name for name in FIELDS if name in event and event[name] is None]:
        del event[name]
    return event


def _naming(process: str) -> Any:
    def add_process(_logger: object, _name: str, event: Event) -> Event:
        event["process"] = process
        return event

    return add_process


def _render_text(_logger: object, _name: str, event: Event) -> str:
    """Format a record as ``TIME LEVEL process logger: message key=value``, with an indented traceback below it."""
    time, level, process, logger = (event.pop(key, "") for key in ("time", "level", "process", "logger"))
    message, exception = event.pop("event", ""), event.pop("exception", None)
    rest = "".join(f" {key}={_quoted(value)}" for key, value in event.items())
    trace = "".join(f"\n    {line}" for line in exception.split("\n")) if exception else ""
    return f"{time} {str(level).upper()} {process} {logger}: {message}{rest}{trace}"


def _quoted(value: object) -> str:
    text = str(value)
    return repr(text) if " " in text or "=" in text else text
