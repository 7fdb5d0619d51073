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
from gars.adapters.embedded.write_behind import WriteBehind
from gars.application.ports import ChangeFeed, ImpressionLog, LocalEventLog, StateStore, TitleSearch, Tombstones
from gars.application.recommend.engine import Engine
from gars.domain.anime import Anime
from gars.domain.interaction import Interaction
from gars.testing.contracts.broken.engines import working_engine
from gars.testing.contracts.change_feed import ChangeFeedContract
from gars.testing.contracts.engine import EngineContract
from gars.testing.contracts.event_history import EventHistoryContract
from gars.testing.contracts.event_log import EventLogContract
from gars.testing.contracts.impression_log import ImpressionLogContract
from gars.testing.contracts.local_event_log import LocalEventLogContract
from gars.testing.contracts.state_store import StateStoreContract
from gars.testing.contracts.title_search import TitleSearchContract
from gars.testing.contracts.tombstones import TombstonesContract
from gars.testing.memory import MemoryEventLog, MemoryImpressionLog, MemoryStateStore, MemoryTombstones


class _InFolder:
    """Opens adapters on one file and closes them when the check is over."""

    path: Path
    opened: list[LocalEventLog | StateStore | Tombstones | ImpressionLog]

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path):  # type: ignore[no-untyped-def]
        self.path, self.opened = tmp_path / "gars.sqlite", []
        yield
        for adapter in self.opened:
            adapter.close()
            adapter.close()


class _OpensSqliteLog(_InFolder):
    def open(self) -> LocalEventLog:
        log = SqliteEventLog(self.path)
        self.opened.append(log)
        return log

    def add(self, history: LocalEventLog, events: Sequence[Interaction]) -> list[int]:
        return [offset for offset in history.append(events) if offset is not None]


class TestSqliteEventLog(_OpensSqliteLog, EventLogContract):
    pass


class TestSqliteEventHistory(_OpensSqliteLog, EventHistoryContract):
    pass


class TestSqliteLocalEventLog(_OpensSqliteLog, LocalEventLogContract):
    pass


class TestWriteBehind(_InFolder, StateStoreContract):
    def open(self) -> StateStore:
        for before in self.opened:
            if isinstance(before, WriteBehind):
                before.flush()
        store = WriteBehind(SqliteStateStore(self.path), most_waiting=100)
        self.opened.append(store)
        return store


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


class _OpensMemoryLog:
    log: MemoryEventLog | None = None

    def open(self) -> LocalEventLog:
        self.log = self.log or MemoryEventLog()
        return self.log

    def add(self, history: LocalEventLog, events: Sequence[Interaction]) -> list[int]:
        return [offset for offset in history.append(events) if offset is not None]


class TestMemoryEventLog(_OpensMemoryLog, EventLogContract):
    pass


class TestMemoryEventHistory(_OpensMemoryLog, EventHistoryContract):
    pass


class TestMemoryLocalEventLog(_OpensMemoryLog, LocalEventLogContract):
    pass


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
