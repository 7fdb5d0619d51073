"""A state as the models read it: oldest first, by the latest word on each title."""

from __future__ import annotations

import numpy as np

from gars.domain.history import from_state
from gars.domain.user_state import Opinion, Register, Stamp, UserState


def at(time_ms: int, value: int | str | None) -> Register:
    return Register(value, Stamp(time_ms, 0))


def test_the_latest_word_on_a_title_is_its_place() -> None:
    known = from_state(
        UserState(
            user_id="7",
            opinions={
                1: Opinion(rating=at(10, 9), status=at(90, "completed")),
                2: Opinion(rating=at(80, 6)),
                3: Opinion(reaction=at(70, 1), seen=at(5, 1)),
                4: Opinion(dismissed=at(60, 1)),
                5: Opinion(rating=at(20, 8), unclicked=at(95, 1)),
                6: Opinion(status=at(60, "dropped"), dismissed=at(6, None)),
                8: Opinion(rating=at(99, None)),
            },
        )
    )
    assert known.anime_ids.tolist() == [4, 6, 3, 2, 1, 5], "by time, then id; what was taken back is not there"
    np.testing.assert_array_equal(known.ratings, np.array([np.nan, np.nan, 9, 6, 9, 8], np.float32))
    assert known.hidden.all()
    assert known.unfinished.tolist() == [4, 6]
    assert known.dropped.tolist() == [6]
