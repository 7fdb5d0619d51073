"""The web page, if it has been built; its files are served by the same process.

``npm run build`` writes a Brotli and a gzip copy of each text file. The smallest encoding that the client accepts is
sent.
"""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from litestar import MediaType, Request, Response, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from gars.bootstrap import Service
from gars.entrypoints.api.compression import accepted_encodings
from gars.entrypoints.api.params import ServiceDep
from gars.entrypoints.api.previews import preview_of, with_tags

FOLDER = Path(__file__).parent / "page"

_NOT_BUILT = b"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>GARS</title>
<body style="font: 16px/1.5 system-ui; max-width: 40rem; margin: 4rem auto; padding: 0 1rem">
<h1>GARS is running</h1>
<p>The page has not been built yet. Build it with <code>make page</code> and reload.</p>
<p>The HTTP API works without it: <a href="/docs">/docs</a>.</p>
</body></html>
"""
_NOT_PAGES = {"api", "docs", "assets", "previews", "health", "clicks", "sim"}
"""First path segments of the API: an unknown path below them is an error, not a page."""
_COPIES = (("br", ".br"), ("gzip", ".gz"))
"""Encodings in order of preference, and the suffix of the file that holds each."""
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".md": "text/plain; charset=utf-8",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
    ".png": "image/png",
    ".woff2": "font/woff2",
}
_HASHED = re.compile(r"-[\w-]{8}\.\w+$")
"""File names with a content hash added by Vite: their content never changes."""
_WORKER = "worker.js"
"""The service worker. It may answer for the whole page, though it lies below ``/assets``."""
_FOREVER = "public, max-age=31536000, immutable"


class _File(NamedTuple):
    content: bytes
    etag: str


@lru_cache(maxsize=512)
def _read(path: Path, _changed_ns: int) -> _File:
    content = path.read_bytes()
    return _File(content, f'"{hashlib.blake2b(content, digest_size=12).hexdigest()}"')


def _find(path: Path) -> _File | None:
    """Read a file, cached by modification time, or return None. A rebuilt page is served without a restart."""
    try:
        stat = path.stat()
        return _read(path, stat.st_mtime_ns) if path.is_file() else None
    except OSError:
        return None


def _path_below(folder: Path, name: str) -> Path | None:
    """Resolve a client-supplied name; None if it leaves the folder or is not a valid file name."""
    try:
        file = (folder / name).resolve()
        return file if file.is_relative_to(folder.resolve()) else None
    except (ValueError, OSError, RuntimeError):  # a NUL byte or a lone surrogate; too long; circular links
        return None


def _send(request: Request[Any, Any, Any], path: Path, cache_control: str) -> Response[bytes] | None:
    """Send a file in the best accepted encoding, 304 if the client's copy is current, None if there is no such file."""
    found = _find(path)
    if found is None:
        return None
    accepted = accepted_encodings(request.headers.get("accept-encoding", ""))
    headers = {"Cache-Control": cache_control, "Vary": "Accept-Encoding"}
    for encoding, suffix in _COPIES:
        if encoding in accepted and (copy := _find(path.with_name(path.name + suffix))) is not None:
            headers["Content-Encoding"] = encoding
            found = copy
            break
    headers["ETag"] = found.etag
    if found.etag in request.headers.get("if-none-match", ""):
        headers.pop("Content-Encoding", None)
        return Response(b"", status_code=304, headers=headers)
    media_type = _TYPES.get(path.suffix, "application/octet-stream")
    return Response(found.content, media_type=media_type, headers=headers)


def _with_preview(request: Request[Any, Any, Any], service: Service, path: str) -> Response[bytes] | None:
    """Return the entry page with the preview of an address; None if the page is not built or has no such preview."""
    shown = preview_of(path, service.catalogue)
    if shown is None or (found := _find(FOLDER / "index.html")) is None:
        return None
    origin = str(request.base_url).rstrip("/")
    content = with_tags(found.content.decode(), shown, origin=origin, path=path).encode()
    return Response(content, media_type=MediaType.HTML, headers={"Cache-Control": "no-cache"})


def index_html(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Return the entry page, revalidated on each request so that a rebuilt page is served without a restart."""
    found = _send(request, FOLDER / "index.html", "no-cache")
    return found or Response(_NOT_BUILT, media_type=MediaType.HTML, headers={"Cache-Control": "no-cache"})


@get("/{path:path}", include_in_schema=False)
async def get_page(request: Request[Any, Any, Any], service: ServiceDep, path: FromPath[str]) -> Response[bytes]:
    """Return the entry page for a path of the page's router, such as ``/anime/5``, with the tags of its preview."""
    if path.lstrip("/").split("/", 1)[0] in _NOT_PAGES:
        raise NotFoundException(f"no such route: {path}")
    return _with_preview(request, service, path) or index_html(request)


@get("/assets/{path:path}", include_in_schema=False)
async def get_asset(request: Request[Any, Any, Any], path: FromPath[str]) -> Response[bytes]:
    """Return a file below ``/assets``. Files with a hash in their name may be cached for ever."""
    file = _path_below(FOLDER / "assets", path.lstrip("/"))
    cache_control = _FOREVER if file is not None and _HASHED.search(file.name) else "no-cache"
    found = _send(request, file, cache_control) if file is not None else None
    if found is None:
        raise NotFoundException(f"no such file: /assets{path}")
    if path.lstrip("/") == _WORKER:
        found.headers["Service-Worker-Allowed"] = "/"
    return found
