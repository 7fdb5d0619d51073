"""Interface of the parts of the stack: install, start, check and stop an engine."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gars.domain.errors import GarsError
from gars.runtime.progress import Progress


class StackError(GarsError):
    """A part of the stack that cannot be installed, started or stopped."""

    code = "stack"


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """One process of an engine."""

    name: str
    command: Sequence[str]
    ports: Sequence[int]
    """Ports it listens on: they must be free before it starts."""
    problem: Callable[[], str | None]
    """Returns the fault, or ``None`` if the process is healthy. Returns within seconds, never raises."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """On top of this process' own."""
    start_within_s: float = 120
    stop_within_s: float = 30


class Engine(ABC):
    """A part of the stack. Subclasses live one a file: ``kafka.py``, ``redis.py``, …"""

    name: str
    """One lower-case word: also the name of its folder and of its configuration in deploy/."""

    def __init__(self, *, folder: Path) -> None:
        self.folder = folder
        """Folder of its data, configuration, logs and pid files."""
        self.did = ""
        """Summary of the work of ``finish``, for the user."""

    def is_installed(self) -> bool:
        """Return true if everything the engine needs is on this machine; GARS' own processes need what runs this."""
        return True

    def install(self, progress: Progress) -> None:  # noqa: B027 GARS' own processes need nothing more
        """Install what the engine needs; does nothing if it is installed.

        Raises:
            StackError: it cannot be installed; the hint names the manual step.
        """

    @abstractmethod
    def prepare(self) -> None:
        """Write configuration and, the first time, empty data; before each start. A second call changes nothing."""

    @abstractmethod
    def processes(self) -> Sequence[Process]:
        """Return the processes in start order; each is healthy before the next one starts."""

    def finish(self) -> None:  # noqa: B027 most engines have nothing to do here
        """Set up topics, tables and jobs once the engine is healthy. Idempotent."""

    def leave(self) -> None:  # noqa: B027 most engines are simply stopped
        """Prepare for the stop; the engine is stopped even if this raises ``StackError``."""

    def ended(self) -> str | None:
        """Work that ended although its processes run, and that ``finish`` starts again; never raises."""
        return None

    @property
    def data(self) -> Path:
        """Where its data are."""
        return self.folder / "data"


def environment(*more: Mapping[str, str]) -> dict[str, str]:
    """This process' environment with changes."""
    merged = dict(os.environ)
    for changes in more:
        merged.update(changes)
    return merged
