"""External systems of a pipeline run: the spider, the service's stores, the running service."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from gars.config import from_environment
from gars.datasets.dataset import Dataset
from gars.datasets.forgotten import FILE as FORGOTTEN
from gars.datasets.importing import import_files
from gars.domain.errors import GarsError, MissingExtraError
from gars.pipeline import live_watch
from gars.pipeline.live_watch import FINAL, FIRM, Look
from gars.runtime.progress import Progress

_COMMAND = "from gars.entrypoints.cli.app import main; main()"
SWAP_PATIENCE_S = 120.0
_ASK_EVERY_S = 0.2
LISTS = "crawled-lists"


class CrawlStoppedError(GarsError):
    """The spider did not come to its end."""

    code = "crawl_stopped"


def crawl(home: Path, words: Sequence[str]) -> Callable[[Path], None]:
    """Run ``gars spider run`` in a process of its own (its reactor starts once a process), with these words."""

    def run(out: Path) -> None:
        command = [sys.executable, "-c", _COMMAND, "spider", "run", *words, "--out", str(out), "--home", str(home)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode or not out.is_file():
            problem = [line.strip() for line in (done.stdout + done.stderr).splitlines() if line.strip()]
            raise CrawlStoppedError(
                f"the spider stopped: {' | '.join(problem[-3:])}",
                hint="run the same command again: the crawl goes on where it was",
            )

    return run


def lists(home: Path, names: Path, progress: Progress) -> Callable[[Path], Dataset]:
    """Crawl the public lists of the names in a file, as a data set."""

    def make(folder: Path) -> Dataset:
        out = folder / "lists.csv"
        crawl(home, ["lists", "--names", str(names)])(out)
        return import_files([out], home=home, name=LISTS, progress=progress, enrich=False)

    return make


def deletions(home: Path) -> str:
    """Return a digest that changes when a user is put on the deletion list or deleted at the service."""
    digest = hashlib.sha256()
    path = home / FORGOTTEN
    digest.update(path.read_bytes() if path.is_file() else b"")
    try:
        from gars.bootstrap import open_tombstones
    except ImportError:  # without the serve extra there is no service here that could delete anybody
        return digest.hexdigest()
    tombstones = open_tombstones(from_environment(os.environ, home=home))
    try:
        digest.update(str(tombstones.newest_offset()).encode())
    finally:
        tombstones.close()
    return digest.hexdigest()


def looker(
    home: Path, before: str, after: str, promoted: datetime, *, fewest_lists: int = live_watch.FEWEST_LISTS
) -> Callable[[float], Look]:
    """One look at the service's logs; takes how many standard errors make a fall."""
    try:
        from gars.bootstrap import open_event_log, open_impression_log
    except ImportError as error:
        raise MissingExtraError("watching the service", "serve") from error
    settings = from_environment(os.environ, home=home)

    def look(z: float) -> Look:
        impressions = open_impression_log(settings)
        try:
            log = open_event_log(settings)
            try:
                return live_watch.look(
                    impressions,
                    log,
                    before=before,
                    after=after,
                    promoted=promoted,
                    now=datetime.now(UTC),
                    z=z,
                    fewest_lists=fewest_lists,
                )
            finally:
                log.close()
        finally:
            impressions.close()

    return look


def watch(
    look: Callable[[float], Look],
    *,
    until: datetime,
    every: timedelta,
    progress: Progress,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    wait: Callable[[float], object] = time.sleep,
) -> str | None:
    """Look until a time; → what fell, ``None`` when nothing did."""
    with progress.task("watch what comes of it") as advance:
        while clock() < until:
            found = look(FIRM)
            if found.falls:
                return regression_message(found)
            wait(min(every, max(until - clock(), timedelta())).total_seconds())
            advance(1)
    found = look(FINAL)
    if not found.changes:
        progress.note(f"too few lists to judge by: {found.after.lists:,} of {found.after.version}")
    return regression_message(found) if found.falls else None


def regression_message(look: Look) -> str:
    """The falls in one line."""
    return "; ".join(
        f"{one.metric} {one.before:.1%} → {one.after:.1%} (change {one.low:+.1%} to {one.high:+.1%}, "
        f"{look.after.lists:,} lists)"
        for one in look.falls
    )


def confirm(url: str, *, patience_s: float = SWAP_PATIENCE_S) -> Callable[[str], str | None]:
    """Ask a running service whether it has taken up a version, until it has or refuses."""
    try:
        import httpx
    except ImportError as error:
        raise MissingExtraError("asking the service", "serve") from error

    def asked(path: str) -> Mapping[str, object]:
        body: Mapping[str, object] = msgspec.json.decode(
            httpx.get(f"{url.rstrip('/')}/api/v1{path}", timeout=10).content
        )
        return body

    def wait_for(version: str) -> str | None:
        deadline = time.monotonic() + patience_s
        problem = "it does not answer"
        while time.monotonic() < deadline:
            try:
                model = msgspec.convert(asked("/about")["model"], dict)
                if model["version"] == version:
                    return None
                problem = f"it serves {model['version']}"
                warnings = msgspec.convert(asked("/health/ready").get("warnings", {}), dict[str, str])
                if version in warnings.get("model", ""):
                    return f"the service refused it: {warnings['model']}"
            except (httpx.HTTPError, msgspec.MsgspecError, KeyError) as error:
                problem = f"it does not answer: {error}"
            time.sleep(_ASK_EVERY_S)
        return f"the service did not take it up in {patience_s:.0f} s: {problem}"

    return wait_for
