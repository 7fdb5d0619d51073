from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from gars.adapters.embedded.event_log import SqliteEventLog
from gars.adapters.embedded.state_store import SqliteStateStore
from gars.application.events.backfill import backfill, is_backfilled
from gars.application.events.forget_user import ForgetUser, Forgotten
from gars.domain import user_state
from gars.domain.user_state import UNTIMED_MS, Opinion, Register, Row, Stamp
from gars.testing.clock import FakeClock
from gars.testing.contracts.state_store import state_after
from gars.testing.events import clicks
from gars.testing.memory import MemoryStateStore, MemoryTombstones
from gars_test_support.crash import Crash

USERS = [(str(number), [Row(1, 8), Row(number + 10)]) for number in range(1200)]


def test_rows_become_registers() -> None:
    state = user_state.initial(
        "7", [Row(1, 8), Row(2), Row(3, None, "dropped", 5_000), Row(4, 6, "watching"), Row(1, 9)]
    )
    assert state.opinions == {
        2: Opinion(status=Register("completed", Stamp(UNTIMED_MS + 1, 0))),
        3: Opinion(status=Register("dropped", Stamp(5_000, 0))),
        4: Opinion(rating=Register(6, Stamp(UNTIMED_MS + 3, 0)), status=Register("watching", Stamp(UNTIMED_MS + 3, 0))),
        1: Opinion(rating=Register(9, Stamp(UNTIMED_MS + 4, 0))),
    }
    assert (state.rating_count, state.rating_sum, state.rating_sum_of_squares) == (2, 15, 117)
    assert state.version == 0


def test_every_user_once() -> None:
    states = MemoryStateStore()
    assert not is_backfilled(states, "x")
    assert backfill(USERS, states, content_hash="x") == 1200
    assert is_backfilled(states, "x")
    assert backfill(USERS, states, content_hash="x") == 0
    assert states.get("5") == user_state.initial(*USERS[5])


def test_another_data_set_replaces_only_who_did_nothing() -> None:
    states = MemoryStateStore()
    backfill(USERS[:3], states, content_hash="x")
    states.put([state_after(2, "1")])
    assert backfill([(name, [Row(99)]) for name, _ in USERS[:3]], states, content_hash="y") == 2
    assert states.get("0") == user_state.initial("0", [Row(99)])
    assert states.get("1") == state_after(2, "1")


def test_a_crash_in_the_middle_is_mended_by_the_next_start(tmp_path: Path) -> None:
    def crashing() -> Iterator[tuple[str, list[Row]]]:
        yield from USERS[:700]
        raise Crash("power")

    with closing(SqliteStateStore(tmp_path / "s.sqlite")) as states, pytest.raises(Crash):
        backfill(crashing(), states, content_hash="x")
    with closing(SqliteStateStore(tmp_path / "s.sqlite")) as states:
        assert not is_backfilled(states, "x")
        assert backfill(USERS, states, content_hash="x") == 1200
        assert states.get("1199") == user_state.initial(*USERS[1199])


def test_forgetting_leaves_no_bytes(tmp_path: Path) -> None:
    secret = "a-very-particular-person"
    path = tmp_path / "gars.sqlite"
    with closing(SqliteEventLog(path)) as log, closing(SqliteStateStore(path)) as states:
        log.append([*clicks(300, user_id=secret), *clicks(5, user_id="other")])
        states.put([state_after(300, secret), state_after(5, "other")])
        assert any(secret.encode() in file.read_bytes() for file in tmp_path.iterdir())
        forget = ForgetUser(
            log=log,
            history=log,
            states=states,
            tombstones=MemoryTombstones(),
            forget_impressions=lambda _: 0,
            clock=FakeClock(),
        )
        assert forget(secret) == Forgotten(events=300, state=True)
        assert forget(secret) == Forgotten(events=0, state=False)
        assert [file for file in tmp_path.iterdir() if secret.encode() in file.read_bytes()] == []
        assert states.get("other") == state_after(5, "other")
        assert len(list(log.read())) == 5
