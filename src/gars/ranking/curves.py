"""The curves of the ranking model's training: losses of both heads, learning rate, weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from gars.application.training_log import TrainingLog

POINTS = 100
"""At most this many points of a curve come from within epochs."""


def callback(keras: Any, log: TrainingLog, learning_rate: Callable[[int], Any], steps: int) -> Any:
    """A Keras callback that logs a training of ``steps`` batches.

    ``learning_rate`` is the schedule: the optimizer's own counter is not up to date within an epoch on JAX.
    """
    every = max(1, steps // POINTS)

    class Curves(keras.callbacks.Callback):  # type: ignore[misc]
        """Within epochs the running mean of the training losses; after each one both parts and all weights."""

        def __init__(self) -> None:
            super().__init__()
            self.step = 0

        def on_train_batch_end(self, _batch: int, logs: Mapping[str, Any] | None = None) -> None:
            self.step += 1
            if self.step % every == 0:
                log.scalar("learning rate", float(learning_rate(self.step)), self.step)
                log.scalar("loss within epochs", float((logs or {})["loss"]), self.step, part="train")

        def on_epoch_end(self, _epoch: int, logs: Mapping[str, Any] | None = None) -> None:
            for name, value in (logs or {}).items():
                curve = name.removeprefix("val_").replace("_", " ")
                log.scalar(curve, float(value), self.step, part="validation" if name.startswith("val_") else "train")
            for variable in self.model.trainable_variables:
                log.histogram(variable.path, np.asarray(keras.ops.convert_to_numpy(variable), np.float32), self.step)

    return Curves()
