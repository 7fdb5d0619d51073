"""Event logs that are wrong in one way each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

import msgspec

from gars.domain.errors import StorageError
from gars.domain.interaction import Interaction
from gars.testing.contracts.broken.types import Broken
from gars.testing.memory import MemoryEventLog


class _OffsetsFromZero(MemoryEventLog):
    def append(self, events: Sequence[Interaction]) -> list[int | None]:
        return [offset and offset - 1 for offset in super().append(events)]


class _LosesMilliseconds(MemoryEventLog):
    def read(self, *, after: int = 0, user_id: str | None = None) -> Iterator[tuple[int, Interaction]]:
        for offset, event in super().read(after=after, user_id=user_id):
            yield offset, msgspec.structs.replace(event, request_id="other")


class _StoresDuplicates(MemoryEventLog):
    def _append_one(self, event: Interaction) -> int | None:
        self._ids.clear()
        return super()._append_one(event)


class _ReadsInclusive(MemoryEventLog):
    def read(self, *, after: int = 0, user_id: str | None = None) -> Iterator[tuple[int, Interaction]]:
        return super().read(after=after - 1, user_id=user_id)


class _IgnoresUser(MemoryEventLog):
    def read(self, *, after: int = 0, user_id: str | None = None) -> Iterator[tuple[int, Interaction]]:
        del user_id
        return super().read(after=after)


class _ReadsOnePage(MemoryEventLog):
    def read(self, *, after: int = 0, user_id: str | None = None) -> Iterator[tuple[int, Interaction]]:
        return islice(super().read(after=after, user_id=user_id), 1000)


class _LosesEverythingOnRestart(MemoryEventLog):
    """Broken by how it is opened: the tests open a fresh one each time."""


class _LastOffsetCounts(MemoryEventLog):
    def last_offset(self) -> int:
        return len(self.entries) + 1


class _ForgetsOffsets(MemoryEventLog):
    def forget(self, user_id: str, *, up_to: int | None = None) -> int:
        gone = super().forget(user_id, up_to=up_to)
        self._last = len(self.entries)
        return gone


class _ForgetsTooMuch(MemoryEventLog):
    def forget(self, user_id: str, *, up_to: int | None = None) -> int:
        del up_to
        return super().forget(user_id)


class _SkipsBack(MemoryEventLog):
    def skip_to(self, offset: int) -> None:
        self._last = offset


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
    "test_reads_back_what_was_appended": _LosesMilliseconds,
    "test_event_id_counts_once": _StoresDuplicates,
    "test_read_after_an_offset": _ReadsInclusive,
    "test_read_one_user": _IgnoresUser,
    "test_reads_long_logs_whole": _ReadsOnePage,
    "test_survives_a_restart": _LosesEverythingOnRestart,
    "test_last_offset": _LastOffsetCounts,
    "test_forget_deletes_one_user": _ForgetsOffsets,
    "test_forget_up_to_an_offset": _ForgetsTooMuch,
    "test_skip_to": _SkipsBack,
    "test_many_threads_may_append": _DropsEverySecondThread,
    "test_check_passes": _CheckWrites,
}
"""Check → the log it must reject."""
