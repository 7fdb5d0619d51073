"""Import a user's list from elsewhere: its entries become events, which are ingested like all others."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Container, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

import msgspec

from gars.application.catalogue.catalogue import Catalogue
from gars.application.events.ingest import MAX_BATCH, Batch, Receipt, refusal
from gars.application.ports import Clock, StateStore
from gars.domain import user_state
from gars.domain.anime import Anime
from gars.domain.errors import EventConflictError
from gars.domain.interaction import EPOCH, MAX_CLOCK_SKEW, Interaction, Kind, Status, accepted
from gars.domain.personal_list import ListEntry, PersonalList, SkippedEntry
from gars.domain.user_export import UserExport, moved
from gars.domain.user_state import Opinion, Register, UserState

_UNIX = datetime(1970, 1, 1, tzinfo=UTC)
_NEWER_NAMED = 5
_EXPORT = "export of GARS"


@dataclass(frozen=True, slots=True)
class UnknownEntry:
    """A title that is not in the catalogue."""

    name: str
    anime_id: int | None = None
    anilist_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """Result of an import. ``entries`` = ``taken`` + ``unchanged`` + ``duplicates`` + unknown + skipped."""

    source: str
    user_id: str
    entries: int
    taken: int
    """Titles that changed the state."""
    unchanged: int
    """Titles whose state was equal or newer already."""
    duplicates: int
    """Repetitions within the list."""
    unknown: tuple[UnknownEntry, ...]
    skipped: tuple[SkippedEntry, ...]
    notes: tuple[str, ...]
    events: int = 0
    """Number of events written."""
    version: int = 0
    """The version of the user's state afterwards."""
    newer_than_data: int = 0
    """Titles that began after the ratings of the training data."""
    newer_titles: tuple[str, ...] = ()
    """Names of some of them, the newest first."""


class ImportList:
    """The use case behind ``POST /lists/import``. Blocks until everything is durable."""

    def __init__(
        self,
        *,
        submit: Callable[[Batch], Future[Receipt]],
        states: StateStore,
        catalogue: Catalogue,
        clock: Clock,
        rated_until: date | None = None,
    ) -> None:
        """``rated_until`` is the day from which on titles have next to no ratings, if known."""
        self._submit = submit
        self._states = states
        self._catalogue = catalogue
        self._clock = clock
        self._rated_until = rated_until
        self._by_anilist = {
            entry.anilist_id: entry.anime_id for entry in catalogue.anime if entry.anilist_id is not None
        }

    def __call__(self, user_id: str, listed: PersonalList | UserExport) -> ImportReport:
        """Import a list; doing it twice changes nothing. After a failure, importing again adds the rest.

        Raises:
            StorageError: the store failed; events already written stay.
        """
        now = self._clock.now()
        state = self._states.get(user_id) or UserState(user_id=user_id)
        if isinstance(listed, UserExport):
            events, report = _plan_export(listed, user_id, self._catalogue, now)
        else:
            events, report = plan(listed, state, self._catalogue, self._by_anilist, now)
        written = 0
        conflicts: list[Interaction] = []
        for start in range(0, len(events), MAX_BATCH):
            written += self._write(events[start : start + MAX_BATCH], conflicts)
        report = self._with_newer(report, listed)
        after = self._states.get(user_id)
        return _with_conflicts(
            replace(report, events=written, version=after.version if after else 0), events, conflicts
        )

    def _with_newer(self, report: ImportReport, listed: PersonalList | UserExport) -> ImportReport:
        """Count the titles that are newer than the ratings of the training data."""
        if self._rated_until is None:
            return report
        if isinstance(listed, UserExport):
            ids = {event.anime_id for event in (*listed.earlier, *listed.interactions)}
        else:
            ids = {entry.anime_id or self._by_anilist.get(entry.anilist_id or 0, 0) for entry in listed.entries}
        known = [anime for anime_id in ids if (anime := self._catalogue.find(anime_id)) is not None]
        newer = sorted(
            (anime for anime in known if _first_day(anime) > self._rated_until),
            key=lambda anime: (_first_day(anime), anime.anime_id),
            reverse=True,
        )
        return replace(
            report,
            newer_than_data=len(newer),
            newer_titles=tuple(anime.title for anime in newer[:_NEWER_NAMED]),
        )

    def _write(self, events: list[Interaction], conflicts: list[Interaction]) -> int:
        """Submit events until none of them contradicts an earlier one; those that do go to ``conflicts``."""
        while True:
            try:
                return len(self._submit(events).result().accepted)
            except EventConflictError as error:
                conflicts += [events[number] for number in error.numbers]
                events = [event for number, event in enumerate(events) if number not in set(error.numbers)]


def _with_conflicts(report: ImportReport, events: list[Interaction], conflicts: list[Interaction]) -> ImportReport:
    """Move titles whose events were all refused from ``taken`` to ``skipped``."""
    if not conflicts:
        return report
    refused = {id(event) for event in conflicts}
    taken = {event.anime_id for event in events if id(event) not in refused}
    lost = {event.anime_id: event for event in conflicts if event.anime_id not in taken}
    why = "an event with its id says something else of this title"
    skipped = tuple(SkippedEntry(f"{event.kind} of anime {anime_id}", why) for anime_id, event in lost.items())
    notes = (f"{len(conflicts)} event(s) contradict earlier ones with the same id and were left out",)
    return replace(report, taken=report.taken - len(lost), skipped=report.skipped + skipped, notes=report.notes + notes)


def _first_day(anime: Anime) -> date:
    """Return the first day of an anime, 1 January of its year if only that is known, else the minimum date."""
    return anime.released or date(anime.year or 1, 1, 1)


def plan(
    listed: PersonalList, state: UserState, known_anime: Container[int], by_anilist: Mapping[int, int], now: datetime
) -> tuple[list[Interaction], ImportReport]:
    """Return the events that make ``state`` agree with a list, and the report; pure.

    Values that are equal to the state, or older than it, give no event. An undated entry that contradicts the state
    counts as of now; otherwise the day it was watched is its event time.
    """
    titles: dict[int, ListEntry] = {}
    unknown: list[UnknownEntry] = []
    duplicates = 0
    for entry in listed.entries:
        anime_id = by_anilist.get(entry.anilist_id or 0) if entry.anime_id is None else entry.anime_id
        if anime_id is None or anime_id not in known_anime:
            unknown.append(UnknownEntry(entry.name, entry.anime_id, entry.anilist_id))
        elif anime_id in titles:
            duplicates += 1
            if (entry.updated_ms or 0) >= (titles[anime_id].updated_ms or 0):
                titles[anime_id] = entry
        else:
            titles[anime_id] = entry
    by_title = {anime_id: list(_events(state, anime_id, entry, now)) for anime_id, entry in titles.items()}
    taken = sum(bool(events) for events in by_title.values())
    report = ImportReport(
        source=listed.source,
        user_id=state.user_id,
        entries=len(listed.entries) + len(listed.skipped),
        taken=taken,
        unchanged=len(titles) - taken,
        duplicates=duplicates,
        unknown=tuple(unknown),
        skipped=listed.skipped,
        notes=listed.notes,
    )
    return [event for events in by_title.values() for event in events], report


def _events(state: UserState, anime_id: int, entry: ListEntry, now: datetime) -> Iterator[Interaction]:
    """Yield the events of an entry that change the state; without status and rating the title counts as completed."""
    opinion = state.opinions.get(anime_id, Opinion())
    status = Status.COMPLETED if entry.status is None and entry.rating is None else entry.status
    for kind, value, held in ((Kind.STATUS, status, opinion.status), (Kind.RATE, entry.rating, opinion.rating)):
        if value is None or (held is not None and held.value == value):
            continue
        time = _time(entry, held, now)
        if time is not None:
            event = Interaction(
                event_id=_event_id(state.user_id, anime_id, value, held),
                user_id=state.user_id,
                anime_id=anime_id,
                kind=kind,
                value=value,
                event_time=time,
            )
            yield accepted(event, now)


def _time(entry: ListEntry, held: Register | None, now: datetime) -> datetime | None:
    """Return the event time of an entry, ``None`` if the state is newer."""
    now_ms = round(now.timestamp() * 1000)
    if entry.updated_ms is not None:
        written = min(entry.updated_ms, now_ms)
        if held is not None and held.stamp.time_ms >= written:
            return None
    elif held is not None:
        written = now_ms  # also if the held value is later: it is from a clock that was ahead
    else:
        written = min(entry.watched_ms or now_ms, now_ms)
    return max(EPOCH, _UNIX + timedelta(milliseconds=written))


def _event_id(user_id: str, anime_id: int, value: int | Status, held: Register | None) -> str:
    """Return an id that is equal for concurrent imports, and different when a value comes back after a change."""
    before = f"{held.stamp.time_ms}.{held.stamp.tie}" if held else ""
    content = f"{user_id}\x1f{anime_id}\x1f{value}\x1f{before}"
    return "l-" + hashlib.blake2b(content.encode(), digest_size=16).hexdigest()


def _in_log_order(events: list[Interaction], now: datetime) -> Iterator[Interaction]:
    """Yield events of another log without their time of acceptance, so that newer values here are not replaced.

    An event that replaced one of the same millisecond when it was accepted gets a later time, so that it still does.
    """
    newest: dict[tuple[int, str], datetime] = {}
    for event in events:
        time = event.event_time
        if time.tzinfo is not None and now < time <= now + MAX_CLOCK_SKEW:
            time = now
        key = event.anime_id, user_state.register_of(event.kind)
        if event.accepted_ms == event.time_ms and key in newest:
            time = max(time, min(now, newest[key] + timedelta(milliseconds=1)))
        newest[key] = time
        yield msgspec.structs.replace(event, event_time=time, accepted_ms=None)


def _plan_export(
    export: UserExport, user_id: str, known_anime: Container[int], now: datetime
) -> tuple[list[Interaction], ImportReport]:
    """Return the events of an export, and the report; events of another user get new ids."""
    events: list[Interaction] = []
    unknown: dict[int, UnknownEntry] = {}
    skipped: list[SkippedEntry] = []
    for event in _in_log_order(moved([*export.earlier, *export.interactions], user_id), now):
        if event.anime_id not in known_anime:
            unknown[event.anime_id] = UnknownEntry(f"anime {event.anime_id}", event.anime_id)
        elif (error := refusal(event, now, known_anime)) is not None:
            skipped.append(SkippedEntry(f"{event.kind} of anime {event.anime_id}", error.message))
        else:
            events.append(event)
    titles = len({event.anime_id for event in events})
    report = ImportReport(
        source=_EXPORT,
        user_id=user_id,
        entries=titles + len(unknown) + len(skipped),
        taken=titles,
        unchanged=0,
        duplicates=0,
        unknown=tuple(unknown.values()),
        skipped=tuple(skipped),
        notes=(f"{len(export.impressions)} lists shown elsewhere left out",) if export.impressions else (),
    )
    return events, report
