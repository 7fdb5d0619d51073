"""The port for what a training run leaves behind to look at: curves, weights, embeddings, words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

Part = Literal["train", "validation"]


class TrainingLog(Protocol):
    """Takes what a run measures. It only listens: a model is the same with and without one."""

    def scalar(self, name: str, value: float, step: int, *, part: Part | None = None) -> None:
        """One point of a curve; ``part`` says on which examples it was measured, if on any."""
        ...

    def histogram(self, name: str, values: NDArray[np.float32], step: int) -> None:
        """How values of any shape are distributed."""
        ...

    def embedding(self, name: str, vectors: NDArray[np.float32], metadata: Mapping[str, Sequence[str]]) -> None:
        """Vectors (n, d) to look at, with columns of n words that say what each is."""
        ...

    def text(self, name: str, markdown: str) -> None:
        """Words about the run."""
        ...
