"""Write a report: ``report.json``, ``report.md`` and ``report.html``, each whole or not at all."""

from __future__ import annotations

from pathlib import Path

from gars.datasets.durable import disk_errors, write_whole
from gars.library.report import html, markdown
from gars.library.report.results import Results, to_json


def write(results: Results, folder: Path) -> None:
    """Write the three files into ``folder``. The numbers come first: a page can be made again from them.

    Raises:
        MissingExtraError: matplotlib, which draws the plots, is not installed.
        StorageError: the disk is full.
    """
    with disk_errors(folder):
        write_whole(folder / "report.json", to_json(results))
        write_whole(folder / "report.md", markdown.page(results).encode())
        write_whole(folder / "report.html", html.page(results).encode())
