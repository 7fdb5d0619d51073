"""``gars serve`` with the double of the model; ``KILL_AT=step:nth`` makes it kill itself after that step of ingest."""

from __future__ import annotations

import os
import signal
from functools import partial
from pathlib import Path

import typer

from gars.entrypoints.cli import serve as command
from gars_test_support.crash import Crash, CrashPoint


class Killer:
    """Kills this process as the operating system would: no handler runs, nothing is flushed."""

    def __init__(self, step: int, nth: int) -> None:
        self._point = CrashPoint(step, nth=nth)

    def __call__(self, step: int) -> None:
        try:
            self._point(step)
        except Crash:
            os.kill(os.getpid(), signal.SIGKILL)


def main(home: Path = typer.Option(), port: int = typer.Option()) -> None:  # noqa: B008
    if "KILL_AT" in os.environ:
        step, nth = map(int, os.environ["KILL_AT"].split(":"))
        vars(command)["open_service"] = partial(vars(command)["open_service"], after_step=Killer(step, nth))
    command.serve(host="127.0.0.1", port=port, home=home, engine_factory="gars.testing.engine:make")


if __name__ == "__main__":
    typer.run(main)
