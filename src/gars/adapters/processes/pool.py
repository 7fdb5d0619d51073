"""The processes together: asks one that is idle, and starts another in place of one that ended or hangs."""

from __future__ import annotations

import logging
import threading

from gars.adapters.processes.process import GoneError, ListProcess, Target
from gars.application.list_messages import ListFailed, ListMade, ListRefused, wanted
from gars.domain.candidates import Filters
from gars.domain.errors import InvalidInputError, StageError
from gars.domain.history import History

logger = logging.getLogger(__name__)

_START_WITHIN_S = 120.0
"""The first start after an installation compiles."""
_RETURN_WITHIN_S = 5.0
"""Those that are being asked, when all are ended."""
_LONGEST_PAUSE_S = 60.0
"""Between two starts of one that ends again and again."""


class ListProcesses:
    """Implements ``application.list_makers.ListMakers``.

    The process that was idle last is asked first, for its caches are warm.
    """

    def __init__(self, target: Target, version: str, *, count: int, patience_s: float) -> None:
        """Start ``count`` and wait until each has opened the model ``version`` or failed, which ``problem`` tells.

        ``patience_s`` is how long a list may take, 0 for as long as it takes.
        """
        self._target = target
        self._version = version
        self._count = count
        self._patience_s = patience_s or None
        self._changed = threading.Condition()
        self._idle: list[ListProcess] = []
        self._failures = 0
        """Since a list was made."""
        self._closed = threading.Event()
        self.alive = 0
        self.restarts = 0
        self.problem: StageError | None = None
        for started in [self._started() for _ in range(count)]:  # all, before the first is waited for
            self._take_in(started)

    def make(self, history: History, *, k: int, offset: int, filters: Filters) -> ListMade | None:
        """As the protocol says."""
        process = self._take()
        if process is None:
            return None
        try:
            answer = process.ask(wanted(history, k=k, offset=offset, filters=filters), within_s=self._patience_s)
        except TimeoutError as late:
            process.kill()
            raise self._lost(process, late) from None
        except GoneError as gone:
            process.end()
            self._lost(process, gone)
            return None
        self._give_back(process)
        if isinstance(answer, ListRefused):
            raise InvalidInputError(answer.message, hint=answer.hint)
        if isinstance(answer, ListFailed):
            raise StageError(f"a process that makes lists failed: {answer.said}", hint="its traceback is in the log")
        return answer

    def close(self) -> None:
        """As the protocol says."""
        with self._changed:
            self._closed.set()
            self._changed.notify_all()
            self._changed.wait_for(lambda: len(self._idle) == self.alive, _RETURN_WITHIN_S)
            ending, self._idle = self._idle, []
            self.alive -= len(ending)
        for process in ending:  # all of them, before the first is waited for
            process.leave()
        for process in ending:
            process.end()

    def _take(self) -> ListProcess | None:
        with self._changed:
            while not self._idle and self.alive and not self._closed.is_set():
                self._changed.wait()
            return self._idle.pop() if self._idle and not self._closed.is_set() else None

    def _give_back(self, process: ListProcess) -> None:
        with self._changed:
            self._failures = 0
            if not self._closed.is_set():
                self._idle.append(process)
                self._changed.notify()
                return
            self.alive -= 1
            self._changed.notify_all()
        process.end()

    def _started(self) -> ListProcess | None:
        try:
            return ListProcess(self._target)
        except OSError as error:
            self._failed(f"it cannot be started: {error}")
            return None

    def _take_in(self, process: ListProcess | None) -> None:
        """Count on it once it has opened the model; ``None`` could not be started."""
        if process is None:
            return
        try:
            opened = process.opened(within_s=_START_WITHIN_S)
            if opened != self._version:
                raise GoneError(f"it opened {opened}, and {self._version} serves")
        except (TimeoutError, GoneError) as error:
            process.end()
            self._failed(f"{error} (exit code {process.exit_code})")
            return
        with self._changed:
            if not self._closed.is_set():
                self.alive += 1
                self._idle.append(process)
                self.problem = None if self.alive == self._count else self.problem
                self._changed.notify_all()
                return
        process.end()

    def _lost(self, process: ListProcess, why: Exception) -> StageError:
        """Go on without one that was at work. → what to say"""
        with self._changed:
            self.alive -= 1
        return self._failed(f"{why} (exit code {process.exit_code})")

    def _failed(self, why: str) -> StageError:
        """One is missing: start another, at once or, if that has not helped, after a while."""
        problem = StageError(
            f"a process that makes lists is gone: {why}",
            hint="the log says more; until another has started, the others and the service itself make the lists",
        )
        with self._changed:
            self._failures += 1
            pause_s = 0.0 if self._failures == 1 else min(_LONGEST_PAUSE_S, 2.0**self._failures)
            self.problem = problem
            self._changed.notify_all()
        if not self._closed.is_set():
            logger.error("%s; another is started", problem.message)
            threading.Thread(target=self._replace, args=[pause_s], name="gars-lists-start", daemon=True).start()
        return problem

    def _replace(self, pause_s: float) -> None:
        if not self._closed.wait(pause_s):
            self.restarts += 1
            self._take_in(self._started())
