"""Render the validation report as one HTML file without scripts or external resources."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape

from gars.datasets.acceptance import Validation
from gars.datasets.drift import Drift
from gars.datasets.ownership import GENERATOR
from gars.datasets.validate import Report

_STYLE = """
:root { color-scheme: light dark; --ink: #1d2330; --soft: #667085; --paper: #fff; --now: #3b6fd4; --was: #c2c8d4;
  --good: #1a7f4b; --bad: #c0352b }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eaf0; --soft: #98a2b3; --paper: #14171f; --now: #7aa2f7;
  --was: #4a5266; --good: #4ec98b; --bad: #ff8a80 } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 2rem auto;
  max-width: 60rem; padding: 0 1rem }
h1 { font-size: 1.5rem; margin: 0 } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem }
table { border-collapse: collapse; width: 100% } td, th { text-align: left; padding: .25rem .75rem .25rem 0;
  border-bottom: 1px solid color-mix(in srgb, var(--soft) 30%, transparent); vertical-align: top }
td.n { text-align: right; font-variant-numeric: tabular-nums } .soft { color: var(--soft) }
.good { color: var(--good) } .bad { color: var(--bad); font-weight: 600 }
svg text { fill: var(--ink); font-size: 11px } svg .now { fill: var(--now) } svg .was { fill: var(--was) }
"""
_WIDTH, _HEIGHT, _FOOT, _HEAD = 720, 200, 20, 16


def report_html(validation: Validation) -> str:
    """Render one page: result, every check, drift, plots, and suspicious users."""
    report, drift = validation.report, validation.drift
    verdict = '<p class="good">accepted</p>' if validation.accepted else '<p class="bad">not accepted</p>'
    before = drift.ratings_before if drift else None
    sections = [
        f"<h1>{escape(validation.name)}</h1><p class=soft>content {validation.content_hash[:16]}"
        f"{f', compared with {drift.before[:16]}' if drift else ', nothing to compare with'}</p>{verdict}",
        _section("Faults", _items(report.faults)) if report.faults else "",
        _section("Checks", _checks(validation)),
        _section("Counts", _facts(report)),
        _section("What moved", _moved(drift)) if drift else "",
        _section("Ratings" + (" (grey: before)" if before else ""), rating_plot(report.ratings, before)),
        _section("Titles a user has", bars({name: float(count) for name, count in report.titles_of_a_user.items()})),
        _section("Share of anime that do not know a field", share_plot(report.null_share)),
        _section("Users who do not look like people", _suspicious(report)),
    ]
    body = "\n".join(filter(None, sections))
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">{GENERATOR.decode()}<meta name="viewport" '
        f'content="width=device-width"><title>{escape(validation.name)}: validation</title><style>{_STYLE}</style>'
        f"</head><body>{body}</body></html>\n"
    )


def rating_plot(now: Mapping[int, int], before: Mapping[int, int] | None = None) -> str:
    """Plot the shares of the ratings 1 to 10, next to those of the previous data set if given."""
    shares = {str(rating): _share_of(now, rating) for rating in range(1, 11)}
    behind = {str(rating): _share_of(before, rating) for rating in range(1, 11)} if before else None
    return bars(shares, behind, percent=True)


def bars(values: Mapping[str, float], behind: Mapping[str, float] | None = None, *, percent: bool = False) -> str:
    """Draw vertical bars with their values; ``behind`` adds a second, grey bar to each."""
    most = max([*values.values(), *(behind or {}).values()], default=0.0) or 1.0
    step = _WIDTH / max(len(values), 1)
    wide = step * (0.38 if behind else 0.7)
    drawn = []
    for place, (name, value) in enumerate(values.items()):
        left, middle = place * step + step * 0.1, place * step + step / 2
        if behind:
            drawn.append(_bar(left, wide, behind.get(name, 0.0) / most, "was"))
            left += wide
        drawn.append(_bar(left, wide, value / most, "now"))
        shown = f"{value:.1%}" if percent else f"{value:,.0f}"
        top = _HEAD + (_HEIGHT - _HEAD - _FOOT) * (1 - value / most)
        drawn.append(f'<text x="{middle:.1f}" y="{top - 4:.1f}" text-anchor="middle">{shown}</text>')
        drawn.append(f'<text x="{middle:.1f}" y="{_HEIGHT - 5}" text-anchor="middle">{escape(name)}</text>')
    return f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="bars">{"".join(drawn)}</svg>'


def share_plot(shares: Mapping[str, float]) -> str:
    """Draw horizontal bars of shares by name."""
    high = 18
    drawn = []
    for place, (name, share) in enumerate(shares.items()):
        top = place * high
        drawn.append(f'<text x="0" y="{top + 13}">{escape(name)}</text>')
        drawn.append(f'<rect class="now" x="140" y="{top + 3}" width="{max(share, 0) * 500:.1f}" height="12"/>')
        drawn.append(f'<text x="{146 + max(share, 0) * 500:.1f}" y="{top + 13}">{share:.1%}</text>')
    box = f"0 0 {_WIDTH} {max(len(shares), 1) * high}"
    return f'<svg viewBox="{box}" role="img" aria-label="shares">{"".join(drawn)}</svg>'


def _bar(left: float, wide: float, share: float, kind: str) -> str:
    high = (_HEIGHT - _HEAD - _FOOT) * share
    return (
        f'<rect class="{kind}" x="{left:.1f}" y="{_HEIGHT - _FOOT - high:.1f}" width="{wide:.1f}" height="{high:.1f}"/>'
    )


def _share_of(ratings: Mapping[int, int], rating: int) -> float:
    total = sum(ratings.values())
    return ratings.get(rating, 0) / total if total else 0.0


def _section(title: str, content: str) -> str:
    return f"<h2>{escape(title)}</h2>{content}"


def _items(lines: Iterable[str]) -> str:
    return "<ul>" + "".join(f"<li class=bad>{escape(line)}</li>" for line in lines) + "</ul>"


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    names = "".join(f"<th>{escape(name)}</th>" for name in head)
    lines = "".join(f"<tr>{''.join(row)}</tr>" for row in rows)
    return f"<table><tr>{names}</tr>{lines}</table>"


def _cell(text: str, kind: str = "") -> str:
    return f'<td class="{kind}">{escape(text)}</td>' if kind else f"<td>{escape(text)}</td>"


def _checks(validation: Validation) -> str:
    rows = [
        (
            _cell("passed" if check.passed else "failed", "good" if check.passed else "bad"),
            _cell(check.name),
            _cell(f"{check.value:.4f}", "n"),
            _cell(f"{check.limit:g}", "n"),
            _cell(check.says),
        )
        for check in validation.checks
    ]
    return _table(("", "check", "found", "allowed", "what it says"), rows)


def _facts(report: Report) -> str:
    facts = {
        "rows": f"{report.rows:,} ({report.unrated_share:.1%} without a rating)",
        "users": f"{report.users:,}",
        "anime": f"{report.anime:,} seen, {report.catalogue:,} in the catalogue, {report.orphans:,} orphans",
        "times": f"{report.first_day} to {report.last_day}" if report.first_day else "none",
        "statuses": ", ".join(f"{name} {count:,}" for name, count in report.statuses.items()) or "none",
        "repeated rows": f"{report.duplicates:,} here, {report.duplicates_dropped:,} dropped when it was made",
    }
    return _table((), [(_cell(name, "soft"), _cell(value)) for name, value in facts.items()])


def _moved(drift: Drift) -> str:
    rows = [
        (_cell(name), _cell(f"{before:,}", "n"), _cell(f"{now:,}", "n"))
        for name, (before, now) in {"rows": drift.rows, "users": drift.users, "catalogue": drift.catalogue}.items()
    ]
    rows += [
        (_cell(f"unknown {name}"), _cell("", "n"), _cell(f"+{rise:.1%}", "n"))
        for name, rise in sorted(drift.unknown_rise.items(), key=lambda rise: -rise[1])
    ]
    named = [
        f"<p>{word}: {count:,}{': ' if titles else ''}{escape(', '.join(titles))}</p>"
        for word, count, titles in (
            ("New anime", drift.anime_new, drift.new_examples),
            ("Vanished anime", drift.anime_vanished, drift.vanished_examples),
        )
    ]
    return _table(("", "before", "now"), rows) + "".join(named)


def _suspicious(report: Report) -> str:
    facts = f"<p>{report.suspicious_users:,} users with {report.suspicious_rows:,} rows.</p>"
    rows = [(_cell(str(one.user_id)), _cell(f"{one.titles:,}", "n"), _cell(one.why)) for one in report.suspicious]
    return facts + (_table(("user", "titles", "why"), rows) if rows else "")
