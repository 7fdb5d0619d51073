"""What an entry of a list becomes, next to what is known already."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

from gars.application.events.import_list import ImportReport, plan
from gars.domain import user_state
from gars.domain.interaction import EPOCH, Interaction, Kind, Status
from gars.domain.personal_list import ListEntry, PersonalList
from gars.domain.user_state import UserState
from gars.testing.events import event

NOW = datetime(2026, 1, 2, tzinfo=UTC)
EMPTY_STATE = UserState(user_id="fan")
DAY = timedelta(days=1)


def planned(
    *entries: ListEntry, state: UserState = EMPTY_STATE, now: datetime = NOW
) -> tuple[list[Interaction], ImportReport]:
    return plan(PersonalList(source="test", entries=entries), state, {1, 2, 3}, {100: 1}, now)


def ms(time: datetime) -> int:
    return round(time.timestamp() * 1000)


def values(events: list[Interaction]) -> list[tuple[int, Kind, int | Status | None, datetime]]:
    return [(one.anime_id, one.kind, one.value, one.event_time) for one in events]


def test_an_entry_becomes_a_status_and_a_rating() -> None:
    events, report = planned(ListEntry(anime_id=1, status=Status.DROPPED, rating=4), ListEntry(anime_id=2))
    assert values(events) == [
        (1, Kind.STATUS, Status.DROPPED, NOW),
        (1, Kind.RATE, 4, NOW),
        (2, Kind.STATUS, Status.COMPLETED, NOW),
    ]
    assert (report.taken, report.unchanged, report.duplicates, report.unknown) == (2, 0, 0, ())


def test_dates_give_the_place_in_the_history() -> None:
    finished, updated = NOW - 900 * DAY, NOW - 100 * DAY
    events, _ = planned(
        ListEntry(anime_id=1, rating=9, watched_ms=ms(finished)),
        ListEntry(anime_id=2, rating=9, watched_ms=ms(finished), updated_ms=ms(updated)),
        ListEntry(anime_id=3, rating=9, watched_ms=ms(EPOCH - DAY)),
    )
    assert [one.event_time for one in events] == [finished, updated, EPOCH]
    (late,) = planned(ListEntry(anime_id=1, rating=9, updated_ms=ms(NOW + 500 * DAY)))[0]
    assert late.event_time == NOW


def test_unchanged_entries_are_not_imported_again() -> None:
    entry = ListEntry(anime_id=1, status=Status.COMPLETED, rating=9)
    state = user_state.fold(EMPTY_STATE, planned(entry)[0])
    events, report = planned(entry, state=state, now=NOW + DAY)
    assert events == []
    assert (report.taken, report.unchanged) == (0, 1)


def test_what_is_newer_here_stays_and_an_undated_list_is_todays_word() -> None:
    rated = user_state.apply(EMPTY_STATE, event("fan", 1, Kind.RATE, 5, at=NOW - DAY))
    older, report = planned(ListEntry(anime_id=1, rating=9, updated_ms=ms(NOW - 2 * DAY)), state=rated)
    assert (older, report.unchanged) == ([], 1)
    newer, _ = planned(ListEntry(anime_id=1, rating=9, updated_ms=ms(NOW - DAY / 2)), state=rated)
    assert values(newer) == [(1, Kind.RATE, 9, NOW - DAY / 2)]
    undated, _ = planned(ListEntry(anime_id=1, rating=9, watched_ms=ms(NOW - 900 * DAY)), state=rated)
    assert values(undated) == [(1, Kind.RATE, 9, NOW)]
    taken_back = user_state.apply(rated, event("fan", 1, Kind.RATE, undo=True, at=NOW - DAY / 4))
    assert planned(ListEntry(anime_id=1, rating=5, updated_ms=ms(NOW - DAY / 2)), state=taken_back)[0] == []


def test_event_ids_are_the_same_for_the_same_news() -> None:
    """Two imports at once write the same events; a value that comes back is news again."""
    nine, eight = ListEntry(anime_id=1, rating=9), ListEntry(anime_id=1, rating=8)
    (first,) = planned(nine)[0]
    assert planned(nine, now=NOW + DAY)[0][0].event_id == first.event_id
    state = user_state.apply(EMPTY_STATE, first)
    (second,) = planned(eight, state=state, now=NOW + DAY)[0]
    state = user_state.apply(state, second)
    (third,) = planned(nine, state=state, now=NOW + 2 * DAY)[0]
    assert len({first.event_id, second.event_id, third.event_id}) == 3
    held = user_state.apply(state, third).opinions[1].rating
    assert held is not None
    assert held.value == 9
    other = plan(
        PersonalList(source="test", entries=(nine,)), msgspec.structs.replace(EMPTY_STATE, user_id="x"), {1}, {}, NOW
    )
    assert other[0][0].event_id != first.event_id


def test_of_a_title_named_twice_the_newest_row_counts() -> None:
    rows = [ListEntry(anime_id=1, rating=rating, updated_ms=when) for rating, when in ((9, 2), (3, 1), (8, 2))]
    events, report = planned(*rows)
    assert [one.value for one in events] == [8]
    assert (report.entries, report.taken, report.duplicates) == (3, 1, 2)


def test_anilist_ids_stand_in_where_there_is_no_other() -> None:
    events, report = planned(
        ListEntry(anilist_id=100, rating=9),
        ListEntry(anilist_id=101, title="Only there"),
        ListEntry(anime_id=77, anilist_id=100),
    )
    assert [one.anime_id for one in events] == [1]
    assert [(one.name, one.anime_id, one.anilist_id) for one in report.unknown] == [
        ("Only there", None, 101),
        ("anime 77", 77, 100),
    ]
