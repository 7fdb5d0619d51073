"""Fetch several sources concurrently; unavailable ones are left out and reported."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from gars.datasets.fetch import fetch
from gars.datasets.sources import Source
from gars.domain.errors import FetchError
from gars.runtime.progress import Advance, Progress

AT_ONCE = 6


@dataclass(frozen=True, slots=True)
class Fetched:
    """The verified copies, and the reason for each source that is missing."""

    paths: dict[Source, Path] = field(default_factory=dict)
    """In the order in which the sources were asked for."""
    skipped: dict[str, str] = field(default_factory=dict)
    """Name of a source → why it is missing."""

    def by_name(self) -> dict[str, Path]:
        """Return the paths by the name of the source."""
        return {source.name: path for source, path in self.paths.items()}


def fetch_all(wanted: Iterable[Source], home: Path, *, mirror: Path | None, progress: Progress) -> Fetched:
    """Fetch up to ``AT_ONCE`` sources at a time; each that cannot be had gets one line of progress.

    When one fails for another reason (a full disk) or the user interrupts, downloads under way end at their next
    piece; what has arrived is kept and continued by the next call.

    Raises:
        StorageError: the disk is full.
        InvalidInputError: ``mirror`` is not a folder.
    """
    sources = list(wanted)
    stop = _Stop(progress)
    fetched = Fetched()
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="fetch") as pool:
        tasks = [pool.submit(fetch, source, home, mirror=mirror, progress=stop) for source in sources]
        try:
            for source, task in zip(sources, tasks, strict=True):
                try:
                    fetched.paths[source] = task.result()
                except FetchError as error:
                    fetched.skipped[source.name] = error.message
                    progress.note(f"without {source.name} ({source.content}): {error.message}")
        except BaseException:
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return fetched


def name_unlicensed(used: Iterable[Source], progress: Progress) -> None:
    """Write one line with the sources in ``used`` whose publisher states no licence, if there are any."""
    names = [source.name for source in used if not source.licensed]
    if names:
        progress.note(
            f"no licence is stated by the publishers of {', '.join(names)}: used here, not to be redistributed "
            "(--licensed-only goes without them)"
        )


class _StoppedError(Exception):
    """Ends a download of a thread whose caller is gone."""


class _Stop:
    """A ``Progress`` that ends the tasks of other threads at their next step."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._stopped = threading.Event()

    def set(self) -> None:
        """End every task at its next step."""
        self._stopped.set()

    @contextmanager
    def task(self, label: str, total: float | None = None) -> Iterator[Advance]:
        """Open a task whose advance raises once ``set`` was called."""
        with self._progress.task(label, total) as advance:

            def step(amount: float) -> None:
                if self._stopped.is_set():
                    raise _StoppedError
                advance(amount)

            yield step

    def note(self, text: str) -> None:
        """Pass a line on."""
        self._progress.note(text)
