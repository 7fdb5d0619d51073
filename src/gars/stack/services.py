"""GARS' own processes as parts of the stack; the launcher and compose.yaml start them with the same words."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gars.stack.engine import Engine, Process, StackError
from gars.stack.probes import beats, http_problem

GARS = (sys.executable, "-m", "gars.entrypoints.cli")
"""The command ``gars`` of this very installation."""


@dataclass(frozen=True, slots=True)
class Command:
    """Arguments of ``gars`` that start a service."""

    arguments: tuple[str, ...]
    listens: bool
    """Over HTTP, with health routes; else it touches a heartbeat."""
    needs_model: bool = False


COMMANDS: Mapping[str, Command] = {
    "history": Command(("worker", "history"), listens=False),
    "clicks": Command(("serve", "clicks"), listens=True, needs_model=True),
    "recall": Command(("serve", "recall"), listens=True, needs_model=True),
    "rank": Command(("serve", "rank"), listens=True, needs_model=True),
    "api": Command(("serve",), listens=True, needs_model=True),
}
"""In the order they start."""


class Service(Engine):
    """One of ``COMMANDS`` as a process."""

    def __init__(
        self,
        name: str,
        *,
        folder: Path,
        home: Path,
        environment: Mapping[str, str],
        port: int | None = None,
        options: Sequence[str] = (),
    ) -> None:
        super().__init__(folder=folder)
        self.name = name
        self.port = port
        self._home = home
        self._environment = environment
        self._options = options
        self._command = COMMANDS[name]

    @property
    def url(self) -> str:
        """Address of the service; empty for a worker."""
        return f"http://127.0.0.1:{self.port}" if self._command.listens else ""

    def prepare(self) -> None:
        """Create the folder and remove the old heartbeat; raises an error if a model is needed and there is none."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._heartbeat.unlink(missing_ok=True)
        if self._command.needs_model and "--engine-factory" not in self._options:
            require_model(self._home, self.name)

    def processes(self) -> Sequence[Process]:
        """The one."""
        where = ("--host", "127.0.0.1", "--port", str(self.port)) if self._command.listens else ()
        heart = () if self._command.listens else ("--heartbeat", str(self._heartbeat))
        return [
            Process(
                name=self.name,
                command=[*GARS, *self._command.arguments, "--home", str(self._home), *where, *heart, *self._options],
                ports=[self.port] if self._command.listens and self.port is not None else [],
                problem=self._problem,
                environment={**self._environment, "PYTHONUNBUFFERED": "1"},
            )
        ]

    def _problem(self) -> str | None:
        return http_problem(f"{self.url}/api/v1/health/ready") if self._command.listens else beats(self._heartbeat)

    @property
    def _heartbeat(self) -> Path:
        return self.folder / "heartbeat"


def require_model(home: Path, name: str) -> None:
    """Raise ``StackError`` if there is no trained model."""
    if not (home / "models" / "current").exists():
        raise StackError(
            f"{name} needs a trained model, and there is none in {home / 'models'}",
            hint="get data and train one with: gars demo --no-serve",
        )
