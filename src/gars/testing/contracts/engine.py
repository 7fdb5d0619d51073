"""Contract of ``Engine``, independent of its training data."""

from __future__ import annotations

from abc import ABC, abstractmethod

import msgspec
import numpy as np

from gars.application.recommend.engine import Engine
from gars.application.recommend.list_request import ListRequest
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
        """Open an engine with at least 60 anime, some with genres."""

    def history(self, engine: Engine, n: int = 3) -> History:
        """Return a history of ``n`` popular anime with ratings 9, 3 and none in turn."""
        ids = engine.popular_ids(k=n, filters=NONE).tolist()
        return from_ratings([Rating(anime_id, rating) for anime_id, rating in zip(ids, (9, 3, None) * n, strict=False)])

    def test_catalogue_ascends(self) -> None:
        """The catalogue ascends by id, without duplicates."""
        ids = [entry.anime_id for entry in self.open().anime]
        assert ids == sorted(set(ids))

    def test_list_is_full_and_ordered(self) -> None:
        """A list has ``k`` different anime of the catalogue by ``(-score, id)``, with probabilities and reasons."""
        engine = self.open()
        made = engine.recommend_history(self.history(engine), ListRequest(k=20, filters=NONE))
        assert len({item.anime_id for item in made}) == 20
        assert {item.anime_id for item in made} <= {entry.anime_id for entry in engine.anime}
        assert [(-item.score, item.anime_id) for item in made] == sorted((-item.score, item.anime_id) for item in made)
        assert all(0 <= item.p_like <= 1 for item in made)
        assert all(item.reasons and all(reason.text for reason in item.reasons) for item in made)
        assert all(item.channels for item in made)

    def test_never_what_the_history_holds(self) -> None:
        """Neither recommended nor retrieved ids contain an anime of the history."""
        engine = self.open()
        known = self.history(engine)
        held = set(known.anime_ids.tolist())
        assert not held & {item.anime_id for item in engine.recommend_history(known, ListRequest(k=40, filters=NONE))}
        assert not held & set(engine.retrieve_ids(known, k=40, filters=NONE).tolist())

    def test_pages_continue_each_other(self) -> None:
        """Two pages of 10 are the list of 20."""
        engine = self.open()
        known = self.history(engine)
        whole = [item.anime_id for item in engine.recommend_history(known, ListRequest(k=20, filters=NONE))]
        first = [item.anime_id for item in engine.recommend_history(known, ListRequest(k=10, filters=NONE))]
        second = [item.anime_id for item in engine.recommend_history(known, ListRequest(k=10, offset=10, filters=NONE))]
        assert first + second == whole

    def test_empty_history_gets_the_popular_list(self) -> None:
        """An empty history gets a full list."""
        engine = self.open()
        made = engine.recommend_history(from_ratings([]), ListRequest(k=10, filters=NONE))
        assert len(made) == 10
        assert len(engine.popular_ids(k=10, filters=NONE)) == 10

    def test_unknown_ids_are_ignored(self) -> None:
        """Ids that are missing in the catalogue do not shorten the list."""
        engine = self.open()
        with_unknown = from_ratings([Rating(2_000_000_000, 9)])
        assert len(engine.recommend_history(with_unknown, ListRequest(k=10, filters=NONE))) == 10

    def test_one_click_changes_the_list(self) -> None:
        """One click of a user without history changes the list."""
        engine = self.open()
        before = [item.anime_id for item in engine.recommend_history(from_ratings([]), ListRequest(k=20, filters=NONE))]
        clicked = next(entry for entry in reversed(engine.anime) if len(entry.genres) > 1)
        state = apply(UserState(user_id="new"), event("new", clicked.anime_id, Kind.CLICK))
        after = [item.anime_id for item in engine.recommend_history(from_state(state), ListRequest(k=20, filters=NONE))]
        assert after != before

    def test_deterministic(self) -> None:
        """Two calls with the same arguments return equal lists."""
        engine = self.open()
        known = self.history(engine)
        once = engine.recommend_history(known, ListRequest(k=20, filters=NONE))
        assert engine.recommend_history(known, ListRequest(k=20, filters=NONE)) == once

    def test_filters_act_before_the_cut(self) -> None:
        """A filtered list contains only matching anime, and as many as there are."""
        engine = self.open()
        named = [genre for entry in engine.anime for genre in entry.genres]
        genre = max(sorted(set(named)), key=named.count)
        wanted = Filters(genres=(genre,))
        have = {entry.anime_id for entry in engine.anime if genre in entry.genres}
        known = self.history(engine)
        left = len(have - set(known.anime_ids.tolist()))
        for ids in (
            [item.anime_id for item in engine.recommend_history(known, ListRequest(k=20, filters=wanted))],
            engine.retrieve_ids(known, k=20, filters=wanted).tolist(),
            engine.popular_ids(k=20, filters=wanted).tolist(),
        ):
            assert set(ids) <= have
            assert len(ids) >= min(20, left)

    def test_excluded_ids_stay_away(self) -> None:
        """Excluded ids are not recommended."""
        engine = self.open()
        known = self.history(engine)
        top = [item.anime_id for item in engine.recommend_history(known, ListRequest(k=5, filters=NONE))]
        without = msgspec.structs.replace(NONE, exclude_ids=tuple(top))
        assert not set(top) & {
            item.anime_id for item in engine.recommend_history(known, ListRequest(k=20, filters=without))
        }

    def test_service_rules(self) -> None:
        """At most one anime of each franchise, and no adult titles."""
        engine = self.open()
        by_id = {entry.anime_id: entry for entry in engine.anime}
        made = engine.recommend_history(self.history(engine), ListRequest(k=20, filters=SERVICE_DEFAULTS))
        shown = [by_id[item.anime_id] for item in made]
        assert not any(entry.adult for entry in shown)
        franchises = [entry.franchise for entry in shown if entry.franchise]
        assert len(franchises) == len(set(franchises))

    def test_chances_in_the_order_asked(self) -> None:
        """Like probabilities are in the order of the ids; NaN for an id that is missing in the catalogue."""
        engine = self.open()
        known = self.history(engine)
        ids = np.array([item.anime_id for item in engine.recommend_history(known, ListRequest(k=20, filters=NONE))])
        chances = engine.like_chances(known, np.array([2_000_000_000, *ids.tolist()]))
        assert np.isnan(chances).tolist() == [True] + [False] * len(ids)
        assert ((chances[1:] >= 0) & (chances[1:] <= 1)).all()
        assert len(set(chances[1:].tolist())) > 1

    def test_the_score_is_the_sum_of_its_terms(self) -> None:
        """The terms of a score sum to it; there is one float32 for each named feature, or none."""
        engine = self.open()
        leaning = msgspec.structs.replace(NONE, niche=0.5)
        for item in engine.recommend_history(self.history(engine), ListRequest(k=5, filters=leaning)):
            assert np.isclose(sum(item.terms.values()), item.score, atol=1e-4)
            assert len(item.features) in (0, 4 * len(engine.feature_names))

    def test_similar_anime(self) -> None:
        """Scores descend within 0 to 1; the anime itself is left out, and its franchise on request."""
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
        """Similar users come by descending score, without duplicates and without the excluded user."""
        engine = self.open()
        found = engine.similar_user_ids(self.history(engine), k=5)
        assert found, "no user is similar to somebody who likes what is popular"
        assert len(dict(found)) == len(found)
        assert [score for _, score in found] == sorted((score for _, score in found), reverse=True)
        nearest = found[0][0]
        assert nearest not in dict(engine.similar_user_ids(self.history(engine), k=5, exclude=nearest))
