"""What features say of titles, kept in memory."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


class MemoryTitles:
    """``Titles`` of the impression codec in a dict."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, int], bytes] = {}

    def put(self, model_version: str, anime_ids: Sequence[int], columns: NDArray[np.float32]) -> bool:
        """Keep all rows, or none."""
        new = {(model_version, one): row.tobytes() for one, row in zip(anime_ids, columns, strict=True)}
        if any(self.rows.get(key, row) != row for key, row in new.items()):
            return False
        self.rows |= new
        return True

    def get(self, model_version: str, anime_ids: Sequence[int]) -> NDArray[np.float32]:
        """Return the rows (n, s)."""
        rows = [np.frombuffer(self.rows[model_version, anime_id], np.float32) for anime_id in anime_ids]
        return np.stack(rows)
