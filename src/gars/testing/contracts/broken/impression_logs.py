"""Impression logs with one fault each."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice

from gars.domain.impression import Impression
from gars.testing.contracts.broken.types import Broken
from gars.testing.memory import MemoryImpressionLog


class _ReadsByTime(MemoryImpressionLog):
    def read(self, *, user_id: str | None = None) -> Iterator[Impression]:
        return iter(sorted(super().read(user_id=user_id), key=lambda one: one.time))


class _IgnoresUser(MemoryImpressionLog):
    def read(self, *, user_id: str | None = None) -> Iterator[Impression]:
        del user_id
        return super().read()


class _ReadsOnePage(MemoryImpressionLog):
    def read(self, *, user_id: str | None = None) -> Iterator[Impression]:
        return islice(super().read(user_id=user_id), 200)


class _NamesUsersTwice(MemoryImpressionLog):
    def users(self) -> list[str]:
        return sorted(one.user_id for one in self.impressions)


class _ForgetsAllUsers(MemoryImpressionLog):
    def forget(self, user_id: str, *, up_to_ms: int | None = None) -> int:
        return sum(super(_ForgetsAllUsers, self).forget(name, up_to_ms=up_to_ms) for name in (user_id, *self.users()))


class _ForgetsTooMuch(MemoryImpressionLog):
    def forget(self, user_id: str, *, up_to_ms: int | None = None) -> int:
        del up_to_ms
        return super().forget(user_id)


class _ExpiresTooMuch(MemoryImpressionLog):
    def expire(self, *, before: datetime) -> int:
        return super().expire(before=before + timedelta(milliseconds=1))


class _LosesEverythingOnRestart(MemoryImpressionLog):
    """Not durable: the tests open a new one each time."""


IMPRESSION_LOGS: Broken = {
    "test_reads_back_what_was_appended": _ReadsByTime,
    "test_read_one_user": _IgnoresUser,
    "test_reads_long_logs_whole": _ReadsOnePage,
    "test_users": _NamesUsersTwice,
    "test_forget_deletes_one_user": _ForgetsAllUsers,
    "test_forget_up_to_a_time": _ForgetsTooMuch,
    "test_expire": _ExpiresTooMuch,
    "test_survives_a_restart": _LosesEverythingOnRestart,
}
"""Check → the log it must reject."""
