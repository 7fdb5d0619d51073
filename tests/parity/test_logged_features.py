"""Logged at serving = rebuilt out of the log as of that moment: no skew between what was shown and what is trained on.

Compared: ids, scores, channels and every feature of every shown place, bit for bit as the log keeps features
(``domain.feature_codec``), over HTTP, with filters, pages and events in between that arrive out of order. Not compared:
lists made by a fallback, which no model ranked.
"""

from __future__ import annotations

import random
from pathlib import Path

import msgspec
import numpy as np
import pytest
from litestar.testing import TestClient

from gars import Recommender
from gars.application.impressions.click_attribution import ranking_examples
from gars.application.recommend.as_of import list_as_of, state_as_of
from gars.application.recommend.engine import Recommendation
from gars.application.recommend.list_request import ListRequest
from gars.bootstrap import open_service
from gars.config import from_environment
from gars.domain import user_state
from gars.domain.errors import InvalidInputError
from gars.domain.impression import Impression, ShownItem
from gars.domain.impression_codec import ImpressionCodec
from gars.domain.user_state import Row, UserState
from gars.entrypoints.api.app import create_app
from gars.library.blas import one_thread
from gars_test_support.titles import MemoryTitles

FIRST = user_state.initial("fan", [Row(100, 9), Row(103, 2), Row(110)])


def shown_again(impression: Impression, made: list[Recommendation]) -> Impression:
    """The impression with the places of a list that was made again."""
    places = [item.position for item in impression.items]
    items = (
        ShownItem(one.anime_id, place, one.score, one.channels, one.features, one.propensity)
        for place, one in zip(places, made, strict=True)
    )
    return msgspec.structs.replace(impression, items=tuple(items))


def test_logged_features_are_rebuilt_features(small: Recommender, tmp_path: Path) -> None:
    service = open_service(from_environment({}, home=tmp_path), small.engine)
    service.states.put_initial([FIRST])
    rng = random.Random(3)
    routes = ["?k=10&min_members=0", "?k=5&offset=5&min_members=0&genre=Even", "?k=8&one_per_franchise=false"]
    with one_thread(), TestClient(create_app(service)) as client:
        for turn in range(12):
            body = client.get(f"/api/v1/users/fan/recommendations{rng.choice(routes)}").json()
            assert body["fallback"] is None
            shown = [item["anime"]["anime_id"] for item in body["items"]]
            events = [
                {"anime_id": rng.choice(shown), "kind": "click", "request_id": body["request_id"]},
                {"anime_id": rng.choice(shown), "kind": "rate", "value": rng.randint(1, 10)},
                {"anime_id": rng.choice(shown), "kind": "like", "event_time": f"2026-01-{1 + turn % 5:02}T00:00:00Z"},
            ]
            sent = [{"user_id": "fan", **event} for event in rng.sample(events, rng.randint(1, 3))]
            assert client.post("/api/v1/interactions", json={"events": sent}).status_code == 202
        service.recorder.flush()
        logged = list(service.impressions.read())
        assert len(logged) == 12
        codec = ImpressionCodec(MemoryTitles())
        for impression in logged:
            rebuilt = list_as_of(impression, service.stores.history, service.engine, before=FIRST)
            assert impression == codec.decode(codec.encode(shown_again(impression, rebuilt)))
        # negative control: of another moment they are not the same
        late = msgspec.structs.replace(logged[0], state_version=logged[-1].state_version)
        other = shown_again(late, list_as_of(late, service.stores.history, service.engine, before=FIRST))
        assert logged[0].items != codec.decode(codec.encode(other)).items
        examples = ranking_examples(logged, (event for _, event in service.log.read()))
        assert examples.features.shape[1] == len(logged[0].items[0].features) // 4
        assert np.isfinite(examples.features).all()
        assert 0 < examples.relevant.mean() < 1
    service.close()


def test_error_names_why_features_cannot_be_computed_again(small: Recommender, tmp_path: Path) -> None:
    service = open_service(from_environment({}, home=tmp_path), small.engine)
    service.recommend(ListRequest(user_id="fan", k=3, request_id="r"))
    service.recorder.flush()
    (one,) = service.impressions.read()
    for changed, message, hint in (
        ({"model_version": "old"}, "the list was made by model old, not by", "gars model list"),
        ({"fallback": "popular"}, "the list came from the fallback popular", "only ranked lists"),
        ({"state_version": 3}, "the log holds 0 event(s) of user 'fan', so version 3 cannot be rebuilt", "forgotten"),
    ):
        with pytest.raises(InvalidInputError) as caught:
            list_as_of(msgspec.structs.replace(one, **changed), service.stores.history, service.engine)
        assert message in caught.value.message
        assert hint in (caught.value.hint or "")
    with pytest.raises(InvalidInputError, match="from before the log has version 2"):
        state_as_of(service.stores.history, "fan", 0, before=UserState(user_id="fan", version=2))
    service.close()
