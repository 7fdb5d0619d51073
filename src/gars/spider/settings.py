"""Settings module of the Scrapy project, made from the environment."""

from __future__ import annotations

import os

from gars.config import from_environment
from gars.spider.project import scrapy_settings

globals().update(scrapy_settings(from_environment(os.environ)))
