"""Open the logged interactions of a service for training (``--from-log``)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from gars.config import from_environment
from gars.datasets.dataset import Dataset
from gars.domain import user_state
from gars.domain.errors import MissingExtraError
from gars.domain.user_state import Row, UserState
from gars.library.registry import Registry
from gars.pipeline.logged_training_data import LoggedTrainingData


@contextmanager
def logged_training_data(home: Path, dataset: Dataset) -> Iterator[LoggedTrainingData]:
    """The logged lists of this home's models; users' lists from before the log are those of ``dataset``.

    Raises:
        MissingExtraError: there is no service here that could have logged anything.
    """
    try:
        from gars.bootstrap import open_event_log, open_impression_log
    except ImportError as error:
        raise MissingExtraError("gars train --from-log", "serve") from error
    settings = from_environment(os.environ, home=home)
    impressions = open_impression_log(settings)
    log = open_event_log(settings)
    try:
        versions = {manifest.version for manifest in Registry(home / "models").versions()}
        yield LoggedTrainingData(impressions, log, _Before(dataset), frozenset(versions))
    finally:
        log.close()
        impressions.close()


class _Before:
    """A user's rows of the data set as the state the service began with."""

    def __init__(self, dataset: Dataset) -> None:
        self._rows = dataset.interactions()

    def __call__(self, user_id: str) -> UserState | None:
        if not user_id.isascii() or not user_id.lstrip("-").isdigit():
            return None
        own = self._rows.filter(pl.col("user_id") == int(user_id)).sort("time", maintain_order=True)
        frame = own.with_columns(pl.col("time").dt.epoch("ms")).collect()
        columns = (frame[name].to_list() for name in ("anime_id", "rating", "status", "time"))
        rows = list(map(Row, *columns))
        return user_state.initial(user_id, rows) if rows else None
