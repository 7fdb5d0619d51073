"""However events are grouped, ordered or repeated, ingest ends in the same states."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from gars.adapters.embedded.change_feed import MemoryChangeFeed
from gars.application.events.ingest import Ingest
from gars.application.events.recover import recover
from gars.domain import user_state
from gars.domain.history import from_state
from gars.domain.interaction import Interaction
from gars.domain.user_state import Row, UserState
from gars.testing.clock import FakeClock
from gars.testing.events import event_lists
from gars.testing.memory import MemoryEventLog, MemoryStateStore

ANIME = {1, 5, 1535, 5114, 100}


def ingest(batches: Sequence[Sequence[Interaction]]) -> tuple[MemoryEventLog, MemoryStateStore]:
    log, states = MemoryEventLog(), MemoryStateStore()
    use_case = Ingest(log=log, states=states, feed=MemoryChangeFeed(), clock=FakeClock(), known_anime=ANIME)
    use_case.group(batches)
    return log, states


def beliefs(states: dict[str, UserState]) -> dict[str, UserState]:
    """The states without what counts arrivals."""
    return {
        name: msgspec.structs.replace(
            state, version=0, recent_event_ids=(), opinions=dict(sorted(state.opinions.items()))
        )
        for name, state in states.items()
    }


@given(event_lists(), st.data())
def test_order_and_repetition_do_not_matter(events: list[Interaction], data: st.DataObject) -> None:
    _, once = ingest([events])
    shuffled = data.draw(st.permutations(events)) + data.draw(st.lists(st.sampled_from(events))) if events else []
    _, again = ingest([shuffled])
    assert beliefs(again.states) == beliefs(once.states)
    assert {name: state.version for name, state in again.states.items()} == {
        name: state.version for name, state in once.states.items()
    }


@given(event_lists(), st.integers(1, 7))
def test_grouping_does_not_matter(events: list[Interaction], size: int) -> None:
    _, whole = ingest([events])
    _, grouped = ingest([events[i : i + size] for i in range(0, len(events), size)])
    one_by_one_log, one_by_one = MemoryEventLog(), MemoryStateStore()
    single = Ingest(
        log=one_by_one_log, states=one_by_one, feed=MemoryChangeFeed(), clock=FakeClock(), known_anime=ANIME
    )
    for event in events:
        single([event])
    assert whole.states == grouped.states == one_by_one.states


@given(event_lists(), st.integers(0, 30), st.integers(1, 5))
def test_a_replay_from_any_point_ends_in_the_live_state(events: list[Interaction], done: int, batch: int) -> None:
    log, live = ingest([events])
    _, behind = ingest([events[:done]])
    assert recover(log, behind, batch=batch) == len(events[done:])
    assert behind.states == live.states
    assert recover(log, behind) == 0


@given(event_lists())
def test_counts_follow_from_the_opinions(events: list[Interaction]) -> None:
    for state in ingest([events])[1].states.values():
        ratings = [
            int(opinion.rating.value)
            for opinion in state.opinions.values()
            if opinion.rating is not None and opinion.rating.value is not None
        ]
        assert (state.rating_count, state.rating_sum) == (len(ratings), sum(ratings))
        assert state.rating_sum_of_squares == sum(rating * rating for rating in ratings)


rows = st.builds(
    Row,
    anime_id=st.integers(1, 20),
    rating=st.none() | st.integers(1, 10),
    status=st.none() | st.sampled_from(["watching", "completed", "dropped", "planned"]),
    time_ms=st.none() | st.integers(1_000_000_000_000, 1_600_000_000_000),
)


@given(st.lists(rows, max_size=30))
def test_an_initial_state_is_well_formed(listed: list[Row]) -> None:
    state = user_state.initial("7", listed)
    assert state.version == 0
    assert set(state.opinions) == {row.anime_id for row in listed}
    assert user_state.decode(user_state.encode(state)) == state
    assert len(from_state(state)) == len(state.opinions)


@given(st.lists(rows, min_size=1, max_size=30), event_lists())
def test_any_live_event_beats_the_initial_state(listed: list[Row], events: list[Interaction]) -> None:
    """Rates and statuses of live events win over rows of the data set on the same anime."""
    start = user_state.initial("7", listed)
    own = [msgspec.structs.replace(event, user_id="7") for event in events]
    folded = user_state.fold(start, own)
    fresh = user_state.fold(UserState(user_id="7"), own)
    for anime_id, opinion in fresh.opinions.items():
        for name in ("rating", "status"):
            if getattr(opinion, name) is not None:
                assert getattr(folded.opinions[anime_id], name) == getattr(opinion, name)
    assert folded.clicks == fresh.clicks


@given(event_lists(), st.lists(st.sampled_from(["1", "2", "3", "4"]), min_size=30, max_size=30))
def test_ids_of_different_users_have_nothing_to_do_with_each_other(events: list[Interaction], ids: list[str]) -> None:
    """Each user's states are the same whether or not others send events under the same ids."""
    renamed = [msgspec.structs.replace(event, event_id=name) for event, name in zip(events, ids, strict=False)]
    log, states = ingest([[event] for event in renamed])
    for user_id in {event.user_id for event in events}:
        own_log, own_states = ingest([[event] for event in renamed if event.user_id == user_id])
        assert [one for _, one in log.read_user(user_id)] == [one for _, one in own_log.read()]
        assert states.get(user_id) == own_states.get(user_id)
