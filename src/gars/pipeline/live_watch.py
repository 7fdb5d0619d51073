"""Compare a newly promoted model with its predecessor, on live traffic."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gars.application.impressions.click_attribution import WINDOW
from gars.application.impressions.experiments import came_of
from gars.application.ports import EventLog, ImpressionLog
from gars.domain.experiment import change_of_rate, clustered_rate
from gars.domain.history import LIKED_ABOVE
from gars.domain.impression import Impression
from gars.domain.interaction import Interaction, Kind

BEFORE = timedelta(days=7)
"""Period before the promotion from which lists of the predecessor are compared."""
FEWEST_LISTS = 100
FEWEST_USERS = 10
FIRM, FINAL = 3.29, 1.96
"""Critical values in standard errors: for the interim looks, and for the final one.

Haybittle 1971, Peto 1976: repeated looks need a larger value, or chance alone rolls back.
"""
METRICS = {"clicks": -1, "likes": -1, "dismissals": 1, "fallbacks": 1}
"""Metrics, each the share of lists with at least one such event, and the sign of a change for the worse."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts of one model's lists per user, and of those with each of ``METRICS``."""

    version: str
    trials: dict[str, Counter[str]]
    """Metric → user → lists."""
    hits: dict[str, Counter[str]]
    """Metric → user → lists with at least one."""

    @property
    def lists(self) -> int:
        """Number of lists whose attribution window has passed."""
        return self.trials["clicks"].total()

    @property
    def users(self) -> int:
        """Number of users with such lists."""
        return len(self.trials["clicks"])

    def rate(self, metric: str, *, z: float = FINAL) -> tuple[float, float, float]:
        """Return the rate and its interval, with users as the unit."""
        trials, hits = self.trials[metric], self.hits[metric]
        users = list(trials)
        return clustered_rate([hits[user] for user in users], [trials[user] for user in users], z=z)


@dataclass(frozen=True, slots=True)
class Change:
    """One metric before and after, with the interval of the change."""

    metric: str
    before: float
    after: float
    change: float
    low: float
    high: float

    @property
    def is_fall(self) -> bool:
        """True if the metric is worse by more than its interval."""
        return self.high < 0 if METRICS[self.metric] < 0 else self.low > 0


@dataclass(frozen=True, slots=True)
class Look:
    """Result of one look. ``changes`` is empty while there are too few lists for a comparison."""

    before: Figures
    after: Figures
    changes: list[Change] = field(default_factory=list)

    @property
    def falls(self) -> list[Change]:
        """Metrics that are worse by more than their interval."""
        return [change for change in self.changes if change.is_fall]


def look(
    impressions: ImpressionLog,
    log: EventLog,
    *,
    before: str,
    after: str,
    promoted: datetime,
    now: datetime,
    z: float = FIRM,
    fewest_lists: int = FEWEST_LISTS,
) -> Look:
    """Compare the lists of two model versions by the events attributed to them; ``after`` serves since ``promoted``.

    A list counts for clicks, likes and dismissals once its attribution window (``WINDOW``) has passed, and for
    fallbacks at once. A metric is compared when both models have ``fewest_lists`` of at least ``FEWEST_USERS`` users.

    Raises:
        StorageError: a log could not be read.
    """
    shown: dict[str, Impression] = {}
    for one in impressions.read():
        version = one.model_version.partition("+")[0]  # the model, whatever joined its catalogue since
        is_new = version == after and one.time >= promoted
        is_old = version == before and promoted - BEFORE <= one.time < promoted
        if is_new or is_old:
            shown[one.request_id] = one
    acted: dict[str, set[str]] = {"clicks": set(), "likes": set(), "dismissals": set()}
    for _, event in log.read():
        metric = _metric(event)
        if metric is not None and came_of(event, shown):
            acted[metric].add(str(event.request_id))
    was, is_ = (_figures(version, shown, acted, now) for version in (before, after))
    changes = []
    for metric in METRICS:
        if all(
            one.trials[metric].total() >= fewest_lists and len(one.trials[metric]) >= FEWEST_USERS for one in (was, is_)
        ):
            change = change_of_rate(was.rate(metric, z=z), is_.rate(metric, z=z))
            changes.append(Change(metric, was.rate(metric)[0], is_.rate(metric)[0], *change))
    return Look(was, is_, changes)


def _figures(version: str, shown: dict[str, Impression], acted: dict[str, set[str]], now: datetime) -> Figures:
    lists = [one for one in shown.values() if one.model_version.partition("+")[0] == version]
    old_enough = [one for one in lists if one.time <= now - WINDOW]
    trials = {metric: Counter(one.user_id for one in old_enough) for metric in acted}
    hits = {
        metric: Counter(one.user_id for one in old_enough if one.request_id in requests)
        for metric, requests in acted.items()
    }
    trials["fallbacks"] = Counter(one.user_id for one in lists)
    hits["fallbacks"] = Counter(one.user_id for one in lists if one.fallback is not None)
    return Figures(version, trials, hits)


def _metric(event: Interaction) -> str | None:
    if event.undo:
        return None
    if event.kind == Kind.CLICK:
        return "clicks"
    if event.kind == Kind.LIKE or (
        event.kind == Kind.RATE and isinstance(event.value, int) and event.value > LIKED_ABOVE
    ):
        return "likes"
    return "dismissals" if event.kind == Kind.DISMISS else None
