"""Stage one is kept between fits that do not change it, never between fits that do."""

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

import msgspec
import pytest

from gars import Recommender
from gars.library.fitting import FitHooks
from gars.library.memo import Memo
from gars.library.recommender import fit_with
from gars.retrieval import edlae, ials, item_knn
from gars_test_support.world import SMALL, small_world

T = TypeVar("T")


class Counted(Memo):
    """Counts what had to be made."""

    def __init__(self) -> None:
        super().__init__(keep=10)
        self.made: list[str] = []

    def get(self, stage: str, key: bytes, make: Callable[[], T]) -> T:
        def counted() -> T:
            self.made.append(stage)
            return make()

        return super().get(stage, key, counted)


QUICK = msgspec.structs.replace(SMALL, ranking=msgspec.structs.replace(SMALL.ranking, epochs=1))


@pytest.fixture(scope="module")
def memo() -> Counted:
    memo = Counted()
    fit_with(FitHooks(memo=memo), *small_world(), config=QUICK)
    assert memo.made == ["retrieval", "lists"]
    return memo


@pytest.mark.parametrize(
    ("change", "made_again"),
    [
        ({"ranking": msgspec.structs.replace(QUICK.ranking, learning_rate=0.1)}, []),
        ({"list_length": 30}, ["lists"]),
        ({"retrieval": msgspec.structs.replace(QUICK.retrieval, walk_length=10)}, ["retrieval", "lists"]),
        ({"folds": 3}, ["retrieval", "lists"]),
    ],
)
def test_only_what_a_setting_touches_is_made_again(
    memo: Counted, change: dict[str, object], made_again: list[str]
) -> None:
    memo.made.clear()
    fit_with(FitHooks(memo=memo), *small_world(), config=msgspec.structs.replace(QUICK, **change))
    assert memo.made == made_again


def test_other_rows_another_catalogue_or_seed_share_nothing(memo: Counted) -> None:
    interactions, catalogue = small_world()
    memo.made.clear()
    for rows, titles, seed in (
        (interactions[:-1], catalogue, 0),
        (interactions, catalogue.with_columns(catalogue["title"].str.to_uppercase()), 0),
        (interactions, catalogue, 1),
    ):
        fit_with(FitHooks(memo=memo), rows, titles, config=QUICK, seed=seed)
    assert memo.made == ["retrieval", "lists"] * 3


def test_a_fit_from_a_memo_is_the_same_model(small: Recommender, tmp_path_factory: pytest.TempPathFactory) -> None:
    memo = Memo()
    for config in (QUICK, SMALL):
        fitted = fit_with(FitHooks(memo=memo), *small_world(), config=config)
    folder = tmp_path_factory.mktemp("models")
    assert fitted.save(folder / "kept").version == small.save(folder / "afresh").version


def test_a_memo_keeps_the_last_ones() -> None:
    memo = Memo(keep=2)
    made: list[bytes] = []
    for key in (b"a", b"b", b"a", b"c", b"b", b"c"):
        memo.get("stage", key, partial(made.append, key))
    assert made == [b"a", b"b", b"c", b"b"]


def test_when_one_part_fails_what_has_not_begun_does_not_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[int] = []
    cancelled, shutdown = threading.Event(), ThreadPoolExecutor.shutdown

    def fails(*_: object, **__: object) -> None:
        begun.append(1)
        if len(begun) > 1:
            cancelled.wait(60)
        raise KeyboardInterrupt

    def shut(pool: ThreadPoolExecutor, **how: bool) -> None:
        shutdown(pool, **{**how, "wait": False})
        if how.get("cancel_futures"):
            cancelled.set()
        shutdown(pool, **how)

    for channel in (edlae, ials):
        monkeypatch.setattr(channel, "fit", fails)
    monkeypatch.setattr(item_knn, "cosine", fails)
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    monkeypatch.setattr(ThreadPoolExecutor, "shutdown", shut)
    with pytest.raises(KeyboardInterrupt):
        Recommender.fit(*small_world(), config=msgspec.structs.replace(SMALL, folds=10), progress=False)
    assert len(begun) <= 2
