"""LightGBM in the place of the neural ranker: the same features, the same training lists, the same two heads.

Order is LambdaMART (Burges, "From RankNet to LambdaRank to LambdaMART", 2010), liking a gradient-boosted logistic model
(Ke et al., "LightGBM", NeurIPS 2017). It takes the network's place in the engine, so retrieval, features and filters
are the served ones.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from gars.domain.errors import InvalidInputError, MissingExtraError
from gars.evaluation.baselines.model import Floats, Training
from gars.library.engine import Engine
from gars.ranking.examples import RankingLists
from gars.ranking.network import Network

ORDER_NAME, LIKE_NAME = "retrieval + LambdaMART", "LightGBM"
VALIDATION_SHARE = 0.1
MAX_TREES, PATIENCE = 400, 20
_COMMON = {
    "learning_rate": 0.08,
    "min_data_in_leaf": 50,
    "verbosity": -1,
    "deterministic": True,
    "force_row_wise": True,
}


@dataclass(frozen=True, slots=True, eq=False)
class Boosted:
    """Answers what ``ranking.network.Network`` answers."""

    order: Any
    like: Any
    """``None``: nothing was rated, so there are no labels."""

    def order_scores(self, features: Floats, rows: NDArray[np.int64], taste: Floats) -> Floats:  # noqa: ARG002
        """Score m candidates for their order. (m, f), (m,), (t,) → (m,)"""
        return _predicted(self.order, features)

    def like_chances(self, features: Floats, rows: NDArray[np.int64], taste: Floats) -> Floats:  # noqa: ARG002
        """P(rating > 7) of m candidates. (m, f), (m,), (t,) → (m,)"""
        return _predicted(self.like, features)


def _predicted(trees: Any, features: Floats) -> Floats:
    if trees is None or not len(features):
        return np.full(len(features), 0.5, np.float32)
    return np.asarray(trees.predict(features, num_threads=1), np.float32)


def order_engine(training: Training) -> Engine:
    """The product with LambdaMART as its ranker of lists.

    Raises:
        MissingExtraError: LightGBM is not installed.
        InvalidInputError: there are no training lists.
    """
    lists = _lists(training)
    asked = lists.order >= 0
    params = {"objective": "lambdarank", "num_leaves": 31, "lambdarank_truncation_level": 100, "metric": "ndcg"}
    order = _boost(lists.features, asked, lists.order, params | {"eval_at": [100]}, training.seed, grouped=True)
    return _in_place_of_the_network(training.engine, Boosted(order, None))


def like_engine(training: Training) -> Engine:
    """The product with a boosted like head. Raises as ``order_engine``."""
    lists = _lists(training)
    asked = lists.like >= 0
    params = {"objective": "binary", "num_leaves": 63, "metric": "binary_logloss"}
    like = _boost(lists.features, asked, lists.like, params, training.seed, grouped=False)
    return _in_place_of_the_network(training.engine, Boosted(None, like))


def _lists(training: Training) -> RankingLists:
    if training.lists is None:
        raise InvalidInputError("there are no training lists for a ranker", hint="the data have too few users")
    return training.lists


def _in_place_of_the_network(engine: Engine, boosted: Boosted) -> Engine:
    return replace(engine, network=cast(Network, boosted))


def _boost(
    features: NDArray[np.float32],
    asked: NDArray[np.bool_],
    labels: NDArray[np.float32],
    params: dict[str, Any],
    seed: int,
    *,
    grouped: bool,
) -> Any:
    """Train on most lists, stop when the others no longer gain. (u, L, f), (u, L), (u, L)"""
    try:
        import lightgbm
    except ImportError as error:
        raise MissingExtraError("the LightGBM baselines", "bench") from error
    held = np.random.default_rng([seed, 3]).random(len(features)) < VALIDATION_SHARE
    parts: list[Any] = []
    for lists in (~held, held):
        places = asked & lists[:, None]
        group = places.sum(axis=1)
        parts.append(
            lightgbm.Dataset(
                features[places],
                labels[places],
                group=group[group > 0] if grouped else None,
                reference=parts[0] if parts else None,
            )
        )
    return lightgbm.train(
        {**_COMMON, **params, "seed": seed % 2**31},
        parts[0],
        MAX_TREES,
        valid_sets=[parts[1]] if held.any() else None,
        callbacks=[lightgbm.early_stopping(PATIENCE, verbose=False)] if held.any() else None,
    )
