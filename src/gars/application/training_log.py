"""The port for records of a training run: curves, histograms, embeddings, texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

Part = Literal["train", "validation"]


class TrainingLog(Protocol):
    """Records measurements of a training run. The trained model does not depend on it."""

    def scalar(self, name: str, value: float, step: int, *, part: Part | None = None) -> None:
        """Record a point of a curve; ``part`` names the examples it was measured on, if any."""
        ...

    def histogram(self, name: str, values: NDArray[np.float32], step: int) -> None:
        """Record the distribution of values of any shape."""
        ...

    def embedding(self, name: str, vectors: NDArray[np.float32], metadata: Mapping[str, Sequence[str]]) -> None:
        """Record vectors (n, d), with columns of n labels."""
        ...

    def text(self, name: str, markdown: str) -> None:
        """Record a text about the run."""
        ...
