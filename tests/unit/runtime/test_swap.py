from __future__ import annotations

import logging
import threading

import pytest

from gars.domain.errors import ArtefactError
from gars.runtime.swap import Swap

_PATIENCE_S = 30


class Registry:
    def __init__(self) -> None:
        self.promoted: str | None = "one"
        self.broken: Exception | None = None
        self.loads = 0

    def load(self, current: str) -> tuple[str, str]:
        self.loads += 1
        if self.broken:
            raise self.broken
        return f"model {self.promoted}", self.promoted or ""


@pytest.fixture
def registry() -> Registry:
    return Registry()


@pytest.fixture
def swap(registry: Registry) -> Swap[str]:
    return Swap("model one", "one", promoted=lambda: registry.promoted, load=registry.load)


def test_takes_up_what_was_promoted_once(registry: Registry, swap: Swap[str]) -> None:
    assert not swap.refresh()
    registry.promoted = "two"
    assert swap.refresh()
    assert not swap.refresh()
    assert (swap.current, swap.version, swap.swaps, registry.loads) == ("model two", "two", 1, 1)
    registry.promoted = None
    assert not swap.refresh(), "no opinion changes nothing"


@pytest.mark.parametrize(
    ("error", "message"),
    [(ArtefactError("half-written"), "half-written"), (KeyError("vectors"), "KeyError: 'vectors'")],
)
def test_a_model_that_is_no_good_leaves_the_one_before(
    registry: Registry, swap: Swap[str], error: Exception, message: str, caplog: pytest.LogCaptureFixture
) -> None:
    registry.promoted, registry.broken = "two", error
    assert not swap.refresh()
    assert not swap.refresh()
    assert (swap.current, registry.loads) == ("model one", 1), "not tried again each second"
    assert swap.problem is not None
    assert swap.problem.message == f"the model two was promoted but cannot serve ({message}); one goes on"
    assert "gars model rollback" in (swap.problem.hint or "")
    assert message in caplog.text
    registry.promoted = "one"
    swap.refresh()
    assert not _refused(swap), "rolled back: all is well"
    registry.promoted = "two"
    swap.refresh()
    registry.broken = None
    assert swap.refresh(again=True)
    assert not _refused(swap)


def _refused(swap: Swap[str]) -> bool:
    return swap.problem is not None


def test_watching(registry: Registry, swap: Swap[str], caplog: pytest.LogCaptureFixture) -> None:
    taken = threading.Event()
    load = registry.load

    def loaded(current: str) -> tuple[str, str]:
        taken.set()
        return load(current)

    swap = Swap("model one", "one", promoted=lambda: registry.promoted, load=loaded)
    with caplog.at_level(logging.WARNING):
        swap.watch(0.001)
        registry.promoted = "two"
        assert taken.wait(_PATIENCE_S)
        swap.close()
        swap.close()
    assert swap.current == "model two"
    assert "the model two serves now" in caplog.text


def test_failed_check_is_reported_and_the_next_one_counts(registry: Registry, caplog: pytest.LogCaptureFixture) -> None:
    looks: list[Exception | str] = [OSError("the folder is away"), "two"]

    def look() -> str:
        found = looks.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    swap = Swap("model one", "one", promoted=look, load=registry.load)
    assert not swap.refresh()
    assert "cannot see which model is promoted: the folder is away" in caplog.text
    registry.promoted = "two"
    assert swap.refresh()
    assert swap.current == "model two"
