import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from gars.runtime.stage_times import STAGES, StageTimes, measuring, server_timing, stage


def test_stages_are_kept_in_the_order_they_ran(monkeypatch: pytest.MonkeyPatch) -> None:
    readings_s = iter([1.0, 1.25, 2.0, 2.5, 3.0, 3.125])
    monkeypatch.setattr(time, "perf_counter", lambda: next(readings_s))

    with measuring() as times:
        with stage("retrieval"):
            pass
        with stage("features"):
            pass
        with stage("retrieval"):
            pass

    assert list(times.milliseconds.items()) == [("retrieval", 375.0), ("features", 500.0)]


def test_a_stage_that_runs_twice_counts_for_both() -> None:
    times = StageTimes()
    times.add("ranking", 1.5)
    times.add("ranking", 2.0)
    times.add("rules", 0.25)

    assert times.milliseconds == {"ranking": 3.5, "rules": 0.25}
    assert server_timing(times.milliseconds) == "ranking;dur=3.500, rules;dur=0.250"


def test_a_stage_that_fails_is_measured_too() -> None:
    def broken() -> None:
        with stage("ranking"):
            raise ValueError("broken")

    with measuring() as times, pytest.raises(ValueError, match="broken"):
        broken()

    assert set(times.milliseconds) == {"ranking"}


def test_keeps_nothing_outside_a_measurement() -> None:
    with measuring() as times:
        pass
    with stage("ranking"):
        pass

    assert not times.milliseconds


def test_threads_do_not_see_each_other() -> None:
    together = threading.Barrier(2)

    def measure(name: int) -> set[str]:
        with measuring() as times:
            together.wait(timeout=10)
            with stage(STAGES[name]):
                together.wait(timeout=10)
        return set(times.milliseconds)

    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(measure, [1, 2])) == [{STAGES[1]}, {STAGES[2]}]
