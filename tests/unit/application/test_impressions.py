"""Recording what was shown: off the request's path, bounded, sampled, counted, and no longer than agreed."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
import pytest

from gars.application.events.forget_user import keep_impressions_forgotten
from gars.application.impressions import recorder as module
from gars.application.impressions.recorder import ImpressionRecorder
from gars.application.ports import Tombstone
from gars.application.recommend.list_request import ListRequest
from gars.application.recommend.recommend import Recommend
from gars.domain.candidates import Filters
from gars.domain.errors import StorageError
from gars.domain.impression import Impression
from gars.testing.clock import FakeClock
from gars.testing.contracts.impression_log import impression
from gars.testing.engine import FakeEngine
from gars.testing.memory import MemoryImpressionLog, MemoryStateStore, MemoryTombstones

NOW = FakeClock().now()


class GatedLog(MemoryImpressionLog):
    """A log whose append blocks until released, or fails on request."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Semaphore(0)
        self.inside = threading.Semaphore(0)
        self.fails = False

    def append(self, impressions: Sequence[Impression]) -> None:
        self.inside.release()
        self.gate.acquire()
        if self.fails:
            raise StorageError("disk full")
        super().append(impressions)


def names(log: MemoryImpressionLog) -> list[str]:
    return [one.request_id for one in log.impressions]


def test_recording_never_waits_and_a_full_queue_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_WAITING", 3)
    log = GatedLog()
    recorder = ImpressionRecorder(log, FakeClock())
    recorder.record(impression("first", at=NOW))
    log.inside.acquire()  # the disk is busy with the first
    for number in range(5):
        recorder.record(impression(str(number), at=NOW))
    assert recorder.dropped == 2
    log.gate.release(10)
    recorder.flush()
    assert names(log) == ["first", "0", "1", "2"]
    assert (recorder.recorded, recorder.dropped) == (4, 2)
    recorder.close()
    recorder.close()
    recorder.record(impression("late", at=NOW))
    assert (names(log)[-1], recorder.dropped) == ("2", 3)
    with pytest.raises(StorageError, match="the service is stopping"):
        recorder.flush()


def test_a_failing_disk_is_counted_and_survived(caplog: pytest.LogCaptureFixture) -> None:
    log = GatedLog()
    log.fails = True
    log.gate.release(10)
    recorder = ImpressionRecorder(log, FakeClock())
    recorder.record(impression("lost", at=NOW))
    recorder.flush()
    assert (recorder.recorded, recorder.dropped) == (0, 1)
    assert "1 impression(s) lost: disk full" in caplog.text
    log.fails = False
    recorder.record(impression("kept", at=NOW))
    recorder.flush()
    assert (names(log), recorder.recorded) == (["kept"], 1)
    recorder.close()


def test_what_cannot_be_expired_is_tried_again_later(caplog: pytest.LogCaptureFixture) -> None:
    class Stubborn(MemoryImpressionLog):
        def expire(self, *, before: datetime) -> int:
            raise StorageError("disk full")

    recorder = ImpressionRecorder(Stubborn(), FakeClock())
    recorder.record(impression("kept", at=NOW))
    recorder.close()
    assert (recorder.recorded, recorder.dropped) == (1, 0)
    assert "old impressions could not be deleted: disk full" in caplog.text


def test_forgetting_includes_what_still_waits() -> None:
    log = GatedLog()
    recorder = ImpressionRecorder(log, FakeClock())
    recorder.record(impression("first", "other", at=NOW))
    log.inside.acquire()
    recorder.record(impression("a", "7", at=NOW))
    forgotten: list[int] = []
    asking = threading.Thread(target=lambda: forgotten.append(recorder.forget("7")))
    asking.start()
    log.gate.release(10)
    asking.join(30)
    assert (forgotten, names(log)) == ([1], ["first"])
    recorder.close()


@pytest.mark.parametrize(("sample", "low", "high"), [(0.0, 0, 0), (0.25, 200, 300), (1.0, 1000, 1000)])
def test_a_share_is_kept_always_the_same_one(sample: float, low: int, high: int) -> None:
    sampled = []
    for _ in range(2):
        log = MemoryImpressionLog()
        recorder = ImpressionRecorder(log, FakeClock(), sample=sample)
        for number in range(1000):
            recorder.record(impression(f"request {number}", at=NOW))
        recorder.close()
        sampled.append(names(log))
    assert sampled[0] == sampled[1]
    assert low <= len(sampled[0]) <= high


def test_old_ones_go() -> None:
    clock, log = FakeClock(), MemoryImpressionLog()
    recorder = ImpressionRecorder(log, clock, keep=timedelta(days=2))
    for day in range(5):
        recorder.record(impression(str(day), at=clock.now()))
        recorder.flush()
        clock.advance(timedelta(days=1))
    assert names(log) == ["2", "3", "4"]
    clock.advance(timedelta(days=-30))  # a clock set back deletes nothing and stops nothing
    recorder.record(impression("back", at=clock.now()))
    recorder.close()
    assert names(log) == ["2", "3", "4", "back"]


def test_a_shown_list_is_recorded_with_what_made_it() -> None:
    recorded: list[Impression] = []
    clock = FakeClock()
    recommend = Recommend(
        engine=FakeEngine(), states=MemoryStateStore(), clock=clock, record=recorded.append, variant="b"
    )
    recommend(ListRequest(user_id="7", k=3))
    assert recorded == []  # the list was not shown
    filters = Filters(adult=False, min_members=10)
    answer = recommend(ListRequest(user_id="7", k=3, offset=2, filters=filters, request_id="r"))
    (one,) = recorded
    assert (one.request_id, one.user_id, one.time, one.variant) == ("r", "7", clock.now(), "b")
    recorded_filters = msgspec.structs.replace(one.filters, released_by=None)  # the day it was asked on goes with it
    assert (one.k, one.offset, recorded_filters, one.model_version, one.state_version) == (3, 2, filters, "fake-1", 0)
    assert [item.position for item in one.items] == [2, 3, 4]
    assert [(item.anime_id, item.score, item.channels) for item in one.items] == [
        (item.anime_id, item.score, item.channels) for item in answer.items
    ]


def test_an_old_copy_of_the_impressions_is_cleaned() -> None:
    log, stones = MemoryImpressionLog(), MemoryTombstones()
    log.append([impression("before", "7", at=NOW), impression("after", "7", at=NOW + timedelta(hours=1))])
    log.append([impression("other", "8", at=NOW)])
    assert keep_impressions_forgotten(log, stones) == 0
    stones.put("7", Tombstone(offset=1, time_ms=round(NOW.timestamp() * 1000) + 1))
    assert keep_impressions_forgotten(log, stones) == 1
    assert names(log) == ["after", "other"]
