"""Configurations and search spaces as files: any part of them, and clear words about what is wrong."""

import json
import re
from pathlib import Path

import msgspec
import pytest

from gars.domain.errors import InvalidInputError
from gars.library import configuration
from gars.library.fit_config import FitConfig
from gars.tuning import search_space
from gars.tuning.search import Choice, Range


def written(folder: Path, text: str, name: str = "config.toml") -> Path:
    (folder / name).write_text(text)
    return folder / name


def test_a_file_changes_what_it_names_and_nothing_else(tmp_path: Path) -> None:
    path = written(
        tmp_path, "folds = 3\n[ranking]\nepochs = 9\nhidden = [32, 16]\n[retrieval.fusion]\ndeepwalk = 0.5\n"
    )
    config = configuration.read(path)
    default = FitConfig()
    assert (config.folds, config.ranking.epochs, config.ranking.hidden) == (3, 9, (32, 16))
    assert config.retrieval.fusion == {**default.retrieval.fusion, "deepwalk": 0.5}
    assert config.ranking.batch == default.ranking.batch
    assert default.retrieval.fusion == FitConfig().retrieval.fusion


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    config = configuration.changed(FitConfig(), {"ranking.learning_rate": 0.01, "folds": 4})
    configuration.write(tmp_path / "best.json", config)
    assert configuration.read(tmp_path / "best.json") == config
    assert json.loads((tmp_path / "best.json").read_text())["folds"] == 4


def test_every_setting_has_a_name() -> None:
    names = {name for name, _ in configuration.settings()}
    assert {"folds", "ranking.epochs", "retrieval.fusion"} <= names
    assert not {"ranking", "retrieval"} & names
    for name in names:
        value = msgspec.to_builtins(FitConfig())
        for part in name.split("."):
            value = value[part]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[ranking]\nepoch = 3\n", r"there is no setting ranking\.epoch\n  → did you mean ranking\.epochs\?"),
        ("epochs = 3\n", r"there is no setting epochs\n  → did you mean \w+\.epochs\?"),
        ("[nothing]\nlike_it = 1\n", r"there is no setting nothing\n  → the settings are compare_users, folds, "),
        ("[ranking]\nepochs = 'many'\n", r"Expected `int`, got `str` - at `\$\.ranking\.epochs`"),
        ("ranking = 3\n", r"there is no setting ranking"),
        ("folds =\n", r"config\.toml is not TOML: Invalid value"),
    ],
)
def test_error_names_the_wrong_setting_of_a_configuration(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError) as caught:
        configuration.read(written(tmp_path, text))
    assert str(tmp_path) in caught.value.message
    assert re.search(message, str(caught.value)), str(caught.value)


def test_a_file_that_is_not_there_or_not_json_or_no_table(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"none\.toml cannot be read: No such file"):
        configuration.read(tmp_path / "none.toml")
    with pytest.raises(InvalidInputError, match=r"c\.json is not JSON"):
        configuration.read(written(tmp_path, "folds = 3", "c.json"))
    with pytest.raises(InvalidInputError, match=r"c\.json holds no table of settings"):
        configuration.read(written(tmp_path, "[3]", "c.json"))


def test_the_default_space_is_one() -> None:
    space = search_space.read()
    assert all(name.startswith("ranking.") for name in space)
    assert len(space) >= 5


def test_choices_bounds_and_keys_of_tables(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "folds = {low = 2, high = 6}\n[ranking]\nhidden = [[8, 4], [16, 8]]\ndropout = {low = 0, high = 1}\n"
        "learning_rate = {low = 1e-4, high = 1e-2, log = true}\n[retrieval.fusion]\ndeepwalk = {low = 0.1, high = 2}\n",
        "space.toml",
    )
    assert search_space.read(path) == {
        "folds": Range(2, 6, whole=True),
        "ranking.hidden": Choice(([8, 4], [16, 8])),
        "ranking.dropout": Range(0, 1),
        "ranking.learning_rate": Range(1e-4, 1e-2, log=True),
        "retrieval.fusion.deepwalk": Range(0.1, 2),
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "names no setting to search over"),
        ("[ranking]\ndropouts = [0.1]\n", r"there is no setting ranking\.dropouts"),
        ("[ranking]\ndropout = 0.3\n", r"ranking\.dropout = 0\.3 is nothing to choose from"),
        ("[ranking]\ndropout = []\n", r"is nothing to choose from"),
        ("[ranking]\nepochs = [3, 'many']\n", r"ranking\.epochs: Expected `int`, got `str`"),
        ("[ranking]\nepochs = {low = 0.5, high = 3}\n", r"ranking\.epochs: Expected `int`, got `float`"),
        ("[ranking]\ndropout = {low = 0.5, high = 0.1}\n", "low must be below high"),
        ("[ranking]\ndropout = {low = 0.0, high = 0.1, log = true}\n", "above 0 on a log scale"),
        ("[ranking]\ndropout = {low = 0.0, high = 0.1, step = 1}\n", "unknown field `step`"),
        ("[ranking]\ndropout = {low = 0.0}\n", "missing required field `high`"),
    ],
)
def test_error_names_the_wrong_entry_of_a_search_space(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=message) as caught:
        search_space.read(written(tmp_path, text, "space.toml"))
    assert str(tmp_path) in caught.value.message
    assert caught.value.hint
