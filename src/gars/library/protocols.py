"""The fixed evaluation protocols: what may be trained on, what is shown of a user, what is judged.

Nothing computed from held-out rows may reach a model; ``refuse_leak`` stops a run in which it did.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, cast, get_args

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gars.application.evaluate import LikeScores, ListScores, score_lists
from gars.application.progress import Progress
from gars.datasets.splits import HeldOutUser, LikeSplit, TopNSplit
from gars.domain.candidates import Filters, top
from gars.domain.errors import InvalidInputError
from gars.domain.features.query import PRIOR_RATINGS
from gars.domain.history import LIKED_ABOVE, Rating
from gars.domain.splits import refuse_leak
from gars.library.blas import one_thread
from gars.library.fitting import FitConfig
from gars.library.recommender import Recommender

LIST_LENGTH = 100
TopNProtocol = Literal["A", "B"]
LikePart = Literal["v", "e"]
LETTERS: dict[str, LikePart] = {"validation": "v", "test": "e"}


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """One held-out user: what the model is shown and what it must find."""

    history: list[Rating]
    targets: NDArray[np.int64]


def as_topn_protocol(name: str) -> TopNProtocol:
    """The protocol of that name; raises ``InvalidInputError`` for any other."""
    for known in get_args(TopNProtocol):
        if name == known:
            return cast(TopNProtocol, known)
    raise InvalidInputError(f"no list protocol {name!r}", hint="A or B")


def topn_training(rows: pl.DataFrame, split: TopNSplit, protocol: TopNProtocol) -> pl.DataFrame:
    """Training rows: of protocol A the positives alone, unrated; of B everything of the training users."""
    training = rows.filter(pl.col("user_id").is_in(split.train_users))
    if protocol == "A":
        return training.filter(pl.col("rating") > LIKED_ABOVE).select("user_id", "anime_id")
    return training.select("user_id", "anime_id", "rating")


def topn_cases(rows: pl.DataFrame, users: Sequence[HeldOutUser], protocol: TopNProtocol) -> list[Case]:
    """What is shown: of protocol A the fold-in titles, of B the whole list without the targets."""
    if protocol == "A":
        return [Case([Rating(int(i)) for i in user.fold_in], user.targets) for user in users]
    lists = _lists(rows.filter(pl.col("user_id").is_in([user.user for user in users])))
    return [
        Case([one for one in lists.get(user.user, []) if one.anime_id not in set(user.targets.tolist())], user.targets)
        for user in users
    ]


def judge_topn(
    recommender: Recommender, cases: Sequence[Case], items: NDArray[np.int64], progress: Progress
) -> dict[str, ListScores]:
    """Lists of every channel alone, of the fused retrieval and of both stages, over the same ranked set."""
    engine = recommender.engine
    table = engine.retriever.items
    ranked_set = np.isin(table.anime_ids, items)
    outside = Filters(exclude_ids=tuple(table.anime_ids[~ranked_set].tolist()))
    names = (*engine.retriever.channel_names, "retrieval", "two stages")
    ranked = {name: np.full((len(cases), LIST_LENGTH), -1, np.int64) for name in names}
    with one_thread(), progress.task("judge lists", len(cases)) as advance:
        for place, case in enumerate(cases):
            history = recommender.read_history(case.history)
            allowed = ranked_set.copy()
            own = table.rows(history.anime_ids)
            allowed[own[own >= 0]] = False
            query = engine.query(history)
            scores = engine.retriever.scores(*query)
            fused = engine.retriever.fuse(scores, cold=not len(query[0]))
            for name, score in zip(names[:-1], (*scores, fused), strict=True):
                best = top(np.where(allowed, score, np.float32(-np.inf)), table.anime_ids, LIST_LENGTH)
                ranked[name][place, : len(best)] = table.anime_ids[best]
            final = engine.ranked_ids(history, k=LIST_LENGTH, filters=outside)
            ranked["two stages"][place, : len(final)] = final
            advance(1)
    return {name: score_lists(lists, [case.targets for case in cases], len(items)) for name, lists in ranked.items()}


def like_training(rows: pl.DataFrame, split: LikeSplit) -> pl.DataFrame:
    """Training rows of a like split, and what was watched without a rating by users who may be trained on.

    That a pair was watched would tell that it is held out, so held-out pairs are gone altogether.
    """
    trained = _frame(split, split.rows("t"))
    cold = np.setdiff1d(split.user, split.user[split.rows("t")])
    unrated = rows.filter(pl.col("rating").is_null() & ~pl.col("user_id").is_in(cold))
    return pl.concat([trained, unrated.select("user_id", "anime_id", pl.col("rating").cast(pl.Int8))])


def like_histories(rows: pl.DataFrame, split: LikeSplit) -> dict[int, list[Rating]]:
    """What may be known of each user when a held-out row is judged: training and context ratings, unrated titles."""
    shown = _frame(split, split.rows("t", "c"))
    unrated = rows.filter(pl.col("rating").is_null()).select("user_id", "anime_id", pl.col("rating").cast(pl.Int8))
    return _lists(pl.concat([shown, unrated]))


def judge_likes(
    recommender: Recommender, rows: pl.DataFrame, split: LikeSplit, part: LikePart, progress: Progress
) -> dict[str, LikeScores]:
    """Predictions for the held-out rows by both stages, by the items' own like rates, and by user and item rates."""
    held = split.rows(part)
    histories = like_histories(rows, split)
    predictors = _predictors(recommender)
    order = held[np.argsort(split.user[held], kind="stable")]
    groups = np.split(order, np.flatnonzero(np.diff(split.user[order])) + 1)
    p = {name: np.empty(len(split.user)) for name in predictors}
    with one_thread(), progress.task("judge predictions", len(groups)) as advance:
        for group in groups:
            history = histories.get(int(split.user[group[0]]), [])
            for name, predict in predictors.items():
                p[name][group] = predict(history, split.anime_id[group])
            advance(1)
    liked = split.rating[held] > LIKED_ABOVE
    return {name: LikeScores(split.user[held], liked, values[held]) for name, values in p.items()}


def refuse_topn_leak(training: pl.DataFrame, users: Sequence[HeldOutUser]) -> None:
    """Stop if a held-out user's target was trained on."""
    held_user = np.concatenate([np.full(len(user.targets), user.user) for user in users])
    held_item = np.concatenate([user.targets for user in users])
    refuse_leak(
        training["user_id"].to_numpy(), training["anime_id"].to_numpy(), held_user, held_item, where="the training rows"
    )


def refuse_like_leak(training: pl.DataFrame, split: LikeSplit) -> None:
    """Stop if a validation or test row was trained on."""
    held = split.rows("v", "e")
    refuse_leak(
        training["user_id"].to_numpy(),
        training["anime_id"].to_numpy(),
        split.user[held],
        split.anime_id[held],
        where="the training rows",
    )


def fit_on(
    training: pl.DataFrame, catalogue: pl.DataFrame, *, config: FitConfig, seed: int, progress: Progress
) -> Recommender:
    """Fit on training rows; the catalogue's score and members stay out, for they were counted from all ratings."""
    blind = catalogue.with_columns(
        pl.lit(None, dtype=catalogue.schema["score"]).alias("score"),
        pl.lit(None, dtype=catalogue.schema["members"]).alias("members"),
    )
    return Recommender.fit(training, blind, config=config, seed=seed, progress=progress)


def _predictors(
    recommender: Recommender,
) -> dict[str, Callable[[list[Rating], NDArray[np.int64]], NDArray[np.float32]]]:
    items, prior = recommender.engine.retriever.items, recommender.engine.models.prior
    item_rate = (items.liked_counts + 5 * prior.like_rate) / (items.rated_counts + 5)

    def by_item(_history: list[Rating], ids: NDArray[np.int64]) -> NDArray[np.float32]:
        rows = items.rows(ids)
        return np.where(rows >= 0, item_rate[rows], prior.like_rate).astype(np.float32)

    def by_user_and_item(history: list[Rating], ids: NDArray[np.int64]) -> NDArray[np.float32]:
        rated = [one.rating for one in history if one.rating is not None]
        own = (sum(r > LIKED_ABOVE for r in rated) + PRIOR_RATINGS * prior.like_rate) / (len(rated) + PRIOR_RATINGS)
        odds = _logit(by_item(history, ids)) + _logit(np.float32(own)) - _logit(np.float32(prior.like_rate))
        return np.asarray(1 / (1 + np.exp(-odds)), np.float32)

    def both_stages(history: list[Rating], ids: NDArray[np.int64]) -> NDArray[np.float32]:
        p = recommender.predict_like(history, ids.tolist())
        return np.where(np.isnan(p), prior.like_rate, p).astype(np.float32)

    return {"item rate": by_item, "user and item rate": by_user_and_item, "two stages": both_stages}


def _logit(p: NDArray[np.float32] | np.float32) -> NDArray[np.float32]:
    q = np.clip(p, 0.01, 0.99)
    return np.asarray(np.log(q) - np.log1p(-q), np.float32)


def _frame(split: LikeSplit, rows: NDArray[np.int64]) -> pl.DataFrame:
    return pl.DataFrame(
        {"user_id": split.user[rows], "anime_id": split.anime_id[rows], "rating": split.rating[rows]},
        schema={"user_id": pl.Int64(), "anime_id": pl.Int64(), "rating": pl.Int8()},
    )


def _lists(rows: pl.DataFrame) -> dict[int, list[Rating]]:
    """Each user's list as ``Rating`` values."""
    lists: dict[int, list[Rating]] = {}
    for user, anime_id, rating in rows.select("user_id", "anime_id", "rating").iter_rows():
        lists.setdefault(user, []).append(Rating(anime_id, None if rating is None else float(rating)))
    return lists
