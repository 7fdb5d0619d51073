"""Lists of several crawls become one table: who is whose, what is planned, what is cut, what was left out."""

from __future__ import annotations

import io
import os
import tarfile
from datetime import UTC, date, datetime
from pathlib import Path

import msgspec
import polars as pl
import pytest

from gars.datasets import joined_lists
from gars.datasets.dataset import Dataset, SourceUsed
from gars.datasets.fetch import fetch
from gars.datasets.forgotten import forget
from gars.datasets.joined_lists import join_lists
from gars.datasets.readers import mal_lists_2023
from gars.datasets.readers.mal_lists_2023 import read_lists
from gars.datasets.readers.mal_scores_2021 import read_scores
from gars.datasets.refreshed import refreshed
from gars.datasets.schema import INTERACTIONS, USERS, conform_catalogue
from gars.datasets.snapshots import open_snapshot, take
from gars.datasets.sources import LISTS_2023, SCORES_2021
from gars.datasets.thresholds import Thresholds
from gars.datasets.writing import write_dataset
from gars.domain.errors import DataError
from gars.runtime.progress import Silent

CATALOGUE = conform_catalogue(pl.DataFrame({"anime_id": [1, 2, 3], "title": ["Asa", "Hiru", "Yoru"]}))
FILES = {
    "users/0.csv": "anime_id,score,watching_status,watched_episodes\n2,8,2,12\n1,0,6,0\n99,7,2,1\n2,9,2,12\n",
    "users/1": "",
    "users/7.csv": "anime_id,score,watching_status,watched_episodes\n3,0,5,1\n",
}
SCORES = "user_id,title,score\n0,Asa,10\n0,Asa,10\n0,Hiru,0\n0,Nobody knows this,9\n4,Yoru,3\n"


def archive(folder: Path, files: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Path:
    path = folder / "lists.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        for name, text in files.items():
            header = tarfile.TarInfo(name)
            header.size = len(text.encode())
            tar.addfile(header, io.BytesIO(text.encode()))
    source = msgspec.structs.replace(
        LISTS_2023, path="users", files=len(files), size=sum(len(text.encode()) for text in files.values())
    )
    monkeypatch.setattr(mal_lists_2023, "LISTS_2023", source)
    return path


@pytest.fixture
def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    (tmp_path / "scores.csv").write_text(SCORES)
    return {"lists": archive(tmp_path, FILES, monkeypatch), "scores": tmp_path / "scores.csv"}


def sample() -> pl.DataFrame:
    rows = {"user_id": [1, 1, 2], "anime_id": [1, 2, 3], "rating": [8, None, 4], "status": None, "time": None}
    return pl.DataFrame(rows).cast(INTERACTIONS)  # type: ignore[arg-type]


def test_lists_of_2023(paths: dict[str, Path]) -> None:
    rows = read_lists(paths["lists"])
    assert rows.drop("time").rows() == [
        (0, 1, None, "planned"),
        (0, 2, 8, "completed"),
        (0, 2, 9, "completed"),
        (0, 99, 7, "completed"),
        (7, 3, None, None),
    ]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("anime_id,score\n1,2\n", "its columns are anime_id, score"),
        ("anime_id,score,watching_status,watched_episodes\n1,11,2,1\n", "missing or out of range"),
        ("anime_id,score,watching_status,watched_episodes\nx,1,2,1\n", "list 3 cannot be read"),
    ],
)
def test_a_list_of_another_form_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, why: str
) -> None:
    with pytest.raises(DataError, match=why):
        read_lists(archive(tmp_path, {"users/3.csv": text}, monkeypatch))


def test_scores_of_2021_are_joined_by_title_and_the_rest_is_counted(paths: dict[str, Path]) -> None:
    scores = read_scores(paths["scores"], {"Asa": 1, "Hiru": 2, "Yoru": 3}.get)
    assert scores.interactions.drop("status", "time").rows() == [(0, 1, 10), (0, 2, None), (4, 3, 3)]
    assert (scores.repeated, scores.unmatched, scores.truncated) == (1, {"Nobody knows this": 1}, [])


def test_a_list_that_stops_near_300_before_the_last_letter_is_cut(tmp_path: Path) -> None:
    lists = {
        1: [f"B {number}" for number in range(300)],
        2: [f"B {number}" for number in range(296)],
        3: [f"B {number}" for number in range(294)],
        4: [*(f"B {number}" for number in range(299)), "zoku"],
        5: [f"B {number}" for number in range(150)] * 2,
    }
    lines = [f"{user},{title},5" for user, titles in lists.items() for title in titles]
    (tmp_path / "scores.csv").write_text("\n".join(["user_id,title,score", *lines]))
    assert read_scores(tmp_path / "scores.csv", lambda _: 1).truncated == [1, 2]


def test_users_of_each_crawl_have_a_range_of_their_own(paths: dict[str, Path]) -> None:
    joined = join_lists(sample(), {LISTS_2023: paths["lists"], SCORES_2021: paths["scores"]}, CATALOGUE)
    assert joined.users.rows() == [
        (1, "mal-2016-sample", False, date(2016, 12, 31)),
        (2, "mal-2016-sample", False, date(2016, 12, 31)),
        (1_000_000, "mal-scores-2021", False, date(2021, 7, 31)),
        (1_000_004, "mal-scores-2021", False, date(2021, 7, 31)),
        (2_000_000, "mal-lists-2023", False, date(2023, 2, 28)),
        (2_000_007, "mal-lists-2023", False, date(2023, 2, 28)),
    ]
    rows = joined.interactions
    assert rows.select("user_id", "anime_id").equals(rows.select("user_id", "anime_id").unique().sort("*"))
    assert rows.filter(pl.col("user_id") == 2_000_000).select("anime_id", "rating", "status").rows() == [
        (1, None, "planned"),
        (2, 9, "completed"),
    ]
    assert joined.duplicates == 2
    assert joined.report["left_out_without_catalogue_entry"] == {"mal-lists-2023": 1}
    assert joined.report["unmatched_titles"]["rows"] == 1
    assert joined.report["crawls"]["mal-lists-2023"] == {
        "first_user": 2_000_000,
        "last_user": 2_000_007,
        "users": 2,
        "truncated_users": 0,
        "rows": 3,
        "rated": 1,
        "planned": 1,
    }


def test_a_crawl_that_could_not_be_fetched_is_absent() -> None:
    joined = join_lists(sample(), {}, CATALOGUE)
    assert joined.interactions.equals(sample())
    assert set(joined.report["crawls"]) == {"mal-2016-sample"}


def write(folder: Path, users: pl.DataFrame) -> Dataset:
    return write_dataset(
        folder,
        name=folder.name,
        dialect="gars",
        simulated=False,
        sources=[SourceUsed("x", "0" * 64)],
        parts=[sample()],
        catalogue=CATALOGUE,
        of_users=users,
    )


def test_the_flag_of_a_cut_list_stays_with_its_user(tmp_path: Path) -> None:
    users = pl.DataFrame([(1, "a", True, None), (2, "a", False, date(2023, 2, 28))], USERS, orient="row")
    dataset = write(tmp_path / "data" / "mal", users)
    assert dataset.users().equals(users)
    assert dataset.content_hash != write(tmp_path / "data" / "plain", users.clear()).content_hash
    assert Dataset.open(tmp_path / "data" / "plain").users().schema == USERS
    forget(tmp_path, [2])
    kept = take(tmp_path, dataset, Thresholds(), now=datetime(2026, 11, 1, tzinfo=UTC), force=True)
    assert open_snapshot(tmp_path, kept.hash).users().rows() == [(1, "a", True, None)]
    fresher = write(tmp_path / "data" / "fresh", users.filter(pl.col("user_id") == 2))
    assert refreshed(dataset, tmp_path / "data" / "new", lists=fresher).users().rows() == [
        (2, "a", False, date(2023, 2, 28))
    ]


@pytest.mark.sample
@pytest.mark.skipif("GARS_MIRROR" not in os.environ, reason="GARS_MIRROR is not set: the crawls were not read")
def test_the_crawls_of_the_mirror(tmp_path: Path) -> None:
    mirror = Path(os.environ["GARS_MIRROR"])
    lists = read_lists(fetch(LISTS_2023, tmp_path, mirror=mirror, progress=Silent()))
    assert (lists.height, lists["user_id"].n_unique()) == (303_441, 576)
    assert lists["rating"].count() == 160_885
    assert int((lists["status"] == "planned").sum()) == 75_676
    ids: dict[str, int] = {}
    scores = read_scores(
        fetch(SCORES_2021, tmp_path, mirror=mirror, progress=Silent()), lambda title: ids.setdefault(title, len(ids))
    )
    assert scores.interactions.height + scores.repeated == 90_979
    assert (scores.repeated, scores.unmatched, len(scores.truncated)) == (775, {}, 95)
    assert set(joined_lists.FIRST_USER.values()) == {0, 1_000_000, 2_000_000}
    assert scores.interactions["user_id"].max() < 1_000_000  # type: ignore[operator]
