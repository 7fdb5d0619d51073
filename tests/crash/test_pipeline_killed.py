"""A pipeline run is killed at one step after another; the same command goes on, and nothing is done twice."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gars.library.registry import Registry
from gars.pipeline.journal import Step
from gars.pipeline.runs import runs
from gars_test_support.datasets import tiny_dataset

KILLABLE = Path(__file__).parent / "killable_pipeline.py"
KILLS = ("validate:after", "snapshot:before", "train:before", "train:after", "promote:before", "promote:after")

pytestmark = pytest.mark.slow


def run(home: Path, kill_at: str | None = None) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GARS_")}
    environment |= {"KILL_AT": kill_at} if kill_at else {}
    command = [sys.executable, str(KILLABLE), "pipeline", "run", "--home", str(home)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240, check=False)


def test_the_same_command_goes_on_where_it_was(tmp_path: Path) -> None:
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    for home in (killed, whole):
        tiny_dataset(home)
    for kill_at in KILLS:
        done = run(killed, kill_at)
        assert done.returncode == -9, done.stderr
    last = run(killed)
    assert last.returncode == 0, last.stderr
    assert "which is not over: going on with it" in last.stderr
    assert "train: was finished" in last.stderr
    (journal,) = runs(killed)
    names = [line.name for line in journal.lines if isinstance(line, Step)]
    assert names == ["start", "validate", "snapshot", "train", "evaluate", "promote"], "each recorded once"
    assert journal.ended is not None
    assert journal.ended.verdict == "promoted"

    assert run(whole).returncode == 0
    models = [Registry(home / "models") for home in (killed, whole)]
    assert models[0].current() == models[1].current() is not None, "the same model as without a kill"
    assert [len(one.promotions()) for one in models] == [1, 1], "promoted once"
    assert [len(one.versions()) for one in models] == [1, 1]
    leftovers = [path for path in killed.rglob("*") if ".unfinished-" in path.name or path.name.startswith(".new-")]
    assert not leftovers
