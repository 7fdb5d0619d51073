"""The fixed evaluation protocols: training rows, histories shown to models, held-out rows.

Nothing computed from held-out rows may reach a model; ``refuse_leak`` stops a run in which it did.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, cast, get_args

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gars.datasets.splits import HeldOutUser, LikeSplit, TopNSplit
from gars.domain.errors import InvalidInputError
from gars.domain.history import LIKED_ABOVE, Rating
from gars.domain.item_table import ItemTable
from gars.domain.splits import refuse_leak
from gars.evaluation import predictors
from gars.evaluation.baselines import like_rates
from gars.evaluation.predictors import EvalUser
from gars.evaluation.scores import LikeScores, ListScores, score_lists
from gars.library.fit_config import FitConfig
from gars.library.fitting import NO_HOOKS, FitHooks
from gars.library.recommender import Recommender, fit_with
from gars.runtime.progress import Progress

TopNProtocol = Literal["A", "B"]
LikePart = Literal["v", "e"]
LETTERS: dict[str, LikePart] = {"validation": "v", "test": "e"}


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


def topn_users(rows: pl.DataFrame, users: Sequence[HeldOutUser], protocol: TopNProtocol) -> list[EvalUser]:
    """Build histories: the fold-in titles in protocol A, the whole list without the targets in B."""
    if protocol == "A":
        return [EvalUser([Rating(int(i)) for i in user.fold_in], user.targets) for user in users]
    lists = _lists(rows.filter(pl.col("user_id").is_in([user.user for user in users])))
    return [
        EvalUser(
            [one for one in lists.get(user.user, []) if one.anime_id not in set(user.targets.tolist())], user.targets
        )
        for user in users
    ]


def users_of_split(split: LikeSplit, part: LikePart) -> list[EvalUser]:
    """Held-out users of a split by users: what is shown of them, and what they liked of what is hidden."""
    histories = _lists(_frame(split, split.rows("c")))
    held = split.rows(part)
    liked = held[split.rating[held] > LIKED_ABOVE]
    return [
        EvalUser(histories.get(int(user), []), split.anime_id[liked[split.user[liked] == user]])
        for user in np.unique(split.user[liked])
    ]


def cut(cases: Sequence[EvalUser], length: int, rng: np.random.Generator) -> list[EvalUser]:
    """The same users and targets, of whom only ``length`` titles drawn at random are shown.

    What was cut stays out of the ranking, so that every length is measured on the same titles.
    """
    shorter = []
    for case in cases:
        order = rng.permutation(len(case.history))
        shown, gone = np.sort(order[:length]), order[length:]
        kept_out = np.array([case.history[place].anime_id for place in gone], np.int64)
        shorter.append(replace(case, history=[case.history[place] for place in shown], kept_out=kept_out))
    return shorter


def measure_topn(
    recommender: Recommender, cases: Sequence[EvalUser], items: NDArray[np.int64], progress: Progress
) -> dict[str, ListScores]:
    """Lists of every channel alone, of the fused retrieval and of both stages, over the same ranked set."""
    engine = recommender.engine
    models = [*predictors.channels(engine), predictors.retrieval(engine), predictors.BothStages(engine)]
    ranked = predictors.rank_lists(models, recommender, cases, items, progress)
    targets = [engine.retriever.items.rows(case.targets) for case in cases]
    return {name: score_lists(lists.rows, targets, len(items)) for name, lists in ranked.items()}


def like_training(rows: pl.DataFrame, split: LikeSplit) -> pl.DataFrame:
    """Training rows of a like split, and what was watched without a rating by users who may be trained on.

    A pair that was watched without a rating would reveal that it is held out, so held-out pairs are left out.
    """
    trained = _frame(split, split.rows("t"))
    cold = np.setdiff1d(split.user, split.user[split.rows("t")])
    unrated = rows.filter(pl.col("rating").is_null() & ~pl.col("user_id").is_in(cold))
    return pl.concat([trained, unrated.select("user_id", "anime_id", pl.col("rating").cast(pl.Int8))])


def like_histories(rows: pl.DataFrame, split: LikeSplit) -> dict[int, list[Rating]]:
    """Build the history of each user for held-out rows: training and context ratings, unrated titles."""
    shown = _frame(split, split.rows("t", "c"))
    unrated = rows.filter(pl.col("rating").is_null()).select("user_id", "anime_id", pl.col("rating").cast(pl.Int8))
    return _lists(pl.concat([shown, unrated]))


def measure_likes(
    recommender: Recommender, rows: pl.DataFrame, split: LikeSplit, part: LikePart, progress: Progress
) -> dict[str, LikeScores]:
    """Predictions for the held-out rows by both stages, by the items' own like rates, and by user and item rates."""
    held, histories = split.rows(part), like_histories(rows, split)
    refuse_shown_leak(histories, split)
    items = recommender.engine.retriever.items
    models = [
        like_rates.item_rate(items), like_rates.user_and_item_rate(items), predictors.LikeHead(recommender.engine)
    ]  # fmt: skip
    found = predictors.predict_likes(models, recommender, histories, split.user[held], split.anime_id[held], progress)
    liked = split.rating[held] > LIKED_ABOVE
    return {name: LikeScores(split.user[held], liked, one.p) for name, one in found.items()}


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


def refuse_shown_leak(histories: dict[int, list[Rating]], split: LikeSplit) -> None:
    """Stop if what is shown of a user, and so what their statistics are made of, holds a validation or test row."""
    held = split.rows("v", "e")
    refuse_leak(
        np.repeat(np.array(list(histories), np.int64), [len(one) for one in histories.values()]),
        np.array([rating.anime_id for one in histories.values() for rating in one], np.int64),
        split.user[held],
        split.anime_id[held],
        where="the histories that user statistics are made of",
    )


def refuse_statistics_leak(items: ItemTable, training: pl.DataFrame) -> None:
    """Stop if the statistics of the items count other rows than the training rows.

    Raises:
        InvalidInputError: a count, a like count or a sum of ratings is not that of the training rows.
    """
    training = training.unique(["user_id", "anime_id"], keep="last")
    row = items.rows(training["anime_id"].to_numpy())
    rating = (
        training["rating"].cast(pl.Float64).fill_null(float("nan")).to_numpy()
        if "rating" in training.columns
        else np.full(training.height, np.nan)
    )
    n, rated = len(items), ~np.isnan(rating)
    liked = rated & (np.nan_to_num(rating) > LIKED_ABOVE)
    wrong = np.zeros(n, np.bool_)
    for found, expected in (
        (items.counts, np.bincount(row, minlength=n)),
        (items.rated_counts, np.bincount(row[rated], minlength=n)),
        (items.liked_counts, np.bincount(row[liked], minlength=n)),
        (items.rating_sums, np.bincount(row[rated], rating[rated], n)),
    ):
        wrong |= ~np.isclose(found, expected, rtol=1e-3)
    if wrong.any():
        raise InvalidInputError(
            f"leak: the statistics of {int(wrong.sum())} of {n} items count rows that are not training rows",
            hint="compute statistics and features from training rows only",
        )


def fit_on(
    training: pl.DataFrame,
    catalogue: pl.DataFrame,
    *,
    config: FitConfig,
    seed: int,
    progress: Progress,
    hooks: FitHooks = NO_HOOKS,
    users: pl.DataFrame | None = None,
    blind: Sequence[str] = ("score", "members"),
) -> Recommender:
    """Fit on training rows without the ``blind`` columns of the catalogue: they were counted from all ratings.

    ``users`` has the columns of ``schema.USERS``.
    """
    counted = [name for name in blind if name in catalogue.columns]
    without_counts = catalogue.with_columns(pl.lit(None, dtype=catalogue.schema[name]).alias(name) for name in counted)
    fitted = fit_with(hooks, training, without_counts, users=users, config=config, seed=seed, progress=progress)
    refuse_statistics_leak(fitted.engine.retriever.items, training)
    return fitted


def all_rows(split: LikeSplit) -> pl.DataFrame:
    """Every rating of a split, whatever its part."""
    return _frame(split, np.arange(len(split.user)))


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
