"""Plots as SVG text, drawn with matplotlib (extra ``report``)."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from gars.domain.errors import MissingExtraError
from gars.domain.metrics import Interval
from gars.evaluation.report.results import Group, LikesResult, ListsResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BASELINE, PIPELINE, PRODUCT = "#8a94a6", "#5b7bd5", "#d1495b"
FLOORS = ("popularity", "item rate")
"""Models without personalisation, drawn dotted."""
_STYLE = {
    "font.size": 9,
    "font.family": "sans-serif",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e6e8ee",
    "axes.axisbelow": True,
    "svg.fonttype": "none",
    "svg.hashsalt": "gars",
    "figure.constrained_layout.use": True,
}


def require_matplotlib() -> Any:
    """matplotlib.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import matplotlib
    except ImportError as error:
        raise MissingExtraError("the plots of the report", "report") from error
    return matplotlib


def list_quality(result: ListsResult, metric: str = "ndcg@100") -> str:
    """Every model with its interval, the best on top."""
    models = sorted(result.models, key=lambda one: one.metrics[metric].mean)
    colours = [_colour(one.name, one.role) for one in models]
    return _dots([one.name for one in models], [one.metrics[metric] for one in models], colours, metric)


def like_quality(result: LikesResult, metric: str = "auc") -> str:
    """Every model with its interval, the best on top."""
    models = sorted(result.models, key=lambda one: one.metrics[metric].mean)
    colours = [_colour(one.name, one.role) for one in models]
    return _dots([one.name for one in models], [one.metrics[metric] for one in models], colours, metric)


def groups(models: Sequence[tuple[str, str, Sequence[Group]]], metric: str, label: str) -> str:
    """One line a model over groups of the same kind. ``models`` are name, role and groups."""
    names = list(dict.fromkeys(group.name for _, _, found in models for group in found))
    with _figure(5.2, 3.0) as (axes, drawn):
        for name, role, found in models:
            at = [names.index(group.name) for group in found]
            values = [group.metrics[metric] for group in found]
            colour = _colour(name, role)
            dash = ":" if name in FLOORS else "-"
            axes.plot(at, [one.mean for one in values], dash, marker="o", markersize=3.5, color=colour, label=name)
            axes.fill_between(
                at, [one.low for one in values], [one.high for one in values], color=colour, alpha=0.12, linewidth=0
            )
        axes.set_xticks(range(len(names)), names)
        axes.set_xlabel(label)
        axes.set_ylabel(metric)
        axes.legend(frameon=False, fontsize=8)
    return drawn[0]


def reliability(result: LikesResult, names: Sequence[str]) -> str:
    """Plot observed frequency against predicted probability; a dot's area is its share of the rows."""
    with _figure(3.6, 3.4) as (axes, drawn):
        axes.plot([0, 1], [0, 1], color="#444", linewidth=0.8, linestyle="--")
        for one in result.models:
            if one.name not in names:
                continue
            colour = _colour(one.name, one.role)
            x, y = [b.predicted for b in one.reliability], [b.liked for b in one.reliability]
            axes.plot(x, y, color=colour, linewidth=1, label=one.name)
            axes.scatter(x, y, s=[2 + 300 * b.rows / result.rows for b in one.reliability], color=colour, alpha=0.7)
        axes.set_xlabel("predicted P(rating > 7)")
        axes.set_ylabel("share that was rated above 7")
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1)
        axes.legend(frameon=False, fontsize=8, loc="upper left")
    return drawn[0]


def trade_off(result: ListsResult) -> str:
    """Quality against novelty: up is better, right is less obvious."""
    with _figure(4.6, 3.2) as (axes, drawn):
        for one in result.models:
            if one.novelty is None:
                continue
            y = one.metrics["ndcg@10"].mean
            axes.scatter([one.novelty], [y], color=_colour(one.name, one.role), s=28)
            axes.annotate(one.name, (one.novelty, y), xytext=(4, 3), textcoords="offset points", fontsize=7)
        axes.set_xlabel("novelty of the first ten (bits)")
        axes.set_ylabel("ndcg@10")
        axes.margins(x=0.2)
    return drawn[0]


def _dots(names: Sequence[str], values: Sequence[Interval], colours: Sequence[str], label: str) -> str:
    """A dot and its interval a row; dots, because bars would have to start at 0 to be honest."""
    with _figure(5.2, 0.6 + 0.26 * len(names)) as (axes, drawn):
        for place, (one, colour) in enumerate(zip(values, colours, strict=True)):
            error = [[one.mean - one.low], [one.high - one.mean]]
            axes.errorbar(one.mean, place, xerr=error, fmt="o", color=colour, elinewidth=1.4, capsize=2.5, markersize=5)
        axes.set_yticks(range(len(names)), names)
        axes.set_xlabel(label)
    return drawn[0]


def _colour(name: str, role: str) -> str:
    if name == "two stages":
        return PRODUCT
    return PIPELINE if role == "pipeline" else BASELINE


@contextmanager
def _figure(width: float, height: float) -> Iterator[tuple[Axes, list[str]]]:
    """One set of axes; the list holds the SVG when the block has ended."""
    matplotlib = require_matplotlib()
    from matplotlib.figure import Figure  # not pyplot: no display, no global state

    with matplotlib.rc_context(_STYLE):
        figure, drawn = Figure(figsize=(width, height)), list[str]()
        yield figure.subplots(), drawn
        file = io.StringIO()
        figure.savefig(file, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    text = file.getvalue()
    drawn.append(text[text.index("<svg") :])
