"""Records of impressions: everything comes back but the last bits of some features, and older records are read."""

from __future__ import annotations

from datetime import date

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from msgspec.structs import replace
from numpy.typing import NDArray

from gars import Recommender
from gars.application.recommend.list_request import ListRequest
from gars.domain import feature_codec, features
from gars.domain.candidates import SERVICE_DEFAULTS, Filters
from gars.domain.history import Rating, from_ratings
from gars.domain.impression import Impression, ShownItem
from gars.domain.impression_codec import ImpressionCodec
from gars.testing.contracts.impression_log import impression
from gars.testing.events import START
from gars_test_support.titles import MemoryTitles

Floats = NDArray[np.float32]
NUMBERS = st.floats(width=32, allow_nan=True, allow_infinity=True)
MATRICES = arrays.arrays(np.float32, arrays.array_shapes(min_dims=2, max_dims=2, max_side=25), elements=NUMBERS)
ODD = (
    impression("0123456789abcdef0123456789abcdef"),
    impression("0123456789ABCDEF0123456789ABCDEF", anime_ids=()),
    replace(impression(), filters=Filters()),
    replace(
        impression(), filters=replace(SERVICE_DEFAULTS, released_by=date(2026, 1, 2), min_members=None, shown=(7,))
    ),
    replace(impression(), filters=replace(SERVICE_DEFAULTS, genres=("Comedy",), niche=0.5), explore=0.25, fallback="x"),
    replace(
        impression(),
        items=(
            ShownItem(2**40, 7, 1 / 3, (), b"", 0.5),
            ShownItem(-1, 3, 1e300, ("b", "a"), b"abc"),
            ShownItem(1, 9, 0.0, ("a", "b"), b"abcd", 1.0),
        ),
    ),
    replace(impression(), items=(ShownItem(1, 0, 1.0, tuple(map(str, range(40))), b""),)),
)


def decoded(values: Floats) -> Floats:
    return feature_codec.decode(feature_codec.encode(values), len(values))


@given(MATRICES)
def test_features_are_off_by_less_than_a_125th_of_their_range(values: Floats) -> None:
    got = decoded(values)
    assert got.shape == values.shape
    finite = np.isfinite(values).all(axis=0)
    assert np.array_equal(got[:, ~finite], values[:, ~finite], equal_nan=True)
    exact = values[:, finite].astype(np.float64)
    span = exact.max(axis=0, initial=-np.inf) - exact.min(axis=0, initial=np.inf)
    span = np.maximum(span, np.concatenate([[0], span])[: len(span)])
    off = np.abs(got[:, finite] - exact).max(axis=0, initial=0.0)
    assert (off <= np.maximum(span, 0) / 125 + 1e-37).all()


@given(MATRICES)
def test_encoding_what_was_decoded_changes_nothing(values: Floats) -> None:
    once = decoded(values)
    assert decoded(once).tobytes() == once.tobytes()


@given(st.lists(MATRICES, min_size=1, max_size=4))
def test_many_are_encoded_as_one_by_one(matrices: list[Floats]) -> None:
    alike = [values for values in matrices if values.shape == matrices[0].shape]
    alike += [np.abs(values) for values in alike]  # its last column says nothing of the first one of the next
    with np.errstate(all="ignore"):
        assert feature_codec.encode_many(alike) == [feature_codec.encode(values) for values in alike]


def test_a_group_of_lists_is_encoded_as_one_by_one(small: Recommender) -> None:
    group = [*lists(small), *ODD, *lists(small)[:3]]
    one_by_one, at_once = ImpressionCodec(MemoryTitles()), ImpressionCodec(MemoryTitles())
    assert at_once.encode_many(group) == [one_by_one.encode(one) for one in group]
    assert at_once.encode_many(group[::-1]) == [one_by_one.encode(one) for one in group[::-1]]
    assert at_once.encode_many([]) == []


def test_what_is_exact() -> None:
    places = np.log1p(np.arange(20, dtype=np.float32)[::-1] * 37)
    signed = np.linspace(-1, 2, 20, dtype=np.float32)
    values = np.stack([places, np.full(20, 7.3, np.float32), signed, np.abs(signed)], axis=1)
    got = decoded(values)
    assert np.array_equal(got[:, :2], values[:, :2])
    assert not np.array_equal(got[:, 2], values[:, 2]), "the control: these are rounded"
    assert np.array_equal(got[:, 3], np.abs(got[:, 2]))


@pytest.mark.parametrize("one", ODD)
def test_everything_else_comes_back(one: Impression) -> None:
    codec = ImpressionCodec(MemoryTitles())
    assert codec.decode(codec.encode(one)) == one
    assert codec.decode(codec.encode(one)) == one, "also the second time, out of the cache"


def test_records_from_before_are_read() -> None:
    for one in ODD:
        assert ImpressionCodec().decode(msgspec.msgpack.encode(one)) == one


@pytest.mark.parametrize(
    "record", [b"", b"\xc1", b"\xc1\x02abc", b"\xc1\x01abc", b"garbage", ImpressionCodec().encode(ODD[0])[:-4]]
)
def test_what_is_no_record(record: bytes) -> None:
    with pytest.raises(ValueError):
        ImpressionCodec().decode(record)


def shown(small: Recommender, user: list[Rating], number: int) -> Impression:
    made = small.engine.recommend_history(from_ratings(user), ListRequest(k=20, filters=Filters()))
    items = tuple(
        ShownItem(one.anime_id, place, one.score, one.channels, one.features) for place, one in enumerate(made)
    )
    return replace(impression(f"{number:032x}", at=START), model_version=small.engine.version, items=items)


def lists(small: Recommender) -> list[Impression]:
    ids = small.item_ids
    users = [[Rating(int(ids[number]), 9), Rating(int(ids[(3 * number + 1) % 40]), 4)] for number in range(40)]
    return [shown(small, user, number) for number, user in enumerate(users)]


def matrix(one: Impression) -> Floats:
    return np.frombuffer(b"".join(item.features for item in one.items), np.float32).reshape(len(one.items), -1)


def allowed(one: Impression) -> Floats:
    """A 125th of each column's range, or of that before, whose absolute values it may be."""
    span = matrix(one).max(axis=0) - matrix(one).min(axis=0)
    return np.asarray(np.maximum(span, np.concatenate([[0], span[:-1]])) / 125, np.float32)


def test_columns_of_titles_do_not_depend_on_the_user(small: Recommender) -> None:
    mask = features.title_columns(len(small.engine.feature_names))
    assert small.engine.feature_names[int(mask.argmax())] == "item_viewers"
    assert mask.sum() == 13
    seen: dict[int, bytes] = {}
    for one in lists(small):
        for item, row in zip(one.items, matrix(one)[:, mask], strict=True):
            assert seen.setdefault(item.anime_id, row.tobytes()) == row.tobytes()
    assert not features.title_columns(5).any()


def test_titles_are_kept_once_and_exactly(small: Recommender) -> None:
    titles = MemoryTitles()
    codec = ImpressionCodec(titles)
    mask = features.title_columns(len(small.engine.feature_names))
    for one in lists(small):
        got = codec.decode(codec.encode(one))
        assert np.array_equal(matrix(got)[:, mask], matrix(one)[:, mask])
        assert (np.abs(matrix(got) - matrix(one)) <= allowed(one)).all()
    # a title of the same model with another row: that record keeps its own
    (first, *_) = lists(small)
    titles.rows = {model: {key: bytes(len(row)) for key, row in rows.items()} for model, rows in titles.rows.items()}
    again = ImpressionCodec(titles)
    other = again.decode(again.encode(first))
    assert (
        np.abs(matrix(other) - matrix(first)) <= (matrix(first).max(axis=0) - matrix(first).min(axis=0)) / 125
    ).all()
    with pytest.raises(ValueError, match="kept elsewhere"):
        ImpressionCodec().decode(codec.encode(first))
