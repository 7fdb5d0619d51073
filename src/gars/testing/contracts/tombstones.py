"""Contract of ``Tombstones``."""

from __future__ import annotations

from abc import ABC, abstractmethod

from gars.application.ports import Tombstone, Tombstones


class TombstonesContract(ABC):
    """Checks of ``Tombstones``."""

    @abstractmethod
    def open(self) -> Tombstones:
        """Open the store of this check: empty at first, later with its stored content, as after a restart."""

    def test_is_empty_at_first(self) -> None:
        """An empty store has no tombstone, offset 0 and nothing unsettled."""
        stones = self.open()
        assert stones.find("7") is None
        assert (stones.newest_offset(), stones.is_unsettled()) == (0, False)

    def test_finds_whom_it_was_put_for(self) -> None:
        """Finds the tombstone of exactly this user, unsettled even if it was put as settled."""
        stones = self.open()
        stones.put("7", Tombstone(offset=5, time_ms=1000, settled=True))
        assert stones.find("7") == Tombstone(offset=5, time_ms=1000)
        assert stones.find("70") is None
        assert stones.is_unsettled()

    def test_settled_until_forgotten_again(self) -> None:
        """Settling one user leaves the others unsettled."""
        stones = self.open()
        stones.put("7", Tombstone(offset=5, time_ms=1000))
        stones.put("8", Tombstone(offset=6, time_ms=1001))
        stones.settle("7")
        stones.settle("unknown")
        assert stones.find("7") == Tombstone(offset=5, time_ms=1000, settled=True)
        assert stones.is_unsettled()
        stones.settle("8")
        assert not stones.is_unsettled()
        stones.put("7", Tombstone(offset=9, time_ms=2000))
        assert stones.find("7") == Tombstone(offset=9, time_ms=2000)

    def test_settle_all(self) -> None:
        """No unsettled tombstone is left."""
        stones = self.open()
        stones.put("7", Tombstone(offset=5, time_ms=1000))
        stones.put("8", Tombstone(offset=6, time_ms=1001))
        stones.settle_all()
        assert not stones.is_unsettled()
        assert stones.find("8") == Tombstone(offset=6, time_ms=1001, settled=True)

    def test_never_moves_back(self) -> None:
        """Neither offset nor time decreases."""
        stones = self.open()
        stones.put("7", Tombstone(offset=5, time_ms=1000))
        stones.put("7", Tombstone(offset=3, time_ms=900))
        assert stones.find("7") == Tombstone(offset=5, time_ms=1000)

    def test_newest_offset(self) -> None:
        """The largest offset of all users, settled or not."""
        stones = self.open()
        stones.put("7", Tombstone(offset=9, time_ms=1))
        stones.put("8", Tombstone(offset=4, time_ms=2))
        stones.settle("7")
        assert stones.newest_offset() == 9

    def test_survives_a_restart(self) -> None:
        """Tombstones are still there after the store is opened again without a close."""
        self.open().put("7", Tombstone(offset=5, time_ms=1000))
        assert self.open().find("7") == Tombstone(offset=5, time_ms=1000)
