"""A state read from the file is the state that was written, in every format that files have."""

from __future__ import annotations

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gars.adapters.embedded.state_codec import pack, unpack
from gars.domain import user_state
from gars.domain.interaction import Interaction
from gars.domain.user_state import Row, UserState
from gars.testing.events import interactions

ROWS = [Row(5114, 10, "completed", 1_600_000_000_000), Row(1, None, "planned", 1_500_000_000_000), Row(5, 3), Row(7)]


def same(read: UserState, written: UserState) -> bool:
    return read == written and list(read.opinions) == list(written.opinions)


@given(st.booleans(), st.lists(interactions(user_ids=("a",)), max_size=60, unique_by=lambda one: one.event_id))
def test_a_state_is_read_as_it_was_written(has_history: bool, events: list[Interaction]) -> None:
    state = user_state.fold(user_state.initial("a", ROWS if has_history else []), events)
    assert same(unpack(pack(state)), state)


@pytest.mark.parametrize("written", [user_state.encode, lambda state: zlib.compress(user_state.encode(state))])
def test_states_of_older_files_are_read(written: object) -> None:
    state = user_state.initial("a", ROWS)
    assert callable(written)
    assert same(unpack(written(state)), state)


def test_a_list_takes_a_few_bytes_a_title() -> None:
    rows = [Row(number * 7 + number % 5, number % 10 + 1, "completed") for number in range(300)]
    state = user_state.initial("a", rows)
    assert len(pack(state)) < len(zlib.compress(user_state.encode(state), 9)) / 2


@pytest.mark.parametrize(
    "change", [lambda data: data[:-3], lambda data: data[:9] + b"?" + data[10:], lambda _: b"\x01"]
)
def test_damaged_bytes_are_refused(change: object) -> None:
    assert callable(change)
    with pytest.raises(ValueError, match=r"\w"):
        unpack(change(pack(user_state.initial("a", ROWS))))
