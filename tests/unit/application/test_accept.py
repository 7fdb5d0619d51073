"""Taking events in for another process to apply: what is acknowledged is in the log, what is refused is not."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from gars.application.events.accept import Accept
from gars.application.events.ingest import MAX_BATCH, Batch, Receipt
from gars.domain.errors import EventConflictError, GarsError, InvalidInputError, StorageError, UnknownAnimeError
from gars.domain.interaction import Interaction, Kind
from gars.testing.clock import FakeClock
from gars.testing.events import clicks, event
from gars.testing.memory import MemoryEventLog

ANIME = {1, 5, 1535, 5114}


class FullLog(MemoryEventLog):
    """A log that takes nothing."""

    def append(self, events: Sequence[Interaction]) -> list[int | None]:
        raise StorageError("the broker is away")


def accepting(log: MemoryEventLog, refused: list[tuple[Batch, GarsError]] | None = None) -> Accept:
    recorded = [] if refused is None else refused
    return Accept(
        log=log,
        clock=FakeClock(),
        known_anime=ANIME,
        refused=lambda batch, error: recorded.append((batch, error)),
    )


def test_good_batches_are_in_the_log_and_bad_ones_are_not() -> None:
    log = MemoryEventLog()
    refusals: list[tuple[Batch, GarsError]] = []
    unknown, impossible = [event(anime_id=99)], [event(kind=Kind.RATE, value=11)]
    outcomes = accepting(log, refusals).group([clicks(2, user_id="a"), unknown, impossible, clicks(1, user_id="b")])
    assert [type(outcome) for outcome in outcomes] == [Receipt, UnknownAnimeError, InvalidInputError, Receipt]
    assert outcomes[0] == Receipt(("a-0", "a-1"), 0, {})
    assert [one.event_id for _, one in log.read()] == ["a-0", "a-1", "b-0"]
    assert [batch for batch, _ in refusals] == [unknown, impossible]


def test_an_id_twice_in_a_batch_goes_once() -> None:
    log = MemoryEventLog()
    batch = [event(event_id="same"), event(event_id="same"), event("8", event_id="same"), event(event_id="other")]
    assert accepting(log).group([batch]) == [Receipt(("same", "same", "other"), 1, {})]
    assert [one for _, one in log.read()] == [batch[0], *batch[2:]]


def test_an_id_twice_in_a_batch_with_other_content_is_a_conflict() -> None:
    log, refusals = MemoryEventLog(), []  # type: ignore[var-annotated]
    batch = [event(event_id="same"), event(event_id="same", anime_id=5), event(event_id="other")]
    (outcome,) = accepting(log, refusals).group([batch])
    assert isinstance(outcome, EventConflictError)
    assert outcome.numbers == (1,)
    assert refusals == [(batch, outcome)]
    assert list(log.read()) == []


def test_a_log_that_is_away_accepts_nothing() -> None:
    refusals: list[tuple[Batch, GarsError]] = []
    with pytest.raises(StorageError, match="the broker is away"):
        accepting(FullLog(), refusals).group([clicks(1), [event(anime_id=99)]])
    assert refusals == []


def test_only_refusals_need_no_log() -> None:
    assert [type(one) for one in accepting(FullLog()).group([[event(anime_id=99)]])] == [UnknownAnimeError]


def test_a_batch_may_be_too_long() -> None:
    (outcome,) = accepting(MemoryEventLog()).group([[event() for _ in range(MAX_BATCH + 1)]])
    assert isinstance(outcome, InvalidInputError)
    assert outcome.message == f"a batch takes at most {MAX_BATCH} events, got {MAX_BATCH + 1}"


def test_an_id_sent_again_later_in_a_batch_keeps_its_first_place() -> None:
    log = MemoryEventLog()
    first, second = event(event_id="first"), event(event_id="second")
    accepting(log).group([[first, second, first]])
    assert [one.event_id for _, one in log.read()] == ["first", "second"]
