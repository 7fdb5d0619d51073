"""The commands of docs/how-to/retrain.md are ones that are taken."""

import re
import shlex
from pathlib import Path

import click
import pytest
import typer

from gars.entrypoints.cli.app import app

TEXT = (Path(__file__).parents[2] / "docs" / "how-to" / "retrain.md").read_text()
FENCE = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
COMMANDS = sorted({line for block in FENCE.findall(TEXT) for line in block.splitlines() if line.startswith("gars ")})


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_is_taken(line: str) -> None:
    _, group_name, *words = shlex.split(line)
    root = typer.main.get_command(app)
    assert isinstance(root, click.Group | typer.core.TyperGroup)
    context = root.make_context("gars", [group_name, *words], resilient_parsing=True)
    _, group, rest = root.resolve_command(context, [group_name, *words])
    assert isinstance(group, click.Group | typer.core.TyperGroup)
    inner = group.make_context(group_name, rest, resilient_parsing=True)
    _, command, options = group.resolve_command(inner, rest)
    assert command is not None
    command.make_context(command.name, options, resilient_parsing=True)


def test_a_command_that_is_not_one_is_seen() -> None:
    with pytest.raises((click.UsageError, AssertionError)):
        test_every_command_is_taken("gars pipeline walk")
