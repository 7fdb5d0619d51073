"""Pages that the hook of the documentation site generates."""

import json
import sys
from pathlib import Path

import typer

from gars.entrypoints.cli.app import app

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
import site_pages  # noqa: E402


def test_tables_and_lists_after_a_paragraph_get_an_empty_line() -> None:
    text = "# A\ntext\n| a |\n|---|\n| 1 |\nmore\n- one\n- two\n```sh\nx\n- y\n```\n"
    assert site_pages.separate_blocks(text) == (
        "# A\ntext\n\n| a |\n|---|\n| 1 |\n\nmore\n\n- one\n- two\n```sh\nx\n- y\n```\n"
    )


def test_every_command_and_option_has_its_place() -> None:
    page = site_pages.commands()
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    groups = {name: one.commands for name, one in commands.items() if isinstance(one, typer.core.TyperGroup)}
    assert {"data", "model", "pipeline", "stack"} <= groups.keys()
    for group, names in groups.items():
        assert all(f"### `gars {group} {name}`" in page for name in names), group
    assert "## `gars train`" in page
    options = {option for one in commands["train"].params for option in one.opts}
    assert all(option in page for option in options)


def test_every_route_and_schema_has_its_place() -> None:
    document = json.loads((ROOT / "web" / "openapi.json").read_text())
    page = site_pages.http(document)
    for path, methods in document["paths"].items():
        assert all(f"### {method.upper()} `{path}`" in page for method in methods)
    assert all(f"### {name}\n" in page for name in document["components"]["schemas"])


def test_documents_of_the_root_link_into_the_site() -> None:
    up = "../"
    assert site_pages._inside("../../CONTRIBUTING.md#known-advisories", up) == "../contributing.md#known-advisories"
    assert site_pages._inside("../models.md", up) == "../models.md"
    assert site_pages._in_site("../../CONTRIBUTING.md", up)
    assert not site_pages._in_site("../../src/gars/config.py", up)
    assert "](docs/" not in site_pages._from_root("CONTRIBUTING.md")
