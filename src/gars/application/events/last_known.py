"""Last known user states, for the time the store is unavailable: an older list is better than none."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence

from gars.application.ports import StateStore
from gars.domain.errors import StorageError
from gars.domain.user_state import UserState


class LastKnownStates:
    """A ``StateStore`` whose reads never fail: while the store is unavailable they use the last known state, if any.

    For processes that only read. Writes go to the store and fail with it.
    """

    def __init__(self, store: StateStore, most_users: int) -> None:
        """Keep the states of at most ``most_users`` users, the most recently read."""
        self._store = store
        self._most_users = most_users
        self._lock = threading.Lock()
        self._known: OrderedDict[str, UserState] = OrderedDict()
        self.problem: StorageError | None = None
        """Error of the latest read; ``None`` after a success."""

    def get(self, user_id: str) -> UserState | None:
        """Return the state from the store; while it is unavailable, the last one read."""
        try:
            state = self._store.get(user_id)
        except StorageError as error:
            self.problem = error
            with self._lock:
                return self._known.get(user_id)
        self.problem = None
        self._remember(user_id, state)
        return state

    def get_many(self, user_ids: Sequence[str]) -> dict[str, UserState]:
        """Return the states of several users, as ``get`` does."""
        try:
            states = self._store.get_many(user_ids)
        except StorageError as error:
            self.problem = error
            with self._lock:
                return {user_id: self._known[user_id] for user_id in user_ids if user_id in self._known}
        self.problem = None
        for user_id in user_ids:
            self._remember(user_id, states.get(user_id))
        return states

    def user_ids(self, *, limit: int, after: str = "") -> list[str]:
        """Return ids from the store; while it is unavailable, those in memory."""
        try:
            ids = self._store.user_ids(limit=limit, after=after)
        except StorageError as error:
            self.problem = error
            with self._lock:
                return sorted(user_id for user_id in self._known if user_id > after)[:limit]
        self.problem = None
        return ids

    def put(self, states: Sequence[UserState], *, checkpoints: Mapping[str, str] | None = None) -> None:
        """Write to the store."""
        self._store.put(states, checkpoints=checkpoints)

    def put_initial(self, states: Sequence[UserState]) -> int:
        """Write to the store."""
        return self._store.put_initial(states)

    def checkpoint(self, name: str) -> str | None:
        """Read from the store."""
        return self._store.checkpoint(name)

    def forget(self, user_id: str) -> bool:
        """Delete the state in the store and in memory."""
        with self._lock:
            self._known.pop(user_id, None)
        return self._store.forget(user_id)

    def check(self) -> None:
        """Check that the store can be written; raises ``StorageError``."""
        self._store.check()

    def close(self) -> None:
        """Close the store."""
        self._store.close()

    def _remember(self, user_id: str, state: UserState | None) -> None:
        with self._lock:
            self._known.pop(user_id, None)
            if state is not None and self._most_users:
                self._known[user_id] = state
                if len(self._known) > self._most_users:
                    self._known.popitem(last=False)
