"""Tombstone stores with one fault each."""

from __future__ import annotations

from gars.application.ports import Tombstone
from gars.testing.contracts.broken.types import Broken
from gars.testing.memory import MemoryTombstones


class _AlwaysUnsettled(MemoryTombstones):
    def is_unsettled(self) -> bool:
        return True


class _FindsByPrefix(MemoryTombstones):
    def find(self, user_id: str) -> Tombstone | None:
        return next((stone for name, stone in self.stones.items() if user_id.startswith(name)), None)


class _SettlesAllUsers(MemoryTombstones):
    def settle(self, user_id: str) -> None:
        for name in (user_id, *self.stones):
            super().settle(name)


class _SettlesByDeleting(MemoryTombstones):
    def settle_all(self) -> None:
        self.stones.clear()


class _LastWins(MemoryTombstones):
    def put(self, user_id: str, stone: Tombstone) -> None:
        self.stones[user_id] = stone


class _NewestUnsettled(MemoryTombstones):
    def newest_offset(self) -> int:
        return max((stone.offset for stone in self.stones.values() if not stone.settled), default=0)


class _LosesEverythingOnRestart(MemoryTombstones):
    """Not durable: the tests open a new one each time."""


TOMBSTONES: Broken = {
    "test_is_empty_at_first": _AlwaysUnsettled,
    "test_finds_whom_it_was_put_for": _FindsByPrefix,
    "test_settled_until_forgotten_again": _SettlesAllUsers,
    "test_settle_all": _SettlesByDeleting,
    "test_never_moves_back": _LastWins,
    "test_newest_offset": _NewestUnsettled,
    "test_survives_a_restart": _LosesEverythingOnRestart,
}
"""Check → the store it must reject."""
