"""States made again out of a log, a history and a file are those a live service reached."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given

from gars.application.events import replay
from gars.application.events.replay import Rebuilt
from gars.application.ports import Logged
from gars.datasets.recorded_log import read_log, write_log
from gars.domain import trending, user_state
from gars.domain.errors import DataError
from gars.domain.interaction import Interaction
from gars.domain.user_state import Row, UserState
from gars.testing.events import clicks, event, event_lists
from gars.testing.memory import MemoryEventLog, MemoryStateStore

HISTORIES = {"a": [Row(1, 8), Row(5)], "b": [Row(1535, 3)]}


def initial(user_id: str) -> UserState | None:
    return user_state.initial(user_id, HISTORIES[user_id]) if user_id in HISTORIES else None


class Store(MemoryStateStore):
    def rebuild(self, users: Sequence[Rebuilt]) -> int:
        kept = 0
        for one in users:
            held = self.states.get(one.user_id)
            if one.state is None:
                kept += self.states.pop(one.user_id, None) is not None
            elif held is None or held.version <= one.state.version:
                self.states[one.user_id] = one.state
                kept += 1
        return kept


def _logged(events: Sequence[Interaction]) -> list[Logged]:
    return [Logged(one.user_id, number, one, number) for number, one in enumerate(events, 1)]


def _live(events: Sequence[Interaction]) -> dict[str, UserState]:
    states: dict[str, UserState] = {}
    for one in events:
        before = states.get(one.user_id) or initial(one.user_id) or UserState(user_id=one.user_id)
        states[one.user_id] = user_state.apply(before, one)
    return states


@given(event_lists())
def test_out_of_a_log_and_a_history_to_the_last_bit(events: list[Interaction]) -> None:
    twice = [*events, *events[::2]]
    live = {user_id: user_state.encode(state) for user_id, state in _live(twice).items()}
    history = MemoryEventLog()
    history.append(twice)
    for users in (replay.from_log(_logged(twice), initial), replay.from_history(history, initial)):
        store = Store()
        assert replay.write(users, store.rebuild) == (len(live), len(live))
        assert {user_id: user_state.encode(state) for user_id, state in store.states.items()} == live


@given(event_lists())
def test_trends_are_what_a_job_would_have_counted(events: list[Interaction]) -> None:
    counted: defaultdict[tuple[int, int], float] = defaultdict(float)
    states: dict[str, UserState] = {}
    for one in events:
        before = states.get(one.user_id) or initial(one.user_id) or UserState(user_id=one.user_id)
        states[one.user_id] = user_state.apply(before, one)
        for bucket, by in trending.moves(before, states[one.user_id], one.anime_id).items():
            counted[bucket, one.anime_id] += by
    trends: dict[tuple[int, int], float] = {}
    replay.write(replay.from_log(_logged(events), initial), Store().rebuild, set_trends=trends.update)
    recent = {pair: weight for pair, weight in counted.items() if weight > 0}
    assert trends == recent


def test_a_forget_ends_what_came_before() -> None:
    events = _logged([*clicks(2, user_id="a"), *clicks(2, user_id="b")])
    records = [*events, Logged("a", 9, None, 9), Logged("b", 9, None, 9), *_logged([event("b", event_id="back")])]
    rebuilt = {one.user_id: one for one in replay.from_log(records, initial)}
    assert rebuilt["a"].state is None
    assert rebuilt["b"].state == user_state.apply(UserState(user_id="b"), event("b", event_id="back"))
    store = Store()
    store.put(list(_live(clicks(2, user_id="a")).values()))
    replay.write(iter(rebuilt.values()), store.rebuild)
    assert list(store.states) == ["b"]


def test_a_newer_state_stays() -> None:
    store = Store()
    store.put(list(_live(clicks(5)).values()))
    assert replay.write(replay.from_log(_logged(clicks(3)), initial), store.rebuild) == (1, 0)
    assert store.states == _live(clicks(5))


def test_comparison_separates_behind_ahead_and_wrong() -> None:
    events = [one for user in ("same", "behind", "away", "ahead", "wrong") for one in clicks(3, user_id=user)]
    store = Store()
    live = _live(events)
    store.states = {
        "same": live["same"],
        "behind": _live(clicks(2, user_id="behind"))["behind"],
        "ahead": _live(clicks(4, user_id="ahead"))["ahead"],
        "wrong": _live(clicks(3, user_id="wrong", anime_ids=(5,)))["wrong"],
    }
    found = replay.compare(replay.from_log(_logged(events), initial), store.get)
    assert (found.users, found.equal) == (5, 1)
    assert (found.behind, found.ahead, found.different) == (("behind", "away"), ("ahead",), ("wrong",))


def test_a_log_is_recorded_and_read_back(tmp_path: Path) -> None:
    records = [*_logged(clicks(3)), Logged("7", 4, None, 4)]
    path = tmp_path / "log.jsonl"
    assert write_log(path, records) == 4
    assert list(read_log(path)) == records


@pytest.mark.parametrize("line", ["{", '{"forget": 1}', '{"user_id": "a"}', "\xff"])
def test_a_line_that_is_no_record(tmp_path: Path, line: str) -> None:
    path = tmp_path / "log.jsonl"
    write_log(path, _logged(clicks(1)))
    with path.open("a", encoding="latin-1") as file:
        file.write(line)
    with pytest.raises(DataError, match=r"log.jsonl:2: ") as caught:
        list(read_log(path))
    assert caught.value.hint == 'a line is an interaction as JSON, or {"forget": "USER"}'


def test_a_log_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none.jsonl cannot be read: No such file") as caught:
        list(read_log(tmp_path / "none.jsonl"))
    assert caught.value.hint == "give the path of a recorded log"
