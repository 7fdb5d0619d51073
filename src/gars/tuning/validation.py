"""Objective of the search over settings: both tasks on the validation rows of the fixed splits."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import msgspec
import numpy as np
import polars as pl

from gars.application.training_log import TrainingLog
from gars.application.trials import SHARES, Setting
from gars.datasets.splits import LikeSplit, TopNSplit
from gars.domain.errors import GarsError
from gars.domain.history import LIKED_ABOVE
from gars.domain.metrics import Interval
from gars.evaluation import predictors, protocols
from gars.evaluation.scores import LikeScores, score_lists
from gars.library import configuration
from gars.library.fit_config import FitConfig
from gars.library.fitting import FitHooks
from gars.library.memo import Memo
from gars.library.recommender import Recommender
from gars.runtime.progress import Progress
from gars.tuning.search import Verdict


class Evaluator(Protocol):
    """One protocol: training rows, and validation rows to measure."""

    name: str
    training: pl.DataFrame

    def evaluate(self, fitted: Recommender, seed: int, progress: Progress) -> tuple[float, dict[str, Interval]]:
        """The one number that counts, and every metric by name."""
        ...


class Lists:
    """Protocol A or B of the lists: NDCG@100 counts."""

    def __init__(self, rows: pl.DataFrame, split: TopNSplit, protocol: protocols.TopNProtocol) -> None:
        self.name: str = protocol
        self.training = protocols.topn_training(rows, split, protocol)
        protocols.refuse_topn_leak(self.training, [*split.validation, *split.test])
        self._cases = protocols.topn_users(rows, split.validation, protocol)
        self._items = split.items

    def evaluate(self, fitted: Recommender, seed: int, progress: Progress) -> tuple[float, dict[str, Interval]]:
        """Metrics of the lists of both stages, each with its interval over users."""
        model, table = predictors.BothStages(fitted.engine), fitted.engine.retriever.items
        ranked = predictors.rank_lists([model], fitted, self._cases, self._items, progress)[model.name]
        targets = [table.rows(case.targets) for case in self._cases]
        intervals = score_lists(ranked.rows, targets, len(self._items)).intervals(seed)
        return intervals["ndcg@100"].mean, {f"{name} {self.name}": one for name, one in intervals.items()}


class Likes:
    """A protocol of the like predictions: AUC counts."""

    def __init__(self, rows: pl.DataFrame, split: LikeSplit, name: str) -> None:
        self.name = name
        self.training = protocols.like_training(rows, split)
        protocols.refuse_like_leak(self.training, split)
        self._histories = protocols.like_histories(rows, split)
        protocols.refuse_shown_leak(self._histories, split)
        held = split.rows("v")
        self._user, self._anime_id = split.user[held], split.anime_id[held]
        self._liked = split.rating[held] > LIKED_ABOVE

    def evaluate(self, fitted: Recommender, seed: int, progress: Progress) -> tuple[float, dict[str, Interval]]:
        """AUC and accuracy with intervals over users; log loss and calibration error as they are."""
        model = predictors.LikeHead(fitted.engine)
        p = predictors.predict_likes([model], fitted, self._histories, self._user, self._anime_id, progress)[
            model.name
        ].p
        found = LikeScores(self._user, self._liked, p)
        values = found.values()
        plain = {name: Interval(values[name], values[name], values[name]) for name in ("log_loss", "ece")}
        metrics = {**found.intervals(seed), **plain}
        return values["auc"], {f"{name} {self.name}": one for name, one in metrics.items()}


@dataclass(frozen=True, slots=True, eq=False)
class Validation:
    """An ``Objective``: fit on each protocol's training rows, measure its validation rows, average the scores.

    Stage one and the training lists are kept between settings that do not touch them.
    """

    evaluators: Sequence[Evaluator]
    catalogue: pl.DataFrame
    base: FitConfig
    seed: int
    progress: Progress
    _memos: dict[str, Memo] = field(default_factory=dict)

    def __call__(
        self, settings: Mapping[str, Setting], share: float, curves: Callable[[str], TrainingLog | None]
    ) -> Verdict:
        """The mean over protocols of NDCG@100 or AUC."""
        config = configuration.changed(self.base, settings)
        scores: list[float] = []
        metrics: dict[str, Interval] = {}
        for evaluator in self.evaluators:
            fitted = protocols.fit_on(
                evaluator.training,
                self.catalogue,
                config=_on_a_share(config, share, evaluator.training),
                seed=self.seed,
                progress=self.progress,
                hooks=FitHooks(
                    log=curves(evaluator.name),
                    memo=self._memos.setdefault(evaluator.name, Memo(keep=len(SHARES))),
                ),
            )
            score, found = evaluator.evaluate(fitted, self.seed, self.progress)
            scores.append(score)
            metrics.update(found)
        if not all(math.isfinite(score) for score in scores):
            raise GarsError(f"the model learned nothing that can be judged: {scores}", hint="a lower learning rate")
        return Verdict(float(np.mean(scores)), metrics)


def is_slow(setting: str) -> bool:
    """Return True if changing a setting requires fitting stage one or the training lists again."""
    return not setting.startswith("ranking.")


def _on_a_share(config: FitConfig, share: float, training: pl.DataFrame) -> FitConfig:
    users = min(config.max_ranking_users, training["user_id"].n_unique())
    return msgspec.structs.replace(config, max_ranking_users=math.ceil(share * users))
