"""Contract of ``EventLog``."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod

from gars.application.ports import EventLog
from gars.testing.events import clicks, event


class EventLogContract(ABC):
    """Checks of an ``EventLog``."""

    @abstractmethod
    def open(self) -> EventLog:
        """Open the log of this check: empty at first, later with its stored content, as after a restart."""

    def test_append_gives_growing_offsets(self) -> None:
        """Each event of a user gets a larger offset than all before it."""
        log = self.open()
        offsets = log.append(clicks(5)) + log.append([event(event_id="later")])
        assert all(offset is not None for offset in offsets), offsets
        known = [offset for offset in offsets if offset is not None]
        assert known == sorted(set(known))
        assert known[0] > 0

    def test_reads_back_what_was_appended(self) -> None:
        """Every field is read back; a user's events come in the order accepted."""
        log = self.open()
        sent = clicks(5)
        log.append(sent)
        assert [read for _, read in log.read()] == sent

    def test_reads_every_user(self) -> None:
        """Users of every partition are read; each user's events come in order."""
        log = self.open()
        sent = {str(number): clicks(3, user_id=str(number)) for number in range(20)}
        log.append([one for own in sent.values() for one in own])
        read = [one for _, one in log.read()]
        assert {user: [one for one in read if one.user_id == user] for user in sent} == sent

    def test_reads_the_same_id_of_two_users(self) -> None:
        """An event id is unique per user only: two users may share one."""
        log = self.open()
        sent = [event(user, event_id="same") for user in ("a", "b")]
        assert None not in log.append(sent[:1])
        assert None not in log.append(sent[1:])
        assert sorted((read.user_id, read.event_id) for _, read in log.read()) == [("a", "same"), ("b", "same")]

    def test_read_after_a_position(self) -> None:
        """Reads only entries after the position, with increasing positions."""
        log = self.open()
        log.append([one for user in "abcdef" for one in clicks(3, user_id=user)])
        whole = list(log.read())
        positions = [position for position, _ in whole]
        assert positions == sorted(set(positions))
        for number, position in enumerate(positions):
            assert list(log.read(after=position)) == whole[number + 1 :]

    def test_reads_long_logs_whole(self) -> None:
        """A log longer than any page of the adapter is read completely."""
        log = self.open()
        log.append(clicks(2500))
        assert len({read.event_id for _, read in log.read()}) == 2500

    def test_survives_a_restart(self) -> None:
        """Acknowledged events are still there after the log is opened again without a close."""
        self.open().append(clicks(3))
        assert [read for _, read in self.open().read()] == clicks(3)

    def test_last_offset(self) -> None:
        """The last offset of an empty log is 0; reading after it returns only events appended later."""
        log = self.open()
        assert log.last_offset() == 0
        log.append([one for user in "abcdef" for one in clicks(3, user_id=user)])
        last = log.last_offset()
        assert list(log.read(after=last)) == []
        log.append([event("a", event_id="later")])
        assert [read.event_id for _, read in log.read(after=last)] == ["later"]
        assert log.last_offset() > last

    def test_mark_forgotten(self) -> None:
        """The mark's offset lies between the user's events and the next; the mark is not read as an event."""
        log = self.open()
        before = log.append(clicks(2))[-1]
        mark = log.mark_forgotten(clicks(1)[0].user_id)
        after = log.append([event(event_id="later")])[0]
        assert (before or 0) < mark < (after or 0)
        assert [read.event_id for _, read in log.read()][-1] == "later"

    def test_many_threads_may_append(self) -> None:
        """Concurrent appends lose no event, repeat no offset of a user, and keep each user's order."""
        log = self.open()
        given: dict[str, list[int | None]] = {}
        threads = [
            threading.Thread(target=lambda name=str(number): given.update({name: log.append(clicks(20, user_id=name))}))
            for number in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert {name: len(set(offsets) - {None}) for name, offsets in given.items()} == dict.fromkeys("0123", 20)
        read = [one for _, one in log.read()]
        for name in given:
            assert [one for one in read if one.user_id == name] == clicks(20, user_id=name)

    def test_check_passes(self) -> None:
        """``check`` does not raise for a working log, and appends nothing."""
        log = self.open()
        log.check()
        assert list(log.read()) == []
