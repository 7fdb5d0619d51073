"""``gars pipeline run``; ``KILL_AT=step:before|after`` kills it when that step is done, around its record."""

from __future__ import annotations

import os
import signal

from gars.entrypoints.cli.app import main
from gars.pipeline.journal import Line, RunJournal, Step

if "KILL_AT" in os.environ:
    name, when = os.environ["KILL_AT"].split(":")
    record = RunJournal.append

    def append(journal: RunJournal, line: Line) -> None:
        it = isinstance(line, Step) and line.name == name
        if it and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        record(journal, line)
        if it:
            os.kill(os.getpid(), signal.SIGKILL)

    RunJournal.append = append  # type: ignore[assignment, method-assign]

if __name__ == "__main__":
    main()
