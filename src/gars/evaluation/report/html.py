"""The report as one HTML file without other files."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from gars.datasets import html_report
from gars.evaluation.report import markdown, plots, tables
from gars.evaluation.report.results import LikesResult, ListsResult, Results
from gars.evaluation.report.tables import Table


def page(results: Results) -> str:
    """The whole ``report.html``. Raises ``MissingExtraError`` without matplotlib."""
    facts = "".join(
        f"<li>{escape(line.removeprefix('- ').replace('`', ''))}</li>" for line in markdown.facts(results.about)
    )
    body = "\n".join(_body(results))
    return html_report.page("GARS: evaluation", f"<h1>Evaluation</h1>\n<ul>{facts}</ul>\n{body}")


def _body(results: Results) -> Iterator[str]:
    for lists in results.lists:
        yield from _lists(lists, results)
    for likes in results.likes:
        yield from _likes(likes, results)
    yield "<h2>Cost</h2>"
    yield _table(tables.costs(results))
    yield _table(tables.tasks(results))
    if results.skipped:
        yield "<h2>Not measured</h2>"
        yield _table(tables.skipped(results))


def _lists(lists: ListsResult, results: Results) -> Iterator[str]:
    yield f"<h2>Lists, protocol {escape(lists.protocol)}</h2>"
    yield _figure(plots.list_quality(lists), "Every model with its 95 % interval over users")
    yield _figure(plots.trade_off(lists), "Quality and novelty")
    shown = [one for one in lists.models if one.name in ("popularity", lists.baseline, "two stages")]
    for kind, metric, label in (
        ("cut", "ndcg@10", "titles shown of the same users"),
        ("history", "ndcg@10", "length of the history"),
        ("popularity", "recall@20", "fifth of the target, most popular first"),
        ("franchise", "recall@20", "target"),
    ):
        lines = [(one.name, one.role, [group for group in one.groups if group.kind == kind]) for one in shown]
        if any(found for _, _, found in lines):
            yield _figure(plots.groups(lines, metric, label), tables.GROUP_TITLES[kind])
    yield _table(tables.lists_summary(lists, results.about))
    yield _table(tables.against_all(lists.comparisons))
    yield _table(tables.character(lists))
    for breakdown in tables.list_groups(lists):
        yield _table(breakdown)


def _likes(likes: LikesResult, results: Results) -> Iterator[str]:
    yield f"<h2>Likes, protocol {escape(likes.protocol)}</h2>"
    yield _figure(plots.like_quality(likes), "Every model with its 95 % interval over users")
    yield _figure(plots.reliability(likes, (likes.baseline, "two stages")), "Reliability: on the diagonal is right")
    shown = [one for one in likes.models if one.name in ("item rate", likes.baseline, "two stages")]
    for kind, label in (
        ("cut", "titles shown of the same users"),
        ("history", "length of the history"),
        ("popularity", "fifth of the title, most popular first"),
    ):
        lines = [(one.name, one.role, [group for group in one.groups if group.kind == kind]) for one in shown]
        if any(found for _, _, found in lines):
            yield _figure(plots.groups(lines, "auc", label), tables.GROUP_TITLES[kind])
    yield _table(tables.likes_summary(likes, results.about))
    yield _table(tables.against_all(likes.comparisons))
    yield _table(tables.like_times(likes))
    for breakdown in tables.like_groups(likes):
        yield _table(breakdown)


def _figure(svg: str, caption: str) -> str:
    return f"<figure>{svg}<figcaption>{escape(caption)}</figcaption></figure>"


def _table(one: Table) -> str:
    return f"<h3>{escape(one.title)}</h3>\n{html_report.table(one.header, one.rows, strong=one.strong)}"
