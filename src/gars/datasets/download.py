"""Download one file over HTTP: resumable after a cut, verified, then renamed into place."""

from __future__ import annotations

import http.client
import os
import urllib.error
import urllib.parse
import urllib.request
from http import HTTPStatus
from pathlib import Path
from typing import IO

from gars.datasets.durable import CHUNK, disk_errors, fsync_path, sha256_of
from gars.datasets.sources import Source
from gars.domain.errors import FetchError
from gars.runtime.progress import Advance

GITHUB_FILES = "https://raw.githubusercontent.com"
GITHUB_TARBALLS = "https://codeload.github.com"
ATTEMPTS = 4
TIMEOUT_S = 30.0


def file_address(source: Source, base: str) -> str:
    """Return the address of a GitHub source's file at its pinned commit."""
    return f"{base.rstrip('/')}/{source.repository}/{source.version}/{urllib.parse.quote(source.path)}"


def tarball_address(source: Source, base: str) -> str:
    """Return the address of the tarball of a GitHub source's repository at its pinned commit."""
    return f"{base.rstrip('/')}/{source.repository}/tar.gz/{source.version}"


def download(source: Source, address: str, target: Path, advance: Advance) -> None:
    """Fetch ``address`` into ``target``.

    What has arrived waits in ``target.part`` and is continued with a Range request, within this call and by
    the next one. A file with the wrong hash is removed. Raises ``FetchError`` or, for a full disk, ``StorageError``.
    """
    part = target.with_name(target.name + ".part")
    if part.exists():
        advance(float(part.stat().st_size))
    cause: Exception | None = None
    for _ in range(ATTEMPTS):
        before = part.stat().st_size if part.exists() else 0
        try:
            with disk_errors(target):
                _continue_into(part, address, source, advance)
        except (urllib.error.HTTPError, FetchError):
            raise
        except (OSError, http.client.HTTPException) as error:
            cause = error
            if part.exists() and part.stat().st_size > before:
                continue  # it moved: a cut line is worth another try
            break
        _verified_rename(source, address, part, target)
        return
    raise unreachable(source, address, cause) from cause


def open_address(source: Source, address: str, *, start: int = 0) -> http.client.HTTPResponse:
    """Ask for ``address`` from byte ``start`` on. Raises ``FetchError`` for an answer that is an error."""
    request = urllib.request.Request(address, headers={"User-Agent": "gars"})
    if start:
        request.add_header("Range", f"bytes={start}-")
    try:
        response: http.client.HTTPResponse = urllib.request.urlopen(request, timeout=TIMEOUT_S)
    except urllib.error.HTTPError as error:
        raise FetchError(
            f"{source.name}: {address} answered {error.code} {error.reason}",
            hint="try again later, or set GARS_MIRROR to a folder that holds " + source.file_name,
        ) from error
    return response


def unreachable(source: Source, address: str, cause: Exception | None) -> FetchError:
    """Return the error for an address that could not be read to its end."""
    return FetchError(
        f"{source.name}: could not be fetched from {address}: {_reason(cause)}",
        hint="check the network, or set GARS_MIRROR to a folder that holds " + source.file_name,
    )


def _continue_into(part: Path, address: str, source: Source, advance: Advance) -> None:
    """Append what is missing to ``part``; returns only when the server has sent everything."""
    have = part.stat().st_size if part.exists() else 0
    if have == source.size:
        return
    if have > source.size:
        part.unlink()
        advance(-float(have))
        have = 0
    with open_address(source, address, start=have) as response:
        resumed = response.status == HTTPStatus.PARTIAL_CONTENT
        if have and not resumed:
            advance(-float(have))
        with part.open("ab" if resumed else "wb") as file:
            _copy(response, file, advance)


def _copy(response: http.client.HTTPResponse, file: IO[bytes], advance: Advance) -> None:
    promised = response.length
    received = 0
    while piece := response.read1(CHUNK):
        file.write(piece)
        received += len(piece)
        advance(float(len(piece)))
    file.flush()
    os.fsync(file.fileno())
    if promised is not None and received < promised:
        raise http.client.IncompleteRead(b"", promised - received)


def _verified_rename(source: Source, address: str, part: Path, target: Path) -> None:
    found = sha256_of(part)
    if found != source.sha256:
        size = part.stat().st_size
        part.unlink()
        raise FetchError(
            f"{source.name}: {address} sent {size:,} bytes that are not the file GARS was built for: "
            f"expected SHA-256 {source.sha256}, found {found}; they were removed",
            hint=f"try again: gars data fetch {source.name}; a proxy or a captive portal may stand in between",
        )
    part.replace(target)
    fsync_path(target.parent)


def _reason(error: Exception | None) -> str:
    if isinstance(error, urllib.error.URLError):
        return f"no network or no such host ({error.reason})"
    if isinstance(error, http.client.IncompleteRead):
        return (
            f"the connection was cut with {error.expected:,} bytes to go"
            if error.expected
            else "the connection was cut"
        )
    return f"the connection failed ({error})"
