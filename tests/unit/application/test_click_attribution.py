"""From lists and clicks to examples, by hand."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
import numpy as np
import pytest

from gars.application.impressions.click_attribution import RankingExamples, ranking_examples
from gars.domain.errors import InvalidInputError
from gars.domain.impression import Impression
from gars.domain.interaction import Interaction, Kind, Status
from gars.testing.contracts.impression_log import impression
from gars.testing.events import START, event

MINUTE = timedelta(minutes=1)
LIST = impression("r", "7", anime_ids=(10, 11, 12, 13, 14))


def click(anime_id: int, minutes: float = 1, request_id: str | None = None, *, undo: bool = False) -> Interaction:
    clicked = event("7", anime_id, Kind.CLICK, at=START + minutes * MINUTE, undo=undo)
    return msgspec.structs.replace(clicked, request_id=request_id)


def interaction(
    anime_id: int, kind: Kind, value: int | Status | None = None, at: datetime = START + MINUTE
) -> Interaction:
    return event("7", anime_id, kind, value, at=at)


def pairs(found: RankingExamples) -> list[tuple[int, float]]:
    return list(zip(found.anime_ids.tolist(), found.relevant.tolist(), strict=True))


def test_clicked_is_relevant_and_what_stood_above_is_not() -> None:
    found = ranking_examples([LIST], [click(12)])
    assert pairs(found) == [(10, 0), (11, 0), (12, 1)]
    assert found.positions.tolist() == [0, 1, 2]
    assert found.lists.tolist() == [0, 0, 0]
    assert found.features.dtype == np.float32
    assert found.features.tolist() == [[0, 1], [1, 1], [2, 1]]
    assert len(found) == 3


def test_last_click_is_the_depth_of_examination() -> None:
    assert pairs(ranking_examples([LIST], [click(13), click(11)])) == [(10, 0), (11, 1), (12, 0), (13, 1)]


def test_a_refusal_was_seen_wherever_it_stands() -> None:
    found = ranking_examples([LIST], [click(11), interaction(14, Kind.DISMISS)])
    assert pairs(found) == [(10, 0), (11, 1), (14, 0)]


@pytest.mark.parametrize(
    ("kind", "value", "relevant"),
    [
        (Kind.LIKE, None, 1),
        (Kind.DISLIKE, None, 0),
        (Kind.DISMISS, None, 0),
        (Kind.RATE, 8, 1),
        (Kind.RATE, 7, 0),
        (Kind.STATUS, Status.PLANNED, 1),
        (Kind.STATUS, Status.DROPPED, 0),
    ],
)
def test_relevance_of_each_kind_of_event(kind: Kind, value: int | Status | None, relevant: float) -> None:
    found = ranking_examples([LIST], [interaction(11, kind, value), click(12)])
    assert pairs(found) == [(10, 0), (11, relevant), (12, 1)]


def test_seen_makes_no_example() -> None:
    assert len(ranking_examples([LIST], [interaction(11, Kind.SEEN)])) == 0


def test_a_click_that_ends_in_a_refusal_is_none() -> None:
    found = ranking_examples([LIST], [click(11), interaction(11, Kind.DISLIKE, at=START + 5 * MINUTE), click(12)])
    assert pairs(found) == [(10, 0), (11, 0), (12, 1)]


def test_withdrawn_event_does_not_count() -> None:
    events = [click(11), click(13), click(13, 2, undo=True)]
    assert pairs(ranking_examples([LIST], events)) == [(10, 0), (11, 1)]
    assert pairs(ranking_examples([LIST], events[::-1])) == [(10, 0), (11, 1)]


@pytest.mark.parametrize(("minutes", "joined"), [(-1, False), (0, True), (30, True), (30.1, False)])
def test_the_window(minutes: float, joined: bool) -> None:
    assert bool(len(ranking_examples([LIST], [click(12, minutes)]))) is joined


@pytest.mark.parametrize(("minutes", "joined"), [(-6, False), (-4, True), (30, True), (31, False)])
def test_with_its_request_id_a_wrong_clock_does_not_matter(minutes: float, joined: bool) -> None:
    assert bool(len(ranking_examples([LIST], [click(12, minutes, "r")]))) is joined


def test_an_event_belongs_to_one_list() -> None:
    later = msgspec.structs.replace(LIST, request_id="s", time=START + 2 * MINUTE)
    assert ranking_examples([LIST, later], [click(12, 3)]).lists.tolist() == [0, 0, 0]
    both = ranking_examples([LIST, later], [click(12, 3), click(11, 3, "r")])
    assert (both.lists.tolist(), pairs(both)) == (
        [0, 0, 1, 1, 1],
        [(10, 0), (11, 1), (10, 0), (11, 0), (12, 1)],
    )
    assert len(ranking_examples([LIST], [msgspec.structs.replace(click(12), user_id="8")])) == 0
    assert len(ranking_examples([LIST], [click(99, request_id="r")])) == 0


def test_lists_that_teach_nothing_are_left_out() -> None:
    fallback = msgspec.structs.replace(LIST, fallback="popular")
    assert len(ranking_examples([fallback], [click(12)])) == 0
    assert len(ranking_examples([LIST], [])) == 0
    assert len(ranking_examples([LIST], [click(10)])) == 0, "nothing was passed by on the way to the first place"
    assert ranking_examples([], []).features.shape == (0, 0)


def test_features_of_different_models_do_not_mix() -> None:
    other: Impression = msgspec.structs.replace(
        LIST,
        request_id="s",
        items=tuple(
            msgspec.structs.replace(item, anime_id=item.anime_id + 100, features=item.features + b"\0" * 4)
            for item in LIST.items
        ),
    )
    with pytest.raises(InvalidInputError) as caught:
        ranking_examples([LIST, other], [click(12), click(112)])
    assert caught.value.message == "the lists were made by models with 2 and 3 features"
    assert "one model version" in (caught.value.hint or "")
