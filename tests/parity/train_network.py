"""Train a small ranking model on the back end that KERAS_BACKEND names; a program, for a process has one back end.

What back ends may do differently is taken out: first weights come from numpy, a batch is all lists (so that their order
does not count), nothing is dropped or hidden. Writes the losses of each epoch and the exported network's outputs.
"""

import sys
from collections.abc import Mapping, Sequence
from typing import Any
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from gars.application.training_log import Part
from gars.domain.anime import Anime
from gars.domain.item_table import build
from gars.ranking import mlp
from gars.ranking.examples import NOT_ASKED, RankingLists
from gars.ranking.mlp import RankingConfig
from gars.runtime.progress import Silent

N_ITEMS, N_FEATURES, PLACES, LISTS = 40, 6, 15, 96
CONFIG = RankingConfig(
    hidden=(16, 8), dropout=0.0, unknown_item=0.0, batch=LISTS, epochs=30, learning_rate=0.01, validation_share=0.0
)


class Losses:
    """A ``TrainingLog`` that keeps the curves."""

    def __init__(self) -> None:
        self.curves: dict[str, list[float]] = {}

    def scalar(self, name: str, value: float, _step: int, *, part: Part | None = None) -> None:
        self.curves.setdefault(name, []).append(value)

    def histogram(self, name: str, values: NDArray[np.float32], step: int) -> None:
        pass

    def embedding(self, name: str, vectors: NDArray[np.float32], metadata: Mapping[str, Sequence[str]]) -> None:
        pass

    def text(self, name: str, markdown: str) -> None:
        pass


def lists_to_learn() -> RankingLists:
    """Lists in which the first feature says what is liked, and the second what is found."""
    rng = np.random.default_rng(0)
    features = rng.standard_normal((LISTS, PLACES, N_FEATURES)).astype(np.float32)
    like = (features[:, :, 0] + 0.5 * rng.standard_normal((LISTS, PLACES)) > 0).astype(np.float32)
    like[:, -3:] = NOT_ASKED
    return RankingLists(
        features=features,
        rows=rng.integers(0, N_ITEMS, (LISTS, PLACES)).astype(np.int32),
        taste=rng.standard_normal((LISTS, 6)).astype(np.float32),
        order=(features[:, :, 1] > 1).astype(np.float32),
        like=like,
        n_like=PLACES - 3,
    )


def main(target: str) -> None:
    """Train and write to ``target``, an .npz."""
    items = build(
        [
            Anime(anime_id=n, title=str(n), type=("TV", "Movie", None)[n % 3], genres=("A", "B", "C")[: n % 4])
            for n in range(N_ITEMS)
        ]
    )
    lists = lists_to_learn()
    real = mlp.build

    def built_with_the_same_weights(*arguments: Any) -> Any:
        model = real(*arguments)
        rng = np.random.default_rng(1)
        model.set_weights([0.1 * rng.standard_normal(one.shape).astype(one.dtype) for one in model.get_weights()])
        return model

    losses = Losses()
    with patch.object(mlp, "build", built_with_the_same_weights):
        network, _ = mlp.fit(lists, items, config=CONFIG, seed=0, progress=Silent(), log=losses)
    scores = [network.score(lists.features[u], lists.rows[u].astype(np.int64), lists.taste[u]) for u in range(LISTS)]
    np.savez(
        target,
        backend=mlp.import_keras().backend.backend(),
        loss=losses.curves["loss"],
        order_loss=losses.curves["order loss"],
        like_loss=losses.curves["like loss"],
        order=[order for order, _ in scores],
        like=[like for _, like in scores],
    )


if __name__ == "__main__":
    main(sys.argv[1])
