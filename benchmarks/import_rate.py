"""Measure the import of, and training on, a rating file as large as the Kaggle sets of 2020 and 2025: time and memory.

    python benchmarks/import_rate.py                                       # 57 million rows
    python benchmarks/import_rate.py --rows 2000000
    python benchmarks/import_rate.py --shape 2025 --rows 148170496 --train # 1.77 million users

Simulated viewers are written as ``animelist.csv`` of the 2020 dialect, or as ``ratings.csv`` and ``animes.csv`` of the
2025 one, then imported by a process of its own, whose peak memory the system reports; with ``--train`` another process
trains both stages with the default settings. Needs about 4 GB of disk in the temporary folder for 57 million rows.
"""

from __future__ import annotations

import argparse
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from gars.datasets.importing import import_files
from gars.datasets.simulated import SHAPES, animes_csv, invented_catalogue, simulate_csv
from gars.entrypoints.cli.app import app
from gars.runtime.progress import Silent

ROWS = 57_000_000
TITLES = 17_562
NAME = "import-rate"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rows", type=int, default=ROWS, help="about how many rows")
    options.add_argument("--shape", choices=("2020", "2025"), default="2020", help="dialect and length of lists")
    options.add_argument("--train", action="store_true", help="train on what was imported")
    options.add_argument("--train-only", type=Path, metavar="HOME", help=argparse.SUPPRESS)
    options.add_argument("--import-only", nargs="+", type=Path, metavar="HOME FILE", help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.import_only:
        import_and_report(*given.import_only)
        return
    if given.train_only:
        train_and_report(given.train_only)
        return
    with tempfile.TemporaryDirectory(prefix="gars-import-rate-") as folder:
        file, files = Path(folder) / "lists.csv", []
        catalogue = invented_catalogue(TITLES)
        if given.shape == "2025":
            files.append(Path(folder) / "animes.csv")
            animes_csv(catalogue, files[0])
        viewers = round(given.rows / SHAPES[given.shape].list_mean)
        started = time.perf_counter()
        rows = simulate_csv(catalogue, viewers, file, shape=given.shape, seed=0, progress=Silent())
        took = time.perf_counter() - started
        print(f"machine    {platform.machine()}, Python {platform.python_version()}")
        size_mb = file.stat().st_size / 1e6
        print(f"simulated  {rows:,} rows of {viewers:,} viewers, {size_mb:,.0f} MB, {rows / took:,.0f} rows/s")
        home = str(Path(folder) / "home")
        subprocess.run([sys.executable, __file__, "--import-only", home, *map(str, [file, *files])], check=True)
        if given.train:
            file.unlink()
            subprocess.run([sys.executable, __file__, "--train-only", home], check=True)


def import_and_report(home: Path, *files: Path) -> None:
    started = time.perf_counter()
    dataset = import_files(files, home=home, name=NAME, progress=Silent(), enrich=False)
    took = time.perf_counter() - started
    manifest = dataset.manifest
    print(f"imported   {manifest.rows:,} rows, {manifest.users:,} users, {manifest.anime:,} anime in {took:,.1f} s")
    print(f"rate       {manifest.rows / took:,.0f} rows/s")
    print(f"peak       {_peak_mb():,.0f} MB resident")
    written_mb = sum(part.stat().st_size for part in dataset.parts()) / 1e6
    print(f"on disk    {written_mb:,.0f} MB in {len(dataset.parts())} parts")


def train_and_report(home: Path) -> None:
    started = time.perf_counter()
    app(["train", "--data", NAME, "--no-log", "--home", str(home)], standalone_mode=False)
    print(f"trained    in {time.perf_counter() - started:,.0f} s")
    print(f"peak       {_peak_mb():,.0f} MB resident")


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
