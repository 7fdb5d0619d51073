"""What the feature job does with one record, and what is sent to Flink: all that needs no Flink."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from gars.adapters.flink.folding import fold
from gars.adapters.flink.patience import patiently
from gars.adapters.flink.records import Record, TrendMove
from gars.domain import trending, user_state
from gars.domain.errors import StorageError
from gars.domain.interaction import Interaction, Kind
from gars.domain.user_state import Row, UserState
from gars.stack.job_code import write_job_code
from gars.testing.events import START, event

MORNING_MS = round(START.timestamp() * 1000)
BUCKET = trending.bucket(MORNING_MS)


def record(one: Interaction | None, *, kind: str | None = "event", key: bytes | None = b"7", offset: int = 4) -> Record:
    value = None if one is None else msgspec.msgpack.encode(one)
    return Record(kind, key, value, 2, offset, MORNING_MS + 5)


def not_stored(_user_id: str) -> None:
    return None


def test_an_event() -> None:
    click = event(anime_id=1535, event_id="e")
    folded = fold(None, record(click), not_stored)
    assert folded.state == user_state.encode(user_state.apply(UserState(user_id="7"), click))
    assert folded.write is not None
    assert (folded.write.version, folded.write.state, folded.write.offset) == (1, folded.state, 5)
    (change,) = folded.write.changes
    assert (change.version, change.event_id, change.kind, change.anime_id) == (1, "e", "click", 1535)
    assert change.accepted_ms == MORNING_MS + 5
    assert folded.moves == (TrendMove(1535, BUCKET, 1.0),)
    assert folded.reason is None


def test_repeated_event_is_written_again_but_counts_once() -> None:
    first = fold(None, record(click := event()), not_stored)
    second = fold(first.state, record(click, offset=9), not_stored)
    assert second.state is first.state
    assert second.write is not None
    assert (second.write.state, second.write.changes, second.moves) == (first.state, (), ())


@pytest.mark.parametrize(
    ("held", "again", "contradicts"),
    [
        (event(kind=Kind.RATE, value=9, event_id="e"), event(kind=Kind.RATE, value=8, event_id="e"), True),
        (event(kind=Kind.RATE, value=9, event_id="e"), event(anime_id=5, kind=Kind.RATE, value=9, event_id="e"), True),
        (event(event_id="e"), event(anime_id=5, event_id="e"), True),
        (event(event_id="e"), event(kind=Kind.LIKE, event_id="e"), True),
        (event(event_id="e"), event(event_id="e"), False),
        (event(kind=Kind.RATE, undo=True, event_id="e"), event(kind=Kind.RATE, undo=True, event_id="e"), False),
        (event(undo=True, event_id="e"), event(undo=True, event_id="e"), False),
        (event(undo=True, event_id="e"), event(event_id="e"), True),
    ],
)
def test_an_id_with_other_content_goes_to_the_dead_letters(
    held: Interaction, again: Interaction, contradicts: bool
) -> None:
    first = fold(None, record(msgspec.structs.replace(held, user_id="7")), not_stored)
    second = fold(first.state, record(msgspec.structs.replace(again, user_id="7"), offset=9), not_stored)
    assert second.state is first.state
    conflict = "event_id 'e' was used before for another event of this user"
    assert second.reason == (conflict if contradicts else None)


def test_a_user_it_has_not_met_begins_with_what_is_stored() -> None:
    history = user_state.initial("7", [Row(5, 9)])
    asked: list[str] = []

    def stored(user_id: str) -> bytes:
        asked.append(user_id)
        return user_state.encode(history)

    folded = fold(None, record(click := event()), stored)
    assert folded.state == user_state.encode(user_state.apply(history, click))
    fold(folded.state, record(event()), stored)
    assert asked == ["7"]


def test_a_forget() -> None:
    kept = fold(None, record(event(anime_id=5, kind=Kind.LIKE)), not_stored).state
    kept = fold(kept, record(event(anime_id=1)), not_stored).state
    folded = fold(kept, record(None, kind="forget", offset=6), not_stored)
    assert folded.state is None
    assert folded.write is not None
    assert (folded.write.state, folded.write.offset) == (None, 7)
    assert folded.moves == (TrendMove(1, BUCKET, -1.0), TrendMove(5, BUCKET, -2.0))
    assert fold(None, record(None, kind="forget"), not_stored).moves == ()


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (record(event(), key=None), "there is no key: the record belongs to no user"),
        (record(event(), key=b"\xff"), "the key is not UTF-8"),
        (record(event(), kind="letter"), "the header kind is 'letter', not 'event' or 'forget'"),
        (record(None), "the record is empty"),
        (Record("event", b"7", b"\x01", 0, 0, 0), "the value is no interaction: Expected `object`, got `int`"),
        (record(event("8")), "the key is '7' but the event is of user '8'"),
        (record(event(at=START.replace(tzinfo=None))), "event_time has no time zone"),
    ],
)
def test_what_no_state_can_take(broken: Record, reason: str) -> None:
    folded = fold(b"kept", broken, not_stored)
    assert (folded.state, folded.write, folded.moves, folded.reason) == (b"kept", None, (), reason)


def test_a_record_without_a_header_is_an_event() -> None:
    assert fold(None, record(event(), kind=None), not_stored).reason is None


class Away:
    """A store that fails for some calls, with its own clock."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.seconds = 0.0

    def call(self) -> str:
        self.failures -= 1
        if self.failures >= 0:
            raise StorageError("connection refused")
        return "kept"

    def pause(self, seconds: float) -> None:
        self.seconds += seconds

    def ask(self, patience_s: float) -> str:
        now: Callable[[], float] = lambda: self.seconds  # noqa: E731
        return patiently(self.call, patience_s=patience_s, now=now, pause=self.pause)


def test_patience() -> None:
    away = Away(failures=7)
    assert away.ask(60) == "kept"
    assert away.seconds == pytest.approx(0.05 + 0.1 + 0.2 + 0.4 + 0.8 + 1 + 1)


def test_patience_ends() -> None:
    away = Away(failures=1000)
    with pytest.raises(StorageError, match="connection refused"):
        away.ask(10)
    assert 9 <= away.seconds <= 10


def test_the_code_that_is_sent_is_whole_and_needs_little(tmp_path: Path) -> None:
    """It is imported where polars, Kafka's client and everything heavier are missing."""
    code = tmp_path / "gars.zip"
    write_job_code(code)
    first = code.read_bytes()
    write_job_code(code)
    assert code.read_bytes() == first
    with zipfile.ZipFile(code) as archive:
        assert "gars/domain/user_state.py" in archive.namelist()
        assert not [name for name in archive.namelist() if "embedded" in name or "library" in name]
    program = """
import sys
for name in ("polars", "confluent_kafka", "litestar", "cassandra", "scipy", "typer", "rich"):
    sys.modules[name] = None
import gars.adapters.flink.folding, gars.adapters.flink.patience, gars.entrypoints.feature_job
assert "gars.zip" in gars.entrypoints.feature_job.__file__
gars.entrypoints.feature_job.main(["--help"])
"""
    done = subprocess.run(
        [sys.executable, "-c", program], env={"PYTHONPATH": str(code)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "--brokers" in done.stdout


def test_the_job_refuses_an_address_that_is_none() -> None:
    from gars.domain.errors import InvalidInputError
    from gars.entrypoints.feature_job import main

    with pytest.raises(InvalidInputError, match=r"no address of Redis\n.*write redis://"):
        main(["--brokers", "127.0.0.1:9092", "--redis", "sqlite:x"])
