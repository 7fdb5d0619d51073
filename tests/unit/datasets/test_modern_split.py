import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from gars.datasets import modern_split
from gars.datasets.build import build_default
from gars.datasets.joined_lists import FIRST_USER
from gars.datasets.sources import LISTS_2023, RATINGS_SAMPLE, SCORES_2021
from gars.domain.errors import DataError
from gars.runtime.progress import Silent

SEED = 4


def world(n_users: int = 300, n_anime: int = 40) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Users of three crawls with random ratings; every tenth list of 2021 is cut."""
    rng = np.random.default_rng(0)
    user = np.repeat(np.arange(n_users), n_anime)
    source = np.array([RATINGS_SAMPLE.name, SCORES_2021.name, LISTS_2023.name])[np.arange(n_users) % 3]
    first = {one.name: start for one, start in FIRST_USER.items()}
    ids = np.array([first[name] + number for number, name in enumerate(source)])
    rows = pl.DataFrame(
        {
            "user_id": ids[user],
            "anime_id": np.tile(np.arange(1, n_anime + 1), n_users),
            "rating": rng.integers(4, 11, len(user)),
        }
    )
    users = pl.DataFrame({"user_id": ids, "source": source, "truncated": np.arange(n_users) % 10 == 1})
    return rows.sample(fraction=0.6, seed=1), users


@pytest.fixture
def fixed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[pl.DataFrame, pl.DataFrame]:
    monkeypatch.setattr(modern_split, "SIZES", {"test": 30, "validation": 20})
    monkeypatch.setattr(modern_split, "SPLIT_FILE", tmp_path / "modern.json")
    monkeypatch.setattr(modern_split, "FEWEST_LIKES", 5)
    rows, users = world()
    modern_split.write_modern_users(modern_split.draw_modern_users(rows, users, SEED), tmp_path / "modern.json")
    return rows, users


def test_a_fifth_of_the_likes_of_whole_lists_of_2021_and_2023_is_hidden(
    fixed: tuple[pl.DataFrame, pl.DataFrame],
) -> None:
    rows, users = fixed
    split = modern_split.modern_split(rows, users, np.arange(1, 41))
    assert (len(split.test), len(split.validation), len(split.items)) == (30, 20, 40)
    held = [one.user for one in (*split.test, *split.validation)]
    assert len(set(held)) == 50
    assert not np.isin(held, split.train_users).any()
    assert len(split.train_users) == 250
    drawn = users.filter(pl.col("user_id").is_in(held))
    assert set(drawn["source"]) == {SCORES_2021.name, LISTS_2023.name}
    assert not drawn["truncated"].any()
    for one in split.test:
        liked = rows.filter((pl.col("user_id") == one.user) & (pl.col("rating") > 7))["anime_id"].to_list()
        assert sorted([*one.fold_in, *one.targets]) == sorted(liked)
        assert len(one.targets) == round(0.2 * len(liked))


def test_draws_do_not_depend_on_the_order_of_rows(fixed: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    rows, users = fixed
    first = modern_split.draw_modern_users(rows, users, SEED)
    again = modern_split.draw_modern_users(rows.sort("anime_id"), users.reverse(), SEED)
    assert first == again
    assert first != modern_split.draw_modern_users(rows, users, SEED + 1)


def test_targets_that_are_not_those_of_the_split_are_refused(fixed: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    rows, users = fixed
    with pytest.raises(DataError, match="targets are not those the split was made with"):
        modern_split.modern_split(rows.with_columns(rating=pl.lit(9)), users, np.arange(1, 41))


def test_a_data_set_without_the_lists_is_refused(fixed: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    rows, users = fixed
    alone = users.filter(pl.col("source") == RATINGS_SAMPLE.name)
    with pytest.raises(DataError, match="are not in the data set"):
        modern_split.modern_split(rows, alone, np.arange(1, 41))


@pytest.mark.sample
@pytest.mark.skipif("GARS_MIRROR" not in os.environ, reason="needs the mirrored lists of 2021 and 2023 (GARS_MIRROR)")
def test_the_fixed_split_is_that_of_the_data_of_today(tmp_path: Path) -> None:
    dataset = build_default(tmp_path, mirror=Path(os.environ["GARS_MIRROR"]), progress=Silent())
    rows = dataset.interactions().filter(pl.col("status").ne_missing("planned")).collect()
    split = modern_split.modern_split(rows, dataset.users(), dataset.catalogue()["anime_id"].to_numpy())
    assert (len(split.test), len(split.validation)) == (150, 100)
    drawn = modern_split.draw_modern_users(rows, dataset.users(), 20)
    modern_split.write_modern_users(drawn, tmp_path / "modern.json")
    assert (tmp_path / "modern.json").read_bytes() == modern_split.SPLIT_FILE.read_bytes()
