"""No writer of files removes or replaces what GARS did not write."""

from __future__ import annotations

import ast
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import polars as pl
import pytest
from typer.testing import CliRunner

from gars import Recommender
from gars.datasets import durable
from gars.datasets.crawled import CrawledAnime, write_crawled
from gars.datasets.importing import import_files
from gars.datasets.merged_files import merge_files
from gars.datasets.recorded_log import write_log
from gars.datasets.simulated import invented_catalogue, simulate_csv
from gars.domain.errors import GarsError, InvalidInputError
from gars.entrypoints.cli.app import app
from gars.runtime.progress import Silent

SOURCE = Path(__file__).parents[3] / "src" / "gars"
ANIME = "anime_id,name,genre,type,episodes,rating,members\n5114,Alchemists,Action,TV,64,9.26,793665\n"
CRAWL = 'anime_id,title,aired,crawled_at\n5114,Alchemists,"Apr 5, 2009 to Jul 4, 2010",2026-01-01T00:00:00Z\n'
RECORD = CrawledAnime(anime_id=1, title="A", crawled_at=datetime(2026, 1, 1, tzinfo=UTC))


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    folder = tmp_path / "mine"
    (folder / "data").mkdir(parents=True)
    (folder / "notes.txt").write_text("mine")
    (folder / "data" / "ratings.csv").write_text("mine too")
    return folder


def test_a_model_is_not_saved_over_a_folder_of_the_user(small: Recommender, mine: Path) -> None:
    before = content(mine)
    with pytest.raises(InvalidInputError, match=r"holds 2 file\(s\) that GARS did not write \(data/ratings.csv, notes"):
        small.save(mine)
    assert content(mine) == before


def test_a_model_is_not_saved_over_a_file_or_a_link(small: Recommender, tmp_path: Path, mine: Path) -> None:
    file = tmp_path / "ratings.csv"
    file.write_text("user_id,item_id\n1,2\n")
    (tmp_path / "link").symlink_to(mine)
    for target in (file, tmp_path / "link"):
        with pytest.raises(InvalidInputError, match=r"is a (file|link)"):
            small.save(target)
    assert file.read_text() == "user_id,item_id\n1,2\n"
    assert (tmp_path / "link").is_symlink()


def test_a_model_replaces_a_model_and_an_empty_folder(small: Recommender, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    small.save(tmp_path / "model")
    small.save(tmp_path / "model", data={"name": "again"})
    assert Recommender.load(tmp_path / "model").manifest.data["name"] == "again"  # type: ignore[union-attr]
    (tmp_path / "model" / "notes.txt").write_text("what I think of this model")
    before = content(tmp_path / "model")
    with pytest.raises(InvalidInputError, match=r"notes\.txt"):
        small.save(tmp_path / "model")
    assert content(tmp_path / "model") == before


def test_a_model_is_not_saved_over_the_working_folder(
    small: Recommender, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidInputError, match="is the folder you are in"):
        small.save(".")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("relative", [False, True])
def test_merge_keeps_its_inputs_and_other_files_of_their_folder(
    tmp_path: Path, relative: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "anime.csv").write_text(ANIME)
    (tmp_path / "output.csv").write_text(CRAWL)
    (tmp_path / "thesis.txt").write_text("mine")
    monkeypatch.chdir(tmp_path)
    before = content(tmp_path)
    out = "." if relative else str(tmp_path)
    ran = CliRunner().invoke(app, ["data", "merge", "anime.csv", "output.csv", "--out", out])
    assert isinstance(ran.exception, GarsError)
    assert content(tmp_path) == before


def test_a_merge_replaces_a_merge_and_nothing_else(tmp_path: Path) -> None:
    original, crawl, out = tmp_path / "anime.csv", tmp_path / "output.csv", tmp_path / "merged"
    original.write_text(ANIME)
    crawl.write_text(CRAWL)
    merge_files(original, [crawl], out)
    merge_files(original, [crawl], out)
    (out / "thesis.txt").write_text("mine")
    with pytest.raises(InvalidInputError, match=r"thesis\.txt"):
        merge_files(original, [crawl], out)
    assert (out / "thesis.txt").read_text() == "mine"


def test_an_import_replaces_a_data_set_and_nothing_else(tmp_path: Path) -> None:
    ratings = tmp_path / "data" / "mine" / "ratings.csv"
    ratings.parent.mkdir(parents=True)
    ratings.write_text("user_id,item_id,rating\n1,2,9\n")
    with pytest.raises(InvalidInputError, match=r"holds 1 file\(s\) that GARS did not write \(ratings.csv\)"):
        import_files([ratings], home=tmp_path, name="mine", progress=Silent(), enrich=False)
    assert ratings.read_text() == "user_id,item_id,rating\n1,2,9\n"
    for _ in range(2):
        import_files([ratings], home=tmp_path, name="other", progress=Silent(), enrich=False)


def _simulate(path: Path) -> None:
    simulate_csv(invented_catalogue(300), 3, path, shape="2016", seed=0, progress=Silent())


WRITERS: list[tuple[str, Callable[[Path], object]]] = [
    ("rating.csv", _simulate),
    ("crawl.csv", lambda path: write_crawled([RECORD], path)),
    ("crawl.jsonl", lambda path: write_crawled([RECORD], path)),
    ("crawl.parquet", lambda path: write_crawled([RECORD], path)),
    ("events.jsonl", lambda path: write_log(path, [])),
]


@pytest.mark.parametrize(("name", "write"), WRITERS, ids=[name for name, _ in WRITERS])
def test_a_file_of_the_user_is_not_replaced(tmp_path: Path, name: str, write: Callable[[Path], object]) -> None:
    path = tmp_path / name
    if path.suffix == ".parquet":
        pl.DataFrame({"user_id": [1]}).write_parquet(path)
    else:
        path.write_text("user_id,anime_id,rating\n1,5114,9\n")
    before = path.read_bytes()
    with pytest.raises(InvalidInputError, match="exists, and GARS did not write it: nothing was written"):
        write(path)
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_a_crawl_replaces_a_crawl(tmp_path: Path, form: str) -> None:
    path = tmp_path / f"crawl.{form}"
    write_crawled([RECORD], path)
    write_crawled([RECORD, msgspec.structs.replace(RECORD, anime_id=2)], path)
    assert b"2" in path.read_bytes()


def test_folders_with_names_like_leftovers_stay(tmp_path: Path) -> None:
    """Only the exact form of name that a killed process leaves is cleared away."""
    gone = 2**22 + 7  # above the largest process id of Linux
    foreign = [tmp_path / f".merged.{name}" for name in ("2024.bak", f"{gone}.photos", f"{gone}.unfinished-notes")]
    for folder in foreign:
        folder.mkdir()
    leftover = tmp_path / f".merged.{gone}.unfinished-abcd1234"
    leftover.mkdir()
    durable.clear_leftovers(tmp_path / "merged")
    assert all(folder.is_dir() for folder in foreign)
    assert not leftover.exists()


def test_every_folder_of_a_user_is_checked() -> None:
    """``whole_folder`` without ``written_names`` is left to installers of engines, which never replace a folder."""
    unchecked = set()
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "whole_folder" and not node.keywords:
                unchecked.add(path.relative_to(SOURCE).as_posix())
    assert unchecked == {"stack/java.py", "stack/flink_environment.py"}
