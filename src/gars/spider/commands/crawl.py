"""``scrapy crawl anime -o output.csv -t csv``: Scrapy's own command, with ``-t`` and with permission."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path

from scrapy.commands import crawl
from scrapy.exceptions import UsageError

from gars.domain.errors import GarsError
from gars.spider import permission


class Command(crawl.Command):
    """Scrapy dropped ``-t`` when ``-o FILE:FORMAT`` came; people still type it."""

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Scrapy's options and two of ours."""
        super().add_options(parser)
        parser.add_argument("-t", "--output-format", metavar="FORMAT", help="format of the -o and -O files")
        parser.add_argument("--i-have-permission", action="store_true", help=permission.TERMS)

    def process_options(self, args: list[str], opts: argparse.Namespace) -> None:
        """Rewrite ``-t FORMAT`` as Scrapy wants it."""
        if opts.output_format:
            if not opts.output and not opts.overwrite_output:
                raise UsageError("-t is the format of a file: add -o FILE")
            for name in ("output", "overwrite_output"):
                files = getattr(opts, name) or []
                setattr(opts, name, [f"{file}:{opts.output_format}" for file in files] or None)
        super().process_options(args, opts)

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Run the crawl; errors are one line instead of a traceback."""
        assert self.settings is not None
        home = Path(self.settings["GARS_HOME"])
        if args:
            site = self.settings["GARS_API" if args[0] == "jikan" else "GARS_SITE"]
            try:
                if opts.i_have_permission:
                    permission.grant(home, site, datetime.now(UTC))
                permission.require(home, site)
            except GarsError as error:
                raise UsageError(str(error), print_help=False) from error
        super().run(args, opts)
