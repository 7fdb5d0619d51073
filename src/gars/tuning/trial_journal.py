"""The record of a search as a file: a line for what is searched, then a line a trial."""

from __future__ import annotations

from pathlib import Path

import msgspec

from gars.application.trials import Outcome
from gars.datasets.json_lines import append_line, read_lines
from gars.domain.errors import InvalidInputError, StorageError


class TrialJournal:
    """The durable record of a search in ``path``; a search that was stopped goes on from it.

    ``about`` is everything that decides what a trial gives: the space, the seed, the data. A last line cut short by a
    crash is dropped; its trial is run again.

    Raises:
        InvalidInputError: the file is of another search, or damaged.
        StorageError: the disk is full or not writable.
    """

    def __init__(self, path: Path, about: dict[str, object]) -> None:
        self.path = path
        self._outcomes: list[Outcome] = []
        header = msgspec.json.encode(about, order="deterministic")
        lines = read_lines(path).content
        if not lines:
            self._append(header)
        elif lines[0] != header:
            if (before := _decoded(lines[0])) is None:
                raise InvalidInputError(f"line 1 of {path} is damaged", hint="--fresh begins the search again")
            raise InvalidInputError(
                f"{path} is of a search with {_difference(before, about)}",
                hint="another --name starts a new one; --fresh replaces it",
            )
        for number, line in enumerate(lines[1:], 2):
            try:
                self._outcomes.append(msgspec.json.decode(line, type=Outcome))
            except msgspec.DecodeError as error:
                raise InvalidInputError(
                    f"line {number} of {path} is damaged: {error}", hint="--fresh begins the search again"
                ) from error

    def outcomes(self) -> list[Outcome]:
        """Return the outcomes so far, oldest first."""
        return list(self._outcomes)

    def append(self, outcome: Outcome) -> None:
        """Append an outcome; it is durable on return."""
        self._append(msgspec.json.encode(outcome))
        self._outcomes.append(outcome)

    def _append(self, line: bytes) -> None:
        try:
            append_line(self.path, line)
        except OSError as error:
            raise StorageError(
                f"the search could not be recorded in {self.path}: {error}", hint="free some space, then run it again"
            ) from error


def _decoded(header: bytes) -> dict[str, object] | None:
    try:
        return msgspec.json.decode(header, type=dict[str, object])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _difference(before: dict[str, object], about: dict[str, object]) -> str:
    now = msgspec.json.decode(msgspec.json.encode(about))
    names = [name for name in sorted({*before, *now}) if before.get(name) != now.get(name)]
    return "another " + " and another ".join(names)
