"""Users come one at a time with all their rows, oldest first."""

from __future__ import annotations

from pathlib import Path

import pytest

from gars.datasets.histories import histories
from gars.datasets.importing import import_files
from gars.datasets.schema import INTERACTIONS, conform_catalogue
from gars.datasets.simulated import invented_catalogue
from gars.datasets.simulator import Simulator
from gars.datasets.writing import write_dataset
from gars.runtime.progress import Silent


@pytest.mark.parametrize("rows_per_range", [1, 1000])
def test_each_user_once_with_times_in_order(tmp_path: Path, rows_per_range: int) -> None:
    file = tmp_path / "ratings.csv"
    file.write_text("user_id,item_id,rating,time\n7,1,8,1577836802\n3,1,5,1577836801\n7,2,,1577836800\n7,3,9,\n")
    dataset = import_files(
        [file], home=tmp_path, name="x", progress=Silent(), enrich=False, rows_per_range=rows_per_range
    )
    found = {user: [(row.anime_id, row.rating, row.time_ms) for row in rows] for user, rows in histories(dataset)}
    assert found == {
        "3": [(1, 5, 1577836801000)],
        "7": [(3, 9, None), (2, None, 1577836800000), (1, 8, 1577836802000)],
    }


def test_every_row_comes_out(tmp_path: Path) -> None:
    catalogue = invented_catalogue(300)
    blocks = list(Simulator(catalogue, seed=0).blocks(40))
    rows = blocks[0].select(*INTERACTIONS)
    dataset = write_dataset(
        tmp_path / "x",
        name="x",
        dialect="simulated",
        simulated=True,
        sources=[],
        parts=[rows.filter(rows["user_id"] <= 15), rows.filter(rows["user_id"] > 15)],
        catalogue=conform_catalogue(catalogue),
    )
    found = list(histories(dataset))
    assert [int(user) for user, _ in found] == list(range(1, 41))
    assert sum(len(history) for _, history in found) == rows.height
