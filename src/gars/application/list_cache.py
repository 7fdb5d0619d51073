"""Lists that need not be made again: nothing they were made from has changed.

A list depends on the user's state, the model, and what was asked for. All three are in the key, so nothing expires and
nothing has to be invalidated: a click changes the state, and the next list is made anew.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import NamedTuple

from gars.application.engine import Recommendation
from gars.domain.candidates import Filters
from gars.domain.user_state import UserState

LISTS_PER_USER = 8
"""Pages and filters kept of one user; the oldest goes first."""


class MadeFrom(NamedTuple):
    """What a user's lists were made from. The event tells a state apart from one of a user who was forgotten."""

    version: int
    latest_event: str | None
    known: bool
    model_version: str


def made_from(state: UserState | None, model_version: str) -> MadeFrom:
    """The mark of a state (``None``: never heard of) and a model."""
    if state is None:
        return MadeFrom(0, None, False, model_version)
    latest = state.recent_event_ids[0] if state.recent_event_ids else None
    return MadeFrom(state.version, latest, True, model_version)


class Asked(NamedTuple):
    """What of the user's list was asked for."""

    k: int
    offset: int
    filters: Filters


class Kept(NamedTuple):
    """A list, and whether nothing was known of the user it is for."""

    cold: bool
    items: list[Recommendation]


class ListCache:
    """The latest lists of the users who asked last. Safe to use from many threads."""

    def __init__(self, most_users: int) -> None:
        """Keep lists of at most so many users; 0 keeps none."""
        self._most_users = most_users
        self._users: OrderedDict[str, tuple[MadeFrom, OrderedDict[Asked, Kept]]] = OrderedDict()
        self._lock = threading.Lock()
        self._forgotten = 0
        self.hits = 0
        """Lists that were there."""
        self.misses = 0
        """Lists that were not, and had to be made."""

    def __len__(self) -> int:
        """Users with lists."""
        return len(self._users)

    @property
    def moment(self) -> int:
        """Take it before a list is made and give it to ``put``."""
        return self._forgotten

    def get(self, user_id: str, made: MadeFrom, asked: Asked) -> Kept | None:
        """The list, if it was made from just this."""
        with self._lock:
            kept = self._users.get(user_id)
            found = None
            if kept is not None and kept[0] == made:
                self._users.move_to_end(user_id)
                found = kept[1].get(asked)
            if found is None:
                self.misses += 1
            else:
                self.hits += 1
            return found

    def put(self, user_id: str, made: MadeFrom, asked: Asked, kept: Kept, *, moment: int) -> None:
        """Keep a list in place of those made from anything else.

        One that began before somebody was forgotten is not kept: it may be theirs.
        """
        with self._lock:
            if moment != self._forgotten or not self._most_users:
                return
            before = self._users.get(user_id)
            lists = before[1] if before is not None and before[0] == made else OrderedDict()
            lists[asked] = kept
            lists.move_to_end(asked)
            while len(lists) > LISTS_PER_USER:
                lists.popitem(last=False)
            self._users[user_id] = made, lists
            self._users.move_to_end(user_id)
            while len(self._users) > self._most_users:
                self._users.popitem(last=False)

    def forget(self, user_id: str) -> None:
        """Keep nothing of a user, also not what is being made for them right now."""
        with self._lock:
            self._forgotten += 1
            self._users.pop(user_id, None)
