"""Which answers are kept, so that an interrupted run or a mended parser does not ask the site again."""

from __future__ import annotations

from scrapy import Request
from scrapy.extensions.httpcache import DummyPolicy
from scrapy.http import Response

from gars.spider.pages.challenge import is_challenge

_OK = 200


class WholePages(DummyPolicy):
    """Caches successful pages until they expire; never an error or a challenge."""

    def should_cache_response(self, response: Response, request: Request) -> bool:
        """Return true for a successful response that is not a challenge."""
        headers = {str(name.decode("latin-1")).lower(): "" for name in response.headers}
        return (
            response.status == _OK
            and not is_challenge(headers, response.body)
            and super().should_cache_response(response, request)
        )
