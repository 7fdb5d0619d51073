"""What the documents say is there, and what they show runs."""

import json
import re
import shlex
import subprocess
import sys
import textwrap
import tomllib
from pathlib import Path

import click
import pytest
import typer
import yaml

from gars import Recommender
from gars.datasets.lists.parse import parse
from gars.domain.personal_list import PersonalList
from gars.entrypoints.cli.app import app
from gars_test_support.world import small_world

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
ANY_FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
"""Blocks inside of list items too."""
BLOCKS = [
    (f"{document.relative_to(ROOT)}-{place}", kind, textwrap.dedent(block))
    for document in DOCUMENTS
    for place, (kind, block) in enumerate(ANY_FENCE.findall(document.read_text()))
]
LINES = sorted(
    {
        line.partition(" #")[0].partition("|")[0].partition(">")[0].strip()
        for _, kind, block in BLOCKS
        if kind in {"sh", "console"}
        for line in re.sub(r"\\\n\s*", " ", block).splitlines()
        if line.startswith("gars ")
    }
)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_to_files_lead_somewhere(document: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", document.read_text())
    broken = [t for t in targets if "://" not in t and not (document.parent / t).exists()]
    assert not broken


def anchors(document: Path) -> set[str]:
    """Anchors of the headings of a document, as code hosts and the site make them."""
    text = ANY_FENCE.sub("", document.read_text())
    titles = [re.sub(r"\]\([^)]*\)", "", title) for title in re.findall(r"^#+ (.+)$", text, re.MULTILINE)]
    return {re.sub(r"[^\w -]", "", title).strip().lower().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_anchors_of_links_are_headings(document: Path) -> None:
    found = re.findall(r"\]\(([^)#\s:]*)#([^)\s]+)\)", document.read_text())
    pages = {name: document.parent / name if name else document for name, _ in found}
    missing = [f"{name}#{anchor}" for name, anchor in found if anchor not in anchors(pages[name])]
    assert not missing


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_modules_named_in_the_text_exist(document: Path) -> None:
    if document.name == "CHANGELOG.md":
        pytest.skip("it names files of former versions")
    text = ANY_FENCE.sub("", document.read_text())
    named = re.findall(r"`([\w.-]+(?:/[\w.-]+)+\.(?:py|toml|conf|service|in|lock|vue|mjs|yaml))`", text)
    if document.name != "CONTRIBUTING.md":
        named += [name.replace(".", "/") for name in re.findall(r"`(gars(?:\.[a-z_]+){2,})`", text)]
    bases = ("", "src", "src/gars", "web", "web/src", "src/gars/testing", "src/gars_test_support")
    missing = [
        name
        for name in named
        if not any((ROOT / base / f"{name}{end}").exists() for base in bases for end in ("", ".py"))
    ]
    assert [name for name in missing if not _attribute(name)] == []


def _attribute(name: str) -> bool:
    """Whether the last part of a dotted name is defined in the module before it."""
    module, _, last = name.rpartition("/")
    for file in (ROOT / "src" / f"{module}.py", ROOT / "src" / module / "__init__.py"):
        if file.is_file() and re.search(rf"^(?:def|class) {last}\b|^{last}\b", file.read_text(), re.MULTILINE):
            return True
    return False


@pytest.mark.parametrize(("kind", "block"), [one[1:] for one in BLOCKS], ids=[one[0] for one in BLOCKS])
def test_code_blocks_are_valid(kind: str, block: str) -> None:
    match kind:
        case "python":
            compile(block, "block", "exec")
        case "json":
            json.loads(block)
        case "toml":
            tomllib.loads(block)
        case "sh":
            done = subprocess.run(["bash", "-n"], input=block, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
            assert not done.stderr


@pytest.mark.parametrize("line", LINES)
def test_commands_in_code_blocks_take_their_options(line: str) -> None:
    command, words = typer.main.get_command(app), shlex.split(line)[1:]
    while isinstance(command, click.Group | typer.core.TyperGroup) and words and not words[0].startswith("-"):
        name, *words = words
        assert name in command.commands, f"no command {name}"
        command = command.commands[name]
    known = {option for one in command.params for option in (*one.opts, *one.secondary_opts)} | {"--help"}
    assert {word.partition("=")[0] for word in words if word.startswith("--") and " " not in word} <= known


def test_the_options_of_a_wrong_command_are_seen() -> None:
    with pytest.raises(AssertionError):
        test_commands_in_code_blocks_take_their_options("gars train --fast")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_make_targets_and_commands_exist(document: Path) -> None:
    text = document.read_text()
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z-]+)`", text)) <= targets
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    for span in re.findall(r"`gars ([^`\n]+)`", text):
        first, *rest = span.split("|")[0].split()
        assert first in {*commands, "--version", "--help"} or not first.islower(), span
        if isinstance(group := commands.get(first), typer.core.TyperGroup):
            assert not rest or not rest[0].islower() or rest[0] in group.commands, span


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


def test_the_python_of_the_tutorial_runs(tmp_path: Path) -> None:
    """Exactly as printed: fit on the stand-in data, then load what was saved."""
    first, second = [
        block for language, block in FENCE.findall((ROOT / "docs" / "tutorial.md").read_text()) if language == "python"
    ]
    done = subprocess.run(
        [sys.executable, "-c", f"{first}\n{second}"],
        cwd=tmp_path, capture_output=True, text=True, timeout=560, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    *songs, similar, rock, jazz = done.stdout.splitlines()
    assert len(songs) == 5
    assert sum(song.startswith("jazz-") for song in songs) >= 4
    assert "jazz-" in similar
    assert "rock-" in rock
    assert "jazz-" in jazz


def test_the_list_of_the_tutorial_is_read() -> None:
    (listed,) = re.findall(r"<<'END'\n(.*?)END", (ROOT / "docs" / "tutorial.md").read_text(), re.DOTALL)
    found = parse(listed.encode())
    assert isinstance(found, PersonalList)
    assert [(one.anime_id, one.rating) for one in found.entries] == [(5114, 10), (1535, 9), (9253, 8)]
