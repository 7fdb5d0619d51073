"""An import or build that is killed leaves the old data set or the new one, and its rubbish goes with the next."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from gars.datasets import durable
from gars.datasets.dataset import Dataset
from gars.datasets.importing import import_files
from gars.runtime.progress import Silent

STOP_AT = {
    "rows are on disk": "gars.datasets.partition.Ranges.parts",
    "the parts are written": "gars.datasets.writing.Manifest",
    "all is written": "gars.datasets.durable._swap_in",
    "the old one is moved away": "after the first rename",
}
"""Moment → the call at which the victim stops and waits to be killed."""

VICTIM = """
import sys
from pathlib import Path
from unittest import mock
from gars.runtime.progress import Silent
from gars.datasets import durable, importing

def wait(*_, **__):
    print("here", flush=True)
    sys.stdin.read()

file, home, where = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
if where == "after the first rename":
    rename = Path.rename
    def rename_and_wait(self, target):
        rename(self, target)
        wait()
    patch = mock.patch.object(Path, "rename", rename_and_wait)
else:
    patch = mock.patch(where, wait)
with patch:
    importing.import_files([file], home=home, name="x", progress=Silent(), enrich=False)
"""


def ratings(folder: Path, rating: int) -> Path:
    file = folder / f"ratings-{rating}.csv"
    file.write_text(f"user_id,item_id,rating\n1,2,{rating}\n")
    return file


def stored(home: Path) -> int:
    return int(Dataset.open(home / "data" / "x").interactions().collect()["rating"][0])


def kill_an_import(file: Path, home: Path, where: str) -> None:
    command = [sys.executable, "-c", VICTIM, str(file), str(home), where]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as victim:
        assert victim.stdout is not None
        assert victim.stdout.readline() == "here\n"
        victim.kill()
        victim.wait(timeout=30)


@pytest.mark.parametrize("moment", STOP_AT)
def test_the_old_data_set_survives_and_the_next_import_clears_up(tmp_path: Path, moment: str) -> None:
    home = tmp_path / "home"
    import_files([ratings(tmp_path, 1)], home=home, name="x", progress=Silent(), enrich=False)
    kill_an_import(ratings(tmp_path, 2), home, STOP_AT[moment])
    assert len(list((home / "data").iterdir())) > 1, "the victim was in the middle of it"
    durable.clear_leftovers(home / "data" / "x")
    assert stored(home) == 1
    assert [path.name for path in (home / "data").iterdir()] == ["x"]
    import_files([ratings(tmp_path, 3)], home=home, name="x", progress=Silent(), enrich=False)
    assert stored(home) == 3


def test_what_a_living_process_works_on_is_left_alone(tmp_path: Path) -> None:
    target = tmp_path / "x"
    with durable.scratch_folder(target) as mine:
        durable.clear_leftovers(target)
        assert mine.is_dir()
    assert not mine.exists()
