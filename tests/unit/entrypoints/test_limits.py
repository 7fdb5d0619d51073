from __future__ import annotations

from gars.entrypoints.api.limits import RateLimit


class Time:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_then_a_rate() -> None:
    time = Time()
    limit = RateLimit(2, 3, now=time)
    assert [limit.wait_s("a") for _ in range(4)] == [0, 0, 0, 1]
    assert limit.wait_s("b") == 0, "each client has a bucket"
    time.now = 0.5
    assert [limit.wait_s("a"), limit.wait_s("a")] == [0, 1], "half a second is one request"
    time.now = 1000
    assert [limit.wait_s("a") for _ in range(4)] == [0, 0, 0, 1], "a bucket holds a burst, not more"


def test_retry_after_of_slow_rates() -> None:
    limit = RateLimit(0.1, 1, now=Time())
    assert [limit.wait_s("a"), limit.wait_s("a")] == [0, 10]


def test_no_limit() -> None:
    limit = RateLimit(0, 1)
    assert {limit.wait_s("a") for _ in range(1000)} == {0}


def test_memory_is_bounded() -> None:
    limit = RateLimit(1, 1, now=Time())
    for number in range(10_500):
        limit.wait_s(str(number))
    assert len(vars(limit)["_buckets"]) == 10_000
