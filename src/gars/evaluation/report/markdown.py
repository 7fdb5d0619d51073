"""The report as Markdown: tables alone."""

from __future__ import annotations

from collections.abc import Iterator

from gars.evaluation.report import tables
from gars.evaluation.report.results import About, Results
from gars.evaluation.report.tables import Table


def page(results: Results) -> str:
    """The whole ``report.md``."""
    return "\n".join(["# Evaluation", "", *facts(results.about), "", *_body(results)]) + "\n"


def facts(about: About) -> list[str]:
    """Return models and data of the run, a line each."""
    machine = about.machine
    memory = f", {machine.memory_gb:g} GB" if machine.memory_gb else ""
    libraries = ", ".join(f"{name} {version}" for name, version in machine.libraries.items())
    return [
        f"- `{about.command}`, {about.part} rows, seed {about.seed}" + (", quick training" if about.quick else ""),
        f"- commit {about.commit or 'unknown'}, {about.made}",
        f"- {machine.cpu}, {machine.cores} cores{memory}; Python {machine.python}, {libraries}",
        "- lists are ranked over all items, never against sampled negatives",
        "- brackets are 95 % bootstrap intervals over users",
        "- the best baseline is chosen on the judged rows, which favours it",
    ]


def table(one: Table, *, titled: bool = True) -> str:
    """One table in GitHub's Markdown."""
    lines = [f"**{one.title}**", ""] if titled else []
    lines += ["| " + " | ".join(one.header) + " |", "|---" * len(one.header) + "|"]
    for row in one.rows:
        cells = [f"**{cell}**" if cell else "" for cell in row] if row[0] == one.strong else row
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _body(results: Results) -> Iterator[str]:
    for lists in results.lists:
        yield f"## Lists, protocol {lists.protocol}\n"
        yield table(tables.lists_summary(lists, results.about))
        yield table(tables.against_all(lists.comparisons))
        yield table(tables.character(lists))
        for breakdown in tables.list_groups(lists):
            yield table(breakdown)
    for likes in results.likes:
        yield f"## Likes, protocol {likes.protocol}\n"
        yield table(tables.likes_summary(likes, results.about))
        yield table(tables.against_all(likes.comparisons))
        yield table(tables.like_times(likes))
        for breakdown in tables.like_groups(likes):
            yield table(breakdown)
    yield "## Cost\n"
    yield table(tables.costs(results))
    yield table(tables.tasks(results))
    if results.skipped:
        yield "## Not measured\n"
        yield table(tables.skipped(results), titled=False)
