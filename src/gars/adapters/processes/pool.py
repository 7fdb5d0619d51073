"""Pool of worker processes: sends requests to the least loaded, and replaces one that ended or hangs."""

from __future__ import annotations

import logging
import threading

from gars.adapters.processes.child import Target
from gars.adapters.processes.cores import allowed, share_out
from gars.adapters.processes.process import GoneError, ListProcess
from gars.application.recommend.list_messages import ListFailed, ListMade, ListRefused, encode, wanted
from gars.application.recommend.list_request import ListRequest
from gars.domain.errors import InvalidInputError, StageError
from gars.domain.history import History

logger = logging.getLogger(__name__)

IN_HAND = 3
"""Most requests of a worker at once: one it works on, and others so that it does not wait for the service."""
_START_WITHIN_S = 120.0
"""The first start after an installation compiles."""
_RETURN_WITHIN_S = 5.0
"""Time (s) for pending requests to finish at ``close``."""
_LONGEST_PAUSE_S = 60.0
"""Longest pause (s) between restarts of a worker that ends repeatedly."""


class ListProcesses:
    """Implements ``application.recommend.worker_pool.WorkerPool``. Each worker has a slot, and with it a core."""

    def __init__(self, target: Target, version: str, *, count: int, patience_s: float) -> None:
        """Start ``count`` workers and wait until each has loaded the model ``version`` or failed (see ``problem``).

        ``patience_s`` is the time limit of a list, 0 for none.
        """
        self._target = target
        self._version = version
        self._patience_s = patience_s or None
        self._cores = share_out(allowed(), count).processes
        self._changed = threading.Condition()
        self._working: dict[int, ListProcess] = {}
        """Workers by slot."""
        self._failures = [0] * count
        """Consecutive failures by slot."""
        self._closed = threading.Event()
        self.restarts = 0
        self.problem: StageError | None = None
        started = [self._started(place) for place in range(count)]  # all, before any is waited for
        for place, process in enumerate(started):
            self._take_in(place, process)

    @property
    def alive(self) -> int:
        """Return the number of running workers."""
        return len(self._working)

    def make(self, history: History, request: ListRequest) -> ListMade | None:
        """Compute a list on the least loaded worker; ``None`` if no worker is available."""
        # before a worker is taken: encoding may fail
        asked = encode(wanted(history, request))
        taken = self._take()
        if taken is None:
            return None
        place, process = taken
        try:
            answer = process.ask(asked, within_s=self._patience_s)
        except TimeoutError as late:
            raise self._lost(place, process, late) from None
        except GoneError as gone:
            self._lost(place, process, gone)
            return None
        self._give_back(place, process)
        if isinstance(answer, ListRefused):
            raise InvalidInputError(answer.message, hint=answer.hint)
        if isinstance(answer, ListFailed):
            raise StageError(f"a process that makes lists failed: {answer.message}", hint="its traceback is in the log")
        return answer

    def close(self) -> None:
        """Stop idle workers at once and busy ones after their last answer, waiting at most ``_RETURN_WITHIN_S``."""
        with self._changed:
            self._closed.set()
            self._changed.notify_all()
            ending = [self._working.pop(place) for place, one in [*self._working.items()] if not one.in_hand]
            for process in ending:  # all of them, before the first is waited for
                process.leave()
            # a busy worker is ended by the caller that returns its last answer
            self._changed.wait_for(lambda: not self._working, _RETURN_WITHIN_S)
        for process in ending:
            process.wait_for_end()

    def _take(self) -> tuple[int, ListProcess] | None:
        """Take the worker with fewest requests; among equals the first, as the last may share the service's core."""
        with self._changed:
            while self._working and not self._closed.is_set():
                place = min(self._working, key=lambda place: (self._working[place].in_hand, place))
                process = self._working[place]
                if process.in_hand < IN_HAND:
                    process.in_hand += 1
                    return place, process
                self._changed.wait()
            return None

    def _give_back(self, place: int, process: ListProcess) -> None:
        with self._changed:
            self._failures[place] = 0
            process.in_hand -= 1
            self._changed.notify_all()
            # another caller may have replaced it because it hangs
            is_over = self._closed.is_set() and not process.in_hand and self._working.get(place) is process
            if is_over:
                del self._working[place]
        if is_over:
            process.end()

    def _started(self, place: int) -> ListProcess | None:
        try:
            return ListProcess(self._target, self._cores[place])
        except OSError as error:
            self._failed(place, f"it cannot be started: {error}")
            return None

    def _take_in(self, place: int, process: ListProcess | None) -> None:
        """Add a worker once it has loaded the model; ``None`` could not be started."""
        if process is None:
            return
        try:
            opened = process.opened(within_s=_START_WITHIN_S)
            if opened != self._version:
                raise GoneError(f"it opened {opened}, and {self._version} serves")
        except (TimeoutError, GoneError) as error:
            process.end()
            self._failed(place, f"{error} (exit code {process.exit_code})")
            return
        with self._changed:
            if not self._closed.is_set():
                self._working[place] = process
                self.problem = None if self.alive == len(self._cores) else self.problem
                self._changed.notify_all()
                return
        process.end()

    def _lost(self, place: int, process: ListProcess, why: Exception) -> StageError:
        """Remove a failed worker and restart it; the first caller to notice does so. → the error to raise"""
        with self._changed:
            if self._working.get(place) is not process:
                return self.problem or _gone(why)
            del self._working[place]
        if isinstance(why, TimeoutError):
            process.kill()
        else:
            process.wait_for_end()
        return self._failed(place, f"{why} (exit code {process.exit_code})")

    def _failed(self, place: int, why: str) -> StageError:
        """Restart a failed worker, at once or, after repeated failures, after a pause."""
        problem = _gone(why)
        with self._changed:
            self._failures[place] += 1
            pause_s = 0.0 if self._failures[place] == 1 else min(_LONGEST_PAUSE_S, 2.0 ** self._failures[place])
            self.problem = problem
            self._changed.notify_all()
        if not self._closed.is_set():
            logger.error("%s; another is started", problem.message)
            threading.Thread(target=self._replace, args=[place, pause_s], name="gars-lists-start", daemon=True).start()
        return problem

    def _replace(self, place: int, pause_s: float) -> None:
        if not self._closed.wait(pause_s):
            with self._changed:
                self.restarts += 1
            self._take_in(place, self._started(place))


def _gone(why: object) -> StageError:
    return StageError(
        f"a process that makes lists is gone: {why}",
        hint="the log says more; until another has started, the others and the service itself make the lists",
    )
