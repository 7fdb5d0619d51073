"""The settings module of the Scrapy project: what the environment says, as Scrapy wants it."""

from __future__ import annotations

import os

from gars.config import from_environment
from gars.entrypoints.spider.project import scrapy_settings

globals().update(scrapy_settings(from_environment(os.environ)))
