"""A process that outlives the command that started it: found again by its pid file, stopped by signals."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from gars.datasets.durable import write_whole

_PAUSE_S = 0.05
_ORPHANS_END_WITHIN_S = 10
_children: list[subprocess.Popen[bytes]] = []
"""Children of this process: references prevent their collection, since they outlive their parent."""


class _Pid(msgspec.Struct, frozen=True):
    """Contents of a pid file. The start time detects a pid that was reused."""

    pid: int
    started: str


class Daemon:
    """One process with its folder: ``pid``, ``log``."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.folder = folder
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """The file that receives its output."""
        return self.folder / "log"

    @property
    def pid(self) -> int | None:
        """The process, if it runs."""
        if self._child is not None:
            return self._child.pid if self._child.poll() is None else None
        held = self._held()
        return held.pid if held is not None and started(held.pid) == held.started else None

    @property
    def exit_code(self) -> int | None:
        """Return the exit code, if this process started it; negative for a signal."""
        return None if self._child is None else self._child.poll()

    def start(self, command: Sequence[str], *, environment: Mapping[str, str]) -> None:
        """Start it in a session of its own, so that Ctrl-C here does not reach it.

        Raises:
            OSError: the command does not exist or may not be run.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=dict(environment),
                cwd=self.folder,
                start_new_session=True,
            )
        _children.append(self._child)
        began = started(self._child.pid) or ""
        write_whole(self._pid_file, msgspec.json.encode(_Pid(self._child.pid, began)))

    def stop(self, *, patience_s: float) -> bool:
        """SIGTERM, and after ``patience_s`` SIGKILL; also to children it leaves behind. → False if it did not run."""
        pid = self.pid
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
            if not self._ended_within(patience_s):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                self._ended_within(patience_s)
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)
        else:
            self.end_orphans()
        self._pid_file.unlink(missing_ok=True)
        return pid is not None

    def end_orphans(self) -> None:
        """SIGKILL to what a process that died by itself left behind: it may hold the port that the next one needs."""
        held = self._held()
        if held is None or started(held.pid) is not None:
            return
        end = time.monotonic() + _ORPHANS_END_WITHIN_S
        while (remaining := list(_members(held.pid, self.folder.resolve()))) and time.monotonic() < end:
            for pid in remaining:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(_PAUSE_S)

    def kill(self) -> None:
        """SIGKILL, as a machine that loses power."""
        pid = self.pid
        if pid is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)
            self._ended_within(60)

    def last_lines(self, count: int = 20) -> str:
        """The end of the log."""
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-count:])
        except OSError:
            return ""

    @property
    def _pid_file(self) -> Path:
        return self.folder / "pid"

    def _held(self) -> _Pid | None:
        try:
            return msgspec.json.decode(self._pid_file.read_bytes(), type=_Pid)
        except (OSError, msgspec.DecodeError):
            return None

    def _ended_within(self, seconds: float) -> bool:
        end = time.monotonic() + seconds
        while self.pid is not None:
            if time.monotonic() > end:
                return False
            time.sleep(_PAUSE_S)
        _children[:] = [child for child in _children if child.poll() is None]
        return True


def _members(group: int, folder: Path) -> Iterator[int]:
    """Processes of a group that work in a folder: the group's number alone may be a stranger's after a restart."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[2]) == group and fields[0] not in "ZX" and (stat.parent / "cwd").readlink() == folder:
                yield int(stat.parent.name)
        except OSError:  # it ended, or is somebody else's
            continue


def started(pid: int) -> str | None:
    """When a process began, in the system's own words; ``None`` if it does not run (any more)."""
    stat = Path(f"/proc/{pid}/stat")
    if stat.parent.parent.joinpath("self").exists():
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            return None
        return None if fields[0] in "ZX" else fields[19]  # state; start time in clock ticks since boot
    listed = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return listed.stdout.strip() or None
