"""Contract of ``EventHistory``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from gars.application.ports import EventHistory
from gars.domain.interaction import Interaction
from gars.testing.events import clicks, event


class EventHistoryContract(ABC):
    """Checks of an ``EventHistory``."""

    @abstractmethod
    def open(self) -> EventHistory:
        """Open the history of this check: empty at first, at each later call with its stored content."""

    @abstractmethod
    def add(self, history: Any, events: Sequence[Interaction]) -> list[int]:
        """Add events in this order through the adapter's own input. → the offset of each"""

    def test_reads_one_user(self) -> None:
        """All events of one user with their offsets, in the order accepted."""
        history = self.open()
        offsets = self.add(history, [*clicks(2, user_id="a"), *clicks(3, user_id="b")])
        assert list(history.read_user("b")) == list(zip(offsets[2:], clicks(3, user_id="b"), strict=True))
        assert list(history.read_user("c")) == []

    def test_holds_the_same_id_of_two_users(self) -> None:
        """Users may share an event id; deleting one user's event keeps the other's."""
        history = self.open()
        own = {user: event(user, event_id="same") for user in ("a", "b")}
        self.add(history, list(own.values()))
        assert {user: [one for _, one in history.read_user(user)] for user in own} == {
            user: [one] for user, one in own.items()
        }
        history.forget("a")
        assert [one for _, one in history.read_user("b")] == [own["b"]]

    def test_order_is_that_of_acceptance(self) -> None:
        """The order of acceptance holds, not that of event times."""
        history = self.open()
        late_first = clicks(3, user_id="a")[::-1]
        self.add(history, late_first)
        assert [one for _, one in history.read_user("a")] == late_first

    def test_reads_long_histories_whole(self) -> None:
        """A history longer than any page of the adapter is read completely."""
        history = self.open()
        self.add(history, clicks(2500, user_id="a"))
        assert len({one.event_id for _, one in history.read_user("a")}) == 2500

    def test_lists_users(self) -> None:
        """Each user is listed once."""
        history = self.open()
        assert list(history.users()) == []
        self.add(history, [*clicks(2, user_id="b"), *clicks(3, user_id="a")])
        assert sorted(history.users()) == ["a", "b"]

    def test_lists_many_users(self) -> None:
        """More users than any page of the adapter are listed completely."""
        history = self.open()
        names = {f"user-{number}" for number in range(1200)}
        self.add(history, [clicks(1, user_id=name)[0] for name in sorted(names)])
        listed = list(history.users())
        assert len(listed) == len(set(listed))
        assert set(listed) == names

    def test_survives_a_restart(self) -> None:
        """Added events are still there after the history is opened again without a close."""
        self.add(self.open(), clicks(3, user_id="a"))
        assert [one for _, one in self.open().read_user("a")] == clicks(3, user_id="a")

    def test_forget_deletes_one_user(self) -> None:
        """Deletes all events of one user and no others; returns their number."""
        history = self.open()
        self.add(history, [*clicks(2, user_id="a"), *clicks(3, user_id="b")])
        assert history.forget("b") == 3
        assert history.forget("b") == 0
        assert list(history.read_user("b")) == []
        assert list(history.users()) == ["a"]
        assert [one for _, one in history.read_user("a")] == clicks(2, user_id="a")

    def test_forget_up_to_an_offset(self) -> None:
        """Events after the offset stay."""
        history = self.open()
        offsets = self.add(history, [*clicks(3, user_id="a"), *clicks(3, user_id="b")])
        assert history.forget("a", up_to=offsets[1]) == 2
        assert [offset for offset, _ in history.read_user("a")] == [offsets[2]]
        assert [offset for offset, _ in history.read_user("b")] == offsets[3:]
