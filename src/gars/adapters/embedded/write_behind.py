"""User states kept in memory at once and on disk a moment later: a state changed ten times is written once.

The event log is durable before a state changes, so what a dying process had not written yet is replayed from the log,
from the checkpoint that was written with the states (``application.events.recover``). Nothing is lost, only done again.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence

from gars.adapters.embedded.state_store import SqliteStateStore
from gars.domain.errors import StorageError
from gars.domain.user_state import UserState

logger = logging.getLogger(__name__)

WAIT_S = 1.0
"""Longest time (s) before a changed state is written to disk."""


class WriteBehind:
    """A ``StateStore`` over SQLite that writes batches of states from its own thread.

    At most ``most_waiting`` states are queued; ``put`` writes them first if there are more. As many as the store keeps
    in memory is a good number: with fewer, a state of a busy service is written more often than once in ``wait_s``.
    """

    def __init__(self, store: SqliteStateStore, *, wait_s: float = WAIT_S, most_waiting: int) -> None:
        self._store = store
        self._wait_s = wait_s
        self._most_waiting = most_waiting
        self._lock = threading.Lock()
        self._turn = threading.Lock()
        """Held while the store is written: the states being written are in ``_leaving``."""
        self._waiting: dict[str, UserState] = {}
        self._leaving: dict[str, UserState] = {}
        self._checkpoints: dict[str, str] = {}
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="gars-states", daemon=True)
        self._thread.start()

    def at_hand(self, user_id: str) -> UserState | None:
        """Return the state if it is in memory; never older than the file."""
        state = self._waiting.get(user_id)
        if state is None:
            state = self._leaving.get(user_id)
        return self._store.at_hand(user_id) if state is None else state

    def get(self, user_id: str) -> UserState | None:
        """Return a state from memory, else from the file."""
        # in this order: a state goes from waiting to leaving to the store, and is never in none of them
        state = self._waiting.get(user_id)
        if state is None:
            state = self._leaving.get(user_id)
        return self._store.get(user_id) if state is None else state

    def get_many(self, user_ids: Sequence[str]) -> dict[str, UserState]:
        """Return states one by one: reads are local."""
        found = ((user_id, self.get(user_id)) for user_id in user_ids)
        return {user_id: state for user_id, state in found if state is not None}

    def put(self, states: Sequence[UserState], *, checkpoints: Mapping[str, str] | None = None) -> None:
        """Store states in memory; they are on disk within ``wait_s``, states and checkpoints in one transaction."""
        waiting = self._waiting
        if len(waiting) + sum(state.user_id not in waiting for state in states) > self._most_waiting:
            self.flush()
        held = {state.user_id: self.get(state.user_id) for state in states}
        with self._lock:
            for state in states:
                before = held[state.user_id]
                if before is None or state.version >= before.version:
                    self._waiting[state.user_id] = held[state.user_id] = state
            self._checkpoints.update(checkpoints or {})
        self._wake.set()

    def put_initial(self, states: Sequence[UserState]) -> int:
        """Write initial states at once, after the queued ones: a user with live events keeps their state."""
        self.flush()
        return self._store.put_initial(states)

    def checkpoint(self, name: str) -> str | None:
        """Return the last stored checkpoint of a name."""
        with self._turn, self._lock:
            waiting = self._checkpoints.get(name)
        return self._store.checkpoint(name) if waiting is None else waiting

    def user_ids(self, *, limit: int, after: str = "") -> list[str]:
        """Return a page of user ids, including queued ones."""
        self.flush()
        return self._store.user_ids(limit=limit, after=after)

    def forget(self, user_id: str) -> bool:
        """Delete a state in memory and on disk.

        The rest of the queue is written before: the checkpoint on disk may hold the user's id (a rebuild's does).
        """
        with self._turn, self._lock:
            waiting = self._waiting.pop(user_id, None)
        try:
            self.flush()
            with self._turn:
                return self._store.forget(user_id) or waiting is not None
        except BaseException:
            if waiting is not None:
                with self._lock:
                    self._waiting.setdefault(user_id, waiting)
            raise

    def flush(self) -> None:
        """Write queued states. Raises ``StorageError``; they stay queued then."""
        with self._turn:
            with self._lock:
                self._leaving, self._waiting = self._waiting, {}
                checkpoints, self._checkpoints = self._checkpoints, {}
            try:
                if self._leaving or checkpoints:
                    self._store.put(list(self._leaving.values()), checkpoints=checkpoints)
            except BaseException:
                with self._lock:
                    self._waiting = self._leaving | self._waiting
                    self._checkpoints = checkpoints | self._checkpoints
                raise
            finally:
                self._leaving = {}

    def check(self) -> None:
        """Check that states can be written."""
        self.flush()
        self._store.check()

    def close(self) -> None:
        """Write queued states and close the file; unwritten ones are replayed from the log at the next start."""
        if self._stop.is_set():
            return
        self._stop.set()
        self._wake.set()
        self._thread.join()
        try:
            self.flush()
        except StorageError as error:
            logger.warning("states will be replayed from the event log at the next start: %s", error.message)
        self._store.close()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._wake.wait()
            self._stop.wait(self._wait_s)
            self._wake.clear()
            try:
                self.flush()
            except StorageError as error:
                logger.warning("changed states wait for the disk: %s", error.message)
                self._wake.set()
