"""Whatever a list says and whatever is known: every entry is accounted for, and saying it twice says nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from gars.application.events.import_list import plan
from gars.domain import user_state
from gars.domain.interaction import Interaction, Status, check
from gars.domain.personal_list import ListEntry, PersonalList, SkippedEntry
from gars.domain.user_state import UserState
from gars.testing.events import START, event_lists

KNOWN = {1, 5, 1535, 5114, 100}
NOW = START + timedelta(days=30)
times = st.none() | st.integers(1, round(datetime(2040, 1, 1, tzinfo=UTC).timestamp() * 1000))
entries = st.builds(
    ListEntry,
    anime_id=st.sampled_from([*KNOWN, 77, None]),
    anilist_id=st.sampled_from([10, 11]),
    status=st.none() | st.sampled_from(Status),
    rating=st.none() | st.integers(1, 10),
    updated_ms=times,
    watched_ms=times,
)
lists = st.builds(
    PersonalList,
    source=st.just("test"),
    entries=st.lists(entries, max_size=12).map(tuple),
    skipped=st.lists(st.just(SkippedEntry("x", "y")), max_size=2).map(tuple),
)


def mine(events: list[Interaction]) -> UserState:
    return user_state.fold(
        UserState(user_id="fan"), [msgspec.structs.replace(event, user_id="fan") for event in events]
    )


@given(lists, event_lists(max_size=10), st.integers(0, 3))
def test_every_entry_is_accounted_for_and_twice_is_once(
    listed: PersonalList, events: list[Interaction], days: int
) -> None:
    before = mine(events)
    planned, report = plan(listed, before, KNOWN, {10: 1}, NOW)
    counted = report.taken + report.unchanged + report.duplicates + len(report.unknown) + len(report.skipped)
    assert report.entries == counted == len(listed.entries) + len(listed.skipped)
    assert len({one.event_id for one in planned}) == len(planned)
    for one in planned:
        check(one, NOW)
    after = user_state.fold(before, planned)
    assert after.version == before.version + len(planned)
    again, second = plan(listed, after, KNOWN, {10: 1}, NOW + timedelta(days=days))
    assert again == []
    assert second.taken == 0


@given(lists, event_lists(max_size=10))
def test_every_event_of_an_import_is_published(listed: PersonalList, events: list[Interaction]) -> None:
    """None is written that a newer register would only swallow."""
    state = mine(events)
    for one in plan(listed, state, KNOWN, {10: 1}, NOW)[0]:
        name = "rating" if one.kind == "rate" else "status"
        register = getattr(user_state.apply(state, one).opinions[one.anime_id], name)
        assert register.value == one.value
        assert register.stamp.time_ms == one.time_ms
