"""Whether the model data in Redis, which others read, are those of the model that serves here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gars.application.engine import Engine
from gars.bootstrap.addresses import REDIS, adapter, scheme
from gars.bootstrap.publishing import vectors_of
from gars.config import Settings
from gars.domain.errors import ArtefactError, StorageError

_COMPARED = 500
_HINT = "gars model publish"


class ModelData(Protocol):
    """What is published."""

    def current(self) -> str | None:
        """The version published last; raises ``StorageError``."""
        ...

    def vectors(self, version: str, anime_ids: Sequence[int]) -> Mapping[int, NDArray[np.float32]]:
        """Those there are; raises ``StorageError``."""
        ...

    def close(self) -> None:
        """Close the connections."""
        ...


class Published:
    """Looks at what is published; ``problem`` is what the last look found."""

    def __init__(self, data: ModelData) -> None:
        self._data = data
        self._same: str | None = None
        self.problem: str | None = None

    def look(self, engine: Engine) -> None:
        """Compare the version, and for one not seen before some vectors. While Redis is away nothing is known."""
        try:
            self.problem = self._difference(engine)
        except StorageError:  # the states say that Redis is away
            self.problem = None

    def close(self) -> None:
        """Close the connections."""
        self._data.close()

    def _difference(self, engine: Engine) -> str | None:
        current = self._data.current()
        if current is None:
            return f"no model is published in Redis, and this process serves {engine.version}: {_HINT}"
        if current != engine.version:
            return f"Redis has the vectors of model {current}, and this process serves {engine.version}: {_HINT}"
        if current != self._same and not self._equal(engine):
            return f"the vectors of model {current} in Redis are not those of the model: {_HINT} --again"
        self._same = current
        return None

    def _equal(self, engine: Engine) -> bool:
        try:
            own = vectors_of(engine)
        except ArtefactError:  # a double: it has a version alone
            return True
        some = list(own)[:: max(1, len(own) // _COMPARED)]
        held = self._data.vectors(engine.version, some)
        return all(one in held and np.array_equal(held[one], own[one]) for one in some)


def open_published(settings: Settings) -> Published | None:
    """Where the states are in Redis; connects at the first look."""
    if scheme(settings.state_store) not in REDIS:
        return None
    return Published(adapter("redis", "model_data").RedisModelData(settings.state_store))
