"""Contract of ``LocalEventLog``, beyond those of ``EventLog`` and ``EventHistory``."""

from __future__ import annotations

from abc import ABC, abstractmethod

from gars.application.ports import LocalEventLog
from gars.testing.events import clicks, event


class LocalEventLogContract(ABC):
    """Checks of a ``LocalEventLog``; an adapter also passes ``EventLogContract`` and ``EventHistoryContract``."""

    @abstractmethod
    def open(self) -> LocalEventLog:
        """Open the log of this check: empty at first, later with its stored content, as after a restart."""

    def test_event_id_counts_once(self) -> None:
        """A repeated event id gets ``None`` and is not stored: in one batch, with other content, after a restart."""
        log = self.open()
        first, again = event(event_id="same"), event(event_id="same", anime_id=5)
        assert log.append([first])[0] is not None
        assert log.append([again, event(event_id="other"), event(event_id="other")]).count(None) == 2
        assert [read.event_id for _, read in log.read()] == ["same", "other"]
        assert next(log.read())[1] == first
        assert self.open().append([again]) == [None]

    def test_event_ids_are_of_a_user(self) -> None:
        """An event id is unique per user only: another user's event with the same id is stored."""
        log = self.open()
        mine, yours = event("a", event_id="same"), event("b", event_id="same")
        assert None not in log.append([mine])
        assert None not in log.append([yours])
        assert [read for _, read in self.open().read()] == [mine, yours]
        log.forget("a")
        assert log.append([yours, mine])[0] is None
        assert [read for _, read in log.read_user("a")] == [mine]

    def test_find(self) -> None:
        """Return the stored event by user and event id; other fields of the argument are ignored."""
        log = self.open()
        held = event("a", event_id="same")
        log.append([held, *clicks(3, user_id="a")])
        asked = [event("a", 5, event_id="same"), event("b", event_id="same"), event("a", event_id="other")]
        assert log.find(asked) == {("a", "same"): held}
        assert log.find([]) == {}

    def test_users_after_another(self) -> None:
        """``users`` yields ids in ascending order and begins after the given one."""
        log = self.open()
        log.append([one for name in ("b", "c", "a") for one in clicks(2, user_id=name)])
        assert list(log.users()) == ["a", "b", "c"]
        assert list(log.users(after="a")) == ["b", "c"]

    def test_reads_by_user(self) -> None:
        """Users come in ascending order, each once with all events of the range, however many there are."""
        log = self.open()
        events = [one for batch in zip(clicks(1200, user_id="b"), clicks(1200), strict=True) for one in batch]
        events += [one for number in range(700) for one in clicks(2, user_id=f"c{number:03d}")]
        offsets = [offset for offset in log.append(events) if offset is not None]
        after, up_to = offsets[2], offsets[-3]
        expected = {
            name: own
            for name in sorted({one.user_id for one in events})
            if name > "7"
            and (
                own := [
                    one for one, at in zip(events, offsets, strict=True) if one.user_id == name and after < at <= up_to
                ]
            )
        }
        found = list(log.read_by_user(after_user="7", after=after, up_to=up_to))
        assert [name for name, _ in found] == list(expected)
        assert dict(found) == expected
        assert list(log.read_by_user(after_user="c9", after=0, up_to=up_to)) == []

    def test_offsets_are_positions(self) -> None:
        """All users share one sequence of offsets, which are also the positions."""
        log = self.open()
        offsets = log.append([*clicks(2, user_id="b"), *clicks(2, user_id="a")])
        assert [position for position, _ in log.read()] == offsets
        assert [offset for offset, _ in log.read_user("a")] == offsets[2:]
        assert log.last_offset() == offsets[-1]

    def test_offsets_are_used_once(self) -> None:
        """Offsets of deleted events are not used again."""
        log = self.open()
        last = log.append([*clicks(2, user_id="a"), *clicks(3, user_id="b")])[-1]
        log.forget("b")
        assert log.last_offset() == last
        assert (log.append(clicks(1, user_id="c"))[0] or 0) > (last or 0)

    def test_skip_to(self) -> None:
        """Later offsets are larger, also in an empty log and after a restart; the counter never decreases."""
        log = self.open()
        log.skip_to(100)
        assert log.last_offset() == 100
        assert (log.append(clicks(1))[0] or 0) > 100
        last = log.last_offset()
        log.skip_to(50)
        assert self.open().last_offset() == last
        assert (self.open().append(clicks(1, user_id="b"))[0] or 0) > last
