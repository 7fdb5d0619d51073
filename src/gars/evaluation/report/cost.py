"""Cost of a fit: seconds, and the peak memory of the process."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gars.evaluation.report.results import Cost, Task
from gars.runtime.progress import Advance, Progress

_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


class Meter:
    """Reads the cost of the block it is opened for, once the block has ended."""

    def __init__(self) -> None:
        self.cost = Cost(seconds=0.0, peak_mb=None)


@contextmanager
def measured() -> Iterator[Meter]:
    """Measure a block. The peak is of the whole process, data and interpreter included; Linux only."""
    meter, resettable = Meter(), _reset_peak()
    started = time.perf_counter()
    yield meter
    meter.cost = Cost(seconds=time.perf_counter() - started, peak_mb=_peak_mb() if resettable else None)


class TaskTimes:
    """A ``Progress`` that adds up the seconds of each task and passes everything on."""

    def __init__(self, shown: Progress) -> None:
        self._shown = shown
        self._seconds: dict[str, list[float]] = {}

    @contextmanager
    def task(self, label: str, total: float | None = None) -> Iterator[Advance]:
        """Show the task, and remember how long it took."""
        started = time.perf_counter()
        with self._shown.task(label, total) as advance:
            yield advance
        self._seconds.setdefault(label, []).append(time.perf_counter() - started)

    def note(self, text: str) -> None:
        """Pass a line on."""
        self._shown.note(text)

    def tasks(self, protocol: str) -> list[Task]:
        """Every task so far, the longest first."""
        found = [
            Task(protocol=protocol, label=label, runs=len(times), seconds=sum(times))
            for label, times in self._seconds.items()
        ]
        return sorted(found, key=lambda task: -task.seconds)


def _reset_peak() -> bool:
    """Forget the peak so far. False where the system has no such thing."""
    try:
        _RESET.write_text("5")
    except OSError:
        return False
    return True


def _peak_mb() -> float | None:
    for line in _STATUS.read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return None
