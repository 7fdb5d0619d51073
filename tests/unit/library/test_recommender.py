from pathlib import Path

import msgspec
import numpy as np
import polars as pl
import pytest

from gars import Filters, Rating, Recommendation, Recommender
from gars.domain.errors import ArtefactError, DataError, InvalidInputError, UnknownAnimeError
from gars.library.recommender import UnknownIdsWarning
from gars.retrieval.retriever import Retriever
from gars_test_support.world import SMALL, small_world

EVEN_FAN = [Rating(100, 10), Rating(102, 9), Rating(104, 9), Rating(101, 3), Rating(103, 5)]


def ids(found: list[Recommendation]) -> list[int]:
    return [one.anime_id for one in found]


def test_lists_follow_taste(small: Recommender) -> None:
    found = ids(small.recommend(history=EVEN_FAN, k=10))
    assert sum(item % 2 == 0 for item in found) >= 8
    odd_fan = [Rating(item + 1 if item % 2 == 0 else item - 1, rating) for item, rating in EVEN_FAN]
    assert sum(item % 2 for item in ids(small.recommend(history=odd_fan, k=10))) >= 8


def test_a_list_never_holds_what_the_history_holds(small: Recommender) -> None:
    found = ids(small.recommend(history=EVEN_FAN, k=100))
    assert not set(found) & {item for item, _ in EVEN_FAN}
    assert len(found) == len(set(found)) == 55


def test_like_probabilities_separate_the_two_groups(small: Recommender) -> None:
    p = small.predict_like(EVEN_FAN, [106, 108, 110, 107, 109, 111])
    assert p.dtype == np.float32
    assert p[:3].min() > 0.5 > p[3:].max()


def test_an_unknown_title_has_no_probability(small: Recommender) -> None:
    assert np.isnan(small.predict_like(EVEN_FAN, [106, 9999])).tolist() == [False, True]


def test_unknown_ids_are_left_out_and_reported(small: Recommender) -> None:
    with pytest.warns(UnknownIdsWarning, match="1 of 6 ids in the history are unknown and were left out: 9999"):
        found = small.recommend(history=[*EVEN_FAN, Rating(9999, 10)], k=5)
    assert ids(found) == ids(small.recommend(history=EVEN_FAN, k=5))


def test_an_empty_history_gets_the_popular_list(small: Recommender) -> None:
    cold = small.recommend(history=[], k=10)
    counts = small.engine.retriever.items.counts
    assert counts[[one.anime_id - 100 for one in cold]].mean() > counts.mean()
    assert all(one.reasons[0].kind == "popular" for one in cold)


def test_a_training_user_by_id_is_their_history(small: Recommender) -> None:
    assert small.recommend(user_id=4, k=10) == small.recommend(history=small.history_of(4), k=10)


def test_batch_is_the_same_as_one_by_one_and_pads(small: Recommender) -> None:
    batch = small.recommend_batch([EVEN_FAN, []], k=60)
    assert batch.shape == (2, 60)
    assert batch.dtype == np.int64
    assert batch[0, :55].tolist() == ids(small.recommend(history=EVEN_FAN, k=60))
    assert batch[0, 55:].tolist() == [-1] * 5


def test_retrieval_alone_names_its_channels(small: Recommender) -> None:
    found = small.retrieve(EVEN_FAN, k=10)
    assert len(found) == 10
    assert all(one.channels for one in found)
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)


def test_filters_leave_the_list_full(small: Recommender) -> None:
    found = small.recommend(history=EVEN_FAN, k=8, filters=Filters(genres=("Odd",)))
    assert len(found) == 8
    assert all(one.anime_id % 2 for one in found)


def test_one_of_each_franchise(small: Recommender) -> None:
    found = ids(small.recommend(history=EVEN_FAN, k=12, filters=Filters(one_per_franchise=True)))
    assert len({(item - 100) // 4 for item in found}) == len(found) == 12


def test_reasons_name_the_users_own_titles(small: Recommender) -> None:
    best = small.recommend(history=EVEN_FAN, k=1)[0]
    because = [reason for reason in best.reasons if reason.kind == "because"]
    assert because
    assert all(reason.anime_id in {item for item, _ in EVEN_FAN} for reason in because)
    assert all(0 < (reason.contribution or 0) <= 1 for reason in because)


def test_similar_titles(small: Recommender) -> None:
    found = small.similar(100, 10)
    assert 100 not in [item for item, _ in found]
    assert [score for _, score in found] == sorted((score for _, score in found), reverse=True)
    assert sum(item % 2 == 0 for item, _ in found) >= 7
    with pytest.raises(UnknownAnimeError):
        small.similar(9999, 3)


def test_similar_users_are_of_the_same_camp(small: Recommender) -> None:
    found = small.similar_users(history=EVEN_FAN, k=10)
    assert sum(int(user) % 2 == 0 for user, _ in found) >= 9
    assert 4 not in [user for user, _ in small.similar_users(user_id=4, k=149)]


def test_save_and_load_give_the_same_model(small: Recommender, tmp_path: Path) -> None:
    manifest = small.save(tmp_path / "model", data={"name": "small"})
    loaded = Recommender.load(tmp_path / "model")
    assert loaded.recommend(history=EVEN_FAN, k=20) == small.recommend(history=EVEN_FAN, k=20)
    assert loaded.similar_users(user_id=3, k=5) == small.similar_users(user_id=3, k=5)
    assert loaded.manifest == manifest
    assert manifest.data["name"] == "small"
    assert manifest.data["rows"] == 3000


@pytest.mark.parametrize("odd", [["a_feature_of_tomorrow"], []])
def test_a_model_with_other_features_is_refused(small: Recommender, tmp_path: Path, odd: list[str]) -> None:
    """Compiled loops would read beyond its weights."""
    small.save(tmp_path / "model")
    path = tmp_path / "model" / "manifest.json"
    manifest = msgspec.json.decode(path.read_bytes())
    first, *others = manifest["features"]
    manifest["features"] = [*odd, *others] if odd else [*others, first]
    path.write_bytes(msgspec.json.encode(manifest))
    with pytest.raises(ArtefactError, match=first if odd else "in another order") as caught:
        Recommender.load(tmp_path / "model")
    assert caught.value.hint == "train it again with: gars train"


def test_the_same_seed_is_the_same_model_and_another_is_not(small: Recommender, tmp_path: Path) -> None:
    interactions, catalogue = small_world()
    again = Recommender.fit(interactions, catalogue, config=SMALL, progress=False)
    other = Recommender.fit(interactions, catalogue, config=SMALL, seed=1, progress=False)
    versions = [rec.save(tmp_path / str(n)).version for n, rec in enumerate((small, again, other))]
    assert versions[0] == versions[1] != versions[2]


def test_without_ratings_what_was_seen_was_liked(tmp_path: Path) -> None:
    interactions, _ = small_world()
    liked = interactions.filter(pl.col("rating") > 7).select("user_id", "item_id")
    liked.write_csv(tmp_path / "seen.csv")
    rec = Recommender.fit(tmp_path / "seen.csv", config=SMALL, progress=False)
    found = rec.recommend(history=[Rating(100), Rating(102), Rating(104)], k=10)
    assert sum(one.anime_id % 2 == 0 for one in found) >= 9


def test_string_ids_stay_strings() -> None:
    interactions, catalogue = small_world()
    named = pl.format("anime-{}", "item_id").alias("item_id")
    rec = Recommender.fit(
        interactions.with_columns(pl.format("u{}", "user_id").alias("user_id"), named),
        catalogue.with_columns(named),
        config=SMALL,
        progress=False,
    )
    found = rec.recommend(history=[("anime-100", 10), ("anime-102", 9)], k=10)
    assert all(str(one.anime_id).startswith("anime-") for one in found)
    assert sum(int(str(one.anime_id)[-1]) % 2 == 0 for one in found) >= 8
    assert rec.similar("anime-100", 3)[0][0] != "anime-100"
    assert rec.recommend(user_id="u4", k=3) == rec.recommend(history=rec.history_of("u4"), k=3)
    with pytest.warns(UnknownIdsWarning, match="7"):
        rec.recommend(history=[Rating(7, 9)], k=3)


@pytest.mark.parametrize("n_users", [1, 3])
def test_hardly_any_data_still_gives_a_list(n_users: int) -> None:
    rows = [(user, item, 8) for user in range(n_users) for item in range(user, user + 3)]
    frame = pl.DataFrame(rows, schema=["user_id", "item_id", "rating"], orient="row")
    rec = Recommender.fit(frame, progress=False)
    assert rec.engine.network is None
    assert len(rec.recommend(history=[Rating(0, 9)], k=10)) == n_users + 1


def test_one_item() -> None:
    rec = Recommender.fit(pl.DataFrame({"user_id": [1, 2], "item_id": [7, 7]}), progress=False)
    assert ids(rec.recommend(history=[], k=5)) == [7]
    assert rec.recommend(history=[Rating(7)], k=5) == []


def test_five_star_data_are_read_on_their_own_scale() -> None:
    interactions, _ = small_world()
    stars = interactions.with_columns((pl.col("rating") / 2).alias("rating"))
    rec = Recommender.fit(stars, config=SMALL, progress=False)
    p = rec.predict_like([Rating(100, 5), Rating(102, 4.5), Rating(101, 1.5)], [106, 107])
    assert p[0] > p[1]
    with pytest.raises(InvalidInputError, match="rating 9 of 100 is not above 0 and at most 5"):
        rec.recommend(history=[Rating(100, 9)])


def test_a_pair_named_twice_keeps_its_last_by_time() -> None:
    frame = pl.DataFrame({"user_id": [1, 1, 2], "item_id": [5, 5, 5], "rating": [9, 2, 7], "time": [20, 10, 5]})
    rec = Recommender.fit(frame, progress=False)
    assert rec.history_of(1) == [Rating(5, 9.0)]


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        ({"user": [1], "item_id": [2]}, "interactions have no column user_id; there are: user, item_id"),
        ({"user_id": [1, None], "item_id": [2, 3]}, r"interactions: 1 row\(s\) without user_id"),
        ({"user_id": [1], "item_id": [2], "rating": [0]}, "ratings go from 0 to 0"),
        ({"user_id": [1], "item_id": [2], "rating": [100]}, "ratings go from 100 to 100"),
        ({"user_id": [], "item_id": []}, "interactions are empty"),
    ],
)
def test_tables_that_cannot_be_used_are_refused(frame: dict[str, list[int]], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        Recommender.fit(pl.DataFrame(frame), progress=False)


def test_a_catalogue_with_an_id_twice_is_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"catalogue: 1 item_id\(s\) stand more than once"):
        Recommender.fit(
            pl.DataFrame({"user_id": [1], "item_id": [2]}), pl.DataFrame({"item_id": [2, 2]}), progress=False
        )


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="interactions: there is no file"):
        Recommender.fit(tmp_path / "nothing.csv", progress=False)


def test_something_that_is_no_table() -> None:
    with pytest.raises(InvalidInputError, match="interactions is a list"):
        Recommender.fit([1, 2], progress=False)


def test_history_and_user_at_once_or_neither(small: Recommender) -> None:
    with pytest.raises(InvalidInputError, match="give either a history or a user_id"):
        small.recommend()
    with pytest.raises(InvalidInputError, match="give either a history or a user_id"):
        small.recommend(history=[], user_id=1)


def test_unknown_training_user_is_an_error(small: Recommender) -> None:
    with pytest.raises(InvalidInputError, match="no user 12345 in the training data"):
        small.recommend(user_id=12345)


def test_stage_one_may_be_fitted_on_some_users_and_knows_all() -> None:
    interactions, catalogue = small_world()
    config = msgspec.structs.replace(SMALL, max_users=60)
    some = Recommender.fit(interactions, catalogue, config=config, progress=False)
    everybody = interactions["user_id"].unique().sort().to_list()
    assert some.user_ids.tolist() == everybody
    assert len(some.engine.user_index.vectors) == len(everybody)
    assert isinstance(some.engine.retriever, Retriever)
    assert some.engine.retriever.neighbours.lists.shape[0] == 60
    assert some.engine.retriever.items.counts.sum() < interactions.height * 60 / len(everybody) * 1.5
    assert all(some.recommend(user_id=user, k=3) for user in everybody[:20])
