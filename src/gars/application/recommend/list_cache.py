"""Cache of lists whose inputs have not changed.

A list depends on the user's state, the model, and the request. All three are in the key, so nothing expires and nothing
has to be invalidated: a click changes the state, and the next list is made anew.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import NamedTuple

from gars.application.recommend.engine import Recommendation
from gars.application.recommend.list_request import ListRequest
from gars.domain.candidates import Filters
from gars.domain.user_state import UserState

LISTS_PER_USER = 8
"""Pages and filters cached for one user; the least recently stored is evicted first."""


class CacheKey(NamedTuple):
    """Cache key of a user's lists. The latest event distinguishes states of a user who was forgotten and came back."""

    version: int
    latest_event: str | None
    known: bool
    model_version: str


def cache_key(state: UserState | None, model_version: str) -> CacheKey:
    """Return the key of a state (``None`` for an unknown user) and a model."""
    if state is None:
        return CacheKey(0, None, False, model_version)
    latest = state.recent_event_ids[0] if state.recent_event_ids else None
    return CacheKey(state.version, latest, True, model_version)


class CachedList(NamedTuple):
    """A cached list; ``cold`` if the user had no history."""

    cold: bool
    items: list[Recommendation]


class ListCache:
    """Cached lists of the most recent users. Thread-safe."""

    def __init__(self, most_users: int) -> None:
        """Cache lists of at most ``most_users`` users; 0 disables the cache."""
        self._most_users = most_users
        self._users: OrderedDict[str, tuple[CacheKey, OrderedDict[tuple[int, int, Filters], CachedList]]] = (
            OrderedDict()
        )
        self._lock = threading.Lock()
        self._forgotten = 0
        self.hits = 0
        """Lookups that found a list."""
        self.misses = 0
        """Lookups that found none; a list that is late is looked up again."""

    def __len__(self) -> int:
        """Number of users with cached lists."""
        return len(self._users)

    @property
    def moment(self) -> int:
        """Counter of deletions: read it before a list is made and pass it to ``put``."""
        return self._forgotten

    def get(self, user_id: str, made: CacheKey, request: ListRequest) -> CachedList | None:
        """Return the cached list of these inputs, ``None`` if there is none."""
        with self._lock:
            kept = self._users.get(user_id)
            found = None
            if kept is not None and kept[0] == made:
                self._users.move_to_end(user_id)
                found = kept[1].get(request.key)
            if found is None:
                self.misses += 1
            else:
                self.hits += 1
            return found

    def put(self, user_id: str, made: CacheKey, request: ListRequest, kept: CachedList, *, moment: int) -> None:
        """Cache a list, and evict the user's lists of other inputs.

        A list that was begun before any user was forgotten is not cached: it may be theirs.
        """
        with self._lock:
            if moment != self._forgotten or not self._most_users:
                return
            before = self._users.get(user_id)
            lists = before[1] if before is not None and before[0] == made else OrderedDict()
            lists[request.key] = kept
            lists.move_to_end(request.key)
            while len(lists) > LISTS_PER_USER:
                lists.popitem(last=False)
            self._users[user_id] = made, lists
            self._users.move_to_end(user_id)
            while len(self._users) > self._most_users:
                self._users.popitem(last=False)

    def forget(self, user_id: str) -> None:
        """Evict all lists of a user, and reject those being made now."""
        with self._lock:
            self._forgotten += 1
            self._users.pop(user_id, None)
