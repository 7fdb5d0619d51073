"""What came of a promotion, by hand: which lists count, what makes a fall, and asking the service."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import msgspec
import numpy as np
import pytest

from gars.domain.experiment import change_of_rate, clustered_rate
from gars.domain.interaction import Interaction, Kind
from gars.entrypoints.cli import pipeline_world as world
from gars.pipeline.live_watch import FIRM, Look, look
from gars.testing.contracts.impression_log import impression
from gars.testing.events import START, event
from gars.testing.memory import MemoryEventLog, MemoryImpressionLog

PROMOTED = START
HOUR = timedelta(hours=1)


class Shown:
    """Lists of both models to thirty users, and what came of them."""

    def __init__(self) -> None:
        self.impressions, self.log = MemoryImpressionLog(), MemoryEventLog()
        self.n = 0

    def lists(
        self, version: str, count: int, *, share: float = 0.0, kind: Kind = Kind.CLICK, value: int | None = None,
        fallback: float = 0.0, ago: timedelta = timedelta(), request_id: Callable[[str], str] = str,
    ) -> None:  # fmt: skip
        rng = np.random.default_rng(len(self.log.entries) + 7)
        start = PROMOTED + (HOUR if version.startswith("new") else -5 * HOUR) - ago
        for number in range(count):
            self.n += 1
            at = start + timedelta(seconds=number)
            shown = msgspec.structs.replace(
                impression(f"r{self.n}", f"u{number % 30}", at=at),
                model_version=version,
                fallback="popular" if rng.random() < fallback else None,
            )
            self.impressions.append([shown])
            if rng.random() < share:
                interaction: Interaction = event(shown.user_id, 5, kind, value, at=at + timedelta(minutes=1))
                self.log.append([msgspec.structs.replace(interaction, request_id=request_id(shown.request_id))])

    def look(self, *, now: timedelta = 5 * HOUR, z: float = FIRM) -> Look:
        return look(self.impressions, self.log, before="old", after="new", promoted=PROMOTED, now=PROMOTED + now, z=z)


@pytest.fixture
def shown() -> Shown:
    return Shown()


@pytest.mark.parametrize(
    ("kind", "value", "shares", "fall"),
    [
        (Kind.CLICK, None, (0.5, 0.1), "clicks"),
        (Kind.LIKE, None, (0.5, 0.1), "likes"),
        (Kind.RATE, 9, (0.5, 0.1), "likes"),
        (Kind.DISMISS, None, (0.05, 0.4), "dismissals"),
        (Kind.CLICK, None, (0.1, 0.5), None),
        (Kind.DISMISS, None, (0.4, 0.05), None),
        (Kind.RATE, 3, (0.5, 0.1), None),
        (Kind.CLICK, None, (0.3, 0.27), None),
    ],
)
def test_a_fall_is_what_got_worse(
    shown: Shown, kind: Kind, value: int | None, shares: tuple[float, float], fall: str | None
) -> None:
    shown.lists("old", 300, share=shares[0], kind=kind, value=value)
    shown.lists("new+abc", 300, share=shares[1], kind=kind, value=value)
    compared = shown.look()
    assert (compared.before.lists, compared.after.lists, compared.after.users) == (300, 300, 30)
    assert [one.metric for one in compared.falls] == ([fall] if fall else [])


def test_simpler_lists_are_a_fall_at_once(shown: Shown) -> None:
    shown.lists("old", 300)
    shown.lists("new", 300, fallback=0.3)
    compared = shown.look(now=HOUR + timedelta(minutes=6))
    assert compared.after.lists == 0, "nothing can have come of them yet"
    assert [one.metric for one in compared.falls] == ["fallbacks"]
    assert world.regression_message(compared).startswith("fallbacks 0.0% → ")


def test_only_what_belongs_to_the_two_models_counts(shown: Shown) -> None:
    shown.lists("old", 150, share=0.5)
    shown.lists("old", 150, share=0.0, ago=timedelta(days=8))
    shown.lists("new", 150, share=0.5, request_id=lambda _: "another")
    shown.lists("newer", 150, share=0.5)
    compared = shown.look()
    assert (compared.before.lists, compared.after.lists) == (150, 150)
    assert compared.after.rate("clicks")[0] == 0, "an event that names another list is not this one's"
    assert [one.metric for one in shown.look(now=HOUR).changes] == ["fallbacks"], "too young to say more"


def test_a_change_has_an_interval_around_it() -> None:
    rng = np.random.default_rng(0)
    inside = 0
    for _ in range(200):
        was, is_ = (clustered_rate(rng.binomial(5, p, 60).tolist(), [5.0] * 60) for p in (0.3, 0.4))
        change, low, high = change_of_rate(was, is_)
        assert low <= change <= high
        inside += low <= 0.1 <= high
    assert 180 <= inside <= 200, "about 95 of 100"
    assert change_of_rate((0.5, 0.4, 0.6), (0.5, 0.4, 0.6))[0] == 0
    wide = clustered_rate([3.0] * 60, [5.0] * 60, z=3.29)
    assert wide[1] < clustered_rate([3.0] * 60, [5.0] * 60)[1]


def test_the_service_is_asked_until_it_has_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[dict[str, Any]] = []

    def get(address: str, **_: Any) -> httpx.Response:
        if not answers:
            raise httpx.ConnectError("refused")
        body = answers[0] if "ready" in address else answers.pop(0)
        return httpx.Response(200, json=body.get("ready", {}) if "ready" in address else body)

    monkeypatch.setattr(httpx, "get", get)
    monkeypatch.setattr("time.sleep", lambda _: None)
    answers[:] = [{"model": {"version": "old"}}, {"model": {"version": "new"}}]
    assert world.confirm("http://x/")("new") is None
    refusal = {"warnings": {"model": "the model new was promoted but cannot serve"}}
    answers[:] = [{"model": {"version": "old"}}, {"model": {"version": "old"}, "ready": refusal}]
    assert world.confirm("http://x")("new") == "the service refused it: the model new was promoted but cannot serve"
    answers.clear()
    problem = world.confirm("http://x", patience_s=0.05)("new")
    assert problem == "the service did not take it up in 0 s: it does not answer: refused"
