"""What the documents say is there, and what they show runs."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer
import yaml

from gars import Recommender
from gars.entrypoints.cli.app import app
from gars.testing.world import small_world

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_to_files_lead_somewhere(document: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", document.read_text())
    broken = [t for t in targets if "://" not in t and not (document.parent / t).exists()]
    assert not broken


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_make_targets_and_commands_exist(document: Path) -> None:
    text = document.read_text()
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z]+)`", text)) <= targets
    groups = {str(group.name): _names(group.typer_instance) for group in app.registered_groups if group.typer_instance}
    for span in re.findall(r"`gars ([^`\n]+)`", text):
        first, *rest = span.split("|")[0].split()
        if first in groups:
            assert not rest or not rest[0].islower() or rest[0] in groups[first], span
        else:
            assert first in {*_names(app), "--version", "--help"} or not first.islower(), span


def _names(commands: typer.Typer) -> set[str]:
    return {str(one.name or one.callback.__name__) for one in commands.registered_commands if one.callback}


def test_the_readme_starts_with_commands_that_exist() -> None:
    shell = "\n".join(block for language, block in FENCE.findall((ROOT / "README.md").read_text()) if language == "sh")
    makes = [shlex.split(line)[1] for line in shell.splitlines() if line.startswith("make ")]
    assert makes[0] == "demo"
    assert "test" in makes
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert all(f"make {target}" in shown for target in makes)


@pytest.mark.parametrize("name", ["ci.yaml", "release.yaml"])
def test_workflows_run_targets_that_exist(name: str) -> None:
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / name).read_text())["jobs"]
    steps = [step for job in jobs.values() for step in job["steps"]]
    called = {target for step in steps for target in re.findall(r"make ([a-z-]+)", step.get("run", ""))}
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert "dist" in called
    assert called <= targets
    assert all("timeout-minutes" in job for job in jobs.values())


def test_the_python_of_the_readme_runs(tmp_path: Path, small: Recommender) -> None:
    """Exactly as printed, in a folder with the files it names."""
    (block,) = [block for language, block in FENCE.findall((ROOT / "README.md").read_text()) if language == "python"]
    interactions, catalogue = small_world()
    ids = small.item_ids
    rename = {int(ids[0]): 5114, int(ids[1]): 1535}
    interactions = interactions.with_columns(interactions["item_id"].replace(rename))
    catalogue = catalogue.with_columns(catalogue["item_id"].replace(rename))
    interactions.write_csv(tmp_path / "ratings.csv")
    catalogue.write_csv(tmp_path / "catalogue.csv")
    done = subprocess.run(
        [sys.executable, "-c", block], cwd=tmp_path, capture_output=True, text=True, timeout=560, check=False
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) >= 20
