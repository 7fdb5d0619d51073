"""MovieLens as RecBole packs it: stars doubled, genres parted, users dealt once and for all."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from gars.datasets import movielens
from gars.datasets.readers import recbole
from gars.domain.errors import DataError
from gars.domain.splits import strong_generalisation
from gars.evaluation import protocols
from gars.runtime.progress import Silent

INTER = "user_id:token\titem_id:token\trating:float\ttimestamp:float\n"
ITEM = "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    rows = [f"{user}\t{item}\t{1 + (user + item) % 5}\t881250949" for user in range(1, 31) for item in range(1, 11)]
    (tmp_path / "movielens-100k.inter").write_text(INTER + "\n".join(rows) + "\n")
    films = [f'{item}\t"Film" {item}\t{1990 + item}\tComedy Drama' for item in range(1, 10)]
    (tmp_path / "movielens-100k.item").write_text(ITEM + "\n".join([*films, "10\tunknown\t\t"]) + "\n")
    return tmp_path


def test_stars_are_doubled_and_genres_parted(files: Path) -> None:
    ratings = recbole.read_interactions(files / "movielens-100k.inter")
    assert ratings.row(0) == (1, 1, 6, 881250949)
    assert sorted(ratings["rating"].unique()) == [2, 4, 6, 8, 10]
    films = recbole.read_catalogue(files / "movielens-100k.item")
    assert films.row(0) == (1, '"Film" 1', ["Comedy", "Drama"], 1991)
    assert films.row(9) == (10, "unknown", [], None)


def test_another_file_is_refused(files: Path) -> None:
    (files / "movielens-100k.item").write_text("a\tb\n1\t2\n")
    with pytest.raises(DataError, match=r"is not a RecBole file with the columns item_id:token, movie_title") as error:
        recbole.read_catalogue(files / "movielens-100k.item")
    assert "gars data fetch movielens-100k" in str(error.value.hint)


def test_the_split_is_fixed_and_by_users(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(movielens, "fetch", lambda source, *_, **__: files / source.file_name)
    one, again = (movielens.load(files, mirror=None, progress=Silent()) for _ in range(2))
    assert (one.split.part == again.split.part).all()
    of_user = pl.DataFrame({"user": one.split.user, "part": one.split.part}).group_by("user").agg("part")
    kinds = {frozenset(parts) for parts in of_user["part"].to_list()}
    assert kinds == {frozenset("t"), frozenset("cv"), frozenset("ce")}
    cases = protocols.users_of_split(one.split, "e")
    assert len(cases) <= 6
    for case in cases:
        assert len(case.history) == 8
        assert not {rating.anime_id for rating in case.history} & set(case.targets.tolist())
        assert len(case.targets)
    protocols.refuse_like_leak(protocols.like_training(protocols.all_rows(one.split), one.split), one.split)


def test_a_user_with_one_row_is_trained_on() -> None:
    user = np.array([1, 2, 2, 3, 3, 3])
    part = strong_generalisation(user, np.random.default_rng(0), validation=0.34, test=0.67, hidden=0.2)
    assert part[0] == "t"
    assert sorted(part[1:]) == ["c", "c", "c", "e", "v"]
