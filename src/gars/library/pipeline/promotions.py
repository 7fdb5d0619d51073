"""Models that were taken back: none of them is promoted by itself again."""

from __future__ import annotations

import os

import msgspec

from gars.domain.errors import ArtefactError
from gars.library.artefact import Manifest
from gars.library.pipeline.journal import now
from gars.library.registry import Registry

FILE = "rollbacks.jsonl"


class Rollback(msgspec.Struct, frozen=True):
    """One line of the record: ``version`` gave way to ``to``."""

    version: str
    to: str
    why: str
    time: str


def rollbacks(registry: Registry) -> list[Rollback]:
    """What was taken back, oldest first."""
    path = registry.folder / FILE
    lines = path.read_bytes().splitlines() if path.is_file() else []
    return [msgspec.json.decode(line, type=Rollback) for line in lines if line.strip()]


def roll_back(registry: Registry, *, version: str, to: str, why: str) -> Manifest:
    """Let ``to`` serve in place of ``version``, and remember it.

    Raises:
        ArtefactError: another model serves by now, or ``to`` is gone or damaged.
    """
    if registry.current() not in (version, to):
        raise ArtefactError(
            f"{version} was to be rolled back, but {registry.current()} serves", hint="look at: gars model list"
        )
    if not any(one.version == version and one.to == to for one in rollbacks(registry)):
        with (registry.folder / FILE).open("ab") as record:
            record.write(msgspec.json.encode(Rollback(version, to, why, now())) + b"\n")
            record.flush()
            os.fsync(record.fileno())
    return registry.promote(to)
