"""Title columns of the features, stored in memory."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


class MemoryTitles:
    """``Titles`` of the impression codec in a dict."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[int, bytes]] = {}
        """Rows by model version and title."""

    def put(self, model_version: str, anime_ids: Sequence[int], columns: NDArray[np.float32]) -> bool:
        """Store all rows, or none if one differs from its stored value."""
        known = self.rows.setdefault(model_version, {})
        content, size = columns.tobytes(), columns.shape[1] * columns.itemsize
        rows = [content[start : start + size] for start in range(0, len(content), size)]
        if list(map(known.get, anime_ids)) == rows:
            return True
        new = dict(zip(anime_ids, rows, strict=True))
        if any(known.get(anime_id, row) != row for anime_id, row in new.items()):
            return False
        known |= new
        return True

    def get(self, model_version: str, anime_ids: Sequence[int]) -> NDArray[np.float32]:
        """Return the rows (n, s)."""
        rows = [np.frombuffer(self.rows[model_version][anime_id], np.float32) for anime_id in anime_ids]
        return np.stack(rows)
