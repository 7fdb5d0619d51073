"""States as last read, and impressions on their way, on doubles."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from gars.application.events.last_known import LastKnownStates
from gars.application.impressions.relayed_impressions import RelayedImpressions
from gars.domain.errors import StorageError
from gars.domain.user_state import UserState
from gars.testing.contracts.impression_log import impression
from gars.testing.contracts.state_store import StateStoreContract, state_after
from gars.testing.events import START
from gars.testing.memory import MemoryImpressionLog, MemoryStateStore


class TestLastKnownStates(StateStoreContract):
    """It keeps the contract of what it wraps."""

    store: MemoryStateStore | None = None

    def open(self) -> LastKnownStates:
        self.store = self.store or MemoryStateStore()
        return LastKnownStates(self.store, 10)


class _MayBeAway(MemoryStateStore):
    away = False

    def get(self, user_id: str) -> UserState | None:
        if self.away:
            raise StorageError("away")
        return super().get(user_id)

    def get_many(self, user_ids: Sequence[str]) -> dict[str, UserState]:
        if self.away:
            raise StorageError("away")
        return super().get_many(user_ids)

    def user_ids(self, *, limit: int, after: str = "") -> list[str]:
        if self.away:
            raise StorageError("away")
        return super().user_ids(limit=limit, after=after)


@pytest.fixture
def store() -> _MayBeAway:
    store = _MayBeAway()
    store.put([state_after(1, "a"), state_after(2, "b"), state_after(3, "c")])
    return store


def test_while_the_store_is_away_states_are_as_last_read(store: _MayBeAway) -> None:
    states = LastKnownStates(store, 2)
    for user_id in ("a", "b", "c"):
        states.get(user_id)
    assert states.problem is None
    store.away = True
    assert states.get("c") == state_after(3, "c")
    assert states.get("a") is None  # two are remembered, those asked for last
    assert states.get_many(["a", "b"]) == {"b": state_after(2, "b")}
    assert states.user_ids(limit=5) == ["b", "c"]
    assert str(states.problem) == "away"
    store.away = False
    assert states.get("a") == state_after(1, "a")
    assert states.problem is None


def test_a_forgotten_user_is_not_remembered(store: _MayBeAway) -> None:
    states = LastKnownStates(store, 10)
    states.get("a")
    states.forget("a")
    states.get("b")
    store.forget("b")  # by another process
    states.get("b")
    store.away = True
    assert (states.get("a"), states.get("b")) == (None, None)


def test_impressions_are_read_where_they_arrive() -> None:
    sink, log = MemoryImpressionLog(), MemoryImpressionLog()
    relayed = RelayedImpressions(sink, log)
    relayed.append([impression("a")])
    assert list(relayed.read()) == []
    log.append(sink.impressions)
    assert [one.request_id for one in relayed.read(user_id="7")] == ["a"]
    assert relayed.users() == ["7"]
    assert relayed.expire(before=START) == 0
    assert relayed.forget("7") == 1
