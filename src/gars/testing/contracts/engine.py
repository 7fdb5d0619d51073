"""What every ``Engine`` must do, whatever it was trained on."""

from __future__ import annotations

from abc import ABC, abstractmethod

import msgspec
import numpy as np

from gars.application.engine import Engine
from gars.domain.candidates import SERVICE_DEFAULTS, Filters
from gars.domain.history import History, Rating, from_ratings, from_state
from gars.domain.interaction import Kind
from gars.domain.user_state import UserState, apply
from gars.testing.events import event

NONE = Filters()


class EngineContract(ABC):
    """Checks of an ``Engine``."""

    @abstractmethod
    def open(self) -> Engine:
        """An engine with at least 60 anime, some with genres."""

    def history(self, engine: Engine, n: int = 3) -> History:
        """A history of well-known anime, one rated high, one low, one not rated."""
        ids = engine.popular_ids(k=n, filters=NONE).tolist()
        return from_ratings([Rating(anime_id, rating) for anime_id, rating in zip(ids, (9, 3, None) * n, strict=False)])

    def test_catalogue_ascends(self) -> None:
        """By id, each once."""
        ids = [entry.anime_id for entry in self.open().anime]
        assert ids == sorted(set(ids))

    def test_list_is_full_and_ordered(self) -> None:
        """``k`` different anime of the catalogue, by ``(-score, id)``, with chances and reasons."""
        engine = self.open()
        made = engine.recommend_history(self.history(engine), k=20, filters=NONE)
        assert len({item.anime_id for item in made}) == 20
        assert {item.anime_id for item in made} <= {entry.anime_id for entry in engine.anime}
        assert [(-item.score, item.anime_id) for item in made] == sorted((-item.score, item.anime_id) for item in made)
        assert all(0 <= item.p_like <= 1 for item in made)
        assert all(item.reasons and all(reason.text for reason in item.reasons) for item in made)
        assert all(item.channels for item in made)

    def test_never_what_the_history_holds(self) -> None:
        """In no list."""
        engine = self.open()
        known = self.history(engine)
        held = set(known.anime_ids.tolist())
        assert not held & {item.anime_id for item in engine.recommend_history(known, k=40, filters=NONE)}
        assert not held & set(engine.retrieve_ids(known, k=40, filters=NONE).tolist())

    def test_pages_continue_each_other(self) -> None:
        """Places 10–20 follow places 0–10."""
        engine = self.open()
        known = self.history(engine)
        whole = [item.anime_id for item in engine.recommend_history(known, k=20, filters=NONE)]
        first = [item.anime_id for item in engine.recommend_history(known, k=10, filters=NONE)]
        second = [item.anime_id for item in engine.recommend_history(known, k=10, offset=10, filters=NONE)]
        assert first + second == whole

    def test_empty_history_gets_the_popular_list(self) -> None:
        """Never an error, never an empty list."""
        engine = self.open()
        made = engine.recommend_history(from_ratings([]), k=10, filters=NONE)
        assert len(made) == 10
        assert len(engine.popular_ids(k=10, filters=NONE)) == 10

    def test_unknown_ids_are_ignored(self) -> None:
        """A history may name what the catalogue does not have."""
        engine = self.open()
        with_unknown = from_ratings([Rating(2_000_000_000, 9)])
        assert len(engine.recommend_history(with_unknown, k=10, filters=NONE)) == 10

    def test_one_click_changes_the_list(self) -> None:
        """Also for somebody of whom nothing else is known, and the clicked title is what changed it."""
        engine = self.open()
        before = [item.anime_id for item in engine.recommend_history(from_ratings([]), k=20, filters=NONE)]
        clicked = next(entry for entry in reversed(engine.anime) if len(entry.genres) > 1)
        state = apply(UserState(user_id="new"), event("new", clicked.anime_id, Kind.CLICK))
        after = [item.anime_id for item in engine.recommend_history(from_state(state), k=20, filters=NONE)]
        assert after != before

    def test_deterministic(self) -> None:
        """Asked twice it says the same."""
        engine = self.open()
        known = self.history(engine)
        once = engine.recommend_history(known, k=20, filters=NONE)
        assert engine.recommend_history(known, k=20, filters=NONE) == once

    def test_filters_act_before_the_cut(self) -> None:
        """A filtered list is still full, and keeps the filter."""
        engine = self.open()
        named = [genre for entry in engine.anime for genre in entry.genres]
        genre = max(sorted(set(named)), key=named.count)
        wanted = Filters(genres=(genre,))
        have = {entry.anime_id for entry in engine.anime if genre in entry.genres}
        known = self.history(engine)
        left = len(have - set(known.anime_ids.tolist()))
        for ids in (
            [item.anime_id for item in engine.recommend_history(known, k=20, filters=wanted)],
            engine.retrieve_ids(known, k=20, filters=wanted).tolist(),
            engine.popular_ids(k=20, filters=wanted).tolist(),
        ):
            assert set(ids) <= have
            assert len(ids) >= min(20, left)

    def test_excluded_ids_stay_away(self) -> None:
        """From every list."""
        engine = self.open()
        known = self.history(engine)
        top = [item.anime_id for item in engine.recommend_history(known, k=5, filters=NONE)]
        without = msgspec.structs.replace(NONE, exclude_ids=tuple(top))
        assert not set(top) & {item.anime_id for item in engine.recommend_history(known, k=20, filters=without)}

    def test_service_rules(self) -> None:
        """One of each franchise, nothing adult."""
        engine = self.open()
        by_id = {entry.anime_id: entry for entry in engine.anime}
        made = engine.recommend_history(self.history(engine), k=20, filters=SERVICE_DEFAULTS)
        shown = [by_id[item.anime_id] for item in made]
        assert not any(entry.adult for entry in shown)
        franchises = [entry.franchise for entry in shown if entry.franchise]
        assert len(franchises) == len(set(franchises))

    def test_chances_in_the_order_asked(self) -> None:
        """From 0 to 1, each with its id; of what the catalogue does not have nothing is known."""
        engine = self.open()
        known = self.history(engine)
        ids = np.array([item.anime_id for item in engine.recommend_history(known, k=20, filters=NONE)])
        chances = engine.like_chances(known, np.array([2_000_000_000, *ids.tolist()]))
        assert np.isnan(chances).tolist() == [True] + [False] * len(ids)
        assert ((chances[1:] >= 0) & (chances[1:] <= 1)).all()
        assert len(set(chances[1:].tolist())) > 1

    def test_the_score_is_the_sum_of_its_terms(self) -> None:
        """Each by name, and the features as many as are named."""
        engine = self.open()
        leaning = msgspec.structs.replace(NONE, niche=0.5)
        for item in engine.recommend_history(self.history(engine), k=5, filters=leaning):
            assert np.isclose(sum(item.terms.values()), item.score, atol=1e-4)
            assert len(item.features) in (0, 4 * len(engine.feature_names))

    def test_similar_anime(self) -> None:
        """Not itself, best first, 0–1; without its franchise if asked."""
        engine = self.open()
        by_id = {entry.anime_id: entry for entry in engine.anime}
        anime_id = int(engine.popular_ids(k=1, filters=NONE)[0])
        found = engine.similar_ids(anime_id, k=10)
        assert len(found) == 10
        assert anime_id not in dict(found)
        assert [score for _, score in found] == sorted((score for _, score in found), reverse=True)
        assert all(0 <= score <= 1 for _, score in found)
        elsewhere = engine.similar_ids(anime_id, k=10, same_franchise=False)
        franchise = by_id[anime_id].franchise
        assert not franchise or franchise not in {by_id[other].franchise for other, _ in elsewhere}

    def test_similar_users(self) -> None:
        """Each once, best first, never the one excluded."""
        engine = self.open()
        found = engine.similar_user_ids(self.history(engine), k=5)
        assert found, "no user is similar to somebody who likes what is popular"
        assert len(dict(found)) == len(found)
        assert [score for _, score in found] == sorted((score for _, score in found), reverse=True)
        nearest = found[0][0]
        assert nearest not in dict(engine.similar_user_ids(self.history(engine), k=5, exclude=nearest))
