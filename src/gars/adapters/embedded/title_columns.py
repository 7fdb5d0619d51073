"""Title features, which do not depend on the user, stored once per model and title in the file of the impressions.

It holds no user data.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gars.adapters.embedded.database import Database
from gars.domain.impression import Impression

TITLES = (
    """
    CREATE TABLE IF NOT EXISTS models (
      model_number INTEGER PRIMARY KEY,
      version TEXT NOT NULL UNIQUE,
      last_ms INTEGER NOT NULL      -- when a list of this model was last kept
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS titles (
      model_number INTEGER NOT NULL,
      anime_id INTEGER NOT NULL,
      columns BLOB NOT NULL,        -- float32
      PRIMARY KEY (model_number, anime_id)
    ) WITHOUT ROWID
    """,
)
_PUT_MODEL = """
INSERT INTO models (version, last_ms) VALUES (?, ?)
ON CONFLICT (version) DO UPDATE SET last_ms = max(last_ms, excluded.last_ms)
"""
_PUT_TITLE = """
INSERT INTO titles SELECT model_number, ?, ? FROM models WHERE version = ?
ON CONFLICT DO UPDATE SET columns = excluded.columns WHERE columns = excluded.columns
"""


class TitleColumns:
    """``Titles`` of the impression codec; rows read or written are cached in memory, a few MB a model."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[str, dict[int, bytes]] = {}
        self._readable: dict[str, dict[int, bytes]] = {}
        """Apart, since other threads read, and what is not committed yet is not theirs."""
        self._new: list[tuple[int, bytes, str]] = []

    def put(self, model_version: str, anime_ids: Sequence[int], columns: NDArray[np.float32]) -> bool:
        """Queue rows for the next ``write``."""
        known = self._of(model_version, self._known)
        content, size = columns.tobytes(), columns.shape[1] * columns.itemsize
        rows = [content[start : start + size] for start in range(0, len(content), size)]
        if list(map(known.get, anime_ids)) == rows:  # as nearly always
            return True
        if any(known.get(anime_id, row) != row for anime_id, row in zip(anime_ids, rows, strict=True)):
            return False
        for anime_id, row in zip(anime_ids, rows, strict=True):
            if anime_id not in known:
                known[anime_id] = row
                self._new.append((anime_id, row, model_version))
        return True

    def get(self, model_version: str, anime_ids: Sequence[int]) -> NDArray[np.float32]:
        """Return the rows (n, s)."""
        known = self._of(model_version, self._readable)
        if any(anime_id not in known for anime_id in anime_ids):
            self._readable.pop(model_version, None)  # some were written since
            known = self._of(model_version, self._readable)
        return np.frombuffer(b"".join(known[anime_id] for anime_id in anime_ids), np.float32).reshape(
            len(anime_ids), -1
        )

    def write(self, connection: sqlite3.Connection, impressions: Sequence[Impression]) -> None:
        """Write queued rows, and the time at which the models of some impressions last made a list."""
        last: dict[str, int] = {}
        for one in impressions:
            last[one.model_version] = max(one.time_ms, last.get(one.model_version, one.time_ms))
        connection.executemany(_PUT_MODEL, list(last.items()))
        if self._new:
            connection.executemany(_PUT_TITLE, self._new)

    def keep_written(self) -> None:
        """Clear the queue after its rows were committed."""
        self._new = []

    def drop(self) -> None:
        """Discard the cache and the queue."""
        self._known, self._readable, self._new = {}, {}, []

    @staticmethod
    def expire(connection: sqlite3.Connection, before_ms: int) -> None:
        """Delete the titles of models that made no list since."""
        old = "SELECT model_number FROM models WHERE last_ms < ?"
        connection.execute(f"DELETE FROM titles WHERE model_number IN ({old})", (before_ms,))
        connection.execute("DELETE FROM models WHERE last_ms < ?", (before_ms,))

    def _of(self, model_version: str, kept: dict[str, dict[int, bytes]]) -> dict[int, bytes]:
        known = kept.get(model_version)
        if known is None:
            with self._database.read() as connection:
                rows = connection.execute(
                    "SELECT anime_id, columns FROM titles JOIN models USING (model_number) WHERE version = ?",
                    (model_version,),
                ).fetchall()
            known = kept[model_version] = dict(rows)
        return known
