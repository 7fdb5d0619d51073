"""Results as tables of text: the same ones in the terminal, in Markdown and in HTML."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gars.domain.metrics import Interval
from gars.evaluation.report.results import About, Comparison, Group, LikesResult, ListsResult, Results

LIST_METRICS = ("recall@20", "recall@50", "ndcg@10", "ndcg@100")
GROUP_TITLES = {
    "cut": "by titles shown, the same users and targets",
    "history": "by length of the history",
    "popularity": "by popularity of the target, each fifth holding a fifth of what was watched",
    "franchise": "by ties of the target to the history",
    "began": "by the year in which the target began",
    "evidence": "by training ratings of the target",
}
OF_TARGETS = ("popularity", "franchise", "began", "evidence")
"""Breakdowns by the target, not by the user."""


@dataclass(frozen=True, slots=True)
class Table:
    """A title, column names, and rows of text."""

    title: str
    header: list[str]
    rows: list[list[str]]
    strong: str | None = None
    """The row to stand out, by its first cell."""


def summary(result: ListsResult | LikesResult, about: About) -> Table:
    """Every model's metrics."""
    return lists_summary(result, about) if isinstance(result, ListsResult) else likes_summary(result, about)


def lists_summary(result: ListsResult, about: About) -> Table:
    """Every model's metrics."""
    return Table(
        f"Lists, protocol {result.protocol}: {result.users} {about.part} users of the {result.data}, "
        f"{result.items:,} items, fit {result.fit_seconds:.0f} s, seed {about.seed}",
        ["model", *LIST_METRICS, "coverage@10"],
        [
            [one.name, *(str(one.metrics[name]) for name in LIST_METRICS), f"{one.coverage:.3f}"]
            for one in result.models
        ],
        strong="two stages",
    )


def likes_summary(result: LikesResult, about: About) -> Table:
    """Every model's metrics."""
    return Table(
        f"Likes, protocol {result.protocol}: {result.rows:,} {about.part} rows of the {result.data}, "
        f"fit {result.fit_seconds:.0f} s, seed {about.seed}",
        ["model", "accuracy", "AUC", "GAUC", "log loss", "ECE"],
        [
            [
                one.name,
                str(one.metrics["accuracy"]),
                str(one.metrics["auc"]),
                *(_short(one.values[name]) for name in ("gauc", "log_loss", "ece")),
            ]
            for one in result.models
        ],
        strong="two stages",
    )


def against_the_best(comparisons: Sequence[Comparison]) -> Table:
    """The product against the best baseline, paired."""
    best = comparisons[0]
    gains = best.gains
    title = f"{best.model.capitalize()} against {best.against}, paired"
    return Table(title, list(gains), [[str(gain) for gain in gains.values()]])


def against_all(comparisons: Sequence[Comparison]) -> Table:
    """The product against each other model, paired."""
    return Table(
        f"{comparisons[0].model.capitalize()} against each other model, paired differences",
        ["against", *comparisons[0].gains],
        [[one.against, *(_signed(gain) for gain in one.gains.values())] for one in comparisons],
    )


def character(result: ListsResult) -> Table:
    """Table of properties of the lists."""
    return Table(
        "What the first ten are like",
        ["model", "coverage", "novelty (bits)", "diversity", "share of the top tenth", "Gini", "ms a user"],
        [
            [
                one.name,
                f"{one.coverage:.3f}",
                _short(one.novelty, 2),
                _short(one.diversity),
                _short(one.head_share),
                _short(one.gini),
                _short(one.scoring_ms, 2),
            ]
            for one in result.models
        ],
        strong="two stages",
    )


def list_groups(result: ListsResult) -> Iterator[Table]:
    """A table a breakdown: NDCG@10 where whole lists are measured, recall@20 where targets are parted."""
    for kind, title in GROUP_TITLES.items():
        metric = "recall@20" if kind in OF_TARGETS else "ndcg@10"
        models = [(one.name, [group for group in one.groups if group.kind == kind]) for one in result.models]
        yield from _groups(f"{metric} {title}", "users", metric, models)


def like_groups(result: LikesResult) -> Iterator[Table]:
    """A table a breakdown and metric."""
    for kind, title in GROUP_TITLES.items():
        models = [(one.name, [group for group in one.groups if group.kind == kind]) for one in result.models]
        for metric in ("accuracy", "auc"):
            yield from _groups(f"{metric} {title}", "rows", metric, models)


def costs(results: Results) -> Table:
    """Seconds and memory of every fit."""
    return Table(
        "Fits",
        ["protocol", "model", "seconds", "peak memory of the process (MB)"],
        [[fit.protocol, fit.model, f"{fit.cost.seconds:.1f}", _short(fit.cost.peak_mb, 0)] for fit in results.fits],
    )


def tasks(results: Results, at_most: int = 12) -> Table:
    """Where the fit's time went, over all protocols."""
    summed: dict[str, tuple[int, float]] = {}
    for task in results.tasks:
        runs, seconds = summed.get(task.label, (0, 0.0))
        summed[task.label] = (runs + task.runs, seconds + task.seconds)
    longest = sorted(summed.items(), key=lambda one: -one[1][1])[:at_most]
    return Table(
        "Where the time went (tasks run side by side)",
        ["task", "runs", "seconds"],
        [[label, str(runs), f"{seconds:.1f}"] for label, (runs, seconds) in longest],
    )


def skipped(results: Results) -> Table:
    """Table of skipped measurements."""
    return Table(
        "Not measured", ["protocol", "model", "why"], [[one.protocol, one.name, one.reason] for one in results.skipped]
    )


def like_times(result: LikesResult) -> Table:
    """Milliseconds a user."""
    return Table("Milliseconds a user", ["model", "ms"], [[one.name, f"{one.scoring_ms:.2f}"] for one in result.models])


def _groups(title: str, unit: str, metric: str, models: list[tuple[str, list[Group]]]) -> Iterator[Table]:
    names = list(dict.fromkeys((group.name, group.size) for _, groups in models for group in groups))
    if not names:
        return
    rows = []
    for model, groups in models:
        found = {group.name: group.metrics[metric] for group in groups}
        if found:
            rows.append([model, *(str(found[name]) if name in found else "" for name, _ in names)])
    yield Table(title, ["model", *(f"{name} · {size:,} {unit}" for name, size in names)], rows, strong="two stages")


def _short(value: float | None, digits: int = 3) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _signed(gain: Interval) -> str:
    return f"{gain.mean:+.3f} [{gain.low:+.3f}, {gain.high:+.3f}]"
