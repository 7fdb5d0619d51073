from datetime import timedelta
from pathlib import Path

import pytest

from gars.adapters.embedded.event_log import SqliteEventLog
from gars.application.trends import trending as module
from gars.application.trends.trending import Trending
from gars.domain.errors import StorageError
from gars.domain.interaction import Kind, Status
from gars.domain.trending import HALF_LIFE
from gars.testing.clock import FakeClock
from gars.testing.events import event
from gars.testing.memory import MemoryEventLog
from gars_test_support.patience import until


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def log() -> MemoryEventLog:
    return MemoryEventLog()


def test_counts_halve_with_the_time_of_the_event(log: MemoryEventLog, clock: FakeClock) -> None:
    now = clock.now()
    log.append([event("a", 1, at=now), event("b", 1, at=now - HALF_LIFE), event("c", 5, at=now - 2 * HALF_LIFE)])
    assert Trending(log, clock).heat() == pytest.approx({1: 1.5, 5: 0.25})


def test_what_comes_later_is_counted_and_time_goes_by(log: MemoryEventLog, clock: FakeClock) -> None:
    trending = Trending(log, clock)
    log.append([event("a", 1, at=clock.now())])
    assert trending.heat() == pytest.approx({1: 1.0})
    clock.advance(HALF_LIFE)
    log.append([event("b", 5, at=clock.now())])
    assert trending.heat() == pytest.approx({1: 0.5, 5: 1.0})


def test_a_title_trends_with_more_than_one_user_can_add(log: MemoryEventLog, clock: FakeClock) -> None:
    trending = Trending(log, clock)
    kinds = ((Kind.CLICK, None), (Kind.LIKE, None), (Kind.RATE, 10), (Kind.STATUS, Status.COMPLETED))
    log.append([event("a", 1, kind, value, at=clock.now()) for kind, value in kinds])
    assert trending.ids() == []
    log.append([event("b", 1, at=clock.now())])
    log.append([event(user, 5, Kind.LIKE, at=clock.now()) for user in ("a", "b")])
    assert trending.ids() == [5, 1]
    clock.advance(HALF_LIFE / 2)
    assert trending.ids() == [5]


def test_one_user_counts_once_for_each_anime(log: MemoryEventLog, clock: FakeClock) -> None:
    log.append([event("a", 1, at=clock.now()) for _ in range(50)] + [event("a", 1, Kind.RATE, 9, at=clock.now())])
    assert Trending(log, clock).heat() == pytest.approx({1: 2.0})


def test_dismissed_titles_and_withdrawn_events_have_no_weight(log: MemoryEventLog, clock: FakeClock) -> None:
    now = clock.now()
    log.append([event("a", 1, kind, at=now) for kind in (Kind.DISLIKE, Kind.SEEN, Kind.DISMISS)])
    log.append([event("b", 5, at=now), event("b", 5, at=now, undo=True)])
    log.append([event("c", 1, Kind.STATUS, Status.DROPPED, at=now), event("d", 1, Kind.RATE, 2, at=now)])
    assert Trending(log, clock).heat() == {}


def test_a_forgotten_user_counts_no_more(log: MemoryEventLog, clock: FakeClock) -> None:
    log.append([event("a", 1, at=clock.now()), event("b", 5, at=clock.now())])
    trending = Trending(log, clock)
    trending.refresh()
    trending.forget("a")
    assert trending.heat() == pytest.approx({5: 1.0})


def test_with_too_many_pairs_the_old_ones_go(
    log: MemoryEventLog, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MAX_PAIRS", 2)
    now = clock.now()
    log.append([event("a", 1, at=now - 20 * HALF_LIFE), event("b", 1, at=now), event("c", 5, at=now)])
    trending = Trending(log, clock)
    assert trending.heat() == pytest.approx({1: 1.0, 5: 1.0})
    assert len(trending._pairs) == 2


def test_ancient_events_are_forgotten(log: MemoryEventLog, clock: FakeClock) -> None:
    log.append([event("a", 1, at=clock.now() - 9000 * timedelta(days=1))])
    assert Trending(log, clock).heat() == {}


def test_a_log_that_cannot_be_read_leaves_the_counts(
    log: MemoryEventLog, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    log.append([event("a", 1, at=clock.now())])
    trending = Trending(log, clock)
    assert trending.heat() == pytest.approx({1: 1.0})

    def fails(**_: object) -> None:
        raise StorageError("the disk is gone")

    monkeypatch.setattr(log, "read", fails)
    assert trending.heat() == pytest.approx({1: 1.0})
    assert "trending is not up to date: the disk is gone" in caplog.text


def test_a_log_of_several_pages_is_counted_in_a_thread(log: MemoryEventLog, clock: FakeClock) -> None:
    log.append([event(f"user-{number}", 1, at=clock.now()) for number in range(2500)])
    trending = Trending(log, clock)
    trending.start()
    until(lambda: trending.problem is None)
    assert trending.heat() == pytest.approx({1: 2500.0})
    trending.close()


def test_closing_ends_the_first_count(tmp_path: Path, clock: FakeClock) -> None:
    """A log that is closed while a thread reads it would end the process."""
    log = SqliteEventLog(tmp_path / "log.sqlite")
    log.append([event(f"user-{number}", 1, at=clock.now()) for number in range(60_000)])
    trending = Trending(log, clock)
    trending.start()
    assert "still being counted" in (trending.problem or "")
    assert sum(trending.heat().values()) < 60_000
    trending.close()
    assert trending.problem is None
    assert sum(trending.heat().values()) < 60_000
    log.close()
