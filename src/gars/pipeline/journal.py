"""The record of one run: a line with its settings, one for each finished step, one with the result."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from gars.datasets.json_lines import append_line, read_records
from gars.domain.errors import InvalidInputError, StorageError
from gars.evaluation.report.cost import measured
from gars.runtime.progress import Progress

FILE = "journal.jsonl"


class Begun(msgspec.Struct, frozen=True, kw_only=True, tag="begun"):
    """The first line. Runs with the same ``asked`` are the same work."""

    asked: dict[str, Any]
    time: str
    """UTC, ISO 8601, like every time of a journal."""


class Step(msgspec.Struct, frozen=True, kw_only=True, tag="step"):
    """A step that was finished: ``key`` is a hash of all it was made of, ``output`` what later steps are made of."""

    name: str
    key: str
    output: dict[str, Any]
    seconds: float
    peak_mb: float | None
    """Largest memory of the process while it ran, where the system reports it."""
    time: str


class Failed(msgspec.Struct, frozen=True, kw_only=True, tag="failed"):
    """A step that raised; the same command tries it again."""

    name: str
    message: str
    time: str


class Ended(msgspec.Struct, frozen=True, kw_only=True, tag="ended"):
    """The last line: nothing is left to do."""

    verdict: str
    """``promoted``, ``kept`` (the serving model stays), ``stopped`` (the data are no good) or ``rolled back``."""
    message: str
    time: str


Line = Begun | Step | Failed | Ended


class RunJournal:
    """The journal of the run in ``folder``. A last line that a crash cut short is dropped; its step runs again.

    To read one changes nothing: another process may be writing it. The cut line goes when the next one is appended.

    Raises:
        InvalidInputError: the file is damaged.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        path = folder / FILE
        found, damaged = read_records(path, Line)  # type: ignore[arg-type, var-annotated]  # a union is no class
        if damaged:
            raise InvalidInputError(
                f"line {damaged[0].number} of {path} is damaged: {damaged[0].why}",
                hint="begin anew with: gars pipeline run --fresh",
            )
        self.lines: list[Line] = found

    @property
    def begun(self) -> Begun | None:
        """Settings of the run."""
        return self.lines[0] if self.lines and isinstance(self.lines[0], Begun) else None

    @property
    def ended(self) -> Ended | None:
        """Result, ``None`` for a run that is not over."""
        return next((line for line in reversed(self.lines) if isinstance(line, Ended)), None)

    @property
    def failed(self) -> Failed | None:
        """The failure it stands at: the last line, if that is one."""
        return self.lines[-1] if self.lines and isinstance(self.lines[-1], Failed) else None

    def steps(self) -> list[Step]:
        """The latest record of each finished step, in the order they were first finished."""
        found: dict[str, Step] = {}
        for line in self.lines:
            if isinstance(line, Step):
                found[line.name] = line
        return list(found.values())

    def append(self, line: Line) -> None:
        """Record one more line; it is durable when this returns. Raises ``StorageError``."""
        try:
            append_line(self.folder / FILE, msgspec.json.encode(line))
        except OSError as error:
            raise StorageError(
                f"the run could not be recorded in {self.folder}: {error}", hint="free some space, then run it again"
            ) from error
        self.lines.append(line)


def key_of(name: str, made_of: Mapping[str, Any]) -> str:
    """A hash of a step's name and of everything that decides what it gives."""
    return hashlib.sha256(msgspec.json.encode([name, dict(made_of)], order="deterministic")).hexdigest()[:16]


def run_step(
    journal: RunJournal,
    name: str,
    made_of: Mapping[str, Any],
    do: Callable[[], dict[str, Any]],
    *,
    progress: Progress,
    still_there: Callable[[dict[str, Any]], bool] = lambda _: True,
) -> dict[str, Any]:
    """The output of a step: the recorded one if it was made of the same and is still there, else made and recorded."""
    key = key_of(name, made_of)
    for line in reversed(journal.lines):
        if isinstance(line, Step) and line.name == name and line.key == key and still_there(line.output):
            progress.note(f"{name}: was finished {line.time}")
            return line.output
    with measured() as meter:
        try:
            output = do()
        except Exception as error:
            message = getattr(error, "message", None) or f"{type(error).__name__}: {error}"
            journal.append(Failed(name=name, message=str(message), time=now()))
            raise
    journal.append(
        Step(
            name=name,
            key=key,
            output=output,
            seconds=round(meter.cost.seconds, 3),
            peak_mb=meter.cost.peak_mb and round(meter.cost.peak_mb, 1),
            time=now(),
        )
    )
    return output


def now() -> str:
    """The time for a line."""
    return datetime.now(UTC).isoformat(timespec="seconds")
