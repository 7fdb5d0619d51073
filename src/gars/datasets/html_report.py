"""Reports as one HTML file each, without scripts or external resources: the page and its tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import NamedTuple

from gars.datasets.ownership import GENERATOR

_STYLE = """
:root { color-scheme: light dark; --ink: #1d2330; --soft: #667085; --paper: #fff; --now: #3b6fd4; --was: #c2c8d4;
  --good: #1a7f4b; --bad: #c0352b }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eaf0; --soft: #98a2b3; --paper: #14171f; --now: #7aa2f7;
  --was: #4a5266; --good: #4ec98b; --bad: #ff8a80 } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 2rem auto;
  max-width: 72rem; padding: 0 1rem }
h1 { font-size: 1.5rem; margin: 0 } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem } h3 { font-size: 1rem }
.wide { overflow-x: auto }
table { border-collapse: collapse; font-variant-numeric: tabular-nums } th, td { text-align: left;
  padding: .25rem .75rem .25rem 0; border-bottom: 1px solid color-mix(in srgb, var(--soft) 30%, transparent);
  vertical-align: top }
td.number { text-align: right } .soft { color: var(--soft) } .good { color: var(--good) }
.bad { color: var(--bad); font-weight: 600 } tr.strong td { font-weight: 600 }
figure { display: inline-block; margin: .6rem 1.4rem .6rem 0; background: #fff; color: #1d2330 }
figcaption { font-size: .8rem } figure svg { max-width: 100%; height: auto }
svg.bars text { fill: var(--ink); font-size: 11px } svg .now { fill: var(--now) } svg .was { fill: var(--was) }
"""


class Cell(NamedTuple):
    """A cell with a class of the style sheet: ``number``, ``soft``, ``good`` or ``bad``."""

    text: str
    kind: str


def page(title: str, body: str) -> str:
    """Return the file; ``body`` is HTML, ``title`` is text."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        f"{GENERATOR.decode()}\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n<body>\n{body}\n</body></html>\n"
    )


def table(head: Iterable[str], rows: Iterable[Sequence[str | Cell]], *, strong: str | None = None) -> str:
    """Return a table of texts; the row whose first cell is ``strong`` is set in bold."""
    names = "".join(f"<th>{escape(name)}</th>" for name in head)
    lines = "\n".join(
        f"<tr{' class=strong' if strong is not None and row[0] == strong else ''}>{''.join(map(_cell, row))}</tr>"
        for row in rows
    )
    return f'<div class="wide"><table><tr>{names}</tr>\n{lines}</table></div>'


def section(title: str, content: str) -> str:
    """Return a heading, which is text, and what is below it, which is HTML."""
    return f"<h2>{escape(title)}</h2>{content}"


def _cell(cell: str | Cell) -> str:
    if isinstance(cell, Cell):
        return f'<td class="{cell.kind}">{escape(cell.text)}</td>'
    return f"<td>{escape(cell)}</td>"
