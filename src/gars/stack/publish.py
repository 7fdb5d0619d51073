"""The vectors and neighbour lists of the model that serves: in Redis before the services that serve it."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from gars.bootstrap.model import engine_version, served_version
from gars.bootstrap.publishing import published_version
from gars.config import Settings
from gars.domain.errors import ArtefactError, StorageError
from gars.stack.engine import Engine, Process, StackError, environment
from gars.stack.services import GARS, require_model

COMMAND = ("model", "publish")
"""After ``gars``; the launcher and compose.yaml run the same."""


class Publish(Engine):
    """A part that runs nothing: its work is done when Redis has the version that serves."""

    name = "publish"

    def __init__(self, *, folder: Path, settings: Settings, variables: Mapping[str, str]) -> None:
        super().__init__(folder=folder)
        self._settings = settings
        self._variables = variables
        self._known: tuple[str | None, str] | None = None

    def prepare(self) -> None:
        """See that there is a model."""
        require_model(self._settings.home, self.name)
        self.folder.mkdir(parents=True, exist_ok=True)

    def processes(self) -> Sequence[Process]:
        """None."""
        return []

    def finish(self) -> None:
        """Publish the version that serves, unless Redis has it."""
        # in a process of its own: the launcher need not hold a model
        done = subprocess.run(
            [*GARS, *COMMAND, "--home", str(self._settings.home)],
            env=environment(self._variables), capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise StackError(
                f"the model was not published:\n{done.stderr.strip()[-2000:]}",
                hint='try it by hand: eval "$(gars stack env)" && gars model publish',
            )
        self.did = done.stdout.strip()

    def ended(self) -> str | None:
        """That another model was promoted since: the watcher publishes it."""
        try:
            serving, published = self._serving(), published_version(self._settings)
        except (ArtefactError, StorageError):  # no model to publish; Redis, which is started again by itself
            return None
        return None if serving == published else f"model {serving} serves, and Redis has {published or 'none'}"

    def _serving(self) -> str:
        """Asked every few seconds, so the catalogue is read only when something was promoted or accepted."""
        name = served_version(self._settings.models)
        if self._known is None or self._known[0] != name:
            self._known = name, engine_version(self._settings.models)
        return self._known[1]
