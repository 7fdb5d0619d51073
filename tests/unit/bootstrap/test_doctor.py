"""``gars doctor`` and the commands of a cluster, asked without one."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from gars.bootstrap.doctor import examine, shown
from gars.config import from_environment
from gars.domain.errors import GarsError
from gars.entrypoints.cli.app import app

CLUSTER = {
    "GARS_EVENT_LOG": "kafka://127.0.0.1:1/gars",
    "GARS_STATE_STORE": "redis://:secret@127.0.0.1:1/0",
    "GARS_CHANGE_FEED": "redis://127.0.0.1:1/0",
    "GARS_HISTORY": "cassandra://127.0.0.1:1/gars",
}


def test_on_one_machine_everything_is_well_but_the_model(tmp_path: Path) -> None:
    found = {one.name: one for one in examine(from_environment({}, home=tmp_path))}
    assert list(found) == [
        "home",
        "model",
        "event log",
        "states",
        "changes",
        "tombstones",
        "impressions",
        "pages of the files",
    ]
    assert [name for name, one in found.items() if one.problem] == ["model"]
    assert found["model"].hint == "train one with: gars train"


def test_error_of_a_damaged_file_has_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "forgotten.sqlite").write_bytes(b"no database" * 500)
    (broken,) = [one for one in examine(from_environment({}, home=tmp_path)) if one.name == "tombstones"]
    assert "cannot open" in (broken.problem or "")
    assert "move it away and restore a copy" in (broken.hint or "")


def test_an_address_is_shown_without_its_password() -> None:
    assert shown("redis://me:secret@host:1/0") == "redis://***@host:1/0"
    assert shown("") == "(empty)"


def test_command_ends_with_1_and_a_remedy(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["doctor", "--home", str(tmp_path)])
    assert done.exit_code == 1
    assert "✗ model" in done.output
    assert "→ train one with: gars train" in done.output


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (["worker", "history"], "GARS_EVENT_LOG is not Kafka", "from-one-machine-to-a-cluster.md"),
        (["replay", "--from", "kafka"], "GARS_STATE_STORE is not Redis", "made again by the service when it starts"),
        (["replay", "--from", "kafka", "--to", "x.jsonl"], "GARS_EVENT_LOG is not Kafka", "addresses of a cluster"),
        (
            ["replay", "--from", "cassandra", "--to", "x.jsonl"],
            "a log is recorded from kafka or a file",
            "--from kafka",
        ),
        (["backfill"], "there is no data set to fold in", "gars backfill --data DIR"),
    ],
)
def test_commands_of_a_cluster_without_one(tmp_path: Path, arguments: list[str], message: str, hint: str) -> None:
    done = CliRunner().invoke(app, [*arguments, "--home", str(tmp_path)])
    assert isinstance(done.exception, GarsError)
    assert message in done.exception.message
    assert hint in (done.exception.hint or "")


def test_engines_that_are_away_are_found_one_by_one(tmp_path: Path) -> None:
    pytest.importorskip("cassandra")
    output = CliRunner().invoke(app, ["doctor", "--home", str(tmp_path)], env=CLUSTER).output
    marks = {line[2:].split("  ")[0]: line[0] for line in output.splitlines() if line.startswith(("✓", "✗"))}
    assert [name for name, mark in marks.items() if mark == "✗"] == [
        "model",
        "event log",
        "history",
        "states",
        "changes",
    ]
    assert "secret" not in output
