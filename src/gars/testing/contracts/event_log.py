"""What every ``EventLog`` must do."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod

from gars.application.ports import EventLog
from gars.testing.events import clicks, event


class EventLogContract(ABC):
    """Checks of an ``EventLog``."""

    @abstractmethod
    def open(self) -> EventLog:
        """The log of this check: empty at first, and at each later call what was kept of it, as after a restart."""

    def test_append_gives_growing_offsets(self) -> None:
        """Each new event gets an offset above all before it."""
        offsets = self.open().append(clicks(5))
        assert all(offset is not None for offset in offsets), offsets
        known = [offset for offset in offsets if offset is not None]
        assert known == sorted(set(known))
        assert known[0] > 0

    def test_reads_back_what_was_appended(self) -> None:
        """Every field, in the order accepted."""
        log = self.open()
        sent = clicks(5)
        log.append(sent)
        assert [read for _, read in log.read()] == sent

    def test_event_id_counts_once(self) -> None:
        """Sent again it is marked, and not stored again; also within one batch, and with other content."""
        log = self.open()
        first, again = event(event_id="same"), event(event_id="same", anime_id=5)
        assert log.append([first])[0] is not None
        assert log.append([again, event(event_id="other"), event(event_id="other")]).count(None) == 2
        assert [read.event_id for _, read in log.read()] == ["same", "other"]
        assert next(log.read())[1] == first

    def test_read_after_an_offset(self) -> None:
        """Only what came later, with its offset."""
        log = self.open()
        offsets = log.append(clicks(5))
        middle = offsets[2] or 0
        assert [offset for offset, _ in log.read(after=middle)] == offsets[3:]
        assert list(log.read(after=log.last_offset())) == []

    def test_read_one_user(self) -> None:
        """Nothing of others."""
        log = self.open()
        log.append([*clicks(2, user_id="a"), *clicks(3, user_id="b")])
        assert {read.user_id for _, read in log.read(user_id="b")} == {"b"}
        assert len(list(log.read(user_id="b"))) == 3

    def test_reads_long_logs_whole(self) -> None:
        """Also beyond whatever page size the adapter has."""
        log = self.open()
        log.append(clicks(2500))
        assert len({read.event_id for _, read in log.read()}) == 2500

    def test_survives_a_restart(self) -> None:
        """What ``append`` returned for is there when the log is opened anew, without a close."""
        self.open().append(clicks(3))
        reopened = self.open()
        assert [read for _, read in reopened.read()] == clicks(3)
        assert reopened.append(clicks(3)) == [None, None, None]

    def test_last_offset(self) -> None:
        """Zero when empty, then the newest."""
        log = self.open()
        assert log.last_offset() == 0
        offsets = log.append(clicks(3))
        assert log.last_offset() == offsets[-1]

    def test_forget_deletes_one_user(self) -> None:
        """All of one user, none of another; offsets are not used again."""
        log = self.open()
        offsets = log.append([*clicks(2, user_id="a"), *clicks(3, user_id="b")])
        assert log.forget("b") == 3
        assert log.forget("b") == 0
        assert {read.user_id for _, read in log.read()} == {"a"}
        assert log.last_offset() == offsets[-1]
        assert (log.append(clicks(1, user_id="c"))[0] or 0) > (offsets[-1] or 0)

    def test_forget_up_to_an_offset(self) -> None:
        """What the user did later stays."""
        log = self.open()
        offsets = log.append([*clicks(3, user_id="a"), *clicks(3, user_id="b")])
        assert log.forget("a", up_to=offsets[1]) == 2
        assert [offset for offset, _ in log.read()] == offsets[2:]

    def test_skip_to(self) -> None:
        """Offsets go on above it, also in an empty log and after a restart; it never goes back."""
        log = self.open()
        log.skip_to(100)
        assert log.last_offset() == 100
        assert (log.append(clicks(1))[0] or 0) > 100
        last = log.last_offset()
        log.skip_to(50)
        assert self.open().last_offset() == last
        assert (self.open().append(clicks(1, user_id="b"))[0] or 0) > last

    def test_many_threads_may_append(self) -> None:
        """No event is lost and no offset given twice."""
        log = self.open()
        given: list[int | None] = []
        threads = [
            threading.Thread(target=lambda name=str(number): given.extend(log.append(clicks(20, user_id=name))))
            for number in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(set(given)) == 80
        assert [offset for offset, _ in log.read()] == sorted(offset for offset in given if offset is not None)

    def test_check_passes(self) -> None:
        """A log that works says so."""
        log = self.open()
        log.check()
        assert list(log.read()) == []
