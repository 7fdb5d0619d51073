"""The command line as a whole: help, errors, train, models, demo."""

import ast
import importlib.metadata
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gars.datasets.dataset import Dataset
from gars.datasets.importing import import_files
from gars.entrypoints.cli import app as cli
from gars.entrypoints.cli import demo as demo_module
from gars.entrypoints.cli import serve as serve_module
from gars.entrypoints.cli import train as train_module
from gars.library.registry import Registry
from gars.runtime.progress import Silent
from gars_test_support.world import SMALL, small_world


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GARS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setattr(train_module, "FitConfig", lambda: SMALL)
    monkeypatch.setattr(train_module, "QUICK", SMALL)
    return tmp_path / "home"


@pytest.fixture
def dataset(home: Path, tmp_path: Path) -> Dataset:
    interactions, catalogue = small_world()
    interactions.write_csv(tmp_path / "ratings.csv")
    catalogue.write_csv(tmp_path / "catalogue.csv")
    return import_files([tmp_path / "ratings.csv"], home=home, name="small", progress=Silent())


def gars(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    """Run ``gars …`` in this process; the exit code."""
    monkeypatch.setattr("sys.argv", ["gars", *words])
    try:
        cli.main()
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


@pytest.mark.parametrize("command", ["demo", "train", "evaluate", "serve", "data", "model", "lists"])
def test_every_command_teaches(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert gars(monkeypatch, command, "--help") == 0
    assert f"gars {command}" in capsys.readouterr().out


def test_the_version_is_that_of_the_installed_package(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert gars(monkeypatch, "--version") == 0
    assert capsys.readouterr().out == f"gars {importlib.metadata.version('gars')}\n"


def test_an_error_is_one_message_and_the_next_command(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert gars(monkeypatch, "train") == 1
    stderr = capsys.readouterr().err
    assert f"there is no data set in {home / 'data'}" in stderr
    assert "→ make one with: gars data build" in stderr
    assert "Traceback" not in stderr


def test_wrong_option_is_reported_on_standard_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert gars(monkeypatch, "train", "--sed", "1") == 2
    assert "No such option: --sed" in capsys.readouterr().err


@pytest.mark.usefixtures("dataset")
def test_train_list_show_promote_roll_back(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert gars(monkeypatch, "train") == 0
    assert gars(monkeypatch, "train", "--seed", "1", "--no-promote") == 0
    registry = Registry(home / "models")
    serving = registry.current()
    assert serving is not None
    (other,) = [manifest.version for manifest in registry.versions() if manifest.version != serving]
    assert {file.stem for file in (home / "atlas").iterdir()} == {serving, other}
    capsys.readouterr()
    assert gars(monkeypatch, "model", "list") == 0
    listed = capsys.readouterr().out
    assert f"* {serving}" in listed.replace("  ", " ")
    assert other in listed
    assert gars(monkeypatch, "model", "show", other) == 0
    assert '"seed": 1' in capsys.readouterr().out
    assert gars(monkeypatch, "model", "promote", other) == 0
    assert registry.current() == other
    assert "Redis" not in capsys.readouterr().out
    (home / "stack").mkdir()
    (home / "stack" / "ports.json").touch()
    assert gars(monkeypatch, "model", "rollback") == 0
    assert registry.current() == serving
    assert "come to the Redis of the stack with: gars stack up publish" in capsys.readouterr().out
    monkeypatch.setenv("GARS_STATE_STORE", "redis://127.0.0.1:9/0")
    assert gars(monkeypatch, "model", "promote", other) == 0
    assert "come to Redis with: gars model publish" in capsys.readouterr().out


def test_showing_a_model_that_is_not_there(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert gars(monkeypatch, "model", "show", "abc") == 1
    assert "0 models match 'abc'" in capsys.readouterr().err
    assert gars(monkeypatch, "model", "list") == 0
    assert f"no models in {home / 'models'}; train one with: gars train" in capsys.readouterr().out


def test_the_demo_trains_in_another_process_and_does_nothing_twice(
    home: Path, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[list[str]] = []

    real = subprocess.run

    def counted(command: list[str], **named: Any) -> subprocess.CompletedProcess[str]:
        if command[:3] != [sys.executable, "-m", "gars.entrypoints.cli"]:
            return real(command, **named)
        ran.append(command[3:5])
        return subprocess.CompletedProcess(command, gars(monkeypatch, *command[3:]))

    shutil.copytree(dataset.path, home / "data" / "mal")
    monkeypatch.setattr(demo_module, "standing", lambda *_, **__: dataset)
    monkeypatch.setattr(subprocess, "run", counted)
    assert gars(monkeypatch, "demo", "--no-serve") == 0
    assert gars(monkeypatch, "demo", "--no-serve") == 0
    assert ran == [["train", "--data"]]
    assert Registry(home / "models").current() is not None


def test_a_second_demo_names_what_is_there_and_opens_the_page(
    home: Path, dataset: Dataset, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    served: dict[str, Any] = {}
    monkeypatch.setattr(demo_module, "standing", lambda *_, **__: dataset)
    monkeypatch.setattr(demo_module, "_trained_on", lambda _: dataset.content_hash)
    monkeypatch.setattr(Registry, "current", lambda _: "0123456789ab")
    monkeypatch.setattr(serve_module, "serve", lambda **options: served.update(options))
    assert gars(monkeypatch, "demo", "--open") == 0
    assert served == {"port": None, "home": home, "open_page": True}
    stderr = capsys.readouterr().err
    assert "✓ data mal: made before" in stderr
    assert "✓ model 0123456789ab: made before" in stderr


def test_the_demo_ends_with_the_exit_code_of_a_step_that_fails(
    home: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert gars(monkeypatch, "demo", "--no-serve", "--mirror", str(home / "nowhere")) == 1
    assert "nowhere is not a folder" in capfd.readouterr().err


def test_importing_the_commands_installs_no_reactor() -> None:
    """The spider installs the one it needs; it cannot when a library did so before."""
    found = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, gars.entrypoints.cli.app; print('twisted.internet.reactor' in sys.modules)",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == "False"


def test_a_command_imports_no_other() -> None:
    found = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; sys.argv = ['gars', 'serve', '--help']\n"
            "from gars.entrypoints.cli.app import main\n"
            "try: main()\n"
            "except SystemExit: print(sorted(n for n in sys.modules if n.startswith('gars.entrypoints.cli.')))",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    modules = {*ast.literal_eval(found.stdout.splitlines()[-1])}
    assert "gars.entrypoints.cli.serve" in modules
    assert modules.isdisjoint(f"gars.entrypoints.cli.{name}" for name in ("train", "pipeline", "stack"))


def test_an_error_of_a_command_s_module_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_name: str) -> None:
        raise KeyError("a fault of the module")

    monkeypatch.setattr(cli, "importlib", SimpleNamespace(import_module=broken))
    with pytest.raises(KeyError, match="a fault of the module"):
        gars(monkeypatch, "train", "--help")


def test_a_command_without_its_extra_names_the_extra(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "gars.entrypoints.cli.stack", None)  # importing it fails
    assert gars(monkeypatch, "stack", "up", "--watch") == 1
    assert "gars[cluster]" in capsys.readouterr().err
    assert gars(monkeypatch, "--help") == 0
    assert "Needs the cluster extra." in capsys.readouterr().out
