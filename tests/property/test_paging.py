"""Whatever happens between two pages, a reader sees nothing twice and, while nothing happens, everything once."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gars.application.recommend.list_request import ListRequest
from gars.application.recommend.paging import Page, page_of, resume, without_shown
from gars.application.recommend.recommend import Recommend
from gars.domain.candidates import SERVICE_DEFAULTS, Filters, allowed
from gars.domain.history import from_state
from gars.domain.interaction import Interaction
from gars.domain.item_table import build
from gars.domain.user_state import UserState, apply
from gars.testing.clock import FakeClock
from gars.testing.engine import FakeEngine
from gars.testing.events import interactions
from gars.testing.memory import MemoryStateStore

ENGINE = FakeEngine()
ITEMS = build(ENGINE.anime)
EVENTS = interactions(user_ids=("a",), anime_ids=tuple(entry.anime_id for entry in ENGINE.anime))
FILTERS = st.builds(
    Filters,
    adult=st.booleans(),
    hide_sequels=st.booleans(),
    one_per_franchise=st.booleans(),
    niche=st.sampled_from([0.0, 0.5, 1.0]),
    diversity=st.sampled_from([0.0, 0.25, 1.0]),
)


def page(states: MemoryStateStore, k: int, filters: Filters, after: str) -> Page:
    request = ListRequest(user_id="a", k=k, filters=filters)
    before = resume(request, after) if after else None
    recommend = Recommend(engine=ENGINE, states=states, clock=FakeClock())
    return page_of(recommend(without_shown(request, before)), request, before)


@settings(deadline=None, max_examples=60)
@given(FILTERS, st.integers(1, 40), st.lists(EVENTS, max_size=6))
def test_everything_that_is_allowed_comes_once(filters: Filters, k: int, events: list[Interaction]) -> None:
    state = UserState(user_id="a")
    for event in events:
        state = apply(state, event)
    states = MemoryStateStore()
    states.put([state])
    seen = list[int]()
    after: str | None = ""
    while after is not None:
        read = page(states, k, filters, after)
        seen += [item.anime_id for item in read.made.items]
        after = read.next
    may = allowed(ITEMS, from_state(state), filters)
    assert len(seen) == len(set(seen))
    if filters.one_per_franchise:
        assert len(seen) == len(set(ITEMS.franchises[may].tolist()))
    else:
        assert sorted(seen) == ITEMS.anime_ids[may].tolist()


@settings(deadline=None, max_examples=60)
@given(st.lists(st.lists(EVENTS, max_size=3), min_size=1, max_size=5), st.integers(1, 20))
def test_no_title_comes_twice_with_events_between_pages(rounds: list[list[Interaction]], k: int) -> None:
    state, states, after = UserState(user_id="a"), MemoryStateStore(), ""
    seen: list[int] = []
    for number, events in enumerate(rounds):
        before = state.version
        for event in events:
            state = apply(state, event)
        states.put([state])
        read = page(states, k, SERVICE_DEFAULTS, after)
        assert read.changed == (("state",) if number and state.version != before else ())
        seen += [item.anime_id for item in read.made.items]
        if read.next is None:
            break
        after = read.next
    codes = ITEMS.franchises[ITEMS.rows(np.array(seen, np.int64))].tolist()
    assert len(codes) == len(set(codes))
