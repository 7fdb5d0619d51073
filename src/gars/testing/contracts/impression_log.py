"""Contract of ``ImpressionLog``."""

from __future__ import annotations

import struct
from abc import ABC, abstractmethod
from datetime import datetime, timedelta

from gars.application.ports import ImpressionLog
from gars.domain.candidates import SERVICE_DEFAULTS
from gars.domain.impression import Impression, ShownItem
from gars.testing.events import START


def impression(
    request_id: str = "r", user_id: str = "7", *, at: datetime = START, anime_ids: tuple[int, ...] = (1, 5)
) -> Impression:
    """Return an impression of a few titles with two features each: the position, and 1."""
    return Impression(
        request_id=request_id,
        user_id=user_id,
        time=at,
        state_version=0,
        model_version="fake-1",
        variant="default",
        fallback=None,
        k=20,
        offset=0,
        filters=SERVICE_DEFAULTS,
        items=tuple(
            ShownItem(anime_id, place, 1 / (1 + place), ("popularity",), _features(place))
            for place, anime_id in enumerate(anime_ids)
        ),
    )


def _features(place: int) -> bytes:
    return struct.pack("<2f", place, 1)


class ImpressionLogContract(ABC):
    """Checks of an ``ImpressionLog``."""

    @abstractmethod
    def open(self) -> ImpressionLog:
        """Open the log of this check: empty at first, later with its stored content, as after a restart."""

    def test_reads_back_what_was_appended(self) -> None:
        """Every field is read back in the order appended; request ids may repeat."""
        log = self.open()
        sent = [impression("b"), impression("a", "8", at=START - timedelta(days=1)), impression("a", "8")]
        log.append(sent[:2])
        log.append(sent[2:])
        assert list(log.read()) == sent

    def test_read_one_user(self) -> None:
        """Only impressions of this user."""
        log = self.open()
        log.append([impression("a", "7"), impression("b", "8"), impression("c", "7")])
        assert [one.request_id for one in log.read(user_id="7")] == ["a", "c"]
        assert list(log.read(user_id="70")) == []

    def test_reads_long_logs_whole(self) -> None:
        """A log longer than any page of the adapter is read completely."""
        log = self.open()
        log.append([impression(str(number)) for number in range(700)])
        assert [one.request_id for one in log.read()] == [str(number) for number in range(700)]
        assert len(list(log.read(user_id="7"))) == 700

    def test_users(self) -> None:
        """Each user once, in ascending order."""
        log = self.open()
        log.append([impression("a", "8"), impression("b", "7"), impression("c", "8")])
        assert log.users() == ["7", "8"]

    def test_forget_deletes_one_user(self) -> None:
        """Deletes all impressions of one user and no others; returns their number."""
        log = self.open()
        log.append([impression("a", "7"), impression("b", "8"), impression("c", "7")])
        assert log.forget("7") == 2
        assert log.forget("7") == 0
        assert [one.request_id for one in log.read()] == ["b"]
        assert log.users() == ["8"]

    def test_forget_up_to_a_time(self) -> None:
        """Impressions after the time stay."""
        log = self.open()
        log.append([impression(str(hour), at=START + timedelta(hours=hour)) for hour in range(3)])
        up_to_ms = round((START + timedelta(hours=1)).timestamp() * 1000)
        assert log.forget("7", up_to_ms=up_to_ms) == 2
        assert [one.request_id for one in log.read()] == ["2"]

    def test_expire(self) -> None:
        """Deletes impressions of all users before a time, exclusive; returns their number."""
        log = self.open()
        log.append([impression(str(hour), str(hour), at=START + timedelta(hours=hour)) for hour in range(3)])
        assert log.expire(before=START + timedelta(hours=1)) == 1
        assert [one.request_id for one in log.read()] == ["1", "2"]

    def test_survives_a_restart(self) -> None:
        """Appended impressions are still there after the log is opened again without a close."""
        self.open().append([impression("a")])
        assert list(self.open().read()) == [impression("a")]
