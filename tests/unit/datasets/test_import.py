"""Files of every dialect go into the normal form whole, or not at all."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from gars.datasets.dataset import Dataset
from gars.datasets.identities import KEY_FILE
from gars.datasets.importing import import_files
from gars.datasets.schema import CATALOGUE, INTERACTIONS
from gars.domain.errors import DataError, InvalidInputError
from gars.runtime.progress import Silent

FILES = Path(__file__).parents[2] / "fixtures" / "datasets"


class Notes(Silent):
    def __init__(self) -> None:
        self.messages: list[str] = []

    def note(self, text: str) -> None:
        self.messages.append(text)


def imported(home: Path, names: Sequence[str | Path], **options: Any) -> Dataset:
    paths = [FILES / name if isinstance(name, str) else name for name in names]
    given: dict[str, Any] = {"progress": Silent(), "enrich": False, "name": "mine"} | options
    return import_files(paths, home=home, **given)


def rows(dataset: Dataset) -> list[tuple[Any, ...]]:
    frame = dataset.interactions().collect()
    assert dict(frame.schema) == INTERACTIONS
    return frame.rows()


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def test_2016_minus_one_is_no_rating_and_the_last_row_of_a_pair_stays(tmp_path: Path) -> None:
    notes = Notes()
    dataset = imported(tmp_path, ["kaggle-2016/anime.csv", "kaggle-2016/rating.csv"], progress=notes)
    assert [row[:3] for row in rows(dataset)] == [(1, 11, None), (1, 12, 9), (2, 12, 10), (2, 13, None), (3, 14, 1)]
    manifest = dataset.manifest
    assert (manifest.rows, manifest.users, manifest.anime, manifest.duplicates) == (5, 3, 4, 1)
    assert not manifest.simulated
    assert notes.messages == ["1 row(s) repeated a (user, anime): the last of each was kept"]
    assert dict(dataset.catalogue().schema) == CATALOGUE
    assert [source.name for source in manifest.sources] == ["anime.csv", "rating.csv"]


def test_2018_hashes_names_and_keeps_times(tmp_path: Path) -> None:
    dataset = imported(tmp_path, ["kaggle-2018/AnimeList.csv", "kaggle-2018/UserAnimeList.csv"])
    found = rows(dataset)
    by_user: dict[int, list[tuple[Any, ...]]] = {}
    for user, *rest in found:
        by_user.setdefault(user, []).append(tuple(rest))
    assert sorted(by_user.values(), key=len) == [
        [(21, None, "dropped", at(1453737773)), (23, 5, None, at(1453737774))],
        [
            (21, 9, "completed", at(1362307973)),
            (22, None, "planned", at(1362307980)),
            (23, 7, "completed", at(1453737775)),
        ],
    ]
    assert all(0 <= user < 2**52 for user in by_user)
    assert dataset.manifest.report["stray_status_codes"] == 1
    everything = b"".join(path.read_bytes() for path in dataset.path.rglob("*") if path.is_file())
    assert b"quiet_heron" not in everything
    assert "Ünï".encode() not in everything


def test_a_name_is_the_same_user_in_every_import_of_a_home_and_in_no_other(tmp_path: Path) -> None:
    first = imported(tmp_path / "a", ["kaggle-2018/UserAnimeList.csv"])
    again = imported(tmp_path / "a", ["kaggle-2018/UserAnimeList.csv"], name="again")
    elsewhere = imported(tmp_path / "b", ["kaggle-2018/UserAnimeList.csv"])
    assert rows(first) == rows(again)
    assert {row[0] for row in rows(first)}.isdisjoint({row[0] for row in rows(elsewhere)})
    assert (tmp_path / "a" / KEY_FILE).stat().st_mode & 0o777 == 0o600


def test_a_damaged_key_is_not_used(tmp_path: Path) -> None:
    (tmp_path / KEY_FILE).write_bytes(b"")
    with pytest.raises(DataError, match="is not the key of user names: 0 bytes, not 32"):
        imported(tmp_path, ["kaggle-2018/UserAnimeList.csv"])


def test_2020_zero_is_no_rating_and_stray_status_codes_are_counted(tmp_path: Path) -> None:
    names = ["anime.csv", "anime_with_synopsis.csv", "animelist.csv", "watching_status.csv"]
    dataset = imported(tmp_path, [f"kaggle-2020/{name}" for name in names])
    assert [row[:4] for row in rows(dataset)] == [
        (0, 31, 9, "completed"),
        (0, 32, None, "planned"),
        (0, 33, 7, "watching"),
        (5, 31, 6, "on_hold"),
        (5, 33, 10, None),
    ]
    assert (dataset.manifest.duplicates, dataset.manifest.report["stray_status_codes"]) == (1, 1)
    assert dataset.catalogue()["synopsis"].to_list() == ["Two neighbours, one tide.", None, None]


def test_2020_animelist_and_rating_complete_go_together(tmp_path: Path) -> None:
    dataset = imported(tmp_path, ["kaggle-2020/rating_complete.csv", "kaggle-2020/animelist.csv"])
    assert {row[0] for row in rows(dataset)} == {0, 5, 7}


def test_2023_never_reads_the_names(tmp_path: Path) -> None:
    dataset = imported(tmp_path, ["kaggle-2023/users-score-2023.csv", "kaggle-2023/anime-dataset-2023.csv"])
    assert [row[:3] for row in rows(dataset)] == [(1, 41, 9), (1, 42, 5), (4, 41, 8)]


def test_2025_ids_of_the_site_become_those_of_myanimelist(tmp_path: Path) -> None:
    dataset = imported(tmp_path, ["kaggle-2025/ratings.csv", "kaggle-2025/animes.csv"])
    assert [row[:3] for row in rows(dataset)] == [
        (3, 501, 9),
        (3, 502, None),
        (3, 1_000_000_007, 6),
        (5, 502, 7),
        (5, 1_000_000_099, 4),
    ]
    assert (dataset.manifest.duplicates, dataset.manifest.report["without_catalogue_entry"]) == (1, 1)
    first, second, unlisted, unknown = dataset.catalogue().to_dicts()
    assert (first["title"], first["synonyms"], first["tags"]) == ("Kaze no Machi", ["Town of Wind"], ["Iyashikei"])
    assert (second["year"], second["genres"]) == (2021, ["Drama", "Fantasy"])
    assert (unlisted["title"], unknown["title"]) == ("Nowhere to Be Found", "anime 1000000099")


def test_error_of_2025_ratings_alone_names_the_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"animes\.csv with the MyAnimeList ids is missing\n.*give both"):
        imported(tmp_path, ["kaggle-2025/ratings.csv"])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ratings.csv", [(1, 1, 8, at(964982703)), (1, 3, 1, at(964981247)), (2, 1, 10, at(1445714835))]),
        ("u.data", [(186, 302, 10, at(891717742)), (196, 242, 6, at(881250949))]),
        ("ratings.dat", [(1, 661, 6, at(978302109)), (1, 1193, 10, at(978300760)), (2, 1193, 8, at(978298413))]),
    ],
)
def test_movielens_doubles_the_stars(tmp_path: Path, name: str, expected: list[tuple[Any, ...]]) -> None:
    dataset = imported(tmp_path, [f"movielens/{name}"])
    assert [(user, item, rating, time) for user, item, rating, _, time in rows(dataset)] == expected


def test_caserec_zip_joins_the_catalogue_by_name(tmp_path: Path) -> None:
    path = tmp_path / "anime.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(
            "anime/anime_info.dat", "anime_ids\tname\n1\tFox &amp; Lantern: Kaze no Uta&#039;s End\n2\tSilent Orbit\n"
        )
        archive.writestr("anime/anime_ratings.dat", "User_ID\tAnime_ID\tFeedback\n1\t1\t8\n")
        archive.writestr("anime/anime_history.dat", "User_ID\tAnime_ID\tFeedback\n1\t1\t1\n2\t2\t1\n")
    dataset = imported(tmp_path, [path, FILES / "kaggle-2016/anime.csv"])
    assert [row[:3] for row in rows(dataset)] == [(1, 12, 8), (2, 14, None)]


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_plain_times_are_iso_or_unix(tmp_path: Path, form: str) -> None:
    times = ["2020-01-02", "2020-01-02T03:04:05+02:00", "2020-01-02 03:04:05.5", "1577934245", "1577934245000", None]
    frame = pl.DataFrame(
        {"user_id": range(6), "item_id": [0] * 6, "rating": ["", "1", "10", "7.0", None, "2"], "time": times}
    )
    path = tmp_path / f"mine.{form}"
    frame.write_csv(path) if form == "csv" else frame.write_parquet(path)
    found = rows(imported(tmp_path, [path]))
    assert [row[2] for row in found] == [None, 1, 10, 7, None, 2]
    assert [row[4].isoformat() if row[4] else None for row in found] == [
        "2020-01-02T00:00:00+00:00",
        "2020-01-02T01:04:05+00:00",
        "2020-01-02T03:04:05.500000+00:00",
        "2020-01-02T03:04:05+00:00",
        "2020-01-02T03:04:05+00:00",
        None,
    ]


@pytest.mark.parametrize(
    "content",
    [
        "user_id\titem_id\trating\n1\t2\t3\n",
        "\ufeffitem_id;user_id;rating\r\n2;1;3\r\n",
        ',user_id,item_id,note,rating\n0,1,2,"a, b",3',
    ],
)
def test_plain_files_of_other_make(tmp_path: Path, content: str) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(content, encoding="utf-8", newline="")
    assert [row[:3] for row in rows(imported(tmp_path, [path]))] == [(1, 2, 3)]


def test_a_typed_parquet_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.parquet"
    time = pl.Series([datetime(2020, 1, 1, 12)]).dt.replace_time_zone("Asia/Tokyo")
    pl.DataFrame({"user_id": [3], "item_id": [4], "rating": [5.0], "time": time}).write_parquet(path)
    assert rows(imported(tmp_path, [path])) == [(3, 4, 5, None, datetime(2020, 1, 1, 3, tzinfo=UTC))]


def test_text_users_of_a_plain_file_become_numbers(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text('user_id,item_id\nann,1\n"bo, b",2\nann,3\n7,3\n')
    found = rows(imported(tmp_path, [path]))
    assert len({row[0] for row in found}) == 3
    assert all(row[0] > 1000 for row in found), "a number among names is a name too"


def test_every_bad_row_is_reported_and_nothing_is_written(tmp_path: Path) -> None:
    path = tmp_path / "ratings.csv"
    path.write_text(
        "user_id,item_id,rating,time\n1,2,8,\n\nx,2,8,\n1,-1,8,\n1,2,11,\n1,2,7.5,\n1,2,eight,2020-13-01\n1,3,0,0\n"
    )
    with pytest.raises(DataError) as caught:
        imported(tmp_path, [path])
    assert str(caught.value).splitlines() == [
        f"{path}: 7 bad value(s), nothing was written",
        "  column user_id: is not a user id (a whole number) (1×): line 4: 'x'",
        "  column item_id: is not an id from 0 (1×): line 5: '-1'",
        "  column rating: is not a whole rating from 1 to 10 (4×): "
        "line 6: '11', line 7: '7.5', line 8: 'eight', line 9: '0'",
        "  column time: is not a time (ISO 8601, or unix seconds) (1×): line 8: '2020-13-01'",
        "  → mend or remove these lines, then run the same command again",
    ]
    assert list((tmp_path / "data").iterdir()) == [], "no data set and no temporary folder stays"


def test_a_bad_file_leaves_the_data_set_of_that_name_as_it_was(tmp_path: Path) -> None:
    good = imported(tmp_path, ["kaggle-2016/rating.csv"])
    before = rows(good)
    bad = tmp_path / "rating.csv"
    bad.write_text("user_id,anime_id,rating\n1,11,eleven\n")
    with pytest.raises(DataError):
        imported(tmp_path, [bad])
    assert rows(Dataset.open(good.path)) == before


def test_half_star_ratings_only_for_movielens(tmp_path: Path) -> None:
    path = tmp_path / "ratings.csv"
    path.write_text("userId,movieId,rating,timestamp\n1,1,4.25,964982703\n1,2,6,964982703\n")
    with pytest.raises(
        DataError, match=r"rating: is not a rating of half stars to 5 \(2×\): line 2: '4.25', line 3: '6'"
    ):
        imported(tmp_path, [path])


@pytest.mark.parametrize("quoted", [False, True])
def test_lines_with_too_many_or_too_few_cells(tmp_path: Path, quoted: bool) -> None:
    path = tmp_path / "ratings.csv"
    user = '"1"' if quoted else "1"
    path.write_text(f"user_id,item_id,rating\n{user},2,8\n{user},2\n{user},2,8,9\n")
    with pytest.raises(DataError) as caught:
        imported(tmp_path, [path])
    what = "column (all): the line has another number of cells than the header's 3 (2×)"
    assert f"{what}: line 3: '1,2', line 4: '1,2,8,9'" in str(caught.value)


def test_lines_that_are_no_text_in_any_encoding(tmp_path: Path) -> None:
    path = tmp_path / "ratings.csv"
    path.write_bytes(b"user_id,item_id\nok,1\n\x98\xff\x98\xff\x81,2\n")
    with pytest.raises(DataError, match=r"ratings\.csv: this is no text \(byte 0 is no UTF-8\)"):
        imported(tmp_path, [path])


def test_a_quote_that_is_never_closed(tmp_path: Path) -> None:
    path = tmp_path / "ratings.csv"
    path.write_text('user_id,item_id\nann,1\n"bob,2\ncid,3\n')
    with pytest.raises(DataError, match="line 3: a quote is opened and not closed in this row"):
        imported(tmp_path, [path])


def test_the_line_is_right_after_cells_with_newlines(tmp_path: Path) -> None:
    path = tmp_path / "users-score-2023.csv"
    path.write_text('user_id,Username,anime_id,Anime Title,rating\n1,a,2,"one\ntwo\nthree",5\n1,a,3,x,99\n')
    with pytest.raises(DataError, match="line 5: '99'"):
        imported(tmp_path, [path])


def test_a_file_with_a_header_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "ratings.csv"
    path.write_text("user_id,item_id\n")
    with pytest.raises(DataError, match="has no rows below its header"):
        imported(tmp_path, [path])


def test_anime_without_a_catalogue_entry_get_one_and_are_counted(tmp_path: Path) -> None:
    ratings = tmp_path / "rating.csv"
    ratings.write_text("user_id,anime_id,rating\n1,11,5\n1,999,5\n")
    notes = Notes()
    dataset = imported(tmp_path, ["kaggle-2016/anime.csv", ratings], progress=notes)
    assert dataset.manifest.report["without_catalogue_entry"] == 1
    titles = dict(dataset.catalogue().select("anime_id", "title").iter_rows())
    assert titles[999] == "anime 999"
    assert notes.messages == ["1 rated anime have no entry in the catalogue: their titles are their numbers"]


def test_files_that_do_not_go_together(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="number their users each in its own way"):
        imported(tmp_path, ["movielens/ratings.csv", "kaggle-2016/rating.csv"])
    with pytest.raises(InvalidInputError, match="none of the files holds ratings"):
        imported(tmp_path, ["kaggle-2016/anime.csv"])
    with pytest.raises(InvalidInputError, match="more than one file of catalogue"):
        imported(tmp_path, ["kaggle-2016/anime.csv", "kaggle-2020/anime.csv", "kaggle-2016/rating.csv"])


@pytest.mark.parametrize("name", ["", "..", "a/b", "Mine", ".hidden"])
def test_a_name_that_is_no_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInputError, match="is not a name for a data set"):
        imported(tmp_path, ["kaggle-2016/rating.csv"], name=name)


def test_a_status_legend_decides_what_codes_mean(tmp_path: Path) -> None:
    legend = tmp_path / "watching_status.csv"
    legend.write_text("status, description\n1,Completed\n7,Dropped\n2,Something new\n")
    ratings = tmp_path / "animelist.csv"
    ratings.write_text("user_id,anime_id,rating,watching_status,watched_episodes\n1,1,5,1,1\n1,2,5,7,1\n1,3,5,2,1\n")
    dataset = imported(tmp_path, [ratings, legend])
    assert [row[3] for row in rows(dataset)] == ["completed", "dropped", None]
    assert dataset.manifest.report["stray_status_codes"] == 1
