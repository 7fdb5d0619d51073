"""A server in a separate process, for tests that kill it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path


def serve_command(home: Path) -> list[str]:
    """Return the command that serves a home on a free port."""
    return [str(Path(sys.executable).with_name("gars")), "serve", "--home", str(home), "--port", "0"]


def stores_in(folder: str | Path) -> dict[str, str]:
    """Return the settings of a server whose stores are files of their own in a folder."""
    names = ("EVENT_LOG", "STATE_STORE", "TOMBSTONES", "IMPRESSIONS")
    return {f"GARS_{name}": f"sqlite:{folder}/{name.lower()}.sqlite" for name in names}


class ServerProcess:
    """Starts a command and waits until it prints its address.

    Raises:
        AssertionError: it ended or was not ready within ``ready_within_s``; the message is its output.
    """

    def __init__(
        self, command: Sequence[str], *, environment: Mapping[str, str] | None = None, ready_within_s: float = 60
    ) -> None:
        self.process = subprocess.Popen(
            command,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **(environment or {})},
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
        )
        self.address = ""
        self._output: list[str] = []
        self._ready = threading.Event()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        if not (self._ready.wait(ready_within_s) and self.address):
            self.stop(signal.SIGKILL)
            raise AssertionError(f"the server did not start:\n{self.output}")

    @property
    def output(self) -> str:
        """Return all output so far."""
        return "".join(self._output)

    @property
    def list_processes(self) -> list[int]:
        """Return the pids of its worker processes (Linux)."""
        return [int(pid.name) for pid in Path("/proc").glob("[0-9]*") if self._is_list_process(pid)]

    def _is_list_process(self, pid: Path) -> bool:
        try:
            parent = (pid / "stat").read_text().rpartition(")")[2].split()[1]
            return int(parent) == self.process.pid and b"spawn_main" in (pid / "cmdline").read_bytes()
        except OSError:  # it has ended in between
            return False

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and wait for the process to end. → the exit code, negative for a signal"""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        """Wait for the process to end. → the exit code"""
        code = self.process.wait(60)
        self._reader.join()
        if self.process.stderr is not None:
            self.process.stderr.close()
        return code

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self._output.append(line)
            if not self.address and (found := re.search(r"http://\S+", line)):  # later ones are those of others
                self.address = found.group()
                self._ready.set()
        self._ready.set()
