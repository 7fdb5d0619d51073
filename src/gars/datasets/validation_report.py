"""Render the validation report as one HTML file without scripts or external resources."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape

from gars.datasets.acceptance import Validation
from gars.datasets.drift import Drift
from gars.datasets.html_report import Cell, page, section, table
from gars.datasets.validate import Report

_WIDTH, _HEIGHT, _FOOT, _HEAD = 720, 200, 20, 16


def report_html(validation: Validation) -> str:
    """Render one page: result, every check, drift, plots, and suspicious users."""
    report, drift = validation.report, validation.drift
    verdict = '<p class="good">accepted</p>' if validation.accepted else '<p class="bad">not accepted</p>'
    before = drift.ratings_before if drift else None
    sections = [
        f"<h1>{escape(validation.name)}</h1><p class=soft>content {validation.content_hash[:16]}"
        f"{f', compared with {drift.before[:16]}' if drift else ', nothing to compare with'}</p>{verdict}",
        section("Faults", _items(report.faults)) if report.faults else "",
        section("Checks", _checks(validation)),
        section("Counts", _facts(report)),
        section("What moved", _moved(drift)) if drift else "",
        section("Ratings" + (" (grey: before)" if before else ""), rating_plot(report.ratings, before)),
        section("Titles a user has", bars({name: float(count) for name, count in report.titles_of_a_user.items()})),
        section("Share of anime that do not know a field", share_plot(report.null_share)),
        section("Users who do not look like people", _suspicious(report)),
    ]
    return page(f"{validation.name}: validation", "\n".join(filter(None, sections)))


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
    return f'<svg class="bars" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="bars">{"".join(drawn)}</svg>'


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
    return f'<svg class="bars" viewBox="{box}" role="img" aria-label="shares">{"".join(drawn)}</svg>'


def _bar(left: float, wide: float, share: float, kind: str) -> str:
    high = (_HEIGHT - _HEAD - _FOOT) * share
    return (
        f'<rect class="{kind}" x="{left:.1f}" y="{_HEIGHT - _FOOT - high:.1f}" width="{wide:.1f}" height="{high:.1f}"/>'
    )


def _share_of(ratings: Mapping[int, int], rating: int) -> float:
    total = sum(ratings.values())
    return ratings.get(rating, 0) / total if total else 0.0


def _items(lines: Iterable[str]) -> str:
    return "<ul>" + "".join(f"<li class=bad>{escape(line)}</li>" for line in lines) + "</ul>"


def _checks(validation: Validation) -> str:
    rows = [
        (
            Cell("passed" if check.passed else "failed", "good" if check.passed else "bad"),
            check.name,
            Cell(f"{check.value:.4f}", "number"),
            Cell(f"{check.limit:g}", "number"),
            check.says,
        )
        for check in validation.checks
    ]
    return table(("", "check", "found", "allowed", "meaning"), rows)


def _facts(report: Report) -> str:
    facts = {
        "rows": f"{report.rows:,} ({report.unrated_share:.1%} without a rating)",
        "users": f"{report.users:,}",
        "anime": f"{report.anime:,} seen, {report.catalogue:,} in the catalogue, {report.orphans:,} orphans",
        "times": f"{report.first_day} to {report.last_day}" if report.first_day else "none",
        "statuses": ", ".join(f"{name} {count:,}" for name, count in report.statuses.items()) or "none",
        "repeated rows": f"{report.duplicates:,} here, {report.duplicates_dropped:,} dropped when it was made",
    }
    return table((), [(Cell(name, "soft"), value) for name, value in facts.items()])


def _moved(drift: Drift) -> str:
    rows = [
        (name, Cell(f"{before:,}", "number"), Cell(f"{now:,}", "number"))
        for name, (before, now) in {"rows": drift.rows, "users": drift.users, "catalogue": drift.catalogue}.items()
    ]
    rows += [
        (f"unknown {name}", Cell("", "number"), Cell(f"+{rise:.1%}", "number"))
        for name, rise in sorted(drift.unknown_rise.items(), key=lambda rise: -rise[1])
    ]
    named = [
        f"<p>{word}: {count:,}{': ' if titles else ''}{escape(', '.join(titles))}</p>"
        for word, count, titles in (
            ("New anime", drift.anime_new, drift.new_examples),
            ("Vanished anime", drift.anime_vanished, drift.vanished_examples),
        )
    ]
    return table(("", "before", "now"), rows) + "".join(named)


def _suspicious(report: Report) -> str:
    facts = f"<p>{report.suspicious_users:,} users with {report.suspicious_rows:,} rows.</p>"
    rows = [(str(one.user_id), Cell(f"{one.titles:,}", "number"), one.why) for one in report.suspicious]
    return facts + (table(("user", "titles", "why"), rows) if rows else "")
