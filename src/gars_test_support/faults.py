"""A double of the model with stages that fail or hang on request."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from gars.testing.engine import FakeEngine

_PATIENCE_S = 60


class FaultyEngine(FakeEngine):
    """A ``FakeEngine`` with the context managers ``failing(…)`` and ``hanging(…)`` for its methods, by name."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._faults: dict[str, threading.Event | None] = {}
        for name in ("recommend_history", "retrieve_ids", "popular_ids", "similar_ids", "similar_user_ids"):
            setattr(self, name, self._gated(name, getattr(self, name)))

    @contextmanager
    def failing(self, *names: str) -> Iterator[None]:
        """Make these methods raise while the block runs."""
        self._faults.update(dict.fromkeys(names))
        yield
        for name in names:
            del self._faults[name]

    @contextmanager
    def hanging(self, *names: str) -> Iterator[threading.Event]:
        """Block calls of these methods until the block ends, or the returned event is set."""
        release = threading.Event()
        self._faults.update(dict.fromkeys(names, release))
        try:
            yield release
        finally:
            release.set()
            for name in names:
                del self._faults[name]

    def _gated(self, name: str, method: Any) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            if name in self._faults:
                held = self._faults[name]
                if held is None:
                    raise RuntimeError(f"{name} is on fire")
                held.wait(_PATIENCE_S)
            return method(*args, **kwargs)

        return call
