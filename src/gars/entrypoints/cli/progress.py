"""``Progress`` drawn with rich: bars on a terminal, one line a task elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from gars.application.progress import Advance


class TerminalProgress:
    """Bars while a task runs; when it ends, one line with the time it took."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True)

    @contextmanager
    def task(self, label: str, total: float | None = None) -> Iterator[Advance]:
        """Show one bar for the duration of the block."""
        started = time.perf_counter()
        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn() if total else TextColumn(""),
            TimeElapsedColumn(),
        )
        with Bars(*columns, console=self.console, transient=True) as bars:
            bar = bars.add_task(label, total=total)
            yield lambda amount: bars.advance(bar, amount)
        self.console.print(f"[green]✓[/] {label} [dim]{time.perf_counter() - started:.1f} s[/]", highlight=False)

    def note(self, text: str) -> None:
        """Print one line that stays."""
        self.console.print(text, highlight=False)
