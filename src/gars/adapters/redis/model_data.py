"""Model data for retrieval in Redis: vectors and neighbour lists, for clients that do not load the model.

gars:model:{VERSION}:vectors      hash: anime id → float32, little-endian
gars:model:{VERSION}:neighbours   hash: anime id → JSON [[id, likeness], …], best first
gars:model:current                the version, set when all of it is there
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from gars.adapters.redis.connection import connect, explained

OLD_S = 24 * 3600
"""Time (s) before the previous version expires, so that its readers can finish."""
_BATCH = 500


class RedisModelData:
    """Publishes and reads the data of models. ``prefix`` keeps installations apart."""

    def __init__(self, address: str, *, prefix: str = "gars") -> None:
        self._address = address
        self._client = connect(address)
        self._prefix = f"{prefix}:model"

    def publish(
        self,
        version: str,
        vectors: Mapping[int, NDArray[np.float32]],
        neighbours: Iterable[tuple[int, Sequence[tuple[int, float]]]],
    ) -> None:
        """Write a version, then make it the current one; the previous one expires after a day. It is idempotent.

        Raises:
            StorageError: not everything was written; the current version is unchanged.
        """
        with explained("write to", self._address):
            before = self.current()
            self._write(self._key(version, "vectors"), ((i, v.astype("<f4").tobytes()) for i, v in vectors.items()))
            self._write(self._key(version, "neighbours"), ((i, json.dumps(near).encode()) for i, near in neighbours))
            for name in ("vectors", "neighbours"):
                self._client.persist(self._key(version, name))
            self._client.set(f"{self._prefix}:current", version)
            if before is not None and before != version:
                for name in ("vectors", "neighbours"):
                    self._client.expire(self._key(before, name), OLD_S)

    def current(self) -> str | None:
        """Return the version published last; raises ``StorageError``."""
        with explained("read from", self._address):
            found = self._client.get(f"{self._prefix}:current")
        return None if found is None else found.decode()

    def vectors(self, version: str, anime_ids: Sequence[int]) -> dict[int, NDArray[np.float32]]:
        """Return the vectors that exist, in one round trip; raises ``StorageError``."""
        return {i: np.frombuffer(found, "<f4") for i, found in self._read(version, "vectors", anime_ids)}

    def neighbours(self, version: str, anime_ids: Sequence[int]) -> dict[int, list[tuple[int, float]]]:
        """Return the neighbours that exist, best first, in one round trip; raises ``StorageError``."""
        found = self._read(version, "neighbours", anime_ids)
        return {i: [(int(other), float(likeness)) for other, likeness in json.loads(near)] for i, near in found}

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _write(self, key: str, fields: Iterable[tuple[int, bytes]]) -> None:
        rows = iter(fields)
        while some := [row for _, row in zip(range(_BATCH), rows, strict=False)]:
            pipeline = self._client.pipeline(transaction=False)
            for field, value in some:
                pipeline.hset(key, field, value)
            pipeline.expire(key, OLD_S)  # half a version goes by itself
            pipeline.execute()

    def _read(self, version: str, name: str, anime_ids: Sequence[int]) -> list[tuple[int, bytes]]:
        if not anime_ids:
            return []
        with explained("read from", self._address):
            found = self._client.hmget(self._key(version, name), list(anime_ids))
        return [(i, value) for i, value in zip(anime_ids, found, strict=True) if value is not None]

    def _key(self, version: str, name: str) -> str:
        return f"{self._prefix}:{{{version}}}:{name}"
