"""The benchmark: fit the product and its baselines on each protocol, measure both tasks and the costs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar, get_args

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gars.datasets import movielens
from gars.datasets.build import build_default
from gars.datasets.modern_split import modern_split
from gars.datasets.splits import LikeSplit, fixed_like_split, fixed_topn_split
from gars.domain.errors import DataError, FetchError, GarsError
from gars.domain.history import LIKED_ABOVE, Rating
from gars.evaluation import predictors, protocols
from gars.evaluation.baselines import averages_mlp, ease, gaussian_process, ials, item2vec_sets, lightgbm, like_rates
from gars.evaluation.baselines.model import LikeModel, ListModel, Training
from gars.evaluation.report import likes as report_likes
from gars.evaluation.report import lists as report_lists
from gars.evaluation.report.cost import TaskTimes, measured
from gars.evaluation.report.results import Fit, LikesResult, ListsResult, Skipped, Task
from gars.library.fit_config import FitConfig
from gars.library.fitting import FitHooks
from gars.library.frames import rows_of
from gars.library.recommender import Recommender
from gars.ranking.examples import RankingLists
from gars.retrieval import matrix
from gars.runtime.progress import Progress

T = TypeVar("T")
ListFit = Callable[[Training], ListModel]
LikeFit = Callable[[Training], LikeModel]
LIST_BASELINES: dict[str, ListFit] = {
    "ease": ease.fit,
    "ials_512": ials.fit,
    "item2vec on lists": item2vec_sets.fit,
}
ANIME, FILMS, MOVIELENS = "ratings sample", "MovieLens 100k", "movielens"
MODERN, ALL_LISTS = "M", "lists of 2016, 2021 and 2023"
MIN_POSITIVES = 5
"""Films with fewer training likes are not ranked, as in the fixed splits of the ratings sample."""
LIKE_BASELINES: dict[str, LikeFit] = {
    "user and item bias": like_rates.bias,
    "MLP on averages": averages_mlp.fit,
    "Gaussian process": gaussian_process.fit,
}


@dataclass(frozen=True, slots=True, eq=False)
class FittedProtocol:
    """The product for one protocol, and what it took."""

    recommender: Recommender
    training: Training
    seconds: float


@dataclass(slots=True, eq=False)
class Benchmark:
    """Data and settings of a benchmark, and its results so far."""

    rows: pl.DataFrame
    catalogue: pl.DataFrame
    part: str
    """``validation`` or ``test``."""
    seed: int
    config: FitConfig
    baselines: bool
    """True: also fit models that are not part of the product."""
    home: Path
    mirror: Path | None
    progress: Progress
    fits: list[Fit] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)

    def run(self, protocol: str, *, lists: bool, likes: bool) -> Iterator[ListsResult | LikesResult]:
        """Run the tasks of one protocol; one whose data are missing is skipped."""
        if protocol in get_args(protocols.TopNProtocol):
            if lists:
                yield self.lists(protocol)
        elif protocol == MODERN:
            if lists:
                yield from self.modern()
        elif protocol == MOVIELENS:
            yield from self.movielens(lists=lists, likes=likes)
        elif likes:
            yield self.likes(protocol)

    def lists(self, protocol: str) -> ListsResult:
        """Quality of the lists on protocol A or B."""
        split = fixed_topn_split(self.home, mirror=self.mirror, progress=self.progress)
        users = split.test if self.part == "test" else split.validation
        letter = protocols.as_topn_protocol(protocol)
        training = protocols.topn_training(self.rows, split, letter)
        protocols.refuse_topn_leak(training, users)
        fitted = self._fit(protocol, training, self.catalogue)
        cases = protocols.topn_users(self.rows, users, letter)
        return self._measured_lists(fitted, cases, split.items, protocol, ANIME)

    def modern(self) -> Iterator[ListsResult]:
        """Quality of the lists of users of 2021 and 2023 over the whole catalogue; skipped where data are missing.

        Members stay in the catalogue: the sites counted them among millions of users, not among these.
        """
        dataset = build_default(self.home, mirror=self.mirror, progress=self.progress)
        rows = dataset.interactions().filter(pl.col("status").ne_missing("planned")).collect()
        try:
            split = modern_split(rows, dataset.users(), dataset.catalogue()["anime_id"].to_numpy())
        except DataError as error:
            self._skip(MODERN, "everything", error)
            return
        held_out = split.test if self.part == "test" else split.validation
        training = protocols.topn_training(rows, split, "B")
        protocols.refuse_topn_leak(training, held_out)
        fitted = self._fit(MODERN, training, dataset.catalogue(), users=dataset.users(), blind=("score",))
        yield self._measured_lists(fitted, protocols.topn_users(rows, held_out, "B"), split.items, MODERN, ALL_LISTS)

    def likes(self, protocol: str) -> LikesResult:
        """Quality of the like predictions on protocol random, per-user or cold-users."""
        split = fixed_like_split(protocol, self.home, mirror=self.mirror, progress=self.progress)
        if self.part == "test":
            split = split.refit()
        training = protocols.like_training(self.rows, split)
        protocols.refuse_like_leak(training, split)
        histories = protocols.like_histories(self.rows, split)
        fitted = self._fit(protocol, training, self.catalogue)
        return self._measured_likes(fitted, split, histories, protocol, ANIME, cuts=protocol == "cold-users")

    def movielens(self, *, lists: bool, likes: bool) -> Iterator[ListsResult | LikesResult]:
        """Measure both tasks on unseen users of MovieLens 100k; skipped where the data cannot be fetched."""
        try:
            loaded = movielens.load(self.home, mirror=self.mirror, progress=self.progress)
        except FetchError as error:
            self._skip(MOVIELENS, "everything", error)
            return
        split = loaded.split
        training = protocols.like_training(protocols.all_rows(split), split)
        protocols.refuse_like_leak(training, split)
        fitted = self._fit(MOVIELENS, training, loaded.catalogue)
        if lists:
            liked = training.filter(pl.col("rating") > LIKED_ABOVE)["anime_id"].value_counts()
            items = np.sort(liked.filter(pl.col("count") >= MIN_POSITIVES)["anime_id"].to_numpy())
            cases = protocols.users_of_split(split, protocols.LETTERS[self.part])
            yield self._measured_lists(fitted, cases, items, MOVIELENS, FILMS)
        if likes:
            histories = protocols.like_histories(protocols.all_rows(split), split)
            yield self._measured_likes(fitted, split, histories, MOVIELENS, FILMS, cuts=True)

    def _measured_lists(
        self,
        fitted: FittedProtocol,
        cases: list[predictors.EvalUser],
        items: NDArray[np.int64],
        protocol: str,
        data: str,
    ) -> ListsResult:
        return report_lists.measure(
            self._list_models(protocol, fitted),
            fitted.recommender,
            cases,
            items,
            protocol=protocol,
            data=data,
            fit_seconds=fitted.seconds,
            seed=self.seed,
            progress=self.progress,
        )

    def _measured_likes(
        self,
        fitted: FittedProtocol,
        split: LikeSplit,
        histories: dict[int, list[Rating]],
        protocol: str,
        data: str,
        *,
        cuts: bool,
    ) -> LikesResult:
        protocols.refuse_shown_leak(histories, split)
        held = split.rows(protocols.LETTERS[self.part])
        rows = report_likes.HeldOutRows(
            split.user[held], split.anime_id[held], split.rating[held].astype(np.float64), histories
        )
        return report_likes.measure(
            self._like_models(protocol, fitted),
            fitted.recommender,
            rows,
            protocol=protocol,
            data=data,
            fit_seconds=fitted.seconds,
            cuts=cuts,
            seed=self.seed,
            progress=self.progress,
        )

    def _fit(
        self,
        protocol: str,
        training: pl.DataFrame,
        catalogue: pl.DataFrame,
        *,
        users: pl.DataFrame | None = None,
        blind: Sequence[str] = ("score", "members"),
    ) -> FittedProtocol:
        kept: list[RankingLists] = []
        times = TaskTimes(self.progress)
        with measured() as meter:
            fitted = protocols.fit_on(
                training,
                catalogue,
                config=self.config,
                seed=self.seed,
                progress=times,
                hooks=FitHooks(on_lists=kept.append if self.baselines else None),
                users=users,
                blind=blind,
            )
        self.fits.append(Fit(protocol=protocol, model="two stages", cost=meter.cost))
        self.tasks += times.tasks(protocol)
        rows = rows_of(training, catalogue["anime_id"].to_list())
        weights = matrix.from_rows(
            rows.user,
            rows.item,
            rows.rating,
            n_users=len(rows.user_ids),
            n_items=len(rows.item_ids),
            unrated=0.5 if rows.has_ratings else 1.0,
        )
        engine = fitted.engine
        lists = kept[0] if kept else None
        seen = Training(weights, engine.retriever.items, engine, lists, rows.has_ratings, self.seed)
        return FittedProtocol(fitted, seen, meter.cost.seconds)

    def _list_models(self, protocol: str, fitted: FittedProtocol) -> list[report_lists.EvaluatedListModel]:
        engine = fitted.recommender.engine
        models = [report_lists.EvaluatedListModel(one, "channel", timed=False) for one in predictors.channels(engine)]
        for name, fit in LIST_BASELINES.items() if self.baselines else ():
            models += [
                report_lists.EvaluatedListModel(one, "baseline")
                for one in self._tried(protocol, name, fit, fitted.training)
            ]
        models.append(report_lists.EvaluatedListModel(predictors.retrieval(engine), "pipeline"))
        if self.baselines:
            for boosted in self._tried(protocol, lightgbm.ORDER_NAME, lightgbm.order_engine, fitted.training):
                model = predictors.BothStages(boosted, lightgbm.ORDER_NAME)
                models.append(report_lists.EvaluatedListModel(model, "pipeline", also_cut=False))
        return [*models, report_lists.EvaluatedListModel(predictors.BothStages(engine), "pipeline")]

    def _like_models(self, protocol: str, fitted: FittedProtocol) -> list[report_likes.EvaluatedLikeModel]:
        engine, items = fitted.recommender.engine, fitted.training.items
        models = [
            report_likes.EvaluatedLikeModel(like_rates.item_rate(items), "baseline"),
            report_likes.EvaluatedLikeModel(like_rates.user_and_item_rate(items), "baseline"),
        ]
        for name, fit in LIKE_BASELINES.items() if self.baselines else ():
            models += [
                report_likes.EvaluatedLikeModel(one, "baseline")
                for one in self._tried(protocol, name, fit, fitted.training)
            ]
        if self.baselines:
            for boosted in self._tried(protocol, lightgbm.LIKE_NAME, lightgbm.like_engine, fitted.training):
                model = predictors.LikeHead(boosted, lightgbm.LIKE_NAME)
                models.append(report_likes.EvaluatedLikeModel(model, "pipeline", also_cut=False))
        return [*models, report_likes.EvaluatedLikeModel(predictors.LikeHead(engine), "pipeline")]

    def _tried(self, protocol: str, name: str, fit: Callable[[Training], T], training: Training) -> list[T]:
        """Fit a baseline and note its cost; one that cannot be fitted is named among the skipped, and none returned."""
        try:
            with self.progress.task(name), measured() as meter:
                fitted = fit(training)
        except GarsError as error:
            self._skip(protocol, name, error)
            return []
        self.fits.append(Fit(protocol=protocol, model=name, cost=meter.cost))
        return [fitted]

    def _skip(self, protocol: str, name: str, error: GarsError) -> None:
        reason = error.message + (f" ({error.hint})" if error.hint else "")
        self.skipped.append(Skipped(protocol=protocol, name=name, reason=reason))
        self.progress.note(f"skipped {name} of protocol {protocol}: {reason}")
