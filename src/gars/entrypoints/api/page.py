"""The page, if it has been built; its files are served by the same process."""

from __future__ import annotations

from pathlib import Path

from litestar import MediaType, Response, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.router import Router
from litestar.static_files import create_static_files_router

FOLDER = Path(__file__).parent / "page"

_NOT_BUILT = b"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>GARS</title>
<body style="font: 16px/1.5 system-ui; max-width: 40rem; margin: 4rem auto; padding: 0 1rem">
<h1>GARS is running</h1>
<p>The page has not been built yet. Build it with <code>make page</code> and reload.</p>
<p>The HTTP API works without it: <a href="/docs">/docs</a>.</p>
</body></html>
"""
_NOT_PAGES = {"api", "docs", "assets", "health", "clicks", "sim"}
"""First parts of paths that belong to the API: a wrong one is an error, not a page."""


def index_html() -> Response[bytes]:
    """The page's entry, read anew so that a rebuilt page shows without a restart."""
    index = FOLDER / "index.html"
    content = index.read_bytes() if index.is_file() else _NOT_BUILT
    return Response(content, media_type=MediaType.HTML, headers={"Cache-Control": "no-cache"})


@get("/{path:path}", include_in_schema=False)
async def get_page(path: FromPath[str]) -> Response[bytes]:
    """A place inside the page, such as ``/anime/5``: the page's own router knows it."""
    if path.lstrip("/").split("/", 1)[0] in _NOT_PAGES:
        raise NotFoundException(f"no such route: {path}")
    return index_html()


def assets() -> Router:
    """Everything under ``/assets``."""
    return create_static_files_router(path="/assets", directories=[FOLDER / "assets"], include_in_schema=False)
