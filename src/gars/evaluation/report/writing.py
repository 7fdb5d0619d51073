"""Write a report: ``report.json``, ``report.md`` and ``report.html``, each whole or not at all."""

from __future__ import annotations

from pathlib import Path

from gars.datasets.durable import disk_errors, write_whole
from gars.datasets.ownership import IsOurs, contains, decodes_as, refuse_foreign_file
from gars.evaluation.report import html, markdown
from gars.evaluation.report.results import Results, to_json

JSON, MARKDOWN, HTML = "report.json", "report.md", "report.html"
_OURS: dict[str, IsOurs] = {
    JSON: decodes_as(Results),
    MARKDOWN: contains(b"- lists are ranked over all items, never against sampled negatives"),
    HTML: contains(b"<title>GARS: evaluation</title>"),
}


def write(results: Results, folder: Path) -> None:
    """Write the three files into ``folder``. The numbers come first: a page can be made again from them.

    Raises:
        InvalidInputError: a file of that name was not written by GARS.
        MissingExtraError: matplotlib, which draws the plots, is not installed.
        StorageError: the disk is full.
    """
    refuse_foreign(folder)
    with disk_errors(folder):
        write_whole(folder / JSON, to_json(results), is_ours=_OURS[JSON])
        write_whole(folder / MARKDOWN, markdown.page(results).encode(), is_ours=_OURS[MARKDOWN])
        write_whole(folder / HTML, html.page(results).encode(), is_ours=_OURS[HTML])


def refuse_foreign(folder: Path) -> None:
    """Raise ``InvalidInputError`` if one of the three names is taken by a file that GARS did not write."""
    for name, is_ours in _OURS.items():
        refuse_foreign_file(folder / name, is_ours)
