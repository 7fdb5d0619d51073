"""The histories that the users of the data set start with: into Redis, once, before the feature job asks for them."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from gars.application.events.backfill import is_backfilled
from gars.bootstrap.model import load_catalogue, training_data
from gars.bootstrap.stores import open_state_store
from gars.config import Settings
from gars.stack.engine import Engine, Process, StackError, environment
from gars.stack.services import GARS, require_model


class Backfill(Engine):
    """A part that runs nothing: its work is done when it is finished."""

    name = "backfill"

    def __init__(self, *, folder: Path, settings: Settings, variables: Mapping[str, str]) -> None:
        super().__init__(folder=folder)
        self._settings = settings
        self._variables = variables

    def prepare(self) -> None:
        """See that there is a model: its manifest names the data set."""
        require_model(self._settings.home, self.name)

    def processes(self) -> Sequence[Process]:
        """None."""
        return []

    def finish(self) -> None:
        """Fold the histories in, if this data set is there and was not folded in before."""
        _, about = load_catalogue(self._settings.models)
        dataset = training_data(self._settings, about)
        if dataset is None:
            return
        states = open_state_store(self._settings)
        try:
            if is_backfilled(states, dataset.content_hash):
                return
        finally:
            states.close()
        # in a process of its own: the launcher need not hold a data set
        done = subprocess.run(
            [*GARS, "backfill", "--home", str(self._settings.home)],
            env=environment(self._variables), capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise StackError(
                f"the histories of the data set were not folded in:\n{done.stderr.strip()[-2000:]}",
                hint='try it by hand: eval "$(gars stack env)" && gars backfill',
            )
