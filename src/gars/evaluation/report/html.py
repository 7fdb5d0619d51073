"""The report as one HTML file without other files."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from gars.datasets.ownership import GENERATOR
from gars.evaluation.report import markdown, plots, tables
from gars.evaluation.report.results import LikesResult, ListsResult, Results
from gars.evaluation.report.tables import Table

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #1d2433; background: #fff; max-width: 72rem; margin: 2rem auto;
       padding: 0 1rem; }
h1 { font-size: 1.7rem; } h2 { margin-top: 2.5rem; border-top: 1px solid #dde1ea; padding-top: 1rem; }
h3 { font-size: 1rem; margin: 1.4rem 0 .4rem; }
table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums; }
.wide { overflow-x: auto; }
th, td { padding: .2rem .7rem .2rem 0; text-align: left; white-space: nowrap; border-bottom: 1px solid #eceff5; }
tr.strong td { font-weight: 600; color: #a3283b; }
figure { display: inline-block; margin: .6rem 1.4rem .6rem 0; } figcaption { font-size: .8rem; color: #5a6478; }
figure svg { max-width: 100%; height: auto; }
"""


def page(results: Results) -> str:
    """The whole ``report.html``. Raises ``MissingExtraError`` without matplotlib."""
    facts = "".join(
        f"<li>{escape(line.removeprefix('- ').replace('`', ''))}</li>" for line in markdown.facts(results.about)
    )
    body = "\n".join(_body(results))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"{GENERATOR.decode()}\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>GARS: evaluation</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f"<h1>Evaluation</h1>\n<ul>{facts}</ul>\n{body}\n</body>\n</html>\n"
    )


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
    head = "".join(f"<th>{escape(cell)}</th>" for cell in one.header)
    rows = "\n".join(
        f"<tr{' class=strong' if row[0] == one.strong else ''}>"
        + "".join(f"<td>{escape(cell)}</td>" for cell in row)
        + "</tr>"
        for row in one.rows
    )
    return f'<h3>{escape(one.title)}</h3>\n<div class="wide"><table><tr>{head}</tr>\n{rows}</table></div>'
