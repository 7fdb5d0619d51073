"""Contract of ``StateStore``."""

from __future__ import annotations

from abc import ABC, abstractmethod

from gars.application.ports import StateStore
from gars.domain import user_state
from gars.domain.user_state import Row, UserState
from gars.testing.events import clicks


def state_after(n: int, user_id: str = "7") -> UserState:
    """Return a user's state after ``n`` clicks, which is version ``n``."""
    return user_state.fold(UserState(user_id=user_id), clicks(n, user_id=user_id))


class StateStoreContract(ABC):
    """Checks of a ``StateStore``."""

    @abstractmethod
    def open(self) -> StateStore:
        """Open the store of this check: empty at first, later with its stored content, as after a restart."""

    def test_unknown_user_is_none(self) -> None:
        """``get`` of an unknown user returns ``None``."""
        assert self.open().get("unknown") is None

    def test_gives_back_what_was_put(self) -> None:
        """Every field is read back."""
        store = self.open()
        state = user_state.initial("7", [Row(1, 8, "completed", 5), Row(5)])
        store.put([state, state_after(3, "8")])
        assert store.get("7") == state
        assert store.get("8") == state_after(3, "8")

    def test_gives_back_many(self) -> None:
        """Returns the same states as ``get``; unknown users are left out."""
        store = self.open()
        store.put([state_after(2), state_after(3, "8"), state_after(1, "9")])
        assert store.get_many(["8", "unknown", "7", "8"]) == {"7": state_after(2), "8": state_after(3, "8")}
        assert store.get_many([]) == {}

    def test_version_never_moves_back(self) -> None:
        """A state of a lower version does not replace a newer one; the same version may be written again."""
        store = self.open()
        store.put([state_after(3)])
        store.put([state_after(2)])
        held = store.get("7")
        assert held is not None
        assert held.version == 3
        store.put([state_after(4)])
        held = store.get("7")
        assert held is not None
        assert held.version == 4

    def test_checkpoint_moves_with_the_states(self) -> None:
        """Checkpoints are stored with the states; each name is independent."""
        store = self.open()
        assert store.checkpoint("x") is None
        store.put([state_after(1)], checkpoints={"x": "1", "y": "a"})
        store.put([], checkpoints={"x": "2"})
        assert (store.checkpoint("x"), store.checkpoint("y")) == ("2", "a")

    def test_survives_a_restart(self) -> None:
        """States and checkpoints are still there after the store is opened again."""
        self.open().put([state_after(2)], checkpoints={"x": "9"})
        reopened = self.open()
        assert reopened.get("7") == state_after(2)
        assert reopened.checkpoint("x") == "9"

    def test_initial_does_not_overwrite_live_events(self) -> None:
        """A state with live events is kept and not counted; without them a newer list replaces an older one."""
        store = self.open()
        store.put([state_after(1, "live")])
        assert store.put_initial([user_state.initial(name, [Row(1)]) for name in ("live", "quiet")]) == 1
        assert store.put_initial([user_state.initial("quiet", [Row(1), Row(5)])]) == 1
        assert store.get("live") == state_after(1, "live")
        assert store.get("quiet") == user_state.initial("quiet", [Row(1), Row(5)])

    def test_forget(self) -> None:
        """A deleted state is not restored by a backfill, also after a restart; a new event may start another."""
        store = self.open()
        store.put([state_after(2), state_after(1, "8")])
        assert store.forget("7") is True
        assert store.forget("7") is False
        assert store.get("7") is None
        assert self.open().put_initial([user_state.initial("7", [Row(1)])]) == 0
        assert self.open().get("7") is None
        assert store.get("8") == state_after(1, "8")
        store.put([state_after(1)])
        assert store.get("7") == state_after(1)

    def test_user_ids_come_in_pages(self) -> None:
        """Pages ascend by id as text, without duplicates."""
        store = self.open()
        store.put([state_after(1, name) for name in ("b", "10", "a", "9")])
        assert store.user_ids(limit=3) == ["10", "9", "a"]
        assert store.user_ids(limit=3, after="a") == ["b"]

    def test_more_users_than_any_cache(self) -> None:
        """States that any cache has evicted are still read."""
        store = self.open()
        for start in range(0, 3000, 500):
            store.put([user_state.initial(str(number), [Row(number)]) for number in range(start, start + 500)])
        assert store.get("0") == user_state.initial("0", [Row(0)])
        assert store.get("2999") == user_state.initial("2999", [Row(2999)])

    def test_check_passes(self) -> None:
        """``check`` does not raise for a working store, and writes nothing."""
        store = self.open()
        store.check()
        assert store.user_ids(limit=10) == []
