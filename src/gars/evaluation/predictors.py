"""Let models rank and predict for held-out users, all from the same view of each."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gars.domain.candidates import Filters
from gars.domain.history import History, Rating
from gars.evaluation.baselines.model import ByScore, Floats, LikeModel, ListModel, Shown
from gars.library.blas import one_thread
from gars.library.engine import Engine
from gars.library.recommender import Recommender
from gars.runtime.progress import Progress

LIST_LENGTH = 100


@dataclass(frozen=True, slots=True, eq=False)
class EvalUser:
    """One held-out user: what the model is shown and what it must find."""

    history: list[Rating]
    targets: NDArray[np.int64]
    kept_out: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    """Titles that may not be ranked though they are not shown: what was cut from the history."""


@dataclass(frozen=True, slots=True, eq=False)
class RankedLists:
    """One model's lists for u users."""

    rows: NDArray[np.int64]
    """(u, LIST_LENGTH) item rows, -1 pads."""
    ms: float
    """Milliseconds a user."""


@dataclass(frozen=True, slots=True, eq=False)
class BothStages:
    """The product's own list."""

    engine: Engine
    name: str = "two stages"

    def rank(self, shown: Shown, k: int) -> NDArray[np.int64]:
        """Exactly what ``recommend_batch`` returns, as rows."""
        items = self.engine.retriever.items
        outside = Filters(exclude_ids=tuple(items.anime_ids[~shown.allowed].tolist()))
        return items.rows(self.engine.ranked_ids(shown.history, k=k, filters=outside))


@dataclass(frozen=True, slots=True, eq=False)
class LikeHead:
    """The product's like probability."""

    engine: Engine
    name: str = "two stages"

    def predict(self, history: History, rows: NDArray[np.int64]) -> Floats:
        """Exactly what ``predict_like`` returns."""
        return self.engine.predict_like(history, rows)


def channels(engine: Engine) -> list[ListModel]:
    """Every channel of stage one alone; they share one scoring of the user."""
    retriever, latest = engine.retriever, _Latest()

    def channel(place: int, name: str) -> ListModel:
        return ByScore(name, retriever.items.anime_ids, lambda shown: latest.scores(engine, shown)[place])

    return [channel(place, name) for place, name in enumerate(retriever.channel_names)]


def retrieval(engine: Engine) -> ListModel:
    """Stage one: the fused score of every item."""
    retriever = engine.retriever

    def scores(shown: Shown) -> Floats:
        return retriever.fuse(retriever.scores(shown.rows, shown.weights), cold=not len(shown.rows))

    return ByScore("retrieval", retriever.items.anime_ids, scores)


class _Latest:
    """Cache of the latest user's channel scores."""

    def __init__(self) -> None:
        self._shown: Shown | None = None
        self._scores = np.empty((0, 0), np.float32)

    def scores(self, engine: Engine, shown: Shown) -> Floats:
        if shown is not self._shown:
            self._shown, self._scores = shown, engine.retriever.scores(shown.rows, shown.weights)
        return self._scores


def rank_lists(
    models: Sequence[ListModel],
    recommender: Recommender,
    cases: Sequence[EvalUser],
    items: NDArray[np.int64],
    progress: Progress,
) -> dict[str, RankedLists]:
    """Each model's first ``LIST_LENGTH`` of ``items`` (ids) without the history, for each case."""
    engine = recommender.engine
    table = engine.retriever.items
    ranked_set = np.isin(table.anime_ids, items)
    rows = {model.name: np.full((len(cases), LIST_LENGTH), -1, np.int64) for model in models}
    seconds = dict.fromkeys(rows, 0.0)
    with one_thread(), progress.task("evaluate lists", len(cases)) as advance:
        for place, case in enumerate(cases):
            history = recommender.read_history(case.history)
            allowed = ranked_set.copy()
            own = table.rows(np.concatenate([history.anime_ids, case.kept_out]))
            allowed[own[own >= 0]] = False
            shown = Shown(history, *engine.query(history), allowed)
            for model in models:
                started = time.perf_counter()
                found = model.rank(shown, LIST_LENGTH)
                seconds[model.name] += time.perf_counter() - started
                rows[model.name][place, : len(found)] = found
            advance(1)
    n = max(1, len(cases))
    return {name: RankedLists(lists, 1000 * seconds[name] / n) for name, lists in rows.items()}


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """One model's probabilities for m rows."""

    p: NDArray[np.float64]
    ms: float
    """Milliseconds a user."""


def predict_likes(
    models: Sequence[LikeModel],
    recommender: Recommender,
    histories: dict[int, list[Rating]],
    user: NDArray[np.int64],
    anime_id: NDArray[np.int64],
    progress: Progress,
) -> dict[str, Predictions]:
    """P(rating > 7) for held-out rows (m,); an item the model lacks gets the mean rate of all users."""
    table, prior = recommender.engine.retriever.items, recommender.engine.models.prior
    order = np.argsort(user, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(user[order])) + 1) if len(order) else []
    p = {model.name: np.full(len(user), prior.like_rate) for model in models}
    seconds = dict.fromkeys(p, 0.0)
    with one_thread(), progress.task("evaluate predictions", len(groups)) as advance:
        for group in groups:
            history = recommender.read_history(histories.get(int(user[group[0]]), []))
            rows = table.rows(anime_id[group])
            known = rows >= 0
            for model in models:
                started = time.perf_counter()
                p[model.name][group[known]] = model.predict(history, rows[known])
                seconds[model.name] += time.perf_counter() - started
            advance(1)
    n = max(1, len(groups))
    return {name: Predictions(values, 1000 * seconds[name] / n) for name, values in p.items()}
