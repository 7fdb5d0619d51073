"""The runs of a home, and which of them the same command goes on with."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from gars.pipeline.journal import FILE, Begun, RunJournal, now

FOLDER = "pipeline"
VALIDATION = "validation.json"


def runs(home: Path) -> list[RunJournal]:
    """Every run, the oldest first. Raises ``InvalidInputError`` for a damaged journal."""
    return [RunJournal(path.parent) for path in sorted((home / FOLDER).glob(f"*/{FILE}"))]


def validations(home: Path) -> list[Path]:
    """Results of validation in each run that got so far."""
    return sorted((home / FOLDER).glob(f"*/{VALIDATION}"))


def open_run(home: Path, asked: Mapping[str, Any], *, fresh: bool = False) -> tuple[RunJournal, bool]:
    """Open the latest run if it has the same settings and is not over, else a new one. → journal, True if resumed

    Raises:
        InvalidInputError: the latest journal is damaged.
        StorageError: the journal cannot be written.
    """
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(dict(asked)))
    folders = sorted(path.parent for path in (home / FOLDER).glob(f"*/{FILE}"))
    if folders and not fresh:
        latest = RunJournal(folders[-1])
        if latest.begun is not None and latest.begun.asked == plain and latest.ended is None:
            return latest, True
    name = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    taken = {folder.name for folder in folders}
    number = 1
    while (unique := f"{name}-{number:02d}") in taken:
        number += 1
    journal = RunJournal(home / FOLDER / unique)
    journal.append(Begun(asked=plain, time=now()))
    return journal, False
