"""Every reader sees the fold of the whole log, in any order of steps, events, deletions and crashes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gars.adapters.embedded.change_feed import MemoryChangeFeed
from gars.adapters.embedded.event_log import SqliteEventLog
from gars.adapters.embedded.state_store import SqliteStateStore
from gars.adapters.embedded.write_behind import WriteBehind
from gars.application.events import rebuild
from gars.application.events.forget_user import ForgetUser, is_due, keep_forgotten, pass_tombstones
from gars.application.events.ingest import Ingest
from gars.application.events.rebuild import RebuildingStates
from gars.application.events.recover import applied_offset, recover
from gars.application.ports import REBUILT_USER
from gars.domain import user_state
from gars.domain.errors import StorageError
from gars.domain.interaction import Interaction
from gars.domain.user_state import Row, UserState
from gars.testing.clock import FakeClock
from gars.testing.contracts.state_store import StateStoreContract
from gars.testing.events import clicks, event_lists, interactions
from gars.testing.memory import MemoryEventLog, MemoryStateStore, MemoryTombstones
from gars_test_support.crash import Crash, CrashPoint
from gars_test_support.patience import until

ANIME = {1, 5, 1535, 5114, 100}
USERS = ("a", "b", "c")


class TestRebuildingStates(StateStoreContract):
    """It keeps the contract of what it wraps, before and after the end of a rebuild."""

    opened: RebuildingStates | None = None
    store: MemoryStateStore | None = None

    def open(self) -> RebuildingStates:
        while self.opened is not None and self.opened.step():
            pass
        self.store = self.store or MemoryStateStore()
        self.opened = RebuildingStates(MemoryEventLog(), self.store)
        return self.opened


class _WrittenLater(MemoryStateStore):
    """A store whose newest writes a crash loses, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.durable: list[tuple[dict[str, UserState], dict[str, str], set[str]]] = [({}, {}, set())]
        self.fails = False

    def put(self, states: Sequence[UserState], *, checkpoints: Mapping[str, str] | None = None) -> None:
        if self.fails:
            raise StorageError("the disk is full")
        super().put(states, checkpoints=checkpoints)
        self.durable.append((dict(self.states), dict(self.checkpoints), set(self.forgotten)))

    def put_initial(self, states: Sequence[UserState]) -> int:
        kept = super().put_initial(states)
        self.flush()
        return kept

    def forget(self, user_id: str) -> bool:
        self.flush()  # as WriteBehind does
        is_known = super().forget(user_id)
        self.durable[-1][0].pop(user_id, None)
        self.durable[-1][2].add(user_id)
        return is_known

    def flush(self) -> None:
        self.durable = [(dict(self.states), dict(self.checkpoints), set(self.forgotten))]

    def lose(self, writes: int) -> None:
        """Go back by some writes, to what was there after the last flush at most."""
        self.durable = self.durable[: max(1, len(self.durable) - writes)]
        states, checkpoints, forgotten = self.durable[-1]
        self.states, self.checkpoints, self.forgotten = dict(states), dict(checkpoints), set(forgotten)


class AnyOrder(RuleBasedStateMachine):
    """Events, reads, deletions, steps, failures of the disk and crashes, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.log, self.store, self.stones = MemoryEventLog(), _WrittenLater(), MemoryTombstones()
        self.first = user_state.initial("b", [Row(1, 8), Row(100, 3, "dropped")])
        self.base: dict[str, UserState] = {}

    @initialize(before=event_lists(), lost=event_lists(), has_history=st.booleans(), was_lost=st.booleans())
    def begin(self, before: list[Interaction], lost: list[Interaction], has_history: bool, was_lost: bool) -> None:
        """The store holds the first events, or is empty; the log has more."""
        if has_history:
            self.store.put_initial([self.first])
            self.base = {"b": self.first}
        self.log.append(before)
        if not was_lost:
            recover(self.log, self.store)
        self.log.append([one for one in lost if one.event_id not in {held.event_id for held in before}])
        self.store.flush()
        self.start()

    def start(self) -> None:
        if is_due(self.log, self.store, self.stones):
            keep_forgotten(self.log, self.store, self.stones)
        self.states = RebuildingStates(self.log, self.store)
        pass_tombstones(self.log, self.states, self.stones)
        clock = FakeClock()
        self.ingest = Ingest(log=self.log, states=self.states, feed=MemoryChangeFeed(), clock=clock, known_anime=ANIME)
        self.forget_user = self.new_deletion(lambda _: None)

    def new_deletion(self, after_step: Callable[[int], None]) -> ForgetUser:
        return ForgetUser(
            log=self.log,
            history=self.log,
            states=self.states,
            tombstones=self.stones,
            forget_impressions=lambda _: 0,
            clock=FakeClock(),
            after_step=after_step,
        )

    @rule(events=st.lists(interactions(), max_size=4, unique_by=lambda one: one.event_id))
    def accept(self, events: list[Interaction]) -> None:
        self.ingest(events)

    @rule(events=st.lists(interactions(), min_size=1, max_size=4, unique_by=lambda one: one.event_id))
    def accept_on_a_full_disk(self, events: list[Interaction]) -> None:
        self.store.fails = True
        with pytest.raises(StorageError):
            self.ingest(events)
        if self.states.problem is not None:
            with pytest.raises(StorageError):
                self.states.step()
        self.store.fails = False
        self.ingest(events)  # the caller sends them again

    @rule(user_id=st.sampled_from(USERS))
    def delete(self, user_id: str) -> None:
        self.forget_user(user_id)
        self.base.pop(user_id, None)
        assert self.states.get(user_id) is None

    @rule(user_id=st.sampled_from(USERS), step=st.integers(1, 4), writes=st.integers(0, 5))
    def crash_in_a_deletion(self, user_id: str, step: int, writes: int) -> None:
        with pytest.raises(Crash):
            self.new_deletion(CrashPoint(step))(user_id)
        self.base.pop(user_id, None)
        self.crash(writes)
        assert self.states.get(user_id) is None

    @rule()
    def step(self) -> None:
        self.states.step()

    @rule(writes=st.integers(0, 5))
    def crash(self, writes: int) -> None:
        self.store.lose(writes)
        self.start()

    @precondition(lambda self: hasattr(self, "states"))
    @invariant()
    def readers_see_every_event(self) -> None:
        expected = {}
        for user_id in USERS:
            base = self.base.get(user_id)
            state = user_state.fold(base or UserState(user_id=user_id), (one for _, one in self.log.read_user(user_id)))
            expected[user_id] = state if base is not None or state.version else None
        assert {user_id: self.states.get(user_id) for user_id in USERS} == expected
        assert self.states.get_many(USERS) == {name: state for name, state in expected.items() if state}
        assert self.states.user_ids(limit=9) == [name for name, state in expected.items() if state]
        assert applied_offset(self.states) >= max((offset for offset, _ in self.log.read()), default=0)

    def teardown(self) -> None:
        if hasattr(self, "states"):
            while self.states.step():
                pass
            self.readers_see_every_event()
            assert self.store.checkpoint(REBUILT_USER) == ""
            assert recover(self.log, self.store) == 0
            assert self.states.problem is None


@pytest.fixture(autouse=True)
def _a_user_a_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rebuild, "_STEP", 1)
    # a state that does not know its last events counts each one again that is folded twice
    monkeypatch.setattr(user_state, "MAX_RECENT_EVENT_IDS", 0)


TestAnyOrder = AnyOrder.TestCase


def test_a_reader_during_the_write_of_a_step_sees_every_event_once() -> None:
    log = MemoryEventLog()
    log.append(clicks(3, user_id="a"))
    log.append(clicks(3, user_id="b"))
    seen: list[int] = []

    class ReadWhileWritten(MemoryStateStore):
        def put(self, states: Sequence[UserState], *, checkpoints: Mapping[str, str] | None = None) -> None:
            super().put(states, checkpoints=checkpoints)
            readers.append(threading.Thread(target=lambda: seen.extend(versions())))
            readers[-1].start()
            readers[-1].join(0.1)  # it waits for the end of the step where it must

    readers: list[threading.Thread] = []
    rebuilding = RebuildingStates(log, ReadWhileWritten())

    def versions() -> list[int]:
        return [state.version for name in "ab" if (state := rebuilding.get(name))]

    while rebuilding.step():
        pass
    for reader in readers:
        reader.join()
    assert seen == [3, 3] * len(readers)
    assert len(readers) == 3


def test_events_of_a_deleted_user_are_not_folded_before_the_log_has_let_them_go() -> None:
    log, store = MemoryEventLog(), MemoryStateStore()
    for name in "ab":
        log.append(clicks(3, user_id=name))
    states = RebuildingStates(log, store)
    assert states.forget("b")
    assert states.get("b") is None
    assert states.user_ids(limit=9) == ["a"]
    log.append(clicks(1, user_id="c"))
    assert states.user_ids(limit=1, after="a") == ["c"], "a page is full although a deleted user is before it"
    while states.step():
        pass
    assert store.user_ids(limit=9) == ["a"]


def test_a_state_at_hand_holds_every_event() -> None:
    """A list from the cache is checked against it: one that is behind would keep an old list."""
    log, store = MemoryEventLog(), MemoryStateStore()
    log.append(clicks(2, user_id="a"))
    recover(log, store)
    log.append(clicks(3, user_id="a")[2:])
    states = RebuildingStates(log, store, at_hand=store.get)
    assert states.at_hand("a") is None
    ingest = Ingest(log=log, states=states, feed=MemoryChangeFeed(), clock=FakeClock(), known_anime=ANIME)
    ingest(clicks(4, user_id="a")[3:])
    for _ in range(2):
        held = states.at_hand("a")
        assert held is not None
        assert held.version == 4
        states.step()


def test_a_writer_folds_users_when_many_wait_in_memory() -> None:
    log, store = MemoryEventLog(), MemoryStateStore()
    for name in "abcd":
        log.append(clicks(3, user_id=name))
    states = RebuildingStates(log, store, most_ahead=2)
    ingest = Ingest(log=log, states=states, feed=MemoryChangeFeed(), clock=FakeClock(), known_anime=ANIME)
    for name in "dcba":
        ingest(clicks(4, user_id=name)[3:])
    assert sorted(store.states) == ["a", "b", "c", "d"][: len(store.states)]
    assert store.states
    assert {name: state.version for name in "abcd" if (state := states.get(name))} == dict.fromkeys("abcd", 4)


def test_a_rebuild_waits_for_the_disk_and_names_why() -> None:
    log, store = MemoryEventLog(), _WrittenLater()
    log.append(clicks(3, user_id="a"))
    states = RebuildingStates(log, store)
    store.fails = True
    states.start()
    until(lambda: "the disk is full" in (states.problem or ""))
    assert states.get("a") == user_state.fold(UserState(user_id="a"), clicks(3, user_id="a"))
    store.fails = False
    until(lambda: states.problem is None)
    states.close()
    assert store.user_ids(limit=9) == ["a"]


def test_the_id_of_a_deleted_user_does_not_stay_in_the_checkpoint() -> None:
    log, store = MemoryEventLog(), MemoryStateStore()
    for name in "abc":
        log.append(clicks(3, user_id=name))
    states = RebuildingStates(log, store)
    states.step()
    assert store.checkpoint(REBUILT_USER) == "a"
    assert states.forget("a")
    assert store.checkpoint(REBUILT_USER) == "b"
    assert states.get("a") is None


def test_no_byte_of_a_deleted_user_stays_in_the_files(tmp_path: Path) -> None:
    """On the real stores: the checkpoint of the last write may hold the id of a user who is deleted."""
    names = [f"a-very-particular-person-{number}" for number in range(3)]
    with (
        closing(SqliteEventLog(tmp_path / "log.sqlite")) as log,
        closing(WriteBehind(SqliteStateStore(tmp_path / "states.sqlite"), most_waiting=100)) as store,
    ):
        for name in names:
            log.append(clicks(3, user_id=name))
        states = RebuildingStates(log, store, at_hand=store.at_hand)
        states.step()
        store.flush()
        assert store.checkpoint(REBUILT_USER) == names[0]
        assert states.at_hand(names[0]) == states.get(names[0])
        assert states.at_hand(names[1]) is None
        states.forget(names[0])
        log.forget(names[0])
        files = b"".join(path.read_bytes() for path in tmp_path.iterdir())
        assert names[0].encode() not in files
        assert names[2].encode() in files
        while states.step():
            pass
        assert store.user_ids(limit=9) == names[1:]


def test_a_user_whose_events_cannot_be_read_can_be_deleted() -> None:
    class Damaged(MemoryEventLog):
        def read_user(self, user_id: str) -> Iterator[tuple[int, Interaction]]:
            raise StorageError(f"the events of {user_id} cannot be read")

    states = RebuildingStates(Damaged(), MemoryStateStore())
    assert states.forget("a")
    assert states.get("a") is None
