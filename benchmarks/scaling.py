"""How time and memory of a whole fit grow with the catalogue.

    python benchmarks/scaling.py                      # up to 41,000 titles and 800,000 rows
    python benchmarks/scaling.py 20000:400000         # titles:rows

Simulated viewers over an invented catalogue, seed 0. Each size is fitted in a process of its own, so that peaks do not
add up.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time

import polars as pl

from gars import Recommender
from gars.datasets.simulated import invented_catalogue
from gars.datasets.simulator import Simulator
from gars.library.malloc import keep_freed_memory

SIZES = ("5000:100000", "10000:200000", "20000:400000", "41000:800000")


def main(sizes: list[str]) -> None:
    """Print the curve."""
    print("| titles | rows | users | fit, s | peak, GB |\n|---|---|---|---|---|", flush=True)
    for size in sizes:
        subprocess.run([sys.executable, __file__, "--one", size], check=True)


def one(size: str) -> None:
    """Fit one size and print its row of the table."""
    keep_freed_memory()  # as gars train does
    titles, wanted = map(int, size.split(":"))
    catalogue = invented_catalogue(titles)
    interactions = draw(catalogue, wanted)
    started = time.perf_counter()
    fitted = Recommender.fit(interactions, catalogue.rename({"anime_id": "item_id"}), progress=False)
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(
        f"| {titles:,} | {interactions.height:,} | {len(fitted.user_ids):,} | {seconds:.0f} | {peak:.1f} |", flush=True
    )


def draw(catalogue: pl.DataFrame, wanted: int) -> pl.DataFrame:
    """About so many rows of simulated viewers."""
    blocks: list[pl.DataFrame] = []
    rows = 0
    for block in Simulator(catalogue, seed=0).blocks(wanted):
        blocks.append(block.select("user_id", pl.col("anime_id").alias("item_id"), "rating"))
        rows += block.height
        if rows >= wanted:
            break
    return pl.concat(blocks).head(wanted)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        one(sys.argv[2])
    else:
        main(sys.argv[1:] or list(SIZES))
