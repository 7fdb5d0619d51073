"""The files and commands of docs/how-to/tune.md are ones that are taken."""

import re
import shlex
from pathlib import Path

import click
import pytest
import typer

from gars.entrypoints.cli.app import app
from gars.library import configuration
from gars.library.fit_config import FitConfig
from gars.tuning import search_space

TEXT = (Path(__file__).parents[2] / "docs" / "how-to" / "tune.md").read_text()
FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
FILES = {block.splitlines()[0].removeprefix("# "): block for kind, block in FENCE.findall(TEXT) if kind == "toml"}
COMMANDS = [line for kind, block in FENCE.findall(TEXT) if kind == "sh" for line in block.splitlines()]
COMMANDS += [span for span in re.findall(r"`(?:KERAS_BACKEND=tensorflow )?(gars [^`]+)`", TEXT) if "NAME" not in span]


def test_the_configuration_is_one(tmp_path: Path) -> None:
    (tmp_path / "train.toml").write_text(FILES["train.toml"])
    config = configuration.read(tmp_path / "train.toml")
    assert (config.folds, config.ranking.hidden, config.retrieval.fusion["deepwalk"]) == (4, (256, 128), 0.5)
    assert config.retrieval.fusion["edlae"] == FitConfig().retrieval.fusion["edlae"]


def test_the_space_is_one(tmp_path: Path) -> None:
    (tmp_path / "space.toml").write_text(FILES["space.toml"])
    assert len(search_space.read(tmp_path / "space.toml")) == 5


@pytest.mark.parametrize("line", sorted({line for line in COMMANDS if line.startswith("gars ")}))
def test_every_command_is_taken(line: str) -> None:
    _, *words = shlex.split(line)
    group = typer.main.get_command(app)
    assert isinstance(group, click.Group | typer.core.TyperGroup)
    context = group.make_context("gars", words, resilient_parsing=True)
    _, command, rest = group.resolve_command(context, words)
    assert command is not None
    command.make_context(command.name, rest, ignore_unknown_options=False)
