"""``gars tune``, ``gars train --config`` and ``gars tensorboard`` as commands."""

import io
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from rich.console import Console

from gars.datasets.dataset import Dataset
from gars.datasets.importing import import_files
from gars.domain.metrics import Interval
from gars.entrypoints.cli import app as cli
from gars.entrypoints.cli import train as train_module
from gars.entrypoints.cli import tune as tune_module
from gars.library.fit_config import FitConfig
from gars.library.registry import Registry
from gars.library.terminal import TerminalProgress
from gars.runtime.progress import Silent
from gars.tuning.search import Verdict
from gars.tuning.validation import Validation
from gars_test_support.world import SMALL, small_world

Gars = Callable[..., int]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GARS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(train_module, "FitConfig", lambda: SMALL)
    return tmp_path / "home"


@pytest.fixture
def dataset(home: Path, tmp_path: Path) -> Dataset:
    interactions, _ = small_world()
    interactions.write_csv(tmp_path / "ratings.csv")
    return import_files([tmp_path / "ratings.csv"], home=home, name="small", progress=Silent())


@pytest.fixture
def gars(monkeypatch: pytest.MonkeyPatch) -> Gars:
    """Run ``gars …`` in this process; the exit code."""

    def run(*words: str) -> int:
        monkeypatch.setattr("sys.argv", ["gars", *words])
        try:
            cli.main()
        except SystemExit as stop:
            return int(stop.code or 0)
        return 0

    return run


@pytest.fixture
def quick_verdicts(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Settings are worth their learning rate, and nothing is fitted; the rates that were judged."""
    judged: list[float] = []

    def verdict(_self: object, settings: dict[str, object], _share: float, _curves: object) -> Verdict:
        score = float(str(settings.get("ranking.learning_rate", 0.0)))
        judged.append(score)
        return Verdict(score, {"auc random": Interval(score, score - 1, score + 1), "ece random": Interval(0, 0, 0)})

    monkeypatch.setattr(tune_module, "build_sample", lambda *_, **__: dataset)
    monkeypatch.setattr(tune_module, "_evaluators", lambda *_: [])
    monkeypatch.setattr(Validation, "__call__", verdict)
    return judged


def test_the_best_settings_are_a_file_that_train_takes(
    home: Path, gars: Gars, quick_verdicts: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    assert gars("tune", "--trials", "6") == 0
    best = home / "runs" / "tune" / "best.json"
    printed = capsys.readouterr()
    assert f"gars train --config {best}" in printed.err
    config = msgspec.json.decode(best.read_bytes(), type=FitConfig)
    assert config.ranking.learning_rate == max(quick_verdicts)
    assert config.retrieval == FitConfig().retrieval
    assert "auc random" in printed.out


def test_the_same_command_goes_on_and_another_search_is_refused(
    home: Path, gars: Gars, quick_verdicts: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    assert gars("tune", "--trials", "3") == 0
    done = len(quick_verdicts)
    assert gars("tune", "--trials", "3") == 0
    assert len(quick_verdicts) == done
    assert f"{done} trials of {home / 'runs' / 'tune'} are done already" in capsys.readouterr().err
    assert gars("tune", "--trials", "3", "--seed", "1") == 1
    assert "is of a search with another seed" in capsys.readouterr().err
    assert gars("tune", "--trials", "3", "--seed", "1", "--fresh") == 0
    assert gars("tune", "--trials", "3", "--name", "other") == 0
    assert (home / "runs" / "other" / "best.json").is_file()


def test_ctrl_c_keeps_what_was_found(
    gars: Gars,
    quick_verdicts: list[float],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    real = Validation.__call__

    def interrupted(self: object, *arguments: object) -> Verdict:
        if len(quick_verdicts) == 3:
            raise KeyboardInterrupt
        return real(self, *arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(Validation, "__call__", interrupted)
        assert gars("tune", "--trials", "4") == 130
    assert "stopped; 3 trials are kept, the same command goes on" in capsys.readouterr().err
    assert gars("tune", "--trials", "4") == 0
    assert len(set(quick_verdicts)) == 4
    assert "3 trials" in capsys.readouterr().err


@pytest.mark.usefixtures("quick_verdicts")
@pytest.mark.parametrize("name", ["../x", ".x", "a/b", ""])
def test_a_name_that_is_no_folder(name: str, gars: Gars, capsys: pytest.CaptureFixture[str]) -> None:
    assert gars("tune", "--name", name) == 1
    assert f"--name {name!r} is no name of a folder" in capsys.readouterr().err


def test_train_takes_a_configuration_and_reports_a_wrong_one(
    home: Path, dataset: Dataset, gars: Gars, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "config.toml"
    path.write_text("folds = 2\nrepeats = 1\nlist_length = 40\n[ranking]\nepochs = 1\n[retrieval]\ndim = 16\n")
    assert gars("train", "--config", str(path), "--no-log") == 0
    (manifest,) = Registry(home / "models").versions()
    assert manifest.config["ranking"]["epochs"] == 1
    assert manifest.config["retrieval"]["dim"] == 16
    assert not (home / "runs").exists()
    path.write_text("[ranking]\nepoch = 1\n")
    capsys.readouterr()
    assert gars("train", "--config", str(path)) == 1
    assert "there is no setting ranking.epoch" in capsys.readouterr().err
    assert gars("train", "--quick", "--config", str(path)) == 1
    assert "--quick and --config both say how to train" in capsys.readouterr().err


def test_training_without_the_extra_works_and_names_it(
    home: Path,
    dataset: Dataset,
    gars: Gars,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "tensorboard"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    assert gars("train") == 0
    stderr = capsys.readouterr().err
    assert stderr.count("no TensorBoard log of this run; to get one: pip install 'gars[tensorboard]'") == 1
    assert not (home / "runs").exists()
    (home / "runs").mkdir()
    assert gars("tensorboard") == 1
    assert "gars tensorboard needs optional packages" in capsys.readouterr().err


def test_no_runs_and_a_port_in_use(home: Path, gars: Gars, capsys: pytest.CaptureFixture[str]) -> None:
    assert gars("tensorboard") == 1
    stderr = capsys.readouterr().err
    assert f"there are no runs in {home / 'runs'}" in stderr
    assert "make one with: gars train, or gars tune" in stderr


def test_a_note_is_shown_as_it_is() -> None:
    console = Console(file=io.StringIO(), width=40)
    TerminalProgress(console).note("pip install 'gars[tensorboard]' and [/] nothing is lost in brackets")
    assert console.file.getvalue() == "pip install 'gars[tensorboard]' and [/] nothing is lost in brackets\n"  # type: ignore[attr-defined]


def test_evaluate_takes_the_same_file(gars: Gars, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "config.toml").write_text("[ranking]\nepoch = 1\n")
    assert gars("evaluate", "--config", str(tmp_path / "config.toml")) == 1
    assert "there is no setting ranking.epoch" in capsys.readouterr().err
    assert gars("evaluate", "--quick", "--config", str(tmp_path / "config.toml")) == 1
    assert "--quick and --config both say how to train" in capsys.readouterr().err
