"""Trending counters in Redis: one hash a bucket of event time, absolute weights by anime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gars.adapters.redis.connection import Client, connect, explained
from gars.adapters.redis.keys import Keys
from gars.domain import trending

_TTL_S = (trending.BUCKETS + 4) * trending.BUCKET_MS // 1000


class RedisTrends:
    """``TrendCounters``, and what the feature job writes them with."""

    def __init__(self, address: str, *, prefix: str = "gars") -> None:
        self._address = address
        self._client = connect(address)
        self._keys = Keys(prefix)

    def read(self, buckets: Sequence[int]) -> dict[int, dict[int, float]]:
        """Return the weights by bucket and anime, in one round trip."""
        with explained("read from", self._address):
            pipeline = self._client.pipeline(transaction=False)
            for bucket in buckets:
                pipeline.hgetall(self._keys.trend(bucket))
            found = pipeline.execute()
        return {
            bucket: {int(anime_id): float(weight) for anime_id, weight in weights.items()}
            for bucket, weights in zip(buckets, found, strict=True)
            if weights
        }

    def write(self, weights: Mapping[tuple[int, int], float]) -> None:
        """Set ``(bucket, anime) → weight``. Absolute, so writing it again changes nothing. Raises ``StorageError``."""
        with explained("write to", self._address):
            write_trends(self._client, self._keys, weights)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def write_trends(client: Client, keys: Keys, weights: Mapping[tuple[int, int], float]) -> None:
    """Set weights over a connection of one's own; buckets go by themselves when nothing in them counts any more."""
    pipeline = client.pipeline(transaction=False)
    for (bucket, anime_id), weight in weights.items():
        if weight:
            pipeline.hset(keys.trend(bucket), anime_id, weight)
        else:
            pipeline.hdel(keys.trend(bucket), anime_id)
    for bucket in {bucket for bucket, _ in weights}:
        pipeline.expire(keys.trend(bucket), _TTL_S)
    if len(pipeline):
        pipeline.execute()
