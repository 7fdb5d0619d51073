"""Build hook of hatchling: a wheel without the built page is an error, not a smaller wheel."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_LOADED = re.compile(r'(?:src|href)="/(assets/[^"]+)"')


class PageHook(BuildHookInterface):
    """Refuse to build a wheel or an sdist whose page is missing or incomplete."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Raise ``RuntimeError`` unless the page is built. An editable install serves the page once it is built."""
        if version == "editable":
            return
        page = Path(self.root) / "src" / "gars" / "entrypoints" / "api" / "page"
        index = page / "index.html"
        if not index.is_file():
            raise RuntimeError(f"{page} holds no built page, so the wheel would serve none.\n  → run: make page")
        wanted = ["index.html.br", "index.html.gz", "assets/licenses.md", *_LOADED.findall(index.read_text("utf-8"))]
        if missing := [name for name in wanted if not (page / name).is_file()]:
            raise RuntimeError(
                f"the page in {page} is incomplete: {', '.join(missing)}.\n  → run: rm -r {page} && make page"
            )
