"""The same log, with duplicates and disorder, ends in the same states, on disk as in memory."""

from __future__ import annotations

import random
from contextlib import closing
from pathlib import Path

import pytest

from gars.adapters.embedded.change_feed import MemoryChangeFeed
from gars.adapters.embedded.event_log import SqliteEventLog
from gars.adapters.embedded.state_store import SqliteStateStore
from gars.application.events.backfill import backfill
from gars.application.events.ingest import Ingest
from gars.application.events.recover import recover
from gars.domain import user_state
from gars.domain.interaction import Interaction, Kind, Status
from gars.domain.user_state import Row, UserState
from gars.testing.clock import FakeClock
from gars.testing.events import START, clicks, event
from gars.testing.memory import MemoryStateStore

ANIME = (1, 5, 1535, 5114)


def a_day(seed: int) -> list[Interaction]:
    """A few hundred events of a few users, every kind, undone now and then."""
    rng = random.Random(seed)
    events = [*clicks(50, user_id="a"), *clicks(80, user_id="b")]
    for number in range(200):
        kind = rng.choice([Kind.RATE, Kind.STATUS, Kind.LIKE, Kind.DISLIKE, Kind.SEEN, Kind.DISMISS])
        undo = rng.random() < 0.2
        values: dict[Kind, int | Status] = {Kind.RATE: rng.randint(1, 10), Kind.STATUS: rng.choice(list(Status))}
        value = values.get(kind)
        one = event(
            rng.choice("abc"), rng.choice(ANIME), kind, None if undo else value, event_id=f"e{number}", undo=undo
        )
        events.append(one)
    return events


def ingested(folder: Path, events: list[Interaction]) -> dict[str, UserState | None]:
    log, states = SqliteEventLog(folder / "log.sqlite"), SqliteStateStore(folder / "states.sqlite")
    with closing(log), closing(states):
        ingest = Ingest(log=log, states=states, feed=MemoryChangeFeed(), clock=FakeClock(), known_anime=set(ANIME))
        for start in range(0, len(events), 37):
            ingest(events[start : start + 37])
        return {name: states.get(name) for name in "abc"}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_duplicates_and_disorder(tmp_path: Path, seed: int) -> None:
    events = a_day(seed)
    rng = random.Random(seed)
    late = events + rng.sample(events, 100)
    rng.shuffle(late)
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    in_order, in_disorder = ingested(tmp_path / "one", events), ingested(tmp_path / "two", late)
    for name in "abc":
        one, two = in_order[name], in_disorder[name]
        assert one is not None
        assert two is not None
        assert (one.opinions, one.clicks, one.version) == (two.opinions, two.clicks, two.version)


def test_rebuilt_states_are_the_live_ones(tmp_path: Path) -> None:
    live = ingested(tmp_path, a_day(4))
    with closing(SqliteEventLog(tmp_path / "log.sqlite")) as log:
        rebuilt = MemoryStateStore()
        recover(log, rebuilt)
    assert rebuilt.states == live


def test_rebuilding_after_a_backfill(tmp_path: Path) -> None:
    """Histories first, then the log on top: the order in which the service starts."""
    users = [("a", [Row(1, 8), Row(5114)])]
    log, states = SqliteEventLog(tmp_path / "log.sqlite"), SqliteStateStore(tmp_path / "states.sqlite")
    with closing(log), closing(states):
        backfill(users, states, content_hash="x")
        ingest = Ingest(log=log, states=states, feed=MemoryChangeFeed(), clock=FakeClock(), known_anime=set(ANIME))
        ingest([event("a", 1, Kind.RATE, 3, at=START), event("a", 5)])
        rebuilt = MemoryStateStore()
        backfill(users, rebuilt, content_hash="x")
        recover(log, rebuilt)
        assert rebuilt.get("a") == states.get("a")
        assert rebuilt.get("a") == user_state.fold(user_state.initial(*users[0]), [one for _, one in log.read()])
