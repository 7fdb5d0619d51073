"""``TrainingLog`` as TensorBoard runs: scalars, histograms, text, and an embedding projector."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from gars.adapters.tensorboard.event_file import EventFile, require
from gars.application.training_log import Part

PROJECTOR_CONFIG = "projector_config.pbtxt"


class TensorBoardLog:
    """A run in ``folder``; its curves on the two parts of the examples are the runs ``train`` and ``validation`` in it,
    so that TensorBoard draws them into one chart.

    Raises:
        MissingExtraError: the ``tensorboard`` extra is not installed.
        StorageError: the disk is full or not writable.
    """

    def __init__(self, folder: Path, *, histograms: bool = True, now: Callable[[], float] = time.time) -> None:
        require()
        self.folder = folder
        self._histograms = histograms
        self._now = now
        self._files: dict[Part | None, EventFile] = {}
        self._file(None)

    def scalar(self, name: str, value: float, step: int, *, part: Part | None = None) -> None:
        """Add one point of a curve."""
        from tensorboard.plugins.scalar.summary_v2 import scalar_pb

        self._file(part).add(scalar_pb(name, value), step)

    def histogram(self, name: str, values: NDArray[np.float32], step: int) -> None:
        """Add a histogram of values of any shape, in 30 buckets."""
        from tensorboard.plugins.histogram.summary_v2 import histogram_pb

        if self._histograms:
            self._file(None).add(histogram_pb(name, values.ravel()), step)

    def text(self, name: str, markdown: str) -> None:
        """Add a text about the run."""
        from tensorboard.plugins.text.summary_v2 import text_pb

        self._file(None).add(text_pb(name, markdown))

    def embedding(self, name: str, vectors: NDArray[np.float32], metadata: Mapping[str, Sequence[str]]) -> None:
        """Write vectors (n, d) for the projector, with columns of n labels."""
        from google.protobuf import text_format
        from tensorboard.plugins.projector.projector_config_pb2 import ProjectorConfig

        vectors_file, words_file = self.folder / f"{name}.tsv", self.folder / f"{name}-metadata.tsv"
        np.savetxt(vectors_file, vectors, fmt="%.5g", delimiter="\t")
        columns = [[_cell(word) for word in column] for column in metadata.values()]
        # the projector reads a header only from a file of several columns
        header = ["\t".join(map(_cell, metadata))] if len(columns) > 1 else []
        lines = header + ["\t".join(row) for row in zip(*columns, strict=True)]
        words_file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        known = self.folder / PROJECTOR_CONFIG
        config = text_format.Parse(known.read_text() if known.exists() else "", ProjectorConfig())
        config.embeddings.add(tensor_name=name, tensor_path=vectors_file.name, metadata_path=words_file.name)
        known.write_text(text_format.MessageToString(config), encoding="utf-8")

    def close(self) -> None:
        """Close the files."""
        for file in self._files.values():
            file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()

    def _file(self, part: Part | None) -> EventFile:
        if part not in self._files:
            self._files[part] = EventFile(self.folder / part if part else self.folder, self._now)
        return self._files[part]


def _cell(word: str) -> str:
    return " ".join(word.split()) or "–"
