"""Keep what one fit has computed for the next fit on the same rows."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


class Memo:
    """The last ``keep`` results of each stage of a fit, by everything they were computed from."""

    def __init__(self, keep: int = 1) -> None:
        self.keep = keep
        self._stages: dict[str, OrderedDict[bytes, Any]] = {}

    def get(self, stage: str, key: bytes, make: Callable[[], T]) -> T:
        """The result of ``stage`` for ``key``: kept from before, or made now."""
        kept = self._stages.setdefault(stage, OrderedDict())
        if key not in kept:
            while len(kept) >= self.keep:  # before making the new one: two do not always fit into memory
                kept.popitem(last=False)
            kept[key] = make()
        kept.move_to_end(key)
        found: T = kept[key]
        return found
