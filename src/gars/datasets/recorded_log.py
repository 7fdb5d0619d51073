"""An event log as a file: one JSON object a line, an interaction or ``{"forget": USER}``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from gars.application.ports import Logged
from gars.datasets.durable import whole_file
from gars.domain.errors import DataError
from gars.domain.interaction import Interaction


class _Forget(msgspec.Struct, forbid_unknown_fields=True):
    forget: str


_FORGET = b'{"forget":'


def read_log(path: Path) -> Iterator[Logged]:
    """Yield the records in order; the offset of each is its line number.

    Raises:
        DataError: the file is missing, or a line is no record.
    """
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield _record(path, number, line)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}", hint="give the path of a recorded log") from error


def write_log(path: Path, records: Iterable[Logged]) -> int:
    """Write the file atomically. → number of records

    Raises:
        InvalidInputError: ``path`` is a file that is not a recorded log.
    """
    encoder = msgspec.json.Encoder()
    count = 0
    with whole_file(path, is_ours=_is_log) as file:
        for record in records:
            file.write(encoder.encode(record.event or _Forget(record.user_id)) + b"\n")
            count += 1
    return count


def _is_log(path: Path) -> bool:
    """Return true if the first record of a file is one of an event log."""
    try:
        return next(read_log(path), None) is not None
    except DataError:
        return False


def _record(path: Path, number: int, line: bytes) -> Logged:
    try:
        if line.startswith(_FORGET):
            return Logged(msgspec.json.decode(line, type=_Forget).forget, number, None, number)
        event = msgspec.json.decode(line, type=Interaction)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DataError(
            f"{path}:{number}: {error}", hint='a line is an interaction as JSON, or {"forget": "USER"}'
        ) from error
    return Logged(event.user_id, number, event, number)
