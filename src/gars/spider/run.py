"""Run a spider from Python: permission, a job that can be taken up, the output whole, and a summary."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scrapy import signals
from scrapy.crawler import AsyncCrawlerProcess
from scrapy.settings import Settings as ScrapySettings

from gars.config import Settings
from gars.datasets.crawled import CrawledAnime, format_of
from gars.datasets.ownership import IsOurs, refuse_foreign_file
from gars.domain.errors import GarsError
from gars.runtime.progress import Progress
from gars.spider import permission
from gars.spider.output import is_anime_output, is_list_output, is_listing_output, write_anime, write_lists
from gars.spider.pages.anime import filled
from gars.spider.project import scrapy_settings
from gars.spider.spiders.anime import Anime
from gars.spider.spiders.jikan import Jikan
from gars.spider.spiders.lists import Lists
from gars.spider.spiders.polite import AnimeSpider, PoliteSpider
from gars.spider.spiders.season import Season
from gars.spider.spiders.top import Top
from gars.spider.store import RecordStore

SPIDERS: dict[str, type[PoliteSpider]] = {one.name: one for one in (Anime, Season, Top, Lists, Jikan)}
_RUNNING = "running"
_WRITES: dict[str, IsOurs] = {
    "anime": is_anime_output,
    "jikan": is_anime_output,
    "lists": is_list_output,
    "top": is_listing_output,
    "season": is_listing_output,
}


class CrawlError(GarsError):
    """A crawl that could not run."""

    code = "crawl_failed"


@dataclass(frozen=True, slots=True)
class Summary:
    """Result of a run."""

    finished: bool
    """False if the run was stopped, or ended by a challenge: the same command resumes it."""
    reason: str
    items: int
    fresh: int
    """Number of anime not requested, because their record is recent enough."""
    failed: dict[str, int] = field(default_factory=dict)
    """Why → how many addresses gave nothing."""
    written: int = 0
    """Records (or rows of lists) in the output, those of earlier runs too."""
    filled: dict[str, float] = field(default_factory=dict)
    """Field → share of all records that know it."""


def run_spider(
    name: str,
    settings: Settings,
    *,
    arguments: Mapping[str, str],
    out: Path | None,
    progress: Progress,
    limit: int | None = None,
) -> Summary:
    """Crawl in this process, once per process (Twisted's reactor cannot be restarted); SIGINT stops it gracefully.

    Raises:
        PermissionMissingError: no permission to crawl the site was granted.
        InvalidInputError: an argument of the spider, or the ending of ``out``, cannot be used, or ``out`` is a file
            that such a crawl did not write.
        CrawlError: the crawl could not start.
    """
    kind = SPIDERS[name]
    site = settings.spider_api if name == "jikan" else settings.spider_site
    permission.require(settings.home, site)
    if out is not None:
        format_of(out)
        refuse_foreign_file(out, _WRITES[name])
    job = _job(settings.home, name, arguments) if issubclass(kind, AnimeSpider) else None
    ours = ScrapySettings(scrapy_settings(settings), priority="project")
    ours.set("LOG_LEVEL", settings.log_level.upper(), priority="cmdline")
    ours.setdict({"JOBDIR": str(job) if job else None, "CLOSESPIDER_ITEMCOUNT": limit or 0}, priority="project")
    if out is not None and name in ("top", "season"):
        ours.set("FEEDS", {str(out): {"format": format_of(out), "overwrite": True}}, priority="project")
    reason, stats = _crawl(kind, ours, arguments, progress)
    finished = reason in ("finished", "closespider_itemcount")
    if job is not None:
        (job / _RUNNING).unlink(missing_ok=True)
        if finished:
            shutil.rmtree(job, ignore_errors=True)
    return _summary(name, settings.home, out, reason, finished, stats)


def _crawl(
    kind: type[PoliteSpider], settings: ScrapySettings, arguments: Mapping[str, str], progress: Progress
) -> tuple[str, dict[str, Any]]:
    process = AsyncCrawlerProcess(settings)
    crawler = process.create_crawler(kind)
    ended: list[str] = []
    with progress.task(f"crawl: {kind.name}") as advance:

        def count() -> None:
            advance(1)

        def end(reason: str) -> None:
            ended.append(reason)

        crawler.signals.connect(count, signal=signals.item_scraped)
        crawler.signals.connect(end, signal=signals.spider_closed)
        crawling = process.crawl(crawler, **arguments)
        process.start()
    error = crawling.exception() if crawling.done() and not crawling.cancelled() else None
    if isinstance(error, GarsError):
        raise error
    if error is not None or not ended:
        raise CrawlError(f"the crawl did not run: {error!r}", hint="GARS_LOG_LEVEL=debug says more") from error
    assert crawler.stats is not None
    return ended[0], crawler.stats.get_stats()


def _job(home: Path, name: str, arguments: Mapping[str, str]) -> Path:
    """The folder of the job with these arguments: its queue, if it was stopped in good order, else nothing.

    A killed run may have lost requests it had taken from the queue, so its queue is not trusted; its records are.
    """
    digest = hashlib.sha256(json.dumps(sorted(arguments.items())).encode()).hexdigest()[:12]
    job = home.absolute() / "spider" / "jobs" / f"{name}-{digest}"
    if (job / _RUNNING).exists():
        shutil.rmtree(job)
    job.mkdir(parents=True, exist_ok=True)
    (job / _RUNNING).touch()
    return job


def _summary(name: str, home: Path, out: Path | None, reason: str, finished: bool, stats: Mapping[str, Any]) -> Summary:
    prefix = "gars/failed/"
    written = 0
    shares: dict[str, float] = {}
    if name in ("anime", "jikan"):
        store = RecordStore(home / "spider" / "anime.jsonl", CrawledAnime)
        shares = filled(store.latest().values())
        store.close()
        written = write_anime(home, out) if out is not None else 0
    elif name == "lists":
        written = write_lists(home, out) if out is not None else 0
    else:
        written = int(stats.get("item_scraped_count", 0))
    return Summary(
        finished=finished,
        reason=reason,
        items=int(stats.get("item_scraped_count", 0)),
        fresh=int(stats.get("gars/fresh", 0)),
        failed={key.removeprefix(prefix): int(count) for key, count in stats.items() if key.startswith(prefix)},
        written=written,
        filled=shares,
    )
