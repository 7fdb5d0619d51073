"""The folder of models: each trained one under its version, and which of them serves."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from gars.datasets.durable import clear_leftovers, fsync_path, scratch_folder
from gars.datasets.json_lines import append_line, read_records
from gars.domain.errors import ArtefactError
from gars.library.artefact import MANIFEST, Manifest, read, read_manifest

logger = logging.getLogger(__name__)

CURRENT = "current"
PROMOTIONS = "promotions.jsonl"


class Promotion(msgspec.Struct, frozen=True):
    """One line of the record of what served when."""

    version: str
    time: str


class Registry:
    """Models in ``folder/<version>``; ``current`` links to the one that serves."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def versions(self) -> list[Manifest]:
        """All whole models, the newest first."""
        found = [
            read_manifest(path.parent) for path in self.folder.glob(f"[!.]*/{MANIFEST}") if path.parent.name != CURRENT
        ]
        return sorted(found, key=lambda manifest: manifest.created, reverse=True)

    def current(self) -> str | None:
        """The version that serves, or ``None``."""
        link = self.folder / CURRENT
        return link.readlink().name if link.is_symlink() else None

    def add(self, write: Callable[[Path], Manifest]) -> Manifest:
        """Let ``write`` make a model in a folder, then give the folder its version as name."""
        self.folder.mkdir(parents=True, exist_ok=True)
        clear_leftovers(self.folder / "new")
        with scratch_folder(self.folder / "new") as scratch:
            manifest = write(scratch / "model")
            target = self.folder / manifest.version
            if not target.exists():  # the same content: keep the older one, it may be serving
                (scratch / "model").rename(target)
                fsync_path(self.folder)
        return manifest

    def find(self, version: str) -> str:
        """The one version that begins so.

        Raises:
            ArtefactError: there is none, or more than one.
        """
        known = [manifest.version for manifest in self.versions()]
        matching = [name for name in known if name.startswith(version)]
        if len(matching) != 1:
            raise ArtefactError(
                f"{len(matching)} models match '{version}'; there are: {', '.join(known) or 'none'}",
                hint="gars model list",
            )
        return matching[0]

    def promote(self, version: str) -> Manifest:
        """Make a version the one that serves, after verifying every file of it.

        Raises:
            ArtefactError: there is no such version, or it is damaged.
        """
        found = self.find(version)
        manifest, _ = read(self.folder / found)
        fresh = self.folder / f".{CURRENT}-{os.getpid()}"
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(found)
        fresh.replace(self.folder / CURRENT)
        fsync_path(self.folder)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        append_line(self.folder / PROMOTIONS, msgspec.json.encode(Promotion(found, now)))
        return manifest

    def rollback(self) -> Manifest:
        """Promote the version that served before the current one.

        Raises:
            ArtefactError: nothing else ever served.
        """
        served = [promotion.version for promotion in self.promotions()]
        current = self.current()
        there = {manifest.version for manifest in self.versions()}
        earlier = [version for version in served if version != current and version in there]
        if not earlier:
            raise ArtefactError(
                "no other model has served before", hint="choose one: gars model list, gars model promote VERSION"
            )
        return self.promote(earlier[-1])

    def promotions(self) -> list[Promotion]:
        """Return what served, oldest first. A line that cannot be read is named in the log and left out."""
        promotions, damaged = read_records(self.folder / PROMOTIONS, Promotion)
        for line in damaged:
            logger.warning("line %d of %s is damaged: %s", line.number, self.folder / PROMOTIONS, line.why)
        return promotions
