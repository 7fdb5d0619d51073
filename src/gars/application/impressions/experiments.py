"""Report on an experiment: lists, clicks and dismissals per variant, and a check of the sample ratio."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from gars.application.impressions.click_attribution import WINDOW
from gars.application.ports import EventLog, ImpressionLog
from gars.domain.experiment import SUSPICIOUS, Experiment, clustered_rate, sample_ratio_p
from gars.domain.impression import Impression
from gars.domain.interaction import MAX_CLOCK_SKEW, Interaction, Kind


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of lists with its 95 % interval, users as the unit."""

    rate: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class VariantReport:
    """One variant: ``impressions`` are lists shown, ``clicks`` and ``dismissals`` lists with at least one."""

    name: str
    share: float
    users: int
    impressions: int
    clicks: int
    dismissals: int
    click_through: Rate
    dismiss_rate: Rate


@dataclass(frozen=True, slots=True)
class ExperimentReport:
    """All variants, and the p-value of the split of users among them."""

    name: str
    variants: tuple[VariantReport, ...]
    sample_ratio_p: float
    sample_ratio_ok: bool


def report(experiment: Experiment, impressions: ImpressionLog, log: EventLog) -> ExperimentReport:
    """Count the logged lists of the experiment's variants and the events attributed to them.

    An event belongs to the list of its ``request_id``, if that showed its anime to its user within 30 minutes.

    Raises:
        StorageError: a log could not be read.
    """
    shown: dict[str, Impression] = {}
    variants = {f"{experiment.name}/{variant.name}": variant for variant in experiment.variants}
    for one in impressions.read():
        if one.variant in variants:
            shown[one.request_id] = one
    acted = {Kind.CLICK: set[str](), Kind.DISMISS: set[str]()}
    for _, event in log.read():
        if event.kind in acted and not event.undo and came_of(event, shown):
            acted[event.kind].add(str(event.request_id))
    arms = []
    for label, variant in variants.items():
        lists = [one for one in shown.values() if one.variant == label]
        trials = Counter(one.user_id for one in lists)
        clicks, refused = (
            Counter(one.user_id for one in lists if one.request_id in acted[kind])
            for kind in (Kind.CLICK, Kind.DISMISS)
        )
        arms.append(
            VariantReport(
                name=variant.name,
                share=variant.share / sum(other.share for other in experiment.variants),
                users=len(trials),
                impressions=len(lists),
                clicks=clicks.total(),
                dismissals=refused.total(),
                click_through=_rate(clicks, trials),
                dismiss_rate=_rate(refused, trials),
            )
        )
    p = sample_ratio_p([arm.users for arm in arms], [arm.share for arm in arms])
    return ExperimentReport(experiment.name, tuple(arms), p, p >= SUSPICIOUS)


def came_of(event: Interaction, shown: Mapping[str, Impression]) -> bool:
    """Return whether an event has the id of a list that showed its anime to its user within ``WINDOW`` before it."""
    one = shown.get(event.request_id or "")
    return (
        one is not None
        and one.user_id == event.user_id
        and one.time - MAX_CLOCK_SKEW <= event.event_time <= one.time + WINDOW
        and any(item.anime_id == event.anime_id for item in one.items)
    )


def _rate(hits: Counter[str], trials: Counter[str]) -> Rate:
    users = list(trials)
    return Rate(*clustered_rate([hits[user] for user in users], [trials[user] for user in users]))
