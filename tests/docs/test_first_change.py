"""The first change of CONTRIBUTING.md works as it is printed, in a copy of the repository."""

import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "CONTRIBUTING.md").read_text()
BLOCKS = [
    (kind, textwrap.dedent(block))
    for kind, block in re.findall(r"^ *```(python|diff)\n(.*?)^ *```", TEXT, re.MULTILINE | re.DOTALL)
]
FEATURE, TEST = (block for kind, block in BLOCKS if kind == "python")
(DIFF,) = (block for kind, block in BLOCKS if kind == "diff")


def file_of(block: str) -> str:
    """The path in the first line of a block."""
    return block.splitlines()[0].removeprefix("# ")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Code and the test of the features, with the change of CONTRIBUTING.md made."""
    shutil.copytree(
        ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__", "page", "*.parquet", "*.xz")
    )
    (tmp_path / "tests").mkdir()
    test = tmp_path / "tests" / Path(file_of(TEST)).name
    test.write_text((ROOT / file_of(TEST)).read_text() + "\n\n" + TEST)
    subprocess.run(["git", "apply", "-C1", "--unsafe-paths", "-"], cwd=tmp_path, input=DIFF, text=True, check=True)
    (tmp_path / file_of(FEATURE)).write_text(FEATURE)
    return tmp_path


def run(copy: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--import-mode=importlib", "tests"],
        cwd=copy, env={**os.environ, "PYTHONPATH": str(copy / "src")}, capture_output=True, text=True, timeout=560,
    )  # fmt: skip


def test_the_change_passes_its_test_and_those_that_were_there(copy: Path) -> None:
    done = run(copy)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"\b\d+ passed", done.stdout)


def test_without_the_second_step_its_test_fails(copy: Path) -> None:
    listed = copy / "src" / "gars" / "domain" / "features" / "__init__.py"
    listed.write_text(listed.read_text().replace("gaussian_process, length", "gaussian_process"))
    done = run(copy)
    assert done.returncode == 1
    assert "KeyError: 'length_gap'" in done.stdout
