"""Every level of the fallback chain: reached by a failure and by a delay of those above it, counted, and filtered."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest

from gars.application.recommend.engine import Recommendation
from gars.application.recommend.fallback_chain import FALLBACK_LEVELS, Fallback, FallbackChain, FallbackLevel, no_limits
from gars.application.recommend.list_request import ListRequest
from gars.domain.candidates import Filters
from gars.domain.errors import InvalidInputError
from gars.domain.history import History, Rating, from_ratings
from gars.domain.normalise import unit_rows
from gars.runtime.budgets import AbandonedError, Budget, Deadline
from gars_test_support.faults import FaultyEngine

SHORT_S = 0.02
TRENDING = (5114, 1535, 1)
ABOVE: dict[Fallback | None, tuple[str, ...]] = {
    None: (),
    "retrieval": ("recommend_history",),
    "similar": ("recommend_history", "retrieve_ids"),
}
NO_HISTORY = from_ratings([])
FAN = from_ratings([Rating(1, 10), Rating(5, 9)])
Made = tuple[Fallback | None, list[Recommendation]]


@pytest.fixture
def engine() -> FaultyEngine:
    return FaultyEngine()


@pytest.fixture
def budgets() -> dict[FallbackLevel, Budget]:
    return {level: Budget(level, 0 if level == "popular" else SHORT_S, threads=1) for level in FALLBACK_LEVELS}


def watched(chain: FallbackChain, known: History, request: ListRequest) -> Made:
    """Make a list under a deadline, as the event loop does: a late thread is abandoned and another goes on."""
    deadline = Deadline(SHORT_S)
    made: queue.SimpleQueue[Made | Exception] = queue.SimpleQueue()

    def work() -> None:
        try:
            made.put(chain(known, request, deadline=deadline))
        except AbandonedError:
            return
        except Exception as error:
            made.put(error)

    while True:
        threading.Thread(target=work, daemon=True).start()
        while not deadline.abandon_if_late():
            with suppress(queue.Empty):
                answer = made.get(timeout=max(deadline.wait_s(), 0))
                if isinstance(answer, Exception):
                    raise answer
                return answer


@pytest.fixture
def patient() -> dict[FallbackLevel, Budget]:
    return no_limits()


def climb(
    engine: FaultyEngine,
    budgets: dict[FallbackLevel, Budget],
    known: History = FAN,
    *,
    k: int = 5,
    offset: int = 0,
    filters: Filters = Filters(),  # noqa: B008  frozen
    trending: Callable[[], tuple[int, ...]] | None = lambda: TRENDING,
) -> Made:
    chain = FallbackChain(engine, budgets=budgets, trending=trending)
    return watched(chain, known, ListRequest(k=k, offset=offset, filters=filters))


def ids(answer: Made) -> list[int]:
    return [item.anime_id for item in answer[1]]


@pytest.mark.parametrize("level", [None, "retrieval", "similar"])
def test_reached_by_a_failure(
    engine: FaultyEngine, patient: dict[FallbackLevel, Budget], level: Fallback | None
) -> None:
    chain = FallbackChain(engine, budgets=patient)
    with engine.failing(*ABOVE[level]):
        fallback, items = chain(FAN, ListRequest(k=5, filters=Filters()))
    assert fallback == level
    assert len(items) == 5
    failed = [name for name in FALLBACK_LEVELS if patient[name].outcomes["failed"]]
    assert len(failed) == len(ABOVE[level])
    assert patient[level or "ranking"].outcomes == {"ok": 1}


@pytest.mark.parametrize("level", ["retrieval", "similar"])
def test_reached_by_a_delay(engine: FaultyEngine, budgets: dict[FallbackLevel, Budget], level: Fallback) -> None:
    patient = {**budgets, "similar": Budget("similar", 0)}
    if level == "retrieval":
        patient["retrieval"] = Budget("retrieval", 0)
    chain = FallbackChain(engine, budgets=patient)
    with engine.hanging(*ABOVE[level]):
        fallback, items = watched(chain, FAN, ListRequest(k=5, filters=Filters()))
    assert fallback == level
    assert len(items) == 5
    assert budgets["ranking"].outcomes == {"late": 1}


def test_trending_and_popular_by_failure_and_delay(
    engine: FaultyEngine, patient: dict[FallbackLevel, Budget], caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> tuple[int, ...]:
        raise RuntimeError("no counts")

    trending = FallbackChain(engine, budgets=patient, trending=lambda: TRENDING)
    neither = FallbackChain(engine, budgets=patient, trending=broken)
    slow = {**patient, "trending": Budget("trending", SHORT_S, threads=1)}
    held = threading.Event()
    late = FallbackChain(engine, budgets=slow, trending=lambda: (held.wait(60), TRENDING)[1])
    with engine.failing("recommend_history", "retrieve_ids", "popular_ids"):
        for chain, expected in ((trending, "trending"), (neither, "popular"), (late, "popular")):
            fallback, items = watched(chain, NO_HISTORY, ListRequest(k=3, filters=Filters()))
            assert fallback == expected
            assert len(items) == 3
            if expected == "trending":
                assert [item.anime_id for item in items] == list(TRENDING)
    assert patient["similar"].outcomes["nothing"] == 3
    assert patient["trending"].outcomes == {"ok": 1, "failed": 1}
    assert slow["trending"].outcomes == {"late": 1}
    assert patient["popular"].outcomes == {"ok": 2}
    assert "trending failed; using the next best list" in caplog.text
    assert "trending is out of time: no answer within 20 ms; using the next best list" in caplog.text
    held.set()


def test_popular_is_the_engines_order_and_needs_no_engine(
    engine: FaultyEngine, patient: dict[FallbackLevel, Budget]
) -> None:
    expected = engine.popular_ids(k=4, filters=Filters()).tolist()
    chain = FallbackChain(engine, budgets=patient)
    with engine.failing("recommend_history", "retrieve_ids", "popular_ids", "similar_ids"):
        answer = chain(NO_HISTORY, ListRequest(offset=2, k=2, filters=Filters()))
    assert answer[0] == "popular"
    assert ids(answer) == expected[2:]
    assert {item.channels for item in answer[1]} == {("popularity",)}
    assert [item.p_like for item in answer[1]] == [0.5, 0.5]


def test_similar_goes_by_genres_and_clicks(engine: FaultyEngine, patient: dict[FallbackLevel, Budget]) -> None:
    genres = {entry.anime_id: set(entry.genres) for entry in engine.anime}
    clicked = replace(NO_HISTORY, clicks=np.array([5114]))
    with engine.failing("recommend_history", "retrieve_ids"):
        answer = climb(engine, patient, clicked, k=4)
    assert answer[0] == "similar"
    assert {item.channels for item in answer[1]} == {("content",)}
    first = [anime_id for anime_id in ids(answer) if anime_id != 5114][:2]
    assert all(genres[anime_id] & genres[5114] for anime_id in first)


def test_similar_is_ordered_by_the_cosine_of_genres_weighted_by_rarity(
    engine: FaultyEngine, patient: dict[FallbackLevel, Budget]
) -> None:
    items = engine.items
    rarity = np.log(len(items) / np.maximum(1, items.genres.sum(axis=0)) + 1)
    vectors = unit_rows(np.asarray(items.genres * rarity, np.float32))
    known = from_ratings([Rating(5114, 10), Rating(102, 9), Rating(101, 8)])  # of two to four genres
    profile = known.weights @ vectors[items.rows(known.anime_ids)]
    cosine = dict(zip(items.anime_ids.tolist(), vectors @ profile / np.linalg.norm(profile), strict=True))
    popular = engine.popular_ids(k=len(items), filters=Filters()).tolist()
    fame = dict(zip(popular, np.linspace(0.1, 0, len(popular)), strict=True))
    with engine.failing("recommend_history", "retrieve_ids"):
        level, made = FallbackChain(engine, budgets=patient)(known, ListRequest(k=len(items), filters=Filters()))
    assert level == "similar"
    expected = [one for one in cosine if one not in known.anime_ids.tolist()]
    assert [one.anime_id for one in made] == sorted(expected, key=lambda one: -cosine[one] - fame.get(one, 0))


@pytest.mark.parametrize("broken", [1, 2, 3])
def test_the_rules_hold_on_every_level(engine: FaultyEngine, patient: dict[FallbackLevel, Budget], broken: int) -> None:
    names = ("recommend_history", "retrieve_ids", "popular_ids")[:broken]
    filters = Filters(types=("TV",), exclude_ids=(1535,), one_per_franchise=True)
    known = FAN if broken < 3 else NO_HISTORY
    types = {entry.anime_id: entry.type for entry in engine.anime}
    franchises = {entry.anime_id: entry.franchise for entry in engine.anime}
    chain = FallbackChain(engine, budgets=patient, trending=lambda: TRENDING)
    with engine.failing(*names):
        answer = chain(known, ListRequest(k=9, filters=filters))
    shown = ids(answer)
    assert shown
    assert not {1, 5} & set(shown) or known is NO_HISTORY
    assert 1535 not in shown
    assert {types[anime_id] for anime_id in shown} == {"TV"}
    named = [franchises[anime_id] for anime_id in shown if franchises[anime_id]]
    assert len(named) == len(set(named))


def test_client_error_is_returned_at_once(engine: FaultyEngine, patient: dict[FallbackLevel, Budget]) -> None:
    with pytest.raises(InvalidInputError, match="unknown genre: x"):
        climb(engine, patient, filters=Filters(genres=("x",)))
    with (
        engine.failing("recommend_history", "retrieve_ids"),
        pytest.raises(InvalidInputError, match="unknown genre: x"),
    ):
        climb(engine, patient, filters=Filters(genres=("x",)))


def test_what_is_late_is_skipped_while_it_is_still_running(
    engine: FaultyEngine, budgets: dict[FallbackLevel, Budget], caplog: pytest.LogCaptureFixture
) -> None:
    patient = {**budgets, "retrieval": Budget("retrieval", 0)}
    with engine.hanging("recommend_history"):
        assert climb(engine, patient)[0] == "retrieval"
        assert climb(engine, patient)[0] == "retrieval"
    assert "1 earlier calls are still running" in caplog.text
    assert budgets["ranking"].outcomes == {"late": 2}
