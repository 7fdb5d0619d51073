"""The embedded adapters keep the contracts of their ports."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from gars.adapters.embedded.change_feed import MemoryChangeFeed
from gars.adapters.embedded.event_log import SqliteEventLog
from gars.adapters.embedded.impression_log import SqliteImpressionLog
from gars.adapters.embedded.state_store import SqliteStateStore
from gars.adapters.embedded.title_search import MemoryTitleSearch
from gars.adapters.embedded.tombstones import SqliteTombstones
from gars.application.ports import ChangeFeed, Engine, EventLog, ImpressionLog, StateStore, TitleSearch, Tombstones
from gars.domain.anime import Anime
from gars.testing.contracts.broken.engines import working_engine
from gars.testing.contracts.change_feed import ChangeFeedContract
from gars.testing.contracts.engine import EngineContract
from gars.testing.contracts.event_log import EventLogContract
from gars.testing.contracts.impression_log import ImpressionLogContract
from gars.testing.contracts.state_store import StateStoreContract
from gars.testing.contracts.title_search import TitleSearchContract
from gars.testing.contracts.tombstones import TombstonesContract
from gars.testing.memory import MemoryEventLog, MemoryImpressionLog, MemoryStateStore, MemoryTombstones


class _InFolder:
    """Opens adapters on one file and closes them when the check is over."""

    path: Path
    opened: list[EventLog | StateStore | Tombstones | ImpressionLog]

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path):  # type: ignore[no-untyped-def]
        self.path, self.opened = tmp_path / "gars.sqlite", []
        yield
        for adapter in self.opened:
            adapter.close()
            adapter.close()


class TestSqliteEventLog(_InFolder, EventLogContract):
    def open(self) -> EventLog:
        log = SqliteEventLog(self.path)
        self.opened.append(log)
        return log


class TestSqliteStateStore(_InFolder, StateStoreContract):
    def open(self) -> StateStore:
        store = SqliteStateStore(self.path)
        self.opened.append(store)
        return store


class TestSqliteTombstones(_InFolder, TombstonesContract):
    def open(self) -> Tombstones:
        stones = SqliteTombstones(self.path)
        self.opened.append(stones)
        return stones


class TestMemoryTombstones(TombstonesContract):
    stones: MemoryTombstones | None = None

    def open(self) -> Tombstones:
        self.stones = self.stones or MemoryTombstones()
        return self.stones


class TestSqliteImpressionLog(_InFolder, ImpressionLogContract):
    def open(self) -> ImpressionLog:
        log = SqliteImpressionLog(self.path)
        self.opened.append(log)
        return log


class TestMemoryImpressionLog(ImpressionLogContract):
    log: MemoryImpressionLog | None = None

    def open(self) -> ImpressionLog:
        self.log = self.log or MemoryImpressionLog()
        return self.log


class TestMemoryEventLog(EventLogContract):
    log: MemoryEventLog | None = None

    def open(self) -> EventLog:
        self.log = self.log or MemoryEventLog()
        return self.log


class TestMemoryStateStore(StateStoreContract):
    store: MemoryStateStore | None = None

    def open(self) -> StateStore:
        self.store = self.store or MemoryStateStore()
        return self.store


class TestMemoryChangeFeed(ChangeFeedContract):
    def open(self) -> ChangeFeed:
        return MemoryChangeFeed()


class TestMemoryTitleSearch(TitleSearchContract):
    def open(self, catalogue: Sequence[Anime]) -> TitleSearch:
        return MemoryTitleSearch(catalogue)


class TestFakeEngine(EngineContract):
    def open(self) -> Engine:
        return working_engine()
