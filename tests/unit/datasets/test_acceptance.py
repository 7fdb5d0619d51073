"""Good data pass, each way of going bad is stopped, and what was accepted never changes."""

from __future__ import annotations

import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from gars.application.ports import Tombstone
from gars.config import from_environment
from gars.datasets import snapshots
from gars.datasets.acceptance import NotAcceptedError
from gars.datasets.dataset import Dataset
from gars.datasets.drift import mean_rating, total_variation
from gars.datasets.forgotten import forget
from gars.datasets.identities import name_hasher
from gars.datasets.schema import INTERACTIONS
from gars.datasets.simulated import invented_catalogue
from gars.datasets.thresholds import Thresholds, read_thresholds
from gars.datasets.validate import validate
from gars.datasets.validation_report import report_html
from gars.datasets.writing import write_dataset
from gars.domain.errors import DataError, InvalidInputError
from gars.entrypoints.cli import data as cli

TITLES, USERS = 400, 300
NOW = datetime(2026, 1, 2, tzinfo=UTC)
LIMITS = Thresholds()


def ratings(seed: int = 0, shift: int = 0) -> pl.DataFrame:
    """Viewers who rate 40 of the titles around 7."""
    rng = np.random.default_rng(seed)
    rows = []
    for user in range(1, USERS + 1):
        chosen = np.sort(rng.choice(TITLES, 40, replace=False)) + 1
        given = np.clip(np.round(rng.normal(7 + shift, 1.5, 40)), 1, 10)
        rows += [(user, int(anime), int(rating)) for anime, rating in zip(chosen, given, strict=True)]
    return pl.DataFrame(rows, {"user_id": pl.Int64, "anime_id": pl.Int64, "rating": pl.Int8}, orient="row")


def bots(count: int) -> pl.DataFrame:
    """Users who give the same thirty titles a ten."""
    rows = [(10_000 + bot, anime, 10) for bot in range(count) for anime in range(1, 31)]
    return pl.DataFrame(rows, {"user_id": pl.Int64, "anime_id": pl.Int64, "rating": pl.Int8}, orient="row")


def dataset_of(home: Path, rows: pl.DataFrame, catalogue: pl.DataFrame | None = None) -> Dataset:
    full = rows.with_columns(
        pl.lit(None, kind).alias(name) for name, kind in INTERACTIONS.items() if name not in rows.columns
    )
    options: dict[str, Any] = {"name": "fresh", "dialect": "plain", "simulated": False, "sources": []}
    known = invented_catalogue(TITLES) if catalogue is None else catalogue
    return write_dataset(home / "data" / "fresh", parts=[full], catalogue=known, **options)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with one accepted snapshot."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("GARS_HOME", str(tmp_path))
    snapshots.take(tmp_path, dataset_of(tmp_path, ratings()), LIMITS, now=NOW)
    return tmp_path


def failed(home: Path, dataset: Dataset) -> list[str]:
    return [check.name for check in snapshots.validation_of(home, dataset, LIMITS).failed]


def test_more_of_the_same_is_accepted(home: Path) -> None:
    validation = snapshots.validation_of(home, dataset_of(home, ratings(seed=1)), LIMITS)
    assert validation.drift is not None
    assert validation.accepted
    assert len(validation.checks) == 12


def half(home: Path) -> Dataset:
    catalogue = invented_catalogue(TITLES).filter(pl.col("anime_id") > TITLES // 2)
    return dataset_of(home, ratings(seed=1).filter(pl.col("anime_id") > TITLES // 2), catalogue)


@pytest.mark.parametrize(
    ("make", "names"),
    [
        (lambda home: dataset_of(home, ratings(1, shift=1)), ["rating_shift", "mean_rating_change"]),
        (half, ["anime_vanished", "rows_lost"]),
        (
            lambda home: dataset_of(home, pl.concat([ratings(1), bots(60)])),
            ["suspicious_user_share", "suspicious_row_share", "rating_shift"],
        ),
        (lambda home: dataset_of(home, ratings(1).filter(pl.col("user_id") <= 200)), ["rows_lost", "users_lost"]),
        (
            lambda home: dataset_of(
                home, ratings(1), invented_catalogue(TITLES).with_columns(genres=pl.lit([], pl.List(pl.String)))
            ),
            ["unknown_rise"],
        ),
        (
            lambda home: dataset_of(home, ratings(1).with_columns(pl.when(pl.col("anime_id") % 4 > 0).then("rating"))),
            ["unrated_change"],
        ),
        (lambda home: dataset_of(home, ratings(1), invented_catalogue(TITLES * 2)), ["anime_new"]),
        (lambda home: dataset_of(home, ratings(1), invented_catalogue(TITLES - 10)), ["orphan_share"]),
    ],
    ids=["shifted", "half", "bots", "users", "gaps", "unrated", "flood", "orphans"],
)
def test_a_bad_data_set_is_stopped(home: Path, make: Any, names: list[str]) -> None:
    assert set(names) <= set(failed(home, make(home)))
    before = snapshots.accepted(home)
    with pytest.raises(NotAcceptedError, match=rf"fresh: \d check\(s\) failed\n(.*\n)*  {names[0]}: .* is above"):
        snapshots.take(home, make(home), LIMITS, now=NOW)
    assert snapshots.accepted(home) == before
    assert len(snapshots.snapshots(home)) == 1
    assert sorted(path.name for path in (home / "snapshots").iterdir()) == sorted([str(before), "accepted"])


def test_users_with_one_list_are_not_people(tmp_path: Path) -> None:
    report = validate(dataset_of(tmp_path, pl.concat([ratings(), bots(5)])))
    assert (report.suspicious_users, report.copied_users, report.suspicious_rows) == (5, 5, 150)
    assert report.suspicious[0].why == "5 users have the very same 30 ratings"
    assert validate(dataset_of(tmp_path, pl.concat([ratings(), bots(4)]))).suspicious_users == 0, (
        "four may be a coincidence"
    )
    assert sum(report.titles_of_a_user.values()) == USERS + 5
    assert report.titles_of_a_user["20-49"] == USERS + 5


def test_a_person_may_overrule_a_threshold_but_not_a_fault(home: Path) -> None:
    taken = snapshots.take(home, half(home), LIMITS, now=NOW, force=True)
    assert taken.forced
    assert snapshots.accepted(home) == taken.hash
    broken = dataset_of(home, ratings(2))
    broken.interactions().collect().reverse().write_parquet(broken.parts()[0])
    with pytest.raises(NotAcceptedError, match=r"1 fault\(s\)"):
        snapshots.take(home, broken, LIMITS, now=NOW, force=True)


def test_a_snapshot_is_its_content(home: Path) -> None:
    (first,) = snapshots.snapshots(home)
    again = snapshots.take(home, dataset_of(home, ratings()), LIMITS, now=NOW + timedelta(days=1))
    assert again == first, "the same data are the same snapshot, with the day of the first"
    dataset = snapshots.open_snapshot(home, first.hash[:8])
    assert dataset.content_hash == first.hash == dataset.path.name
    assert not any(path.stat().st_mode & stat.S_IWUSR for path in [dataset.path, *dataset.path.rglob("*")])
    next_one = snapshots.take(home, dataset_of(home, ratings(1)), LIMITS, now=NOW + timedelta(days=2))
    assert (next_one.parent, next_one.dataset) == (first.hash, "fresh")
    lineage = snapshots.open_snapshot(home, next_one.hash).manifest.report["lineage"]
    assert lineage == {"taken_of": next_one.dataset_hash, "parent": first.hash}
    assert [one.hash for one in snapshots.snapshots(home)] == [first.hash, next_one.hash]


def test_a_changed_snapshot_is_found_out(home: Path) -> None:
    (one,) = snapshots.snapshots(home)
    snapshots.verify(home, one.hash)
    part = snapshots.open_snapshot(home, one.hash).parts()[0]
    part.chmod(0o644)
    part.write_bytes(b"other")
    with pytest.raises(DataError, match=r"part-00000\.parquet: is not what it was when the snapshot was taken"):
        snapshots.verify(home, one.hash)


def test_deleted_users_are_not_in_the_next_snapshot(home: Path) -> None:
    forget(home, [7, 9, 99_999])
    taken = snapshots.take(home, Dataset.open(home / "data" / "fresh"), LIMITS, now=NOW)
    assert (taken.deleted_users, taken.users) == (2, USERS - 2)
    rows = snapshots.open_snapshot(home, taken.hash).interactions().collect()
    assert not rows["user_id"].is_in([7, 9]).any()
    assert taken.hash != taken.dataset_hash


def test_a_snapshot_can_be_removed_unless_it_is_the_accepted_one(home: Path) -> None:
    (first,) = snapshots.snapshots(home)
    with pytest.raises(InvalidInputError, match="is the accepted one"):
        snapshots.remove(home, first.hash)
    taken = snapshots.take(home, dataset_of(home, ratings(1)), LIMITS, now=NOW)
    snapshots.remove(home, first.hash)
    assert [one.hash for one in snapshots.snapshots(home)] == [taken.hash]
    with pytest.raises(InvalidInputError, match=f"no snapshot begins with '{first.hash}'"):
        snapshots.open_snapshot(home, first.hash)
    with pytest.raises(InvalidInputError, match=r"no snapshot begins with '\.\./x'"):
        snapshots.open_snapshot(home, "../x")


def test_thresholds_come_from_a_file(tmp_path: Path) -> None:
    assert read_thresholds(tmp_path) == Thresholds()
    (tmp_path / "validation.toml").write_text("anime_new = 2.0\n")
    assert read_thresholds(tmp_path).anime_new == 2.0
    for text in ("anime_now = 1.0", "anime_new = 'many'", "x ="):
        (tmp_path / "mine.toml").write_text(text)
        with pytest.raises(InvalidInputError, match=r"mine\.toml: .*\n.*orphan_share"):
            read_thresholds(tmp_path, tmp_path / "mine.toml")
    with pytest.raises(InvalidInputError, match=r"none\.toml"):
        read_thresholds(tmp_path, tmp_path / "none.toml")


def test_distances() -> None:
    assert total_variation({1: 5, 2: 5}, {1: 10, 2: 10}) == 0
    assert total_variation({1: 5}, {2: 5}) == 1
    assert total_variation({1: 3, 2: 1}, {1: 1, 2: 1}) == pytest.approx(0.25)
    assert total_variation({}, {2: 5}) == 0
    assert (mean_rating({8: 1, 10: 1}), mean_rating({})) == (9, None)


def test_the_report_is_one_page_that_stands_alone(home: Path) -> None:
    page = report_html(snapshots.validation_of(home, half(home), LIMITS))
    assert "not accepted" in page
    assert "anime_vanished" in page
    assert "http" not in page.replace("http-equiv", "")
    assert "<script" not in page
    plots = [
        ElementTree.fromstring(plot + "</svg>")
        for plot in page.split("</svg>")[:-1]
        for plot in [plot[plot.index("<svg") :]]
    ]
    assert len(plots) == 3
    assert len(plots[0].findall("rect")) == 20, "ten ratings, now and before"


def run(*words: str) -> str:
    result = CliRunner().invoke(cli.app, list(words))
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def test_the_commands(home: Path) -> None:
    dataset_of(home, ratings(1))
    html, found = home / "report.html", home / "report.json"
    output = run("validate", "--html", str(html), "--json", str(found))
    assert "rating_shift" in output
    assert "compared with snapshot" in output
    assert html.read_text().startswith("<!doctype html>")
    assert json.loads(found.read_text())["report"]["users"] == USERS
    assert f"{USERS:,} users" in run("snapshot")
    assert run("snapshots", "--verify").count("fresh") == 2
    dataset_of(home, ratings(1, shift=1))
    with pytest.raises(NotAcceptedError, match="rating_shift"):
        run("validate", "--json", str(found))
    assert json.loads(found.read_text())["drift"]["rating_shift"] > 0.08, "the report is there all the same"
    assert "rows" in run("snapshot", "--force")


def test_forgetting(home: Path) -> None:
    (one,) = snapshots.snapshots(home)
    output = run("forget", "7")
    assert "1 user(s) put on the deletion list, 0 were on it" in output
    assert f"still in {one.hash[:12]}: take a new snapshot, then remove these" in output
    names = home / "names.txt"
    names.write_text("Aki\n\n")
    assert "1 user(s) put on" in run("forget", "--names", str(names))
    (aki,) = name_hasher(home)(pl.Series(["Aki"])).to_list()
    listed = (home / "forgotten-users.txt").read_text()
    assert listed.splitlines() == ["7", str(aki)]
    assert (home / "forgotten-users.txt").stat().st_mode & 0o077 == 0
    with pytest.raises(InvalidInputError, match="which users"):
        run("forget")
    assert "1 deleted user(s) left out" in run("snapshot")


def test_who_is_deleted_at_the_service_is_deleted_here(home: Path) -> None:
    bootstrap = pytest.importorskip("gars.bootstrap", reason="needs the serve extra")
    stones = bootstrap.open_tombstones(from_environment({}, home=home))
    stones.put("7", Tombstone(offset=1, time_ms=1))
    stones.close()
    assert f"{USERS - 1:,} users, 1 deleted user(s) left out" in run("snapshot")


def test_nothing_yet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GARS_HOME", str(tmp_path))
    assert "no snapshot yet; take one with: gars data snapshot" in run("snapshots")


def test_the_manual_lists_the_thresholds() -> None:
    manual = (Path(__file__).parents[3] / "docs" / "data.md").read_text()
    for name in Thresholds.__struct_fields__:
        assert f"| `{name}` | {getattr(LIMITS, name):g} | " in manual
