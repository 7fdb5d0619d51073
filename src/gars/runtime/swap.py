"""Replace the model while requests run: load the new one alongside the old, try it, then serve it to new requests."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from gars.domain.errors import ArtefactError, GarsError

logger = logging.getLogger(__name__)

M = TypeVar("M")


class Swap(Generic[M]):
    """Holds the object that serves. A request reads ``current`` once, so no request sees two models.

    Args:
        current: the object that serves first, with its ``version``.
        promoted: returns the version to serve; ``None`` to keep the current one.
        load: opens that version and tries it; raises ``GarsError`` if it cannot serve.
    """

    def __init__(
        self, current: M, version: str, *, promoted: Callable[[], str | None], load: Callable[[M], tuple[M, str]]
    ) -> None:
        self.current = current
        self.version = version
        self.swaps = 0
        """Number of swaps."""
        self.problem: GarsError | None = None
        """Error of a promoted model that cannot serve; its predecessor continues to."""
        self._promoted = promoted
        self._load = load
        self._refused: str | None = None
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def refresh(self, *, again: bool = False) -> bool:
        """Load the promoted model if it is another one. → true if it serves now

        A refused version is not tried twice, unless ``again``. Never raises: the error is in ``problem``.
        """
        with self._lock:
            try:
                promoted_version = self._promoted()
            except Exception as error:  # the next refresh may succeed; the watching thread must not end
                logger.error("cannot see which model is promoted: %s", error)
                return False
            if promoted_version is None or promoted_version == self.version:
                self.problem = self._refused = None
                return False
            if promoted_version == self._refused and not again:
                return False
            try:
                self.current, self.version = self._load(self.current)
            except Exception as error:
                self._refused = promoted_version
                self.problem = _load_error(promoted_version, self.version, error)
                logger.error("%s", self.problem.message, exc_info=None if isinstance(error, GarsError) else error)
                return False
            self.problem = self._refused = None
            self.swaps += 1
            logger.warning("the model %s serves now", self.version)
            return True

    def watch(self, every_s: float) -> None:
        """Refresh every ``every_s`` seconds, in a thread of its own, until ``close``."""
        self._thread = threading.Thread(target=self._watch, args=(every_s,), name="gars-swap", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop watching; waits for a running swap."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _watch(self, every_s: float) -> None:
        while not self._stop.wait(every_s):
            self.refresh()


def _load_error(promoted_version: str, serving: str, error: Exception) -> GarsError:
    why = error.message if isinstance(error, GarsError) else f"{type(error).__name__}: {error}"
    return ArtefactError(
        f"the model {promoted_version} was promoted but cannot serve ({why}); {serving} goes on",
        hint="train it again, or go back with: gars model rollback",
    )
