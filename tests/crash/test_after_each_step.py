"""The process stops after each numbered step of ingest; the next one starts from what is on disk."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from gars.adapters.embedded.change_feed import MemoryChangeFeed
from gars.adapters.embedded.event_log import SqliteEventLog
from gars.adapters.embedded.state_store import SqliteStateStore
from gars.application.events.ingest import Ingest, Receipt
from gars.application.events.recover import applied_offset, recover
from gars.domain import user_state
from gars.domain.interaction import Interaction
from gars.domain.user_state import UserState
from gars.testing.clock import FakeClock
from gars.testing.events import clicks, event
from gars_test_support.crash import Crash, CrashPoint

ANIME = {1, 5, 1535, 5114}
EVENTS = [*clicks(4, user_id="a"), *clicks(3, user_id="b")]
EXPECTED = {
    name: user_state.fold(UserState(user_id=name), [one for one in EVENTS if one.user_id == name]) for name in "ab"
}


class Process:
    """One life of the service on a file."""

    def __init__(self, path: Path, crash: CrashPoint | None = None) -> None:
        self.log, self.states = SqliteEventLog(path), SqliteStateStore(path)
        self.replayed = recover(self.log, self.states)
        self.ingest = Ingest(
            log=self.log,
            states=self.states,
            feed=MemoryChangeFeed(),
            clock=FakeClock(),
            known_anime=ANIME,
            after_step=crash or (lambda _: None),
        )

    def close(self) -> None:
        self.log.close()
        self.states.close()

    def send_each(self, events: list[Interaction]) -> Iterator[Receipt]:
        for one in events:
            yield self.ingest([one])


@pytest.mark.parametrize("step", [1, 2, 3, 4])
@pytest.mark.parametrize("nth", [1, 3, 7])
def test_nothing_acknowledged_is_lost_and_nothing_is_doubled(tmp_path: Path, step: int, nth: int) -> None:
    path = tmp_path / "gars.sqlite"
    crash = CrashPoint(step, nth=nth)
    acknowledged: list[str] = []
    with closing(Process(path, crash)) as first, pytest.raises(Crash):
        acknowledged.extend(event_id for receipt in first.send_each(EVENTS) for event_id in receipt.accepted)
    assert len(acknowledged) == nth - 1
    assert crash.seen[-1] == step

    with closing(Process(path)) as second:
        kept = [one.event_id for _, one in second.log.read()]
        assert set(acknowledged) <= set(kept)
        assert applied_offset(second.states) == second.log.last_offset()
        assert second.replayed == (1 if step == 2 else 0)
        # the client got no response to the last one, so it sends everything again
        receipts = list(second.send_each(EVENTS))
        assert sum(receipt.duplicates for receipt in receipts) == len(kept)
        assert {name: second.states.get(name) for name in "ab"} == EXPECTED
        assert [one.event_id for _, one in second.log.read()] == [one.event_id for one in EVENTS]


@pytest.mark.parametrize("step", [2, 3])
def test_a_batch_survives_whole(tmp_path: Path, step: int) -> None:
    path = tmp_path / "gars.sqlite"
    with closing(Process(path, CrashPoint(step))) as first, pytest.raises(Crash):
        first.ingest(EVENTS)
    with closing(Process(path)) as second:
        assert {name: second.states.get(name) for name in "ab"} == EXPECTED


def test_a_crash_while_recovering_is_recovered_from(tmp_path: Path) -> None:
    path = tmp_path / "gars.sqlite"
    with closing(SqliteEventLog(path)) as log, closing(SqliteStateStore(path)) as states:
        log.append(EVENTS)

        class Dies(SqliteStateStore):
            puts = 0

            def put(self, *arguments: object, **named: object) -> None:
                self.puts += 1
                if self.puts == 3:
                    raise Crash("in the third chunk")
                super().put(*arguments, **named)  # type: ignore[arg-type]

        with closing(Dies(path)) as dying, pytest.raises(Crash):
            recover(log, dying, batch=2)
        assert applied_offset(states) == 4
        assert recover(log, states, batch=2) == len(EVENTS) - 4
    with closing(SqliteStateStore(path)) as fresh:
        assert {name: fresh.get(name) for name in "ab"} == EXPECTED


def test_lost_states_are_rebuilt_from_the_log(tmp_path: Path) -> None:
    """The state store is a view: with its file gone, the log brings everybody back."""
    with (
        closing(SqliteEventLog(tmp_path / "log.sqlite")) as log,
        closing(SqliteStateStore(tmp_path / "new.sqlite")) as new,
    ):
        log.append(EVENTS)
        assert recover(log, new) == len(EVENTS)
        assert {name: new.get(name) for name in "ab"} == EXPECTED


def test_states_ahead_of_the_log_are_refused(tmp_path: Path) -> None:
    from gars.domain.errors import StorageError

    with closing(SqliteStateStore(tmp_path / "states.sqlite")) as states:
        with closing(SqliteEventLog(tmp_path / "log.sqlite")) as log:
            log.append(EVENTS)
            recover(log, states)
        with closing(SqliteEventLog(tmp_path / "other.sqlite")) as other, pytest.raises(StorageError) as caught:
            recover(other, states)
    assert "the states hold 7 event(s) that the event log does not" in caught.value.message
    assert caught.value.hint is not None
    assert "restore the newer one" in caught.value.hint


def test_a_failed_state_write_is_made_good_by_the_next_event(tmp_path: Path) -> None:
    """Step 3 fails without a crash (a full disk): the event is in the log, its sender got an error."""
    from gars.domain.errors import StorageError

    with closing(Process(tmp_path / "gars.sqlite")) as process:
        put, failures = process.states.put, [1]

        def fail_once(*arguments: object, **named: object) -> None:
            if failures:
                failures.pop()
                raise StorageError("disk full")
            put(*arguments, **named)  # type: ignore[arg-type]

        process.states.put = fail_once  # type: ignore[method-assign]
        first, second = event("a", 1, event_id="x"), event("a", 5, event_id="y")
        with pytest.raises(StorageError):
            process.ingest([first])
        receipt = process.ingest([second, first])
        assert (receipt.accepted, receipt.duplicates, receipt.versions) == (("y",), 1, {"a": 2})
        assert process.states.get("a") == user_state.fold(UserState(user_id="a"), [first, second])
