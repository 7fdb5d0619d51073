"""A journal of GARS is cut at every byte of its last line, as a power cut may do, and then read and written again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from gars.datasets.crawled import CrawledAnime
from gars.domain.errors import ArtefactError, DataError, GarsError, InvalidInputError
from gars.library.registry import PROMOTIONS, Promotion, Registry
from gars.pipeline.journal import Begun, Ended, RunJournal
from gars.pipeline.promotions import Rollback, rollbacks
from gars.spider.store import RecordStore
from gars.tuning.trial_journal import TrialJournal


def _crawled(anime_id: int) -> CrawledAnime:
    return CrawledAnime(anime_id=anime_id, title="A", crawled_at=datetime(2026, 1, 1, tzinfo=UTC), source="test")


class Promotions:
    """``models/promotions.jsonl``."""

    file = PROMOTIONS
    refusal: type[GarsError] | None = None

    def write(self, folder: Path, number: int) -> None:
        from gars.datasets.json_lines import append_line

        append_line(folder / self.file, msgspec.json.encode(Promotion(f"model-{number}", "2026-01-01T00:00:00+00:00")))

    def read(self, folder: Path) -> list[object]:
        return [one.version for one in Registry(folder).promotions()]


class Rollbacks(Promotions):
    """``models/rollbacks.jsonl``."""

    file = "rollbacks.jsonl"
    refusal: type[GarsError] | None = ArtefactError

    def write(self, folder: Path, number: int) -> None:
        from gars.datasets.json_lines import append_line

        append_line(folder / self.file, msgspec.json.encode(Rollback(f"model-{number}", "a", "why", "now")))

    def read(self, folder: Path) -> list[object]:
        return [one.version for one in rollbacks(Registry(folder))]


class Run(Promotions):
    """``pipeline/NAME/journal.jsonl``."""

    file = "journal.jsonl"
    refusal: type[GarsError] | None = InvalidInputError

    def write(self, folder: Path, number: int) -> None:
        line = Begun(asked={"a": 1}, time="now") if number == 0 else Ended(verdict="kept", message="", time=str(number))
        RunJournal(folder).append(line)

    def read(self, folder: Path) -> list[object]:
        return [one.time for one in RunJournal(folder).lines]


class Crawl(Promotions):
    """``spider/anime.jsonl``."""

    file = "anime.jsonl"
    refusal: type[GarsError] | None = DataError

    def write(self, folder: Path, number: int) -> None:
        store = RecordStore(folder / self.file, CrawledAnime)
        store.add(_crawled(number))
        store.close()

    def read(self, folder: Path) -> list[object]:
        return [one.anime_id for one in RecordStore(folder / self.file, CrawledAnime).records()]


JOURNALS = [Promotions(), Rollbacks(), Run(), Crawl()]


@pytest.mark.parametrize("journal", JOURNALS, ids=lambda journal: type(journal).__name__)
def test_line_cut_at_any_byte_loses_no_other_line(tmp_path: Path, journal: Promotions) -> None:
    path = tmp_path / journal.file
    for number in range(3):
        journal.write(tmp_path, number)
    whole, content = journal.read(tmp_path), path.read_bytes()
    start = content.rstrip(b"\n").rfind(b"\n") + 1
    for end in range(start, len(content)):
        path.write_bytes(content[:end])
        read_back = journal.read(tmp_path)
        assert read_back == whole[:2]
        assert path.read_bytes() == content[:end], "reading changes nothing"
        journal.write(tmp_path, 7)
        after = journal.read(tmp_path)
        assert after[:-1] == read_back
        assert len(after) == len(read_back) + 1
    print(f"{len(content) - start} cuts: the line that was never acknowledged is lost, no other one")


@pytest.mark.parametrize("journal", JOURNALS, ids=lambda journal: type(journal).__name__)
@pytest.mark.parametrize("damage", [b'{"versi', b"\x00" * 40, b"\xff\xfe"])
def test_a_damaged_line_in_the_middle_is_named(
    tmp_path: Path, journal: Promotions, damage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(3):
        journal.write(tmp_path, number)
    path = tmp_path / journal.file
    first, _, third = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(first + damage + b"\n" + third)
    if journal.refusal is None:
        assert journal.read(tmp_path) == ["model-0", "model-2"]
        assert f"line 2 of {path} is damaged" in caplog.text
    else:
        with pytest.raises(journal.refusal, match=f"line 2 of {path} is damaged"):
            journal.read(tmp_path)


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """Two models that need no files to be read."""
    from gars.library import registry as module

    opened = Registry(tmp_path)
    monkeypatch.setattr(opened, "find", lambda version: version)
    monkeypatch.setattr(module, "read", lambda path: (path.name, None))
    manifests = [msgspec.defstruct("Manifest", ["version"])(name) for name in ("old", "new")]
    monkeypatch.setattr(opened, "versions", lambda: manifests)
    return opened


def test_rollback_works_on_a_torn_record(registry: Registry) -> None:
    registry.promote("old")
    registry.promote("new")
    path = registry.folder / PROMOTIONS
    content = path.read_bytes()
    path.write_bytes(content + b'{"version":"ne')
    registry.rollback()
    assert registry.current() == "old"
    assert [one.version for one in registry.promotions()] == ["old", "new", "old"]
    # a version before appended to a torn line, which made one damaged line of two
    path.write_bytes(content + b'{"version":"ne' + msgspec.json.encode(Promotion("new", "now")) + b"\n")
    registry.promote("new")
    registry.rollback()
    assert registry.current() == "old"


def test_trials_go_on_after_a_cut(tmp_path: Path) -> None:
    path = tmp_path / "trials.jsonl"
    TrialJournal(path, {"seed": 0})
    header = path.read_bytes()
    for end in range(len(header)):
        path.write_bytes(header[:end])
        TrialJournal(path, {"seed": 0})
        assert path.read_bytes() == header, "begun again"
        assert TrialJournal(path, {"seed": 0}).outcomes() == []
    path.write_bytes(b"\x00\x00\n")
    with pytest.raises(InvalidInputError, match=r"line 1 of .* is damaged"):
        TrialJournal(path, {"seed": 0})


def test_a_page_crawled_ahead_of_time_is_crawled_again(tmp_path: Path) -> None:
    """By a clock that was ahead; else it would count as fresh until that time comes."""
    store = RecordStore(tmp_path / "anime.jsonl", CrawledAnime)
    store.add(_crawled(1))
    seen, week = datetime(2026, 1, 1, tzinfo=UTC), timedelta(days=7)
    assert store.is_fresh(1, seen + timedelta(days=6), week)
    assert not store.is_fresh(1, seen - timedelta(days=400), week)
    assert store.is_fresh(1, seen - timedelta(days=400), None)
    store.close()
