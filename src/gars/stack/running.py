"""Start an engine and wait until it is healthy; stop it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from pathlib import Path

from gars.runtime.free_ports import is_free
from gars.runtime.progress import Progress, Silent
from gars.stack.daemon import Daemon
from gars.stack.engine import Engine, Process, StackError, environment

_PAUSE_S = 0.2
_SHOWN_LINES = 15


class Running:
    """An engine of this machine with its processes, started by any process."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._daemons = {one.name: Daemon(one.name, engine.folder / one.name) for one in engine.processes()}

    def up(self, progress: Progress | None = None) -> None:
        """Install, prepare and start what is not running, and wait until everything is healthy.

        Raises:
            StackError: it cannot be installed, a port is in use, it ended, or it is not healthy in time.
        """
        self._stopped.unlink(missing_ok=True)
        self.engine.install(progress or Silent())
        self.engine.prepare()
        for process in self.engine.processes():
            daemon = self.daemon(process.name)
            if daemon.pid is None:
                self._start(process, daemon)
            self._await_healthy(process, daemon)
        self.engine.finish()

    def down(self) -> bool:
        """Stop everything, last started first. → False if nothing ran."""
        if self.engine.folder.is_dir():
            self._stopped.touch()
        if any(daemon.pid is not None for daemon in self._daemons.values()):
            with contextlib.suppress(StackError):
                self.engine.leave()
        stopped = [
            self.daemon(one.name).stop(patience_s=one.stop_within_s) for one in reversed(self.engine.processes())
        ]
        return any(stopped)

    def problem(self) -> str | None:
        """Return the first fault; ``None`` if all processes run and are healthy."""
        for process in self.engine.processes():
            if self.daemon(process.name).pid is None:
                return f"{process.name} does not run"
            if reason := process.problem():
                return reason
        return None

    def gone(self) -> str | None:
        """Return the first process that ended by itself; ``None`` also after ``down``."""
        if self._stopped.exists():
            return None
        for process in self.engine.processes():
            if self.daemon(process.name).pid is None:
                return f"{process.name} does not run"
        return self.engine.ended()

    def daemon(self, name: str) -> Daemon:
        """One of the engine's processes."""
        return self._daemons[name]

    def logs(self) -> dict[str, Path]:
        """Return the log file of each process."""
        return {name: daemon.log for name, daemon in self._daemons.items()}

    @property
    def _stopped(self) -> Path:
        """There while it is meant not to run, whichever command stopped it."""
        return self.engine.folder / "stopped"

    def _start(self, process: Process, daemon: Daemon) -> None:
        daemon.end_orphans()
        for port in process.ports:
            if not is_free(port):
                raise StackError(
                    f"{process.name} needs port {port}, and something else listens on it",
                    hint=f"find it with: ss -ltnp 'sport = :{port}'; or is an older stack still up? gars stack down",
                )
        try:
            daemon.start(process.command, environment=environment(process.environment))
        except OSError as error:
            raise StackError(
                f"cannot start {process.name}: {error.strerror}: {process.command[0]}",
                hint="install what it needs with: gars stack install",
            ) from error

    def _await_healthy(self, process: Process, daemon: Daemon) -> None:
        def reason() -> str | None:
            if daemon.pid is None:
                raise StackError(
                    f"{process.name} ended while it started. Its last lines:\n{daemon.last_lines(_SHOWN_LINES)}",
                    hint=f"its whole output is in {daemon.log}",
                )
            return process.problem()

        problem = wait_for(reason, process.start_within_s)
        if problem is not None:
            raise StackError(
                f"{process.name} is not healthy after {process.start_within_s:.0f} s: {problem}. "
                f"Its last lines:\n{daemon.last_lines(_SHOWN_LINES)}",
                hint=f"its whole output is in {daemon.log}; stop it with: gars stack down",
            )


def wait_for(problem: Callable[[], str | None], seconds: float) -> str | None:
    """Ask until there is no problem or the time is over. → the last problem."""
    end = time.monotonic() + seconds
    while (reason := problem()) is not None and time.monotonic() < end:
        time.sleep(_PAUSE_S)
    return reason
