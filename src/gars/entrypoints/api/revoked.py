"""Revoked tokens: a journal of keyed hashes in the home, reread when another process has appended to it."""

from __future__ import annotations

import logging
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from gars.datasets.json_lines import append_line, read_records
from gars.domain.errors import StorageError

logger = logging.getLogger(__name__)

FILE = "revoked-tokens.jsonl"
LOOK_S = 1.0
"""Minimum seconds between checks of the file: a token revoked by another process is refused after this time."""


class Revoked(msgspec.Struct, frozen=True):
    """A line of the journal. ``token`` is a keyed hash, from which the token cannot be recovered."""

    token: str
    time: str


class RevokedTokens:
    """The set of tokens revoked before they expire."""

    def __init__(self, home: Path) -> None:
        self._path = home / FILE
        self._lock = threading.Lock()
        self._known: frozenset[str] = frozenset()
        self._seen: tuple[int, int] | None = None
        self._look_at = 0.0

    def __contains__(self, token: object) -> bool:
        """Return true if the token with this hash was revoked, by this or another process on the same home."""
        now = time.monotonic()
        if now >= self._look_at:
            self._look_at = now + LOOK_S
            self._read_again()
        return token in self._known

    def add(self, token: str) -> None:
        """Revoke the token with this hash; durable on return. Raises ``StorageError``."""
        with self._lock:
            if token not in self._known:
                line = msgspec.json.encode(Revoked(token, datetime.now(UTC).isoformat(timespec="seconds")))
                try:
                    append_line(self._path, line)
                except OSError as error:
                    raise StorageError(
                        f"{self._path}: the token could not be revoked: {error}", hint="check the disk under GARS_HOME"
                    ) from error
        self._read_again()

    def _read_again(self) -> None:
        with self._lock:
            try:
                state = self._path.stat()
            except FileNotFoundError:
                self._known, self._seen = frozenset(), None
                return
            if (state.st_mtime_ns, state.st_size) == self._seen:
                return
            records, damaged = read_records(self._path, Revoked)
            for line in damaged:
                logger.error("%s: line %d cannot be read: %s", self._path, line.number, line.why)
            self._known = frozenset(one.token for one in records)
            self._seen = state.st_mtime_ns, state.st_size
