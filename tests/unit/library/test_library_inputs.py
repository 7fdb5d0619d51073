"""Tables, histories and ids as users of data frames give them: they are understood, or the fault is named."""

from __future__ import annotations

import copy
import gzip
import pickle
import tracemalloc
import warnings
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl
import pytest

from gars import Rating, Recommender
from gars.domain.errors import DataError, InvalidInputError, UnknownAnimeError
from gars.library.catalogue_table import anime_of, read_catalogue_table
from gars.library.frames import Rows, rows_of
from gars_test_support.world import SMALL, small_world

FAN = [Rating(100, 10), Rating(102, 9), Rating(101, 3)]
PAIRS: dict[str, list[Any]] = {"user_id": [1, 1, 2], "item_id": [1, 2, 1], "rating": [9, 8, 7]}


def same(one: Rows, other: Rows) -> bool:
    names = ("user", "item", "rating", "user_ids", "item_ids")
    return all(np.array_equal(getattr(one, name), getattr(other, name), equal_nan=name == "rating") for name in names)


def frame(**columns: Any) -> pl.DataFrame:
    return pl.DataFrame({**PAIRS, **columns}, strict=False)


def refusal(source: Any, catalogue: Any = ()) -> str:
    with pytest.raises(InvalidInputError) as caught:
        rows_of(source, catalogue)
    assert caught.value.hint
    return caught.value.message


def test_ids_of_any_type_are_the_same_rows() -> None:
    interactions, catalogue = small_world()
    listed = read_catalogue_table(catalogue)
    ids = rows_of(interactions, listed.labels)
    assert ids.item_ids.dtype == np.int64
    for kind in (pl.Float64, pl.Int16, pl.String, pl.Categorical):
        cast = interactions.with_columns(
            pl.col("item_id").cast(pl.String if kind is pl.Categorical else kind).cast(kind)
        )
        assert same(rows_of(cast, listed.labels), ids)
    as_text = read_catalogue_table(catalogue.with_columns(pl.col("item_id").cast(pl.String)))
    assert [one.title for one in anime_of(as_text, ids.item_ids)] == [
        one.title for one in anime_of(listed, ids.item_ids)
    ]


def test_ids_without_a_catalogue_keep_their_kind() -> None:
    assert rows_of(frame()).item_ids.tolist() == [1, 2]
    assert rows_of(frame(item_id=[1.0, 2.0, 1.0])).item_ids.tolist() == [1, 2]
    assert rows_of(frame(item_id=["01", "2", "01"])).item_ids.tolist() == ["01", "2"]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"item_id": [1.0, float("nan"), 2.0]}, "interactions: 1 row(s) without item_id, the first is row 1 (from 0)"),
        ({"user_id": [None, 1, 1]}, "interactions: 1 row(s) without user_id, the first is row 0 (from 0)"),
        ({"user_id": ["a", " ", "b"]}, "interactions: 1 row(s) without user_id, the first is row 1 (from 0)"),
        ({"item_id": [1.0, 2.5, 2.0]}, "interactions: column item_id, row 1 (from 0): 2.5 is no id"),
        ({"item_id": [True, False, True]}, "interactions: column 'item_id' holds Boolean"),
        ({"rating": ["9", "eight", "7"]}, "interactions: column rating, row 1 (from 0): 'eight' is no rating"),
        ({"rating": [9.0, float("inf"), 7.0]}, "interactions: column rating, row 1 (from 0): inf is no rating"),
        ({"rating": [85, 9, 7]}, "ratings go from 7 to 85"),
        (
            {"time": ["2020-01-01", "soon", None]},
            "interactions: column time, row 1 (from 0): 'soon' is no time",
        ),
    ],
)
def test_a_fault_is_named_with_column_and_row(columns: dict[str, Any], message: str) -> None:
    assert refusal(frame(**columns)).startswith(message)


@pytest.mark.parametrize(
    ("users", "message"),
    [
        ([1, "1", 2], "interactions: column user_id, row 1 (from 0): '1' is text among numbers"),
        ([2**63 + 5, 1, 2], f"interactions: column user_id, row 0 (from 0): {2**63 + 5} is too large for an id"),
        ([1, {}, 2], "interactions: column user_id, row 1 (from 0): {} is no id"),
        ([1, None, 2], "interactions: 1 row(s) without user_id, the first is row 1 (from 0)"),
    ],
)
def test_columns_of_mixed_objects(users: list[Any], message: str) -> None:
    assert refusal({**PAIRS, "user_id": users}) == message
    records = [{"user_id": user, "item_id": item, "rating": 8} for item, user in enumerate(users)]
    assert refusal(records) == message


def test_ids_of_two_tables_that_cannot_be_the_same() -> None:
    assert "item_id is text ('a') here and a whole number" in refusal(frame(item_id=["a", "b", "a"]), np.array([1, 2]))
    assert "catalogue: item_id is text ('a')" in refusal(frame(), np.array(["a", "b"]))


@pytest.mark.parametrize(
    ("ratings", "expected", "scale"),
    [
        (["9", None, "8,5"], [9, None, 8.5], 1.0),
        (["9", "NULL", "N/A"], [9, None, None], 1.0),
        ([4.5, 3.0, 1.0], [9, 6, 2], 2.0),
        ([5, 4, 1], [10, 8, 2], 2.0),
        ([95, 80, 10], [9.5, 8, 1], 0.1),
        (["8/10", "80%", "9"], [8, 8, 9], 1.0),
    ],
)
def test_the_scale_of_ratings_is_that_of_every_door(ratings: list[Any], expected: list[Any], scale: float) -> None:
    found = rows_of(frame(item_id=[1, 2, 3], user_id=[1, 1, 1], rating=ratings))
    assert [None if np.isnan(one) else round(float(one), 4) for one in found.rating] == expected
    assert found.rating_scale == scale


def test_the_last_rating_by_times_of_any_kind() -> None:
    moments = [datetime(2023, 1, 2, tzinfo=UTC), datetime(2023, 1, 1, tzinfo=UTC)]
    kinds: list[Any] = [
        pl.Series(moments),
        pl.Series(moments).dt.convert_time_zone("Asia/Tokyo"),
        pl.Series([one.date() for one in moments]),
        ["2023-01-01T23:30:00-02:00", "2023-01-02T01:00:00+02:00"],
        [1672617600, 1672531200.5],
        [20, 10],
        ["2023-01-02", "null"],
        *(np.array(["2023-01-02", "NaT"], f"datetime64[{unit}]") for unit in ("s", "h", "D", "M", "ns")),
    ]
    for time in kinds:
        source = {"user_id": [1, 1], "item_id": [5, 5], "rating": [9, 2], "time": time}
        found = rows_of(source)
        assert (found.rating.tolist(), found.duplicates) == ([9.0], 1)


def test_a_column_that_is_not_used_may_hold_anything() -> None:
    assert len(rows_of({**PAIRS, "note": [object(), {}, [1]]}).user) == 3


KAGGLE = "anime_id,name,genre,type,episodes,rating,members\n"


def test_kaggles_own_catalogue_by_path_and_as_a_frame(tmp_path: Path) -> None:
    text = KAGGLE + '1,A,"Action, Drama",TV,Unknown,7.5,100\n2,B,Action,Movie,1,,50\n'
    (tmp_path / "anime.csv").write_text(text)
    (tmp_path / "anime.csv.gz").write_bytes(gzip.compress(text.encode("utf-16")))
    for source in (tmp_path / "anime.csv", tmp_path / "anime.csv.gz", pl.read_csv(tmp_path / "anime.csv")):
        found = anime_of(read_catalogue_table(source), np.array([1, 2]))
        assert [(a.title, a.genres, a.type, a.episodes, a.score, a.members) for a in found] == [
            ("A", ("Action", "Drama"), "TV", None, 7.5, 100),
            ("B", ("Action",), "Movie", 1, None, 50),
        ]


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        ("year", 1998.0, 1998),
        ("year", float("nan"), None),
        ("year", "1998.0", 1998),
        ("episodes", "Unknown", None),
        ("episodes", "1,234", 1234),
        ("score", "8,5", 8.5),
        ("score", "NULL", None),
        ("genres", "['Action', 'Drama']", ("Action", "Drama")),
        ("genres", "Action|Drama", ("Action", "Drama")),
        ("released", "1998-04-03", date(1998, 4, 3)),
        ("released", "Apr 3, 1998 to Apr 24, 1999", date(1998, 4, 3)),
        ("released", datetime(1998, 4, 3), date(1998, 4, 3)),
        ("adult", "False", False),
        ("title", None, "7"),
    ],
)
def test_cells_of_a_catalogue(column: str, value: Any, expected: Any) -> None:
    source = {"item_id": [7], column: [value]}
    [found] = anime_of(read_catalogue_table(source), np.array([7]))
    assert getattr(found, column) in (expected, () if expected is None else expected)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"year": [1998, "soon"]}, "catalogue: column year, row 1 (from 0): 'soon' is no number"),
        ({"episodes": [12, 12.5]}, "catalogue: column episodes, row 1 (from 0): '12.5' is no whole number"),
        ({"score": [7, 75]}, "catalogue: column score, row 1 (from 0): '75' is no score up to 10"),
        ({"prequels": ["1", "x"]}, "catalogue: column prequels, row 1 (from 0): 'x' holds 'x', which is no id"),
    ],
)
def test_a_cell_that_cannot_be_is_named(columns: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        read_catalogue_table({"item_id": [1, 2], **columns})
    assert caught.value.message == message


def test_a_catalogue_of_ids_alone() -> None:
    assert [one.title for one in anime_of(read_catalogue_table({"item_id": [1, 2]}), np.array([1, 2]))] == ["1", "2"]


def test_files_in_other_forms(tmp_path: Path) -> None:
    plain = rows_of(frame())
    text = "user_id;item_id;rating\n1;1;9\n1;2;8\n2;1;7\n"
    path = tmp_path / "r.csv"
    for content in (
        text.encode(),
        b"sep=;\n" + text.encode("utf-8"),
        text.encode("utf-16"),
        gzip.compress(text.encode()),
    ):
        path.write_bytes(content)
        assert same(rows_of(path), plain)
    path.write_text('user_id,item_id,rating,note\n1,1,9,"open\n1,2,8,b\n2,1,7,c\n')
    with pytest.raises(DataError, match="line 2: a quote is opened and not closed"):
        rows_of(path)
    path.write_bytes(b"%PDF-1.4")
    with pytest.raises(InvalidInputError, match="is a PDF document"):
        rows_of(path)


def test_histories_of_any_make(small: Recommender) -> None:
    expected = small.recommend(history=FAN, k=5)
    table = pl.DataFrame({"item_id": [100, 102, 101], "rating": [10, 9, 3]})
    makes: list[Any] = [
        table,
        {100: 10, 102: 9, 101: 3},
        [("100", 10), (102.0, 9), (np.int64(101), np.float32(3))],
        np.array([[100, 10], [102, 9], [101, 3]]),
    ]
    for history in makes:
        assert small.recommend(history=history, k=5) == expected
    unrated = small.recommend(history=[(100, float("nan"))], k=5)
    assert unrated == small.recommend(history=[(100, None)], k=5)


@pytest.mark.parametrize(
    ("history", "message"),
    [
        ([100, 102], "history, entry 0 (from 0): 100 is no pair of id and rating"),
        (["12"], "history, entry 0 (from 0): '12' is no pair of id and rating"),
        ("12", "the history is '12'"),
        (7, "the history is 7"),
        ([(100, "9")], "history, entry 0 (from 0): rating '9' of 100 is no number"),
        ([(100, 9), (101, True)], "history, entry 1 (from 0): rating True of 101 is no number"),
        ([(2**70, 9)], f"{2**70} is no id"),
        ([(None, 9)], "None is no id"),
        ([(1.5, 9)], "1.5 is no id"),
    ],
)
def test_a_history_that_cannot_be_is_named(small: Recommender, history: Any, message: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        small.recommend(history=history)
    assert caught.value.message == message
    assert caught.value.hint


@pytest.mark.parametrize("k", [-1, 0, 2.5, "3", True, None])
def test_k_is_a_whole_number_from_one(small: Recommender, k: Any) -> None:
    for ask in (
        lambda: small.recommend(history=FAN, k=k),
        lambda: small.recommend_batch([FAN], k=k),
        lambda: small.retrieve(FAN, k=k),
        lambda: small.similar(100, k=k),
        lambda: small.similar_users(FAN, k=k),
    ):
        with pytest.raises(InvalidInputError, match="k is "):
            ask()
    assert len(small.recommend(history=FAN, k=np.int32(2))) == 2  # type: ignore[arg-type]


def test_similar_names_the_id_that_was_asked_for(small: Recommender) -> None:
    for unknown in (99999999, "x"):
        with pytest.raises(UnknownAnimeError, match=f"the model knows no item {unknown!r}"):
            small.similar(unknown)


def test_a_pickled_model_is_the_same_model(small: Recommender, tmp_path: Path) -> None:
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(small, protocol=pickle.HIGHEST_PROTOCOL))
    for other in (pickle.loads(path.read_bytes()), copy.deepcopy(small)):
        assert other.recommend(history=FAN, k=20) == small.recommend(history=FAN, k=20)
        assert other.recommend(user_id=4, k=20) == small.recommend(user_id=4, k=20)
        assert other.similar(100) == small.similar(100)
        assert other.similar_users(FAN) == small.similar_users(FAN)
        assert other.save(tmp_path / "model").version == small.save(tmp_path / "model").version


def test_a_pickled_model_keeps_the_order_that_fit_chose(small: Recommender, tmp_path: Path) -> None:
    small.save(tmp_path / "model")
    path = tmp_path / "model" / "manifest.json"
    manifest = msgspec.json.decode(path.read_bytes())
    manifest["config"]["serve_ranker"] = False
    path.write_bytes(msgspec.json.encode(manifest))
    fused = Recommender.load(tmp_path / "model")
    assert fused.recommend(history=FAN, k=20) != small.recommend(history=FAN, k=20)
    assert pickle.loads(pickle.dumps(fused)).recommend(history=FAN, k=20) == fused.recommend(history=FAN, k=20)


def test_a_model_of_float_ids_is_the_model_of_the_ids(small: Recommender) -> None:
    interactions, catalogue = small_world()
    floats = interactions.with_columns(pl.col("item_id", "user_id").cast(pl.Float64))
    again = Recommender.fit(floats, catalogue, config=SMALL, progress=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert again.recommend(history=FAN, k=20) == small.recommend(history=FAN, k=20)


def test_pandas_frames() -> None:
    pd = pytest.importorskip("pandas")
    plain = rows_of(frame())
    base = pd.DataFrame(PAIRS)
    same_data = [
        base,
        base.astype({"user_id": "float64", "item_id": "Int64", "rating": "Float64"}),
        base.astype({"user_id": "category", "rating": "string"}),
        base.astype({"user_id": "object"}),
        base.set_index([pd.Index([7, 3, 5])]),
        base.assign(time=pd.Timestamp("2023-01-01", tz="Asia/Tokyo")),
        base.assign(note=[object(), {}, None]),
    ]
    for table in same_data:
        assert same(rows_of(table), plain)
    assert rows_of(base.assign(rating=["9", float("nan"), "7"])).rating.tolist()[0] == 9
    assert "column 'rating' is there 2 times" in refusal(pd.concat([base, base[["rating"]]], axis=1))
    assert "row(s) without user_id" in refusal(base.assign(user_id=[1, pd.NA, 2]))
    assert "'1' is text among numbers" in refusal(base.assign(user_id=[1, "1", 2]))
    assert "is too large for an id" in refusal(base.assign(user_id=[2**63 + 5, 1, 2]))


def test_arrow_tables() -> None:
    pa = pytest.importorskip("pyarrow")
    assert same(rows_of(pa.table(PAIRS)), rows_of(frame()))
    encoded = pa.table({**PAIRS, "user_id": pa.array(["1", "1", "2"]).dictionary_encode()})
    assert rows_of(encoded).user_ids.tolist() == ["1", "2"]


def _large(n: int = 200_000) -> pl.DataFrame:
    """Sorted rows of distinct pairs, 50 a user, every seventh planned."""
    rng = np.random.default_rng(0)
    return pl.DataFrame(
        {
            "user_id": np.repeat(np.arange(n // 50) * 3 + 5, 50),
            "anime_id": np.concatenate([np.sort(rng.choice(1_000, 50, replace=False)) + 7 for _ in range(n // 50)]),
            "rating": pl.Series(rng.integers(1, 11, n), dtype=pl.Int8),
            "status": pl.Series(["planned" if row % 7 == 0 else None for row in range(n)], dtype=pl.String),
        }
    )


def _parts(frame: pl.DataFrame, folder: Path) -> list[Path]:
    """Write a table as a data set does: in several Parquet files."""
    parts = [folder / f"part-{number}.parquet" for number in range(3)]
    for number, part in enumerate(parts):
        third = -(-len(frame) // 3)
        frame.slice(number * third, third).write_parquet(part)
    return parts


def test_sorted_rows_give_what_shuffled_ones_give(tmp_path: Path) -> None:
    frame = _large()
    shuffled = frame.sample(fraction=1, shuffle=True, seed=1)
    for given in (frame, _parts(frame, tmp_path)):
        fast, slow = rows_of(given, [3, 2_000]), rows_of(shuffled, [3, 2_000])
        for name in ("user", "item", "rating", "user_ids", "item_ids"):
            found, expected = getattr(fast, name), getattr(slow, name)
            assert found.dtype == expected.dtype
            assert np.array_equal(found, expected), name
        assert (fast.duplicates, fast.has_ratings, fast.rating_scale) == (0, True, 1.0)
        assert {3, 2_000} <= set(fast.item_ids.tolist())


def test_far_apart_ids_are_not_put_into_a_table() -> None:
    frame = pl.DataFrame({"user_id": [1, 2**62], "item_id": [-(2**62), 2**61], "rating": [5, 6]})
    rows = rows_of(frame)
    assert rows.user_ids.tolist() == [1, 2**62]
    assert rows.item_ids.tolist() == [-(2**62), 2**61]
    assert rows.item.tolist() == [0, 1]


def test_a_lazy_frame_is_read_once() -> None:
    """Its rows may come in another order each time: columns read one by one would not belong together."""
    frame = _large(1_000)
    unordered = frame.lazy().map_batches(lambda one: one.sample(fraction=1, shuffle=True))
    assert same(rows_of(unordered), rows_of(frame))


def test_memory_of_sorted_rows_is_bounded(tmp_path: Path) -> None:
    """142 million rows are to fit on a machine with 16 GB: so many bytes a row at most, arrays of numpy counted."""
    parts = _parts(_large().with_columns(status=pl.lit(None, pl.String)), tmp_path)
    rows_of(parts)
    tracemalloc.start()
    rows_of(parts)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 45 * 200_000
