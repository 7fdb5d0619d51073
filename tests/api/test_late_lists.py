"""Lists that are late, between a request's thread and the event loop: one answer and one impression each."""

from __future__ import annotations

import asyncio
import random
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient

from gars.bootstrap import Service, open_service
from gars.config import from_environment
from gars.entrypoints.api.app import create_app
from gars.entrypoints.api.workers import run_with_deadline
from gars.runtime.budgets import Deadline
from gars.runtime.stage_times import measuring, stage
from gars_test_support.faults import FaultyEngine

PATIENCE_S = 30
REQUESTS = 150
LIST = "/api/v1/users/{}/recommendations"


class Uneven(FaultyEngine):
    """Ranks in about the time that it has: now a little less, now a little more."""

    def __init__(self) -> None:
        super().__init__()
        self._rng = random.Random(0)
        self.ranked = Counter[str]()
        self._plain = self.recommend_history
        self.recommend_history = self._unevenly  # type: ignore[method-assign]

    def _unevenly(self, *args: Any, **kwargs: Any) -> Any:
        self.ranked["begun"] += 1
        threading.Event().wait(self._rng.choice((0.0, 0.002, 0.0045, 0.005, 0.0055, 0.01, 0.03)))
        response = self._plain(*args, **kwargs)
        self.ranked["done"] += 1
        return response


@pytest.fixture
def engine() -> Uneven:
    return Uneven()


@pytest.fixture
def service(tmp_path: Path, engine: Uneven) -> Iterator[Service]:
    short = {"GARS_RANK_BUDGET_MS": "5", "GARS_THREADS": "3", "GARS_LIST_CACHE": "0"}
    opened = open_service(from_environment(short, home=tmp_path), engine)
    yield opened
    opened.close()


def test_every_request_has_one_answer_and_no_late_list_is_recorded(service: Service, engine: Uneven) -> None:
    answers: list[dict[str, Any]] = []
    with TestClient(create_app(service)) as client:

        def ask(turn: int) -> None:
            answers.extend(client.get(LIST.format(f"u{one}")).json() for one in range(turn, REQUESTS, 6))

        askers = [threading.Thread(target=ask, args=[turn]) for turn in range(6)]
        for asker in askers:
            asker.start()
        for asker in askers:
            asker.join()
    assert Counter(answer["user_id"] for answer in answers) == {f"u{one}": 1 for one in range(REQUESTS)}
    service.recorder.flush()
    recorded = {impression.request_id: impression for impression in service.impressions.read()}
    assert recorded.keys() == {answer["request_id"] for answer in answers}
    assert service.recorder.recorded == REQUESTS, "none twice"
    for answer in answers:
        shown = recorded[answer["request_id"]]
        assert shown.fallback == answer["fallback"]
        assert [item.anime_id for item in shown.items] == [item["anime"]["anime_id"] for item in answer["items"]]
    outcomes = service.budgets["ranking"].outcomes
    assert outcomes["ok"] == sum(answer["fallback"] is None for answer in answers) > 0
    assert outcomes["late"] == sum(answer["fallback"] is not None for answer in answers) > 0
    assert outcomes.total() == REQUESTS


def test_the_times_of_a_late_thread_are_nobodys(service: Service) -> None:
    release = threading.Event()
    came_back = threading.Event()

    def work(*, deadline: Deadline) -> str:
        if deadline.spent:
            release.set()  # it comes back before the next best answer is made
            assert came_back.wait(PATIENCE_S)
            with stage("retrieval"):
                return "the next best"
        with stage("state"):
            pass

        with deadline.stage(service.budgets["ranking"]):
            with stage("ranking"):
                release.wait(PATIENCE_S)
            came_back.set()
        return "late"

    async def ask() -> None:
        with measuring() as times:
            assert await asyncio.wait_for(run_with_deadline(service, work), PATIENCE_S) == "the next best"
            assert list(times.milliseconds) == ["state", "retrieval"]

    asyncio.run(ask())


def test_who_goes_away_leaves_no_thread_hanging(service: Service) -> None:
    release, gone, again = threading.Event(), threading.Event(), threading.Event()
    under_way = threading.Semaphore(0)

    def work(*, deadline: Deadline) -> None:
        if deadline.spent:
            again.set()
        under_way.release()
        gone.wait(PATIENCE_S)  # as if it read a state: its time does not run yet
        with deadline.stage(service.budgets["ranking"]):
            release.wait(PATIENCE_S)

    async def ask_and_go() -> None:
        requests = [asyncio.ensure_future(run_with_deadline(service, work)) for _ in range(3)]
        for _ in requests:  # every thread there is has one
            assert await asyncio.to_thread(under_way.acquire, timeout=PATIENCE_S)
        for one in requests:
            one.cancel()
        await asyncio.gather(*requests, return_exceptions=True)
        gone.set()
        all_at_work = threading.Barrier(3)
        work_on = [asyncio.wrap_future(service.threads.submit(all_at_work.wait, PATIENCE_S)) for _ in range(3)]
        await asyncio.gather(*work_on)

    asyncio.run(ask_and_go())
    release.set()
    assert not again.is_set(), "no request waits for a second answer"
    assert service.budgets["ranking"].outcomes["late"] == 3
