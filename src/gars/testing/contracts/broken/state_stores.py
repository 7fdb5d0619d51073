"""State stores with one fault each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from gars.domain.errors import StorageError
from gars.domain.user_state import UserState
from gars.testing.contracts.broken.types import Broken
from gars.testing.memory import MemoryStateStore


class _EmptyForUnknown(MemoryStateStore):
    def get(self, user_id: str) -> UserState | None:
        return super().get(user_id) or UserState(user_id=user_id)


class _LosesOpinions(MemoryStateStore):
    def get(self, user_id: str) -> UserState | None:
        state = super().get(user_id)
        return state and msgspec.structs.replace(state, rating_count=0)


class _EmptyAmongMany(MemoryStateStore):
    def get_many(self, user_ids: Sequence[str]) -> dict[str, UserState]:
        return {user_id: self.get(user_id) or UserState(user_id=user_id) for user_id in user_ids}


class _LastWriterWins(MemoryStateStore):
    def put(self, states: Sequence[UserState], *, checkpoints: Mapping[str, str] | None = None) -> None:
        self.states.update({state.user_id: state for state in states})
        self.checkpoints.update(checkpoints or {})


class _OneCheckpoint(MemoryStateStore):
    def put(self, states: Sequence[UserState], *, checkpoints: Mapping[str, str] | None = None) -> None:
        if checkpoints:
            self.checkpoints.clear()
        super().put(states, checkpoints=checkpoints)


class _LosesStatesOnRestart(MemoryStateStore):
    """Not durable: the tests open a new one each time."""


class _InitialOverwrites(MemoryStateStore):
    def put_initial(self, states: Sequence[UserState]) -> int:
        self.states.update({state.user_id: state for state in states})
        return len(states)


class _BringsBackTheForgotten(MemoryStateStore):
    def forget(self, user_id: str) -> bool:
        return self.states.pop(user_id, None) is not None


class _IdsInOrderOfArrival(MemoryStateStore):
    def user_ids(self, *, limit: int, after: str = "") -> list[str]:
        return [user_id for user_id in self.states if user_id > after][:limit]


class _OnlyACache(MemoryStateStore):
    def put(self, states: Sequence[UserState], *, checkpoints: Mapping[str, str] | None = None) -> None:
        super().put(states, checkpoints=checkpoints)
        for user_id in list(self.states)[:-1000]:
            del self.states[user_id]


class _StateCheckRaises(MemoryStateStore):
    def check(self) -> None:
        raise StorageError("always broken")


STATE_STORES: Broken = {
    "test_unknown_user_is_none": _EmptyForUnknown,
    "test_gives_back_what_was_put": _LosesOpinions,
    "test_gives_back_many": _EmptyAmongMany,
    "test_version_never_moves_back": _LastWriterWins,
    "test_checkpoint_moves_with_the_states": _OneCheckpoint,
    "test_survives_a_restart": _LosesStatesOnRestart,
    "test_initial_does_not_overwrite_live_events": _InitialOverwrites,
    "test_forget": _BringsBackTheForgotten,
    "test_user_ids_come_in_pages": _IdsInOrderOfArrival,
    "test_more_users_than_any_cache": _OnlyACache,
    "test_check_passes": _StateCheckRaises,
}
"""Check → the store it must reject."""
