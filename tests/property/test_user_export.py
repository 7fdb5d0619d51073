"""Export, import elsewhere: the same user."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gars.adapters.embedded.change_feed import MemoryChangeFeed
from gars.application.catalogue.catalogue import Catalogue
from gars.application.events.export_user import ExportUser
from gars.application.events.import_list import ImportList, ImportReport
from gars.application.events.ingest import Ingest, Receipt
from gars.domain import user_export, user_state
from gars.domain.errors import InvalidInputError
from gars.domain.history import from_state
from gars.domain.interaction import Interaction, Kind
from gars.domain.user_export import UserExport
from gars.domain.user_state import Row, UserState
from gars.testing.anime import sample_catalogue
from gars.testing.clock import FakeClock
from gars.testing.events import event, event_lists
from gars.testing.memory import MemoryEventLog, MemoryImpressionLog, MemoryStateStore

CATALOGUE = Catalogue(sample_catalogue())


class Service:
    """Everything between an event and a state, in memory."""

    def __init__(self) -> None:
        self.log, self.states = MemoryEventLog(), MemoryStateStore()
        clock = FakeClock()
        self.ingest = Ingest(
            log=self.log, states=self.states, feed=MemoryChangeFeed(), clock=clock, known_anime=CATALOGUE
        )
        self.export = ExportUser(history=self.log, states=self.states, impressions=MemoryImpressionLog(), clock=clock)
        self._import = ImportList(submit=self._submit, states=self.states, catalogue=CATALOGUE, clock=clock)

    def import_(self, content: bytes, user_id: str) -> ImportReport:
        return self._import(user_id, user_export.decode(content))

    def _submit(self, events: Sequence[Interaction]) -> Future[Receipt]:
        done: Future[Receipt] = Future()
        done.set_result(self.ingest(events))
        return done


@given(event_lists())
def test_import_of_an_export_is_the_same_state(events: list[Interaction]) -> None:
    here, there = Service(), Service()
    here.ingest(events)
    for user_id, state in here.states.states.items():
        there.import_(user_export.encode(here.export(user_id)), user_id)
        assert there.states.get(user_id) == state
        again = there.import_(user_export.encode(here.export(user_id)), user_id)
        assert again.events == 0
        assert there.export(user_id) == here.export(user_id)
    assert there.states.states == here.states.states


rows = st.builds(
    Row,
    anime_id=st.sampled_from([entry.anime_id for entry in CATALOGUE.anime]),
    rating=st.none() | st.integers(1, 10),
    status=st.none() | st.sampled_from(["watching", "completed", "dropped", "planned"]),
    time_ms=st.none() | st.integers(1_000_000_000_000, 1_600_000_000_000),
)


@given(st.lists(rows, max_size=20), event_lists(max_size=15))
def test_what_a_user_had_in_the_data_set_goes_along(listed: list[Row], events: list[Interaction]) -> None:
    """Compared: what every model reads, and every value with its time. Not compared: versions, ties of stamps."""
    here, there = Service(), Service()
    here.states.put_initial([user_state.initial("a", listed)])
    here.ingest([msgspec.structs.replace(one, user_id="a") for one in events])
    there.import_(user_export.encode(here.export("a")), "a")
    mine, theirs = (one.states.get("a") or UserState(user_id="a") for one in (here, there))
    assert _values(mine) == _values(theirs)
    assert mine.clicks == theirs.clicks
    assert (mine.rating_count, mine.rating_sum) == (theirs.rating_count, theirs.rating_sum)
    for column in ("anime_ids", "ratings", "weights", "hidden", "clicks"):
        assert getattr(from_state(mine), column).tobytes() == getattr(from_state(theirs), column).tobytes()


def _values(state: UserState) -> dict[tuple[int, str], tuple[object, int]]:
    return {
        (anime_id, name): (register.value, register.stamp.time_ms)
        for anime_id, opinion in state.opinions.items()
        for name in opinion.__struct_fields__
        if (register := getattr(opinion, name)) is not None
    }


@given(event_lists(max_size=15))
def test_a_state_whose_log_was_lost_goes_along(events: list[Interaction]) -> None:
    here, there = Service(), Service()
    here.ingest([msgspec.structs.replace(one, user_id="a") for one in events])
    here.log.forget("a")
    there.import_(user_export.encode(here.export("a")), "a")
    mine, theirs = (one.states.get("a") or UserState(user_id="a") for one in (here, there))
    assert _values(mine) == _values(theirs)
    assert sorted((click.stamp.time_ms, click.anime_id) for click in mine.clicks) == sorted(
        (click.stamp.time_ms, click.anime_id) for click in theirs.clicks
    )


@given(event_lists(max_size=15))
def test_an_export_may_become_another_user(events: list[Interaction]) -> None:
    service = Service()
    service.ingest([msgspec.structs.replace(one, user_id="a") for one in events])
    content = user_export.encode(service.export("a"))
    first = service.import_(content, "b")
    assert first.events == len(events)
    assert service.import_(content, "b").events == 0
    mine, theirs = (service.states.get(name) or UserState(user_id=name) for name in "ab")
    # ids differ, so ties of one millisecond may be broken the other way; the latest of each title is compared by time
    assert {key: time for key, (_, time) in _values(mine).items()} == {
        key: time for key, (_, time) in _values(theirs).items()
    }


def test_what_cannot_be_taken_is_reported() -> None:
    here, there = Service(), Service()
    export = UserExport(
        user_id="a",
        exported=FakeClock().now(),
        state=user_export.summary(UserState(user_id="a")),
        interactions=(
            event("a", 1, event_id="x"),
            event("a", 77_777, event_id="y"),
            event("a", 5, Kind.RATE, 99, event_id="z"),
        ),
        impressions=({"request_id": "r"},),
    )
    report = there.import_(user_export.encode(export), "a")
    assert (report.source, report.entries, report.taken, report.events) == ("export of GARS", 3, 1, 1)
    assert [one.anime_id for one in report.unknown] == [77_777]
    assert [(one.name, one.why) for one in report.skipped] == [
        ("rate of anime 5", "a rate event needs a value from 1 to 10, got 99")
    ]
    assert report.notes == ("1 lists shown elsewhere left out",)
    assert here.export("unknown-user").interactions == ()


@pytest.mark.parametrize(
    ("content", "message", "hint"),
    [
        (b'{"gars_export": 1}', "this export of GARS is damaged: Object missing required field", "export it again"),
        (b'{"gars_export": "\xff"}', "this export of GARS is damaged", "export it again"),
        (
            b'{"gars_export": 2, "user_id": "a", "exported": "2026-01-01T00:00:00Z", "state": '
            b'{"version": 0, "titles": 0, "ratings": 0, "rating_mean": null, "clicks": 0}}',
            "this export has format 2; this version of GARS reads format 1",
            "the version that wrote it",
        ),
    ],
)
def test_exports_that_cannot_be_read(content: bytes, message: str, hint: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        user_export.decode(content)
    assert message in caught.value.message
    assert hint in (caught.value.hint or "")
