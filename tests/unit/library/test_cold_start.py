"""Anime nobody trained on has watched: a vector from content, an order for the user, and a place on the shelves."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import msgspec
import numpy as np
import polars as pl
import pytest

from gars import Filters, Rating, Recommender
from gars.application.recommend.engine import Engine, NewAnime
from gars.application.recommend.list_request import ListRequest
from gars.bootstrap import load_engine, open_service
from gars.bootstrap.running import live
from gars.config import from_environment
from gars.datasets import snapshots
from gars.datasets.thresholds import Thresholds
from gars.domain.anime import Anime
from gars.domain.errors import UnknownAnimeError
from gars.domain.history import from_ratings
from gars.domain.normalise import standardise
from gars.library import atlas_store, cold_anime
from gars.library.cold_start import ColdStartEngine, with_cold_start
from gars.library.registry import Registry
from gars.retrieval import content
from gars.testing.events import START
from gars_test_support.datasets import dataset_of
from gars_test_support.world import SMALL, small_world

EVEN = Anime(anime_id=200, title="Brand New", genres=("Even", "All"), type="TV", released=date(2025, 10, 1))
ODD = Anime(anime_id=95, title="Brand Other", genres=("Odd", "All"), type="TV", released=date(2025, 10, 1))
LATER = Anime(anime_id=300, title="Brand Later", genres=("Even", "All"), type="TV", released=date(2030, 1, 1))
STRANGE = Anime(anime_id=301, title="Qwxz", adult=True)
EVEN_FAN = from_ratings([Rating(100 + n, 9) for n in range(0, 30, 2)] + [Rating(101 + n, 4) for n in range(0, 10, 2)])
ODD_FAN = from_ratings([Rating(101 + n, 9) for n in range(0, 30, 2)] + [Rating(100 + n, 4) for n in range(0, 10, 2)])


@pytest.fixture(scope="module")
def engine(small: Recommender) -> ColdStartEngine:
    return with_cold_start(small.engine, [EVEN, ODD, LATER, STRANGE])


def ids(found: list[tuple[int, float]]) -> list[int]:
    return [one for one, _ in found]


def test_added_anime_have_vectors_and_an_order_for_each_user(engine: ColdStartEngine) -> None:
    assert engine.added.tolist() == [95, 200, 300, 301]
    assert np.linalg.norm(engine.cold.vectors, axis=1)[:3] == pytest.approx([1, 1, 1])
    shown = Filters(released_by=date(2026, 1, 1), adult=False)
    assert ids(engine.new_ids(EVEN_FAN, k=5, filters=shown)) == [200, 95]
    assert ids(engine.new_ids(ODD_FAN, k=5, filters=shown)) == [95, 200]
    assert ids(engine.new_ids(ODD_FAN, k=1, filters=shown)) == [95]
    assert set(ids(engine.new_ids(EVEN_FAN, k=9, filters=Filters()))) == {95, 200, 300, 301}
    assert ids(engine.new_ids(EVEN_FAN, k=9, filters=Filters()))[-1] != 200
    assert ids(engine.new_ids(from_ratings([Rating(200, 9)]), k=9, filters=shown)) == [95], "what is seen is not new"
    assert len(engine.new_ids(from_ratings([]), k=9, filters=shown)) == 2, "a newcomer sees them too"


@pytest.fixture(scope="module")
def with_unwatched() -> Recommender:
    """A model whose catalogue has six titles without viewers, 400 to 405."""
    interactions, catalogue = small_world()
    unwatched = catalogue.head(6).with_columns(item_id=pl.Series(range(400, 406)), franchise=pl.lit(None, pl.String))
    franchises = {400: "new", 404: "new", 110: "begun", 403: "begun"}
    both = pl.concat([catalogue, unwatched]).with_columns(
        recommended=pl.col("item_id").map_elements(lambda one: [131, 135] if one == 400 else [], pl.List(pl.Int64)),
        franchise=pl.col("item_id").replace_strict(franchises, default=pl.col("franchise")),
    )
    return Recommender.fit(interactions, both, config=SMALL, progress=False)


def test_similar_anime_of_a_title_without_viewers_begin_with_recommended_ones(with_unwatched: Recommender) -> None:
    found = with_unwatched.engine.similar_ids(400, k=60)
    rank = {anime_id: place for place, (anime_id, _) in enumerate(found)}
    assert rank[131] < rank[135] < 5, "titles of the other genre, which its description does not find"
    (likeness,) = [score for anime_id, score in found if anime_id == 131]
    assert 0.5 <= likeness <= 1
    by_content = with_unwatched.engine.similar_ids(402, k=5)
    assert {131, 135}.isdisjoint(ids(by_content))


def test_similar_anime_of_a_title_without_viewers_follow_its_franchise(with_unwatched: Recommender) -> None:
    of_a_recommended = ids(with_unwatched.engine.similar_ids(404, k=60, same_franchise=False))
    assert {131, 135} <= set(of_a_recommended[:5]), "what is recommended for 400"
    of_a_watched = ids(with_unwatched.engine.similar_ids(403, k=12, same_franchise=False))
    even = [anime_id for anime_id in of_a_watched if anime_id % 2 == 0]
    assert len(even) >= 6, "the viewers of 110 prefer even titles; the description of 403 is of an odd one"


def test_ranker_orders_titles_without_viewers_of_its_catalogue(
    with_unwatched: Recommender, monkeypatch: pytest.MonkeyPatch
) -> None:
    ranker = replace(with_unwatched.engine, serve_ranker=True)
    cold = cold_anime.find(ranker, [EVEN])
    assert cold.ids.tolist() == [200, 400, 401, 402, 403, 404, 405]
    expected = cold.expected(ranker, EVEN_FAN)
    nearness = cold.nearness(ranker, EVEN_FAN)
    unranked = standardise(standardise(nearness, least=1e-9) + standardise(expected, least=1e-9), least=1e-9)
    best = 1 + np.lexsort((cold.ids[1:], -expected[1:]))
    found = ranker.retriever.scored(*ranker.query(EVEN_FAN), ranker.items.rows(cold.ids[best]))
    order = np.empty(7, np.float32)
    order[0], order[best] = unranked[0], standardise(ranker.score(EVEN_FAN, found).order, least=1e-9)
    assert np.abs(order - unranked).max() > 0.1, "the two orders differ"
    assert cold.scores(ranker, EVEN_FAN) == pytest.approx(order, abs=1e-5)

    assert cold.scores(replace(ranker, serve_ranker=False), EVEN_FAN) == pytest.approx(unranked, abs=1e-5)
    assert cold.scores(ranker, from_ratings([])).tolist() == pytest.approx(
        cold.scores(replace(ranker, network=None), from_ratings([])).tolist()
    ), "a user without a history has no ranked lists"

    monkeypatch.setattr(cold_anime, "RANKED", 2)
    few = cold.scores(ranker, EVEN_FAN)
    assert sorted(few[best[:2]]) == pytest.approx([-1, 1], abs=1e-3)
    assert few[best[2:]] == pytest.approx([-1] * 4, abs=1e-3), "as the last that was ranked"


def test_lists_stay_the_models_own(engine: ColdStartEngine, small: Recommender) -> None:
    plain = small.engine.recommend_history(EVEN_FAN, ListRequest(k=10, filters=Filters()))
    assert engine.recommend_history(EVEN_FAN, ListRequest(k=10, filters=Filters())) == plain
    with_new = from_ratings([*[Rating(100 + n, 9) for n in range(0, 30, 2)], Rating(200, 9)])
    assert len(engine.recommend_history(with_new, ListRequest(k=10, filters=Filters()))) == 10, (
        "whoever has watched one gets a list"
    )
    assert np.isnan(engine.like_chances(EVEN_FAN, np.array([200]))).all()
    assert engine.version.startswith(f"{small.engine.version}+")
    assert with_cold_start(small.engine).version == small.engine.version
    assert [one.anime_id for one in engine.anime] == sorted([*range(100, 160), 95, 200, 300, 301])


def test_added_anime_come_after_popular_ones_and_have_similar_ones(engine: ColdStartEngine) -> None:
    everything = engine.popular_ids(k=100, filters=Filters())
    assert everything[-4:].tolist() == [95, 200, 300, 301]
    assert len(everything) == 64
    assert 200 not in engine.popular_ids(k=10, filters=Filters())
    near = ids(engine.similar_ids(200, k=5))
    assert len(near) == 5
    assert all(one % 2 == 0 for one in near)
    assert engine.similar_ids(301, k=5) == []
    with pytest.raises(UnknownAnimeError):
        engine.similar_ids(999, k=5)


def test_only_engines_with_new_anime_return_them(engine: ColdStartEngine, tmp_path: Path) -> None:
    plain: Engine = engine.engine
    assert not isinstance(plain, NewAnime)
    assert isinstance(engine, NewAnime)
    service = open_service(from_environment({}, home=tmp_path), plain)
    assert service.shelves.new("7", k=5) == []
    service.close()


def test_an_accepted_snapshot_brings_its_newcomers_into_a_running_service(tmp_path: Path, small: Recommender) -> None:
    """Between trainings: crawled, merged and accepted is enough."""
    interactions, catalogue = small_world()
    first = dataset_of(tmp_path / "data" / "first", interactions, catalogue)
    taken = snapshots.take(tmp_path, first, Thresholds(), now=START)
    registry = Registry(tmp_path / "models")
    about = {"name": "first", "content_hash": taken.hash}
    registry.promote(registry.add(lambda folder: small.save(folder, data=about)).version)
    settings = from_environment({}, home=tmp_path)
    engine, facts = load_engine(settings.models)
    service = open_service(settings, engine, about=facts)
    running = live(service)
    assert not running.swap.refresh()
    assert running.current.shelves.new("7", k=5) == []

    row = {
        "item_id": 200,
        "title": "Brand New",
        "genres": "Even, All",
        "type": "TV",
        "released": "2025-10-01",
        "franchise": "new",
        "members": 3,
    }
    more = pl.concat([catalogue, pl.DataFrame([row]).cast(catalogue.schema)])
    snapshots.take(tmp_path, dataset_of(tmp_path / "data" / "first", interactions, more), Thresholds(), now=START)
    assert running.swap.refresh(), "the same model, a newer catalogue"
    assert running.current.shelves.new("7", k=5) == [200]
    assert running.current.search("Brand New")[0].anime_id == 200
    assert running.current.about.model_version == facts.model_version
    assert not running.swap.refresh(), "once"
    service.close()


def test_a_saved_model_has_its_titles_without_viewers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Comparing all descriptions takes seconds for a large catalogue, which no start may wait for."""
    interactions, catalogue = small_world()
    watched = interactions.filter(pl.col("item_id") < 150)
    fitted = Recommender.fit(watched, catalogue, config=SMALL, progress=False)
    expected = with_cold_start(fitted.engine)
    assert [one.anime_id for one in expected.cold.anime] == [*range(150, 160)]
    fitted.save(tmp_path / "model")

    monkeypatch.setattr(content, "describe", None)  # not called
    loaded = Recommender.load(tmp_path / "model")
    engine = with_cold_start(loaded.engine, cold=loaded.cold_anime)
    np.testing.assert_array_equal(engine.cold.likeness.toarray(), expected.cold.likeness.toarray())
    assert engine.cold.likeness.indices.dtype == np.int32
    assert engine.new_ids(EVEN_FAN, k=10, filters=Filters()) == expected.new_ids(EVEN_FAN, k=10, filters=Filters())
    with pytest.raises(TypeError, match="not callable"):
        with_cold_start(loaded.engine, [EVEN], cold=loaded.cold_anime)


def test_map_places_a_title_without_viewers_near_its_franchise(small: Recommender) -> None:
    """Before, its embedding was zeros, and all such titles lay on an island of their own."""
    known = [one for one in small.engine.anime if one.genres == small.engine.anime[0].genres][:2]
    sequel = Anime(anime_id=201, title="Qwxz", genres=("Odd", "All"), franchise="the line")
    alone = Anime(anime_id=202, title="Nothing known")
    first = msgspec.structs.replace(known[0], franchise="the line")
    anime = [first, known[1], EVEN, sequel, alone]
    cold = with_cold_start(small.engine, [EVEN, sequel, alone]).cold
    placed = atlas_store.embeddings(anime, small.engine, cold)
    near = placed @ placed.T
    assert near[3, 0] > 0.85, "the franchise counts twice as much as the description"
    assert near[2, 0] > 0.1
    assert np.linalg.norm(placed, axis=1) == pytest.approx([1, 1, 1, 1, 0], abs=1e-5)


def test_map_draws_a_title_without_viewers_near_its_franchise_else_among_its_kind(small: Recommender) -> None:
    """Laid out with the others, such titles drift together and away from their franchise."""
    watched = [msgspec.structs.replace(one, franchise=f"line {one.anime_id}") for one in small.engine.anime]
    odd = next(one for one in watched if "Odd" in one.genres)
    sequels = [
        Anime(anime_id=300 + n, title=f"Qwxz {n}", genres=EVEN.genres, franchise=odd.franchise) for n in range(5)
    ]
    kind = [Anime(anime_id=400 + n, title=f"Asdf {n}", genres=EVEN.genres) for n in range(5)]
    anime = [*watched, *sequels, *kind]
    places = atlas_store.draw(anime, with_cold_start(small.engine, [*sequels, *kind]))
    place = {one.anime_id: at for one, at in zip(atlas_store.shown(anime), places, strict=True)}
    for one in sequels:
        assert np.linalg.norm(place[one.anime_id] - place[odd.anime_id]) <= 0.0061
    for one in kind:
        nearest = min(watched, key=lambda other: float(np.linalg.norm(place[one.anime_id] - place[other.anime_id])))
        assert nearest.genres == one.genres
    assert len({tuple(place[one.anime_id]) for one in sequels}) == 5, "none hides another"
