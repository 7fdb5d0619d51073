from dataclasses import replace

import msgspec
import numpy as np
import pytest

from gars import Rating, Recommender
from gars.application.recommend.engine import Reason
from gars.domain.features.taste import taste_of
from gars.domain.history import History
from gars.kernels.top_contributions import top_contributions
from gars.library.engine import Engine
from gars.library.query import profile_of
from gars.library.reasons import Explainer
from gars.retrieval.item_to_item import ItemToItem
from gars_test_support.world import SMALL, small_world

HISTORY = [Rating(100, 10), Rating(102, 9), Rating(101, 3)]


def reasons_of(engine: Engine, history: History, rows: np.ndarray) -> list[tuple[Reason, ...]]:
    taste = taste_of(history, engine.retriever.items, engine.models.prior)
    explainer, profile = Explainer(engine.anime, engine.retriever), profile_of(taste, engine.retriever.items)
    return explainer.explain(history, *engine.query(history), profile, rows)


def top(contributions: list[list[float]]) -> tuple[list[list[int]], list[list[float]]]:
    places, shares = np.full((len(contributions), 3), -1), np.zeros((len(contributions), 3), np.float32)
    top_contributions(np.array(contributions, np.float32), np.float32(0.05), places, shares)
    return places.tolist(), shares.tolist()


def test_largest_contributions_come_first_and_negative_ones_last() -> None:
    (places,), (shares,) = top([[0.1, 4.0, -2.0, 0.0, 3.9]])
    assert places == [1, 4, 2]
    assert shares == pytest.approx([0.4, 0.39, -0.2])


def test_negative_contribution_below_threshold_is_hidden() -> None:
    (places,), (shares,) = top([[-0.04, 1.0]])
    assert places == [1, -1, -1]
    assert shares == pytest.approx([1 / 1.04, 0, 0])


def test_zero_contributions_give_no_reasons() -> None:
    assert top([[0.0, 0.0, 0.0]]) == ([[-1, -1, -1]], [[0, 0, 0]])


def test_common_tags_and_studio_of_two_titles_are_named(small: Recommender) -> None:
    tagged = [
        msgspec.structs.replace(entry, tags=("School", "Mecha", "Time Travel"), studios=("Bones",))
        for entry in small.engine.anime
    ]
    engine = replace(small.engine, anime=tagged)
    (reasons,) = reasons_of(engine, small.read_history(HISTORY), np.array([4]))
    because = next(reason for reason in reasons if reason.kind == "because")
    shared = next(reason for reason in reasons if reason.kind == "shared")
    assert shared.text == f"Like {because.title}: School, Mecha, studio Bones"
    assert shared.anime_id == because.anime_id
    assert shared.names == ("School", "Mecha", "Bones")


def test_negative_contribution_is_shown_with_its_sign(small: Recommender) -> None:
    channel = small.engine.retriever.channels[0]
    weights = channel.weights.copy()
    weights.data = np.where(weights.indices == 4, -np.abs(weights.data), weights.data).astype(np.float32)
    turned = (ItemToItem(channel.name, weights), *small.engine.retriever.channels[1:])
    models = replace(small.engine.models, retriever=replace(small.engine.retriever, channels=turned))
    (reasons,) = reasons_of(replace(small.engine, models=models), small.read_history(HISTORY), np.array([4]))
    against = [reason for reason in reasons if reason.kind == "despite"]
    for reason in against:
        assert reason.text.startswith("Although you liked Title")
        assert reason.verb == "liked"
        assert -1 <= (reason.contribution or 0) < 0
    assert against


def test_a_title_that_is_on_the_list_and_was_clicked_is_named_once(small: Recommender) -> None:
    history = replace(small.read_history(HISTORY), clicks=np.array([100, 102], np.int64))
    explained = reasons_of(small.engine, history, np.arange(len(small.engine.anime)))
    for reasons in explained:
        named = [reason.anime_id for reason in reasons if reason.kind in ("because", "click", "despite")]
        assert len(named) == len(set(named))
    assert any(reason.anime_id == 100 for reasons in explained for reason in reasons)


def test_every_reason_has_its_sentence_as_data(small: Recommender) -> None:
    history = replace(small.read_history(HISTORY), clicks=np.array([103], np.int64))
    phrases = {"opened": "looked at", "liked": "liked", "watched": "watched"}
    titles = {anime.anime_id: anime.title for anime in small.engine.anime}
    reasons = [one for each in reasons_of(small.engine, history, np.arange(len(titles))) for one in each]
    assert {reason.verb for reason in reasons} >= {"opened", "liked"}
    for reason in reasons:
        if reason.kind in ("because", "click", "despite"):
            assert reason.verb is not None
            opening = "Although" if reason.kind == "despite" else "Because"
            assert reason.text == f"{opening} you {phrases[reason.verb]} {titles[reason.anime_id or 0]}"
            assert (reason.kind == "click") == (reason.verb == "opened" and opening == "Because")
        elif reason.kind == "genre":
            (genre,) = reason.names
            assert reason.text == f"You watch more {genre} than most"


def test_a_catalogue_of_books_gets_no_words_of_anime() -> None:
    rows, catalogue = small_world()
    books = Recommender.fit(rows, catalogue.drop("type", "episodes", strict=False), config=SMALL, progress=False)
    published = [msgspec.structs.replace(entry, studios=("Penguin",)) for entry in books.engine.anime]
    engine = replace(books.engine, anime=published)
    texts = [
        reason.text
        for history in ([Rating(100 + 2 * n, 9) for n in range(8)], [])
        for found in reasons_of(engine, books.read_history(history), np.arange(30))
        for reason in found
    ]
    assert any(text.startswith("Because you") for text in texts)
    assert any(text.startswith("You choose more") for text in texts)
    assert any(text.endswith(": Penguin") for text in texts)
    assert not [text for text in texts if "watch" in text or "studio" in text]
