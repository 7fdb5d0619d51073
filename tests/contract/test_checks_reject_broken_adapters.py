"""Negative controls: every check of every contract notices the adapter that is broken in its way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from gars.domain.errors import StorageError
from gars.domain.interaction import Interaction
from gars.testing.contracts.broken.change_feeds import CHANGE_FEEDS
from gars.testing.contracts.broken.engines import ENGINES
from gars.testing.contracts.broken.event_logs import EVENT_HISTORIES, EVENT_LOGS, LOCAL_EVENT_LOGS
from gars.testing.contracts.broken.impression_logs import IMPRESSION_LOGS
from gars.testing.contracts.broken.state_stores import STATE_STORES
from gars.testing.contracts.broken.title_searches import TITLE_SEARCHES
from gars.testing.contracts.broken.tombstones import TOMBSTONES
from gars.testing.contracts.broken.types import Broken
from gars.testing.contracts.change_feed import ChangeFeedContract
from gars.testing.contracts.engine import EngineContract
from gars.testing.contracts.event_history import EventHistoryContract
from gars.testing.contracts.event_log import EventLogContract
from gars.testing.contracts.impression_log import ImpressionLogContract
from gars.testing.contracts.local_event_log import LocalEventLogContract
from gars.testing.contracts.state_store import StateStoreContract
from gars.testing.contracts.title_search import TitleSearchContract
from gars.testing.contracts.tombstones import TombstonesContract

CONTRACTS: list[tuple[type[Any], Broken]] = [
    (EventLogContract, EVENT_LOGS),
    (EventHistoryContract, EVENT_HISTORIES),
    (LocalEventLogContract, LOCAL_EVENT_LOGS),
    (StateStoreContract, STATE_STORES),
    (ChangeFeedContract, CHANGE_FEEDS),
    (ImpressionLogContract, IMPRESSION_LOGS),
    (TombstonesContract, TOMBSTONES),
    (TitleSearchContract, TITLE_SEARCHES),
    (EngineContract, ENGINES),
]


def _checks(contract: type[Any]) -> set[str]:
    return {name for name in dir(contract) if name.startswith("test_")}


@pytest.mark.parametrize(("contract", "doubles"), CONTRACTS, ids=lambda value: getattr(value, "__name__", ""))
def test_every_check_has_a_double_to_reject(contract: type[Any], doubles: Broken) -> None:
    assert _checks(contract) == set(doubles)


@pytest.mark.parametrize(
    ("contract", "check", "make"),
    [(contract, check, make) for contract, doubles in CONTRACTS for check, make in doubles.items()],
    ids=lambda value: value if isinstance(value, str) else getattr(value, "__name__", ""),
)
def test_check_rejects(contract: type[Any], check: str, make: Callable[..., Any]) -> None:
    # one object for the whole check, except for those whose fault is to lose what they had
    loses = "Restart" in make.__name__
    kept: list[Any] = []

    def open_broken(_self: object, *arguments: Any) -> Any:
        if arguments or loses or not kept:
            kept.append(make(*arguments))
        return kept[-1]

    def add(_self: object, history: Any, events: Sequence[Interaction]) -> Any:
        return history.append(events)

    subject = type("Subject", (contract,), {"open": open_broken, "add": add, "deadline_s": 0.2})()
    with pytest.raises((AssertionError, StorageError, RuntimeError)):
        getattr(subject, check)()
