"""``gars recommend`` as a command."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from gars import Recommender
from gars.domain.errors import ArtefactError, DataError, InvalidInputError
from gars.entrypoints.cli.app import app
from gars.library.registry import Registry


@pytest.fixture(scope="module")
def home(small: Recommender, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    registry = Registry(home / "models")
    registry.promote(registry.add(lambda folder: small.save(folder)).version)
    return home


def run(home: Path, *words: str) -> Exception | None:
    done = CliRunner().invoke(app, ["recommend", "--home", str(home), *words])
    return done.exception if isinstance(done.exception, Exception) else None


def test_all_users_are_written_with_the_lists_of_one_by_one(small: Recommender, home: Path, tmp_path: Path) -> None:
    out = tmp_path / "lists.parquet"
    assert run(home, "--out", str(out), "--k", "7") is None
    table = pl.read_parquet(out)
    assert table["user_id"].unique().sort().to_list() == small.user_ids.tolist()
    for user in small.user_ids.tolist()[:5]:
        one = table.filter(pl.col("user_id") == user)
        assert one["place"].to_list() == [1, 2, 3, 4, 5, 6, 7]
        assert one["item_id"].to_list() == [found.anime_id for found in small.recommend(user_id=user, k=7)]


def test_users_may_be_named_in_a_file(home: Path, tmp_path: Path) -> None:
    (tmp_path / "users.txt").write_text("3\n\n1\n")
    out = tmp_path / "lists.parquet"
    assert run(home, "--out", str(out), "--users", str(tmp_path / "users.txt"), "--k", "2") is None
    assert pl.read_parquet(out)["user_id"].to_list() == [3, 3, 1, 1]


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("1\nx7\n", DataError, "'x7' is not a number"),
        ("", DataError, "no id"),
        ("987654\n", InvalidInputError, "987654"),
    ],
)
def test_ids_that_cannot_be_used_are_named_and_no_file_is_written(
    home: Path, tmp_path: Path, text: str, kind: type[Exception], words: str
) -> None:
    (tmp_path / "users.txt").write_text(text)
    error = run(home, "--out", str(tmp_path / "lists.parquet"), "--users", str(tmp_path / "users.txt"))
    assert isinstance(error, kind)
    assert words in str(error)
    assert [path.name for path in tmp_path.iterdir()] == ["users.txt"]


def test_without_a_model_the_next_command_is_named(tmp_path: Path) -> None:
    error = run(tmp_path, "--out", str(tmp_path / "lists.parquet"))
    assert isinstance(error, ArtefactError)
    assert "gars train" in str(error)
