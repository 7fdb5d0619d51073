"""A training log receives the curves and the weights, and changes nothing."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from gars import Recommender
from gars.application.training_log import Part
from gars.library.fitting import FitHooks
from gars.library.recommender import fit_with
from gars_test_support.world import SMALL, small_world


class RecordedLog:
    """A ``TrainingLog`` in memory."""

    def __init__(self) -> None:
        self.scalars: dict[tuple[Part | None, str], list[tuple[int, float]]] = {}
        self.histograms: dict[str, list[tuple[int, NDArray[np.float32]]]] = {}

    def scalar(self, name: str, value: float, step: int, *, part: Part | None = None) -> None:
        self.scalars.setdefault((part, name), []).append((step, value))

    def histogram(self, name: str, values: NDArray[np.float32], step: int) -> None:
        self.histograms.setdefault(name, []).append((step, values))

    def embedding(self, name: str, vectors: NDArray[np.float32], metadata: Mapping[str, Sequence[str]]) -> None:
        pass

    def text(self, name: str, markdown: str) -> None:
        pass


@pytest.fixture(scope="module")
def log_and_fitted() -> tuple[RecordedLog, Recommender]:
    log = RecordedLog()
    return log, fit_with(FitHooks(log=log), *small_world(), config=SMALL)


def test_both_heads_have_a_curve_on_both_parts(log_and_fitted: tuple[RecordedLog, Recommender]) -> None:
    curves = log_and_fitted[0].scalars
    for part in ("train", "validation"):
        for name in ("loss", "order loss", "like loss"):
            assert len(curves[part, name]) == SMALL.ranking.epochs
    losses = [value for _, value in curves["train", "loss"]]
    assert losses[-1] < losses[0]


def test_the_learning_rate_warms_up_and_cools_down(log_and_fitted: tuple[RecordedLog, Recommender]) -> None:
    rates = [value for _, value in log_and_fitted[0].scalars[None, "learning rate"]]
    assert max(rates) == pytest.approx(SMALL.ranking.learning_rate, rel=0.05)
    assert rates[0] < max(rates) / 2
    assert rates[-1] < max(rates) / 10


def test_weights_are_logged_after_each_epoch_and_change(log_and_fitted: tuple[RecordedLog, Recommender]) -> None:
    weights = log_and_fitted[0].histograms
    assert {"item/embeddings", "order_hidden_1/kernel", "like_head/bias"} <= set(weights)
    first, *_, last = weights["order_hidden_1/kernel"]
    assert len(weights["order_hidden_1/kernel"]) == SMALL.ranking.epochs
    assert first[0] < last[0]
    assert not np.array_equal(first[1], last[1])


def test_last_logged_weights_are_the_exported_ones(log_and_fitted: tuple[RecordedLog, Recommender]) -> None:
    log, fitted = log_and_fitted
    assert fitted.engine.network is not None
    logged = [log.histograms[f"{head}_hidden_1/kernel"][-1][1] for head in ("order", "like")]
    assert np.array_equal(np.concatenate(logged, axis=1), fitted.engine.network.hidden_1)


def test_a_model_is_the_same_with_and_without_a_log(
    log_and_fitted: tuple[RecordedLog, Recommender], small: Recommender, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("models")
    assert log_and_fitted[1].save(folder / "logged").version == small.save(folder / "not").version
