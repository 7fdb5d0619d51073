"""Scrapy's settings for every spider of GARS; ``politeness`` refuses a run that weakens them."""

from __future__ import annotations

from typing import Any

from gars.config import Settings
from gars.spider.politeness import is_this_machine, user_agent

_HERE = "gars.spider"


def scrapy_settings(settings: Settings) -> dict[str, Any]:
    """Settings of GARS as settings of Scrapy; those that begin with ``GARS_`` are for our spiders."""
    unhurried = settings.spider_delay_ms > 0 or not is_this_machine(settings.spider_site)
    delay_s = settings.spider_delay_ms / 1000
    kept = settings.home.absolute() / "spider"
    return {
        "BOT_NAME": "gars",
        "SPIDER_MODULES": [f"{_HERE}.spiders"],
        "COMMANDS_MODULE": f"{_HERE}.commands",
        "GARS_HOME": str(settings.home.absolute()),
        "GARS_SITE": settings.spider_site.rstrip("/"),
        "GARS_API": settings.spider_api.rstrip("/"),
        "GARS_CONTACT": settings.spider_contact,
        # Who asks, and how often.
        "USER_AGENT": user_agent(settings.spider_contact),
        "ROBOTSTXT_OBEY": True,
        "DOWNLOAD_DELAY": delay_s,
        "DOWNLOAD_DELAY_JITTER": 0,  # it would halve some pauses
        "CONCURRENT_REQUESTS_PER_DOMAIN": 1 if unhurried else 8,
        "AUTOTHROTTLE_ENABLED": unhurried,
        "AUTOTHROTTLE_START_DELAY": delay_s,
        "AUTOTHROTTLE_MAX_DELAY": 120,
        "DOWNLOAD_TIMEOUT": 30,
        "DOWNLOAD_MAXSIZE": 8 * 1024 * 1024,
        "RETRY_TIMES": 4,
        "COOKIES_ENABLED": False,
        "REFERRER_POLICY": "no-referrer",
        "TELNETCONSOLE_ENABLED": False,
        # What is kept.
        "HTTPCACHE_ENABLED": True,
        "HTTPCACHE_DIR": str(kept / "http-cache"),
        "HTTPCACHE_POLICY": f"{_HERE}.cache.WholePages",
        "HTTPCACHE_EXPIRATION_SECS": 24 * 60 * 60,
        "HTTPCACHE_GZIP": True,
        # How it goes through the house.
        "DOWNLOADER_MIDDLEWARES": {
            "scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware": None,
            f"{_HERE}.robots.StrictRobots": 100,
            f"{_HERE}.backoff.BackOff": 560,
        },
        "ITEM_PIPELINES": {f"{_HERE}.pipeline.KeepRecords": 300},
        "FEED_EXPORTERS": {"csv": f"{_HERE}.exporters.CsvExporter", "parquet": f"{_HERE}.exporters.ParquetExporter"},
        "FEED_EXPORT_ENCODING": "utf-8",
        "LOG_LEVEL": "INFO",
        "LOG_FORMATTER": f"{_HERE}.redaction.Redacting",
    }
