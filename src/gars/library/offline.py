"""Output of ``gars offline spark``, and its item graph as an input of training."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import msgspec
import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from gars.domain.errors import DataError

ABOUT, GRAPH, ITEM_IDS = "offline.json", "graph.npz", "item_ids.npy"
_BEFORE_0_3 = ("vectors.npy", "factors.npy")
"""Runs of earlier versions wrote these too; a new run replaces such a folder."""
_SHOWN = 5
_SPARK_FILE = re.compile(r"_SUCCESS|\._SUCCESS\.crc|\.?part-\d+.*")
_AGAIN = "make it again of this data set: gars offline spark --data NAME"


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of a run. The defaults are those of ``gars train``."""

    pieces: int = 8
    """Number of partitions of users: several for each core."""
    min_count: int = 5
    """An item on fewer lists has no edges."""


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """``offline.json``: what was made of what, and how long each stage took."""

    plan: Plan
    rows: int
    users: int
    items: int
    edges: int
    seconds: dict[str, float]
    data: str = ""
    """Content hash of the data set; empty for events."""


def written_names(folder: Path) -> set[str]:
    """Names of the files of an earlier run in ``folder``; empty if its ``offline.json`` is missing or another's."""
    try:
        msgspec.json.decode((folder / ABOUT).read_bytes(), type=Made)
    except (OSError, msgspec.DecodeError):
        return set()
    tables = {
        path.relative_to(folder).as_posix()
        for name in ("items.parquet", "users.parquet")
        for path in (folder / name).glob("*")
        if _SPARK_FILE.fullmatch(path.name)
    }
    return {ABOUT, GRAPH, ITEM_IDS, *_BEFORE_0_3, *tables}


@dataclass(frozen=True, slots=True, eq=False)
class OfflineGraph:
    """The weighted item graph of all users, made by another process."""

    folder: Path
    made: Made
    item_ids: NDArray[np.int64]
    """(m,) ascending: the titles on the lists it was made of."""
    edges: sp.csr_array
    """(m, m)"""
    sha256: str

    def of_items(self, wanted: NDArray[Any], viewers: NDArray[np.int64], *, min_count: int) -> sp.csr_array:
        """The graph between the titles ``wanted`` (n,), ascending, that are on ``viewers`` (n,) lists. → (n, n)

        Raises:
            DataError: it was made with another ``min_count``, or is not of the titles that these lists hold.
        """
        if self.made.plan.min_count != min_count:
            raise DataError(
                f"the graph in {self.folder} has edges from {self.made.plan.min_count} lists on, and this training's "
                f"min_count is {min_count}",
                hint="give both the same, or train without --offline",
            )
        self._refuse(np.setdiff1d(self.item_ids, wanted), "in the graph are not in the data set")
        self._refuse(np.setdiff1d(wanted[viewers >= min_count], self.item_ids), "of the data set are not in the graph")
        places = np.searchsorted(wanted, self.item_ids)
        coo = self.edges.tocoo()
        return sp.csr_array((coo.data, (places[coo.row], places[coo.col])), shape=(len(wanted), len(wanted)))

    def _refuse(self, ids: NDArray[Any], problem: str) -> None:
        if len(ids):
            some = ", ".join(map(str, ids[:_SHOWN].tolist()))
            raise DataError(
                f"{len(ids)} title(s) {problem}, such as {some}: {self.folder} is of other lists", hint=_AGAIN
            )

    def lineage(self) -> dict[str, Any]:
        """For the manifest of a model."""
        made = self.made
        return {"graph": self.sha256, "data": made.data, "rows": made.rows, "users": made.users, "edges": made.edges}


def read_graph(folder: Path, *, content_hash: str) -> OfflineGraph:
    """The graph that ``gars offline spark`` wrote to a folder, for training on the data set of a hash.

    Raises:
        DataError: there is none, it is damaged, or it was made of another data set.
    """
    about, graph, ids = folder / ABOUT, folder / GRAPH, folder / ITEM_IDS
    if not about.is_file():
        raise DataError(f"there is no {ABOUT} in {folder}", hint="make it with: gars offline spark --data NAME")
    try:
        made = msgspec.json.decode(about.read_bytes(), type=Made)
        edges, item_ids = sp.csr_array(sp.load_npz(graph)), np.load(ids)
        n = len(item_ids)
        if edges.shape != (n, n) or edges.nnz != made.edges or not (np.diff(item_ids) > 0).all():
            raise ValueError("its files are not of one run")
    except (msgspec.DecodeError, ValueError, OSError, BadZipFile, KeyError) as error:
        raise DataError(f"what is in {folder} cannot be read: {error}", hint=_AGAIN) from error
    if made.data and made.data != content_hash:
        raise DataError(
            f"{folder} was made of the data set {made.data[:12]}, and this is {content_hash[:12]}", hint=_AGAIN
        )
    return OfflineGraph(folder, made, item_ids, edges, hashlib.sha256(graph.read_bytes()).hexdigest())
