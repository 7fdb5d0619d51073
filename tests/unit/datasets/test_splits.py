"""The fixed splits come out in file order, with MyAnimeList ids, and a wrong file is refused."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import msgspec
import polars as pl
import pytest

from gars.datasets.readers.caserec import Sample, read_sample
from gars.datasets.schema import conform_catalogue
from gars.datasets.splits import load_like_split, load_topn_split
from gars.domain.errors import DataError

CATALOGUE = conform_catalogue(pl.DataFrame({"anime_id": [50, 60, 70], "title": ["Yoru & Asa", "Hi", "Kumo"]}))


def zipped(tmp_path: Path) -> Path:
    path = tmp_path / "anime.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("anime/anime_info.dat", "anime_ids\tname\n1\tKumo\n2\tYoru &amp; Asa\n3\tHi\n")
        archive.writestr(
            "anime/anime_ratings.dat", "User_ID\tAnime_ID\tFeedback\n7\t2\t9\n7\t1\t3\n8\t2\t10\n9\t3\t1\n"
        )
        archive.writestr("anime/anime_history.dat", "User_ID\tAnime_ID\tFeedback\n7\t2\t1\n")
    return path


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    return read_sample(zipped(tmp_path), CATALOGUE)


def packed(path: Path, content: bytes) -> Path:
    path.write_bytes(gzip.compress(content))
    return path


def test_like_split(sample: Sample, tmp_path: Path) -> None:
    split = load_like_split(sample, packed(tmp_path / "split.gz", b"t\ne\nv\nc\n"))
    assert split.user.tolist() == [7, 7, 8, 9]
    assert split.anime_id.tolist() == [50, 70, 50, 60]
    assert split.rating.tolist() == [9, 3, 10, 1]
    assert split.part.tolist() == ["t", "e", "v", "c"]
    assert split.rows("t").tolist() == [0]
    assert split.rows("v", "e").tolist() == [1, 2]


def test_topn_split(sample: Sample, tmp_path: Path) -> None:
    held = {"user": 9, "fold_in": [1, 3], "targets": [2]}
    content = {"items": [1, 2], "train_users": [7], "validation": [], "test": [held]}
    split = load_topn_split(sample, packed(tmp_path / "split.gz", msgspec.json.encode(content)))
    assert split.items.tolist() == [50, 70]
    assert split.train_users.tolist() == [7]
    assert split.validation == []
    assert split.test[0].user == 9
    assert split.test[0].fold_in.tolist() == [70, 60]
    assert split.test[0].targets.tolist() == [50]


def test_a_split_of_another_sample(sample: Sample, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"has 2 lines for the 4 ratings of the sample"):
        load_like_split(sample, packed(tmp_path / "split.gz", b"t\ne\n"))


def test_a_split_with_other_letters(sample: Sample, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds 'x', which is none of the parts t, v, e, c"):
        load_like_split(sample, packed(tmp_path / "split.gz", b"t\ne\nx\nt\n"))


def test_a_split_that_cannot_be_read(sample: Sample, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="the split cannot be read"):
        load_like_split(sample, tmp_path / "absent.gz")
    with pytest.raises(DataError, match="is not a top-N split"):
        load_topn_split(sample, packed(tmp_path / "split.gz", b'{"items": []}'))


def test_a_title_the_catalogue_does_not_have(tmp_path: Path) -> None:
    smaller = CATALOGUE.filter(pl.col("anime_id") != 60)
    with pytest.raises(DataError, match=r"1 title\(s\) of the sample do not join the 2016 catalogue one to one: 'Hi'"):
        read_sample(zipped(tmp_path), smaller)


def test_the_last_fit_trains_on_validation_rows_but_never_on_whole_users_held_out(
    sample: Sample, tmp_path: Path
) -> None:
    split = load_like_split(sample, packed(tmp_path / "split.gz", b"t\nv\nv\ne\n"))
    again = split.refit()
    assert again.part.tolist() == ["t", "t", "v", "e"]
    assert split.part.tolist() == ["t", "v", "v", "e"]
