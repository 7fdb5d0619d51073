"""The full table of quality, as docs/benchmarks.md shows it: every model, both tasks, all protocols, on test rows.

    make bench-quality                                     # everything, then docs/benchmarks.md
    python benchmarks/quality.py --quick --part validation --report /tmp/report --protocol A
    python benchmarks/quality.py --publish-only --report var/report

Runs ``gars evaluate --report DIR`` and, for a run on test rows, writes the block of results into docs/benchmarks.md
from DIR/report.json. With ``--publish-only`` nothing is measured again.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

from gars.datasets.durable import write_whole
from gars.evaluation.report.benchmarks import replace_results
from gars.evaluation.report.results import read

PUBLISHED = Path(__file__).parents[1] / "docs" / "benchmarks.md"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--report", type=Path, default=Path("var/report"), help="folder of the report")
    options.add_argument("--part", choices=["validation", "test"], default="test")
    options.add_argument(
        "--publish-only", action="store_true", help="make the block of docs/benchmarks.md from what is there"
    )
    given, passed_on = options.parse_known_args()
    if not given.publish_only:
        started = time.perf_counter()
        command = [sys.executable, "-c", "from gars.entrypoints.cli.app import main; main()", "evaluate"]
        subprocess.run([*command, "--part", given.part, "--report", str(given.report), *passed_on], check=True)
        print(f"measured in {(time.perf_counter() - started) / 60:.1f} minutes")
    if given.part == "test":
        write_whole(PUBLISHED, replace_results(PUBLISHED.read_text(), read(given.report / "report.json")).encode())
        print(f"{PUBLISHED.name}: results written")


if __name__ == "__main__":
    main()
