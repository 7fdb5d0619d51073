"""Lists of many users as one Parquet file, written block by block."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from gars.datasets.durable import disk_errors, fsync_path, scratch_folder
from gars.library.recommender import Item, Recommender
from gars.runtime.progress import Progress

ROWS_AT_ONCE = 100_000
"""Rows of a row group; so many lists are held in memory, as blocks of users."""


def write_lists(
    recommender: Recommender, out: Path, *, user_ids: Sequence[Item] | None = None, k: int, progress: Progress
) -> int:
    """Write ``user_id, place, item_id`` of the k best items of training users to ``out``. Returns the number of lists.

    Blocks are written next to ``out`` first and joined in a stream, so memory does not grow with the number of users;
    ``out`` appears as the last step.

    Raises:
        InvalidInputError: the model was not fitted on such a user.
        StorageError: the disk is full or not writable.
    """
    total = len(recommender.user_ids if user_ids is None else user_ids)
    labels = recommender.item_ids
    numeric = labels.dtype.kind == "i"
    out.parent.mkdir(parents=True, exist_ok=True)
    with disk_errors(out), scratch_folder(out) as folder, progress.task("lists", total) as advance:
        blocks: list[Path] = []
        for users, ids in recommender.recommend_users(user_ids, k, block=max(1, ROWS_AT_ONCE // k)):
            kept = ids >= 0
            blocks.append(folder / f"{len(blocks):08d}.parquet")
            pl.DataFrame(
                {
                    "user_id": np.repeat(users, kept.sum(axis=1)),
                    "place": (np.nonzero(kept)[1] + 1).astype(np.int32),
                    "item_id": ids[kept] if numeric else labels[ids[kept]],
                }
            ).write_parquet(blocks[-1])
            advance(len(users))
        joined = folder / "joined"
        pl.scan_parquet(blocks).sink_parquet(joined, row_group_size=ROWS_AT_ONCE, maintain_order=True)
        fsync_path(joined)
        joined.replace(out)
        fsync_path(out.parent)
    return total
