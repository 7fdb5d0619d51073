"""``Progress`` drawn with rich: bars on a terminal, one line a task elsewhere."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from gars.runtime.progress import Advance


class TerminalProgress:
    """Bars while tasks run, also several at once; when one ends, a line with the time it took."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True)
        self._lock = threading.Lock()
        self._open = 0
        self._bars: Bars | None = None

    @contextmanager
    def task(self, label: str, total: float | None = None) -> Iterator[Advance]:
        """Show one bar for the duration of the block."""
        started = time.perf_counter()
        bars = self._enter()
        bar = bars.add_task(label, total=total)
        try:
            yield lambda amount: bars.advance(bar, amount)
        finally:
            bars.remove_task(bar)
            self._leave()
        self.console.print(f"[green]✓[/] {label} [dim]{time.perf_counter() - started:.1f} s[/]", highlight=False)

    def note(self, text: str) -> None:
        """Print one line that stays."""
        self.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def _enter(self) -> Bars:
        with self._lock:
            self._open += 1
            if self._bars is None:
                columns = (
                    TextColumn("{task.description}"),
                    BarColumn(bar_width=30),
                    TaskProgressColumn(),
                    TimeElapsedColumn(),
                )
                self._bars = Bars(*columns, console=self.console, transient=True)
                self._bars.start()
            return self._bars

    def _leave(self) -> None:
        with self._lock:
            self._open -= 1
            if not self._open and self._bars is not None:
                self._bars.stop()
                self._bars = None
