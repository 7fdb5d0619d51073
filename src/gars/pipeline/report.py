"""Report of a run, for people and for programs: every step with time and memory, every metric with its interval."""

from __future__ import annotations

from html import escape

import msgspec

from gars.datasets import html_report
from gars.datasets.durable import write_whole
from gars.pipeline.comparison import Verdict
from gars.pipeline.journal import Ended, Failed, RunJournal, Step

JSON, HTML = "report.json", "report.html"


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """``report.json``."""

    run: str
    asked: dict[str, object]
    steps: list[Step]
    verdict: Verdict | None
    ended: Ended | None
    failed: Failed | None

    @property
    def outcome(self) -> str:
        """Summarise the result in one line."""
        if self.ended is not None:
            return f"{self.ended.verdict}: {self.ended.message}"
        if self.failed is not None:
            return f"{self.failed.name} failed: {self.failed.message}; the same command goes on there"
        return "not over: the same command goes on with it"


def report_of(journal: RunJournal) -> Report:
    """The report of a run, over or not."""
    steps = journal.steps()
    evaluated = next((step.output for step in steps if step.name == "evaluate"), None)
    return Report(
        run=journal.folder.name,
        asked=dict(journal.begun.asked) if journal.begun else {},
        steps=steps,
        verdict=msgspec.convert(evaluated, Verdict) if evaluated is not None else None,
        ended=journal.ended,
        failed=journal.failed,
    )


def write(journal: RunJournal) -> Report:
    """Write ``report.json`` and ``report.html`` next to the journal. Raises ``StorageError``."""
    report = report_of(journal)
    write_whole(journal.folder / JSON, msgspec.json.format(msgspec.json.encode(report)) + b"\n")
    write_whole(journal.folder / HTML, page(report).encode())
    return report


STEPS = ("step", "seconds", "peak memory", "result")
METRICS = ("metric", "candidate", "other", "gain", "95 % interval", "guarded", "")


def step_rows(report: Report) -> list[tuple[str, ...]]:
    """A row a step, under ``STEPS``."""
    return [
        (
            step.name,
            f"{step.seconds:,.1f}",
            f"{step.peak_mb:,.0f} MB" if step.peak_mb is not None else "",
            ", ".join(f"{name} {_short(value)}" for name, value in step.output.items() if _is_plain(value)),
        )
        for step in report.steps
    ]


def metric_rows(verdict: Verdict) -> list[tuple[str, ...]]:
    """A row a metric, under ``METRICS``."""
    return [
        (
            one.metric,
            f"{one.candidate:.4f}",
            f"{one.other:.4f}",
            f"{one.gain:+.4f}",
            f"[{one.low:+.4f}, {one.high:+.4f}]",
            "yes" if one.guarded else "no",
            "worse" if one.is_worse else "better" if one.low > 0 else "",
        )
        for one in verdict.compared
    ]


def page(report: Report) -> str:
    """``report.html``: one self-contained file."""
    sections = [f"<h1>Run {escape(report.run)}</h1><p>{escape(report.outcome)}</p>"]
    asked = [(name, str(value)) for name, value in report.asked.items() if value not in (None, False, [], "")]
    sections.append(f"<h2>Asked</h2>{html_report.table(('option', 'value'), asked)}")
    sections.append(f"<h2>Steps</h2>{html_report.table(STEPS, step_rows(report))}")
    if report.verdict is not None:
        verdict = report.verdict
        sections.append(
            f"<h2>Candidate against {escape(verdict.against)}, {verdict.users:,} users neither was trained on</h2>"
            f"<p>{escape(verdict.why)}</p>{html_report.table(METRICS, metric_rows(verdict))}"
        )
    if any(step.name == "validate" for step in report.steps) or (report.failed or report.ended):
        sections.append('<p><a href="validation.html">What validation found</a></p>')
    return html_report.page(f"GARS: run {report.run}", "".join(sections))


def _is_plain(value: object) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def _short(value: object) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    text = str(value)
    return f"{text[:12]}…" if len(text) == 64 else text
