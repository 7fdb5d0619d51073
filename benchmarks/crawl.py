"""How fast the spider crawls a site on this machine, and in how much memory: what GARS itself costs a page.

    python benchmarks/crawl.py                    # 10,000 pages
    python benchmarks/crawl.py --pages 1000

A real site sets the pace instead: one request in two seconds.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from gars.datasets.crawled import read_crawled
from gars_test_support.anime_site import AnimeSite, serving


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=10_000)
    pages = parser.parse_args().pages
    with serving(AnimeSite(titles=pages, robots="")) as site, tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "output.csv"
        environment = {
            **os.environ,
            "GARS_HOME": folder,
            "GARS_SPIDER_SITE": site.address,
            "GARS_SPIDER_DELAY_MS": "0",
        }
        command = [str(Path(sys.executable).with_name("gars")), "spider", "run", "anime"]
        options = ["--ids", f"1-{pages}", "--out", str(out), "--i-have-permission"]
        started = time.perf_counter()
        subprocess.run([*command, *options], env=environment, check=True)
        took = time.perf_counter() - started
        peak_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        records = len(read_crawled(out))
    print(f"machine    {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"crawled    {records:,} of {pages:,} pages, {len(site.asked):,} requests with redirects, in {took:,.1f} s")
    print(f"rate       {records / took:,.0f} pages/s")
    print(f"peak       {peak_mb:,.0f} MB resident")


if __name__ == "__main__":
    main()
