"""Models that were taken back: none of them is promoted by itself again."""

from __future__ import annotations

import msgspec

from gars.datasets.json_lines import append_line, read_records
from gars.domain.errors import ArtefactError
from gars.library.artefact import Manifest
from gars.library.registry import Registry
from gars.pipeline.journal import now

FILE = "rollbacks.jsonl"


class Rollback(msgspec.Struct, frozen=True):
    """One line of the record: ``version`` gave way to ``to``."""

    version: str
    to: str
    why: str
    time: str


def rollbacks(registry: Registry) -> list[Rollback]:
    """Return what was taken back, oldest first.

    Raises:
        ArtefactError: a line cannot be read: a model that it names could be promoted again.
    """
    path = registry.folder / FILE
    found, damaged = read_records(path, Rollback)
    if damaged:
        raise ArtefactError(
            f"line {damaged[0].number} of {path} is damaged: {damaged[0].why}",
            hint="put the file back from a copy, or remove that line: the model it names may then be promoted again",
        )
    return found


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
        append_line(registry.folder / FILE, msgspec.json.encode(Rollback(version, to, why, now())))
    return registry.promote(to)
