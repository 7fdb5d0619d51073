"""Event logs and histories with one fault each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

import msgspec

from gars.domain.errors import StorageError
from gars.domain.interaction import Interaction
from gars.testing.contracts.broken.types import Broken
from gars.testing.memory import MemoryEventLog

Entries = Iterator[tuple[int, Interaction]]


class _OffsetsFromZero(MemoryEventLog):
    def append(self, events: Sequence[Interaction]) -> list[int | None]:
        return [offset and offset - 1 for offset in super().append(events)]


class _LosesTheRequest(MemoryEventLog):
    def read(self, *, after: int = 0) -> Entries:
        for offset, event in super().read(after=after):
            yield offset, msgspec.structs.replace(event, request_id="other")


class _ReadsOnePart(MemoryEventLog):
    def read(self, *, after: int = 0) -> Entries:
        return (entry for entry in super().read(after=after) if entry[1].user_id != "13")


class _OneIdForAll(MemoryEventLog):
    def _append_one(self, event: Interaction) -> int | None:
        is_taken = any(held.event_id == event.event_id for _, held in self.entries)
        return None if is_taken else super()._append_one(event)


class _ReadsInclusive(MemoryEventLog):
    def read(self, *, after: int = 0) -> Entries:
        return super().read(after=after - 1)


class _ReadsOnePage(MemoryEventLog):
    def read(self, *, after: int = 0) -> Entries:
        return islice(super().read(after=after), 1000)

    def read_user(self, user_id: str) -> Entries:
        return islice(super().read_user(user_id), 1000)


class _LosesEverythingOnRestart(MemoryEventLog):
    """Not durable: the tests open a new one each time."""


class _LastOffsetCounts(MemoryEventLog):
    def last_offset(self) -> int:
        return len(self.entries) + 1


class _MarksNothing(MemoryEventLog):
    def mark_forgotten(self, user_id: str) -> int:
        del user_id
        return self._last


class _DropsEverySecondThread(MemoryEventLog):
    def append(self, events: Sequence[Interaction]) -> list[int | None]:
        given = super().append(events)
        if events and events[0].user_id == "1":
            self.forget("1")
        return given


class _CheckWrites(MemoryEventLog):
    def check(self) -> None:
        raise StorageError("always broken")


EVENT_LOGS: Broken = {
    "test_append_gives_growing_offsets": _OffsetsFromZero,
    "test_reads_back_what_was_appended": _LosesTheRequest,
    "test_reads_every_user": _ReadsOnePart,
    "test_reads_the_same_id_of_two_users": _OneIdForAll,
    "test_read_after_a_position": _ReadsInclusive,
    "test_reads_long_logs_whole": _ReadsOnePage,
    "test_survives_a_restart": _LosesEverythingOnRestart,
    "test_last_offset": _LastOffsetCounts,
    "test_mark_forgotten": _MarksNothing,
    "test_many_threads_may_append": _DropsEverySecondThread,
    "test_check_passes": _CheckWrites,
}
"""Check → the log it must reject."""


class _IgnoresUser(MemoryEventLog):
    def read_user(self, user_id: str) -> Entries:
        del user_id
        return super().read()


class _OrdersByTime(MemoryEventLog):
    def read_user(self, user_id: str) -> Entries:
        return iter(sorted(super().read_user(user_id), key=lambda entry: entry[1].event_time))


class _ListsUsersTwice(MemoryEventLog):
    def users(self, *, after: str = "") -> Iterator[str]:
        return (event.user_id for _, event in self.entries if event.user_id > after)


class _ListsOnePage(MemoryEventLog):
    def users(self, *, after: str = "") -> Iterator[str]:
        return islice(super().users(after=after), 1000)


class _IgnoresForget(MemoryEventLog):
    def forget(self, user_id: str, *, up_to: int | None = None) -> int:
        del up_to
        return len(list(self.read_user(user_id)))


class _ForgetsTooMuch(MemoryEventLog):
    def forget(self, user_id: str, *, up_to: int | None = None) -> int:
        del up_to
        return super().forget(user_id)


EVENT_HISTORIES: Broken = {
    "test_reads_one_user": _IgnoresUser,
    "test_holds_the_same_id_of_two_users": _OneIdForAll,
    "test_order_is_that_of_acceptance": _OrdersByTime,
    "test_reads_long_histories_whole": _ReadsOnePage,
    "test_lists_users": _ListsUsersTwice,
    "test_lists_many_users": _ListsOnePage,
    "test_survives_a_restart": _LosesEverythingOnRestart,
    "test_forget_deletes_one_user": _IgnoresForget,
    "test_forget_up_to_an_offset": _ForgetsTooMuch,
}
"""Check → the history it must reject."""


class _StoresDuplicates(MemoryEventLog):
    def _append_one(self, event: Interaction) -> int | None:
        self._ids.clear()
        return super()._append_one(event)


class _FindsByIdAlone(MemoryEventLog):
    def find(self, events: Sequence[Interaction]) -> dict[tuple[str, str], Interaction]:
        by_id = {one.event_id: one for _, one in self.entries}
        return {(one.user_id, one.event_id): by_id[one.event_id] for one in events if one.event_id in by_id}


class _CountsEachUserApart(MemoryEventLog):
    def append(self, events: Sequence[Interaction]) -> list[int | None]:
        super().append(events)
        return [1 + [own.event_id for _, own in self.read_user(one.user_id)].index(one.event_id) for one in events]


class _ForgetsOffsets(MemoryEventLog):
    def forget(self, user_id: str, *, up_to: int | None = None) -> int:
        gone = super().forget(user_id, up_to=up_to)
        self._last = len(self.entries)
        return gone


class _SkipsBack(MemoryEventLog):
    def skip_to(self, offset: int) -> None:
        self._last = offset


class _IgnoresAfter(MemoryEventLog):
    def users(self, *, after: str = "") -> Iterator[str]:
        del after
        return super().users()


class _ReadsEveryOffset(MemoryEventLog):
    def read_by_user(self, *, after_user: str, after: int, up_to: int) -> Iterator[tuple[str, list[Interaction]]]:
        del after, up_to
        return super().read_by_user(after_user=after_user, after=0, up_to=self._last)


LOCAL_EVENT_LOGS: Broken = {
    "test_event_id_counts_once": _StoresDuplicates,
    "test_event_ids_are_of_a_user": _OneIdForAll,
    "test_find": _FindsByIdAlone,
    "test_users_after_another": _IgnoresAfter,
    "test_reads_by_user": _ReadsEveryOffset,
    "test_offsets_are_positions": _CountsEachUserApart,
    "test_offsets_are_used_once": _ForgetsOffsets,
    "test_skip_to": _SkipsBack,
}
"""Check → the log it must reject."""
